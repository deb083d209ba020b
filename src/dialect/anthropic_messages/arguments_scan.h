#pragma once

/// Tells, while the arguments of a tool call come in pieces, when they are whole. Internal to this
/// folder.

#include <cstddef>
#include <string_view>

namespace sluice::dialect::anthropic_messages {

/// Counts brackets outside of strings and looks at nothing else: whole is what began with an object
/// or a list that is closed. Arguments that begin otherwise never are.
class ArgumentsScan {
public:
    void feed(std::string_view piece) noexcept {
        for (const char c : piece) {
            if (at_ == At::behind) return;
            take(c);
        }
    }

    [[nodiscard]] bool is_whole() const noexcept { return at_ == At::behind && depth_ == 0; }

private:
    enum class At : unsigned char { before, inside, in_string, escaped, behind };

    void take(char c) noexcept {
        switch (at_) {
            case At::before:
                if (c == ' ' || c == '\t' || c == '\r' || c == '\n') return;
                depth_ = 1;
                at_ = c == '{' || c == '[' ? At::inside : At::behind;
                return;
            case At::inside:
                if (c == '"') at_ = At::in_string;
                if (c == '{' || c == '[') ++depth_;
                if ((c == '}' || c == ']') && --depth_ == 0) at_ = At::behind;
                return;
            case At::in_string:
                if (c == '"') at_ = At::inside;
                if (c == '\\') at_ = At::escaped;
                return;
            case At::escaped: at_ = At::in_string; return;
            case At::behind: return;
        }
    }

    std::size_t depth_ = 0;
    At at_ = At::before;
};

}  // namespace sluice::dialect::anthropic_messages
