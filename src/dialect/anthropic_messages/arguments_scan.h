#pragma once

/// Tells, while the arguments of a tool call come in pieces, when they are whole. Internal to this
/// folder.

#include "json/reader.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sluice::dialect::anthropic_messages {

/// Looks at the brackets outside of strings and at nothing else: whole is what began with an object
/// or a list that is closed. Arguments that begin otherwise, close what is not open, or are nested
/// deeper than JSON may be here never are.
class ArgumentsScan {
public:
    /// How much of `piece` belongs to the arguments: what follows their end does not.
    std::size_t feed(std::string_view piece) noexcept {
        for (std::size_t i = 0; i < piece.size(); ++i) {
            if (is_whole()) return i;
            take(piece[i]);
        }
        return piece.size();
    }

    [[nodiscard]] bool is_whole() const noexcept { return at_ == At::behind; }

private:
    enum class At : unsigned char { before, inside, in_string, escaped, behind, lost };

    void take(char c) noexcept {
        switch (at_) {
            case At::before:
                if (c == ' ' || c == '\t' || c == '\r' || c == '\n') return;
                at_ = At::lost;
                if (c == '{' || c == '[') open(c == '{');
                return;
            case At::inside:
                if (c == '"') at_ = At::in_string;
                if (c == '{' || c == '[') open(c == '{');
                if (c == '}' || c == ']') close(c == '}');
                return;
            case At::in_string:
                if (c == '"') at_ = At::inside;
                if (c == '\\') at_ = At::escaped;
                return;
            case At::escaped: at_ = At::in_string; return;
            case At::behind:
            case At::lost: return;
        }
    }

    void open(bool is_object) noexcept {
        at_ = depth_ == json::kMaxDepth ? At::lost : At::inside;
        objects_ = objects_ << 1U | static_cast<std::uint64_t>(is_object);
        ++depth_;
    }

    void close(bool is_object) noexcept {
        const bool matches = (objects_ & 1U) == static_cast<std::uint64_t>(is_object);
        objects_ >>= 1U;
        --depth_;
        if (!matches) at_ = At::lost;
        if (matches && depth_ == 0) at_ = At::behind;
    }

    static_assert(json::kMaxDepth <= 64);
    std::uint64_t objects_ = 0;  // a bit for each bracket that is open, the newest lowest
    unsigned depth_ = 0;
    At at_ = At::before;
};

}  // namespace sluice::dialect::anthropic_messages
