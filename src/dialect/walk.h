#pragma once

/// Walks JSON that has been checked before: forward only, in one pass, without an index and without
/// a copy. For the small objects of a stream and for what lies deep in a request, where a
/// json::Reader for each level would index the same bytes again and again.

#include "json/reader.h"

#include <cstddef>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::dialect {

/// Usage:
///
///     Walk walk(chunk);
///     if (walk.enter_object()) {
///         while (walk.next_member()) {
///             const json::Value value = walk.take();
///             if (walk.key_is("model")) use(value);
///         }
///     }
///
/// Each value is to be taken or entered before the next step. The views point into the text. Text
/// that was not checked is walked to a wrong result, but never past its end.
class Walk {
public:
    explicit Walk(std::string_view checked) noexcept
        : at_(checked.data()),
          end_(checked.data() + checked.size()) {}

    /// Into the object that stands here; false, and nothing has happened, where none does.
    [[nodiscard]] bool enter_object() noexcept { return enter('{'); }
    [[nodiscard]] bool enter_array() noexcept { return enter('['); }

    /// To the next member's value; false behind the last one, with the object left.
    [[nodiscard]] bool next_member() noexcept {
        if (!next_element() || *at_ != '"') return false;
        const char* const close = string_end(at_ + 1);
        key_ = {at_ + 1, close};
        at_ = close == end_ ? end_ : close + 1;
        skip_space();
        if (at_ != end_ && *at_ == ':') ++at_;
        return true;
    }

    /// The same in a list.
    [[nodiscard]] bool next_element() noexcept {
        skip_space();
        if (at_ != end_ && *at_ == ',') {
            ++at_;
            skip_space();
        }
        if (at_ == end_) return false;
        if (*at_ != '}' && *at_ != ']') return true;
        ++at_;
        return false;
    }

    /// Of the member that next_member() came to, also when its value has been taken.
    [[nodiscard]] bool key_is(std::string_view name) const {
        if (key_.find('\\') == std::string_view::npos) return key_ == name;
        return json::to_string(
                   {.raw = {key_.data() - 1, key_.size() + 2}, .kind = json::Kind::string}) == name;
    }
    /// Between its quotes, still escaped.
    [[nodiscard]] std::string_view raw_key() const noexcept { return key_; }

    /// The value that stands here, which is passed over.
    json::Value take() noexcept {
        skip_space();
        const char* const begin = at_;
        if (at_ == end_) return {};
        const json::Kind kind = kind_of(*at_);
        switch (kind) {
            case json::Kind::object:
            case json::Kind::array: pass_container(); break;
            case json::Kind::string: pass_string(); break;
            case json::Kind::number:
            case json::Kind::boolean:
            case json::Kind::null: pass_word(); break;
        }
        return {.raw = {begin, at_}, .kind = kind};
    }

private:
    static constexpr json::Kind kind_of(char first) noexcept {
        switch (first) {
            case '{': return json::Kind::object;
            case '[': return json::Kind::array;
            case '"': return json::Kind::string;
            case 't':
            case 'f': return json::Kind::boolean;
            case 'n': return json::Kind::null;
            default: return json::Kind::number;
        }
    }

    void skip_space() noexcept {
        while (at_ != end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\t' || *at_ == '\r')) ++at_;
    }

    bool enter(char bracket) noexcept {
        skip_space();
        if (at_ == end_ || *at_ != bracket) return false;
        ++at_;
        return true;
    }

    /// The closing quote of the string whose inside begins at `from`, or the text's end.
    [[nodiscard]] const char* string_end(const char* from) const noexcept {
        const char* at = from;
        while (at != end_) {
            at =
                static_cast<const char*>(std::memchr(at, '"', static_cast<std::size_t>(end_ - at)));
            if (at == nullptr) return end_;
            const char* before = at;
            while (before != from && before[-1] == '\\') --before;
            if ((at - before) % 2 == 0) return at;
            ++at;
        }
        return end_;
    }

    void pass_string() noexcept {
        const char* const close = string_end(at_ + 1);
        at_ = close == end_ ? end_ : close + 1;
    }

    void pass_word() noexcept {
        constexpr std::string_view kEnds = ",]} \n\t\r";
        while (at_ != end_ && kEnds.find(*at_) == std::string_view::npos) ++at_;
    }

    void pass_container() noexcept {
        std::size_t depth = 0;
        while (at_ != end_) {
            const char c = *at_;
            if (c == '"') {
                pass_string();
                continue;
            }
            ++at_;
            if (c == '{' || c == '[') ++depth;
            if ((c == '}' || c == ']') && --depth == 0) return;
        }
    }

    const char* at_;
    const char* end_;
    std::string_view key_;
};

/// The first member of that name of a checked object; nullopt when there is none or `object` is no
/// object.
[[nodiscard]] inline std::optional<json::Value> member_of(const json::Value& object,
                                                          std::string_view name) {
    Walk walk(object.raw);
    if (!walk.enter_object()) return std::nullopt;
    while (walk.next_member()) {
        const json::Value value = walk.take();
        if (walk.key_is(name)) return value;
    }
    return std::nullopt;
}

/// The text of such a member; empty where there is none, or it is no string.
[[nodiscard]] inline std::string text_of_member(const json::Value& object, std::string_view name) {
    const auto member = member_of(object, name);
    return member ? json::to_string(*member).value_or("") : std::string();
}

}  // namespace sluice::dialect
