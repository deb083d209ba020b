#include "json/reader.h"

#include "json/scanner.h"

#include <simdjson.h>

#include <charconv>

namespace sluice::json {
namespace {

constexpr std::uint32_t kReplacement = 0xFFFD;

void append_utf8(std::string& out, std::uint32_t code) {
    const auto byte = [&out](std::uint32_t value) { out.push_back(static_cast<char>(value)); };
    if (code < 0x80) {
        byte(code);
    } else if (code < 0x800) {
        byte(0xC0U | (code >> 6U));
        byte(0x80U | (code & 0x3FU));
    } else if (code < 0x10000) {
        byte(0xE0U | (code >> 12U));
        byte(0x80U | ((code >> 6U) & 0x3FU));
        byte(0x80U | (code & 0x3FU));
    } else {
        byte(0xF0U | (code >> 18U));
        byte(0x80U | ((code >> 12U) & 0x3FU));
        byte(0x80U | ((code >> 6U) & 0x3FU));
        byte(0x80U | (code & 0x3FU));
    }
}

/// The code unit of a `\uXXXX` at the start of `text`; nullopt when there is none.
std::optional<std::uint32_t> code_unit(std::string_view text) {
    if (text.size() < 6 || text[0] != '\\' || text[1] != 'u') return std::nullopt;
    std::uint32_t unit = 0;
    const char* const end = text.data() + 6;
    if (std::from_chars(text.data() + 2, end, unit, 16).ptr != end) return std::nullopt;
    return unit;
}

/// Appends what the `\u` escape at the start of `text` means, its second half included; returns
/// its length.
std::size_t append_code_point(std::string& out, std::string_view text) {
    const std::uint32_t unit = code_unit(text).value_or(kReplacement);
    if (unit < 0xD800 || unit > 0xDFFF) {
        append_utf8(out, unit);
        return 6;
    }
    const std::uint32_t low = code_unit(text.substr(6)).value_or(0);
    if (unit > 0xDBFF || low < 0xDC00 || low > 0xDFFF) {
        append_utf8(out, kReplacement);
        return 6;
    }
    append_utf8(out, 0x10000U + ((unit - 0xD800U) << 10U) + (low - 0xDC00U));
    return 12;
}

char unescape_char(char c) noexcept {
    switch (c) {
        case 'b': return '\b';
        case 'f': return '\f';
        case 'n': return '\n';
        case 'r': return '\r';
        case 't': return '\t';
        default: return c;
    }
}

/// `text` is what stands between a checked string's quotes.
std::string unescape(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        const auto backslash = text.find('\\');
        out.append(text.substr(0, backslash));
        if (backslash == std::string_view::npos) break;
        text.remove_prefix(backslash);
        if (text.size() < 6 || text[1] != 'u') {
            if (text.size() < 2) break;
            out.push_back(unescape_char(text[1]));
            text.remove_prefix(2);
        } else {
            text.remove_prefix(append_code_point(out, text));
        }
    }
    return out;
}

}  // namespace

Reader::Reader(std::string_view text) : text_(text), at_(text.data()) {
    const char* const end = text_.data() + text_.size();
    at_ = skip_space(at_, end);
    if (at_ == end) {
        fail("unexpected end", at_);
    } else if (*at_ != '{' && *at_ != '[') {
        fail("an object or a list was expected", at_);
    } else {
        kind_ = kind_of(*at_++);
    }
}

bool Reader::fail(const char* reason, const char* at) noexcept {
    reason_ = reason;
    at_ = at;
    return false;
}

bool Reader::next() {
    if (failed() || ended_) return false;
    const char* const end = text_.data() + text_.size();
    const bool object = kind_ == Kind::object;
    Failure failure;

    at_ = skip_space(at_, end);
    if (at_ != end && *at_ == (object ? '}' : ']')) {
        at_ = skip_space(at_ + 1, end);
        if (at_ != end) return fail("something follows the document", at_);
        ended_ = true;
        return false;
    }
    if (!first_) {
        if (at_ == end) return fail("unexpected end", at_);
        if (*at_ != ',') return fail("a comma was expected", at_);
        at_ = skip_space(at_ + 1, end);
    }
    first_ = false;

    if (at_ == end) return fail("unexpected end", at_);
    if (object) {
        if (*at_ != '"') return fail("a key was expected", at_);
        const char* const key_end = skip_string(at_, end, failure);
        if (key_end == nullptr) return fail(failure.reason, failure.at);
        key_ = std::string_view(at_ + 1, key_end - 1);
        at_ = skip_space(key_end, end);
        if (at_ == end || *at_ != ':') return fail("a colon was expected", at_);
        at_ = skip_space(at_ + 1, end);
    }
    const char* const value_end = skip_value(at_, end, 1, failure);
    if (value_end == nullptr) return fail(failure.reason, failure.at);
    value_ = {.raw = std::string_view(at_, value_end), .kind = kind_of(*at_)};
    at_ = value_end;
    return true;
}

Span Reader::span() const noexcept {
    return {.offset = static_cast<std::size_t>(value_.raw.data() - text_.data()),
            .length = value_.raw.size()};
}

bool Reader::key_is(std::string_view name) const {
    if (key_ == name) return true;
    return key_.find('\\') != std::string_view::npos && unescape(key_) == name;
}

std::string Reader::failure() const {
    return failed() ? describe({.reason = reason_, .at = at_}, text_) : std::string();
}

std::optional<std::string> find_error(std::string_view text) {
    if (!is_valid_utf8(text)) return "not valid UTF-8";
    const char* const begin = text.data();
    const char* const end = begin + text.size();
    Failure failure;
    const char* at = skip_value(skip_space(begin, end), end, 0, failure);
    if (at != nullptr) {
        at = skip_space(at, end);
        if (at == end) return std::nullopt;
        failure = {.reason = "something follows the document", .at = at};
    }
    return describe(failure, text);
}

bool is_valid_utf8(std::string_view text) noexcept {
    return simdjson::validate_utf8(text);
}

std::optional<std::string> to_string(const Value& value) {
    if (!value.is(Kind::string) || value.raw.size() < 2) return std::nullopt;
    return unescape(value.raw.substr(1, value.raw.size() - 2));
}

std::optional<std::uint64_t> to_uint64(const Value& value) noexcept {
    std::uint64_t number = 0;
    const char* const begin = value.raw.data();
    const char* const end = begin + value.raw.size();
    const auto [stop, error] = std::from_chars(begin, end, number);
    if (error != std::errc{} || stop != end) return std::nullopt;
    return number;
}

std::optional<Value> find(const Value& object, std::string_view name) {
    if (!object.is(Kind::object)) return std::nullopt;
    Reader reader(object.raw);
    while (reader.next()) {
        if (reader.key_is(name)) return reader.value();
    }
    return std::nullopt;
}

Value as_value(std::string_view text) noexcept {
    const char* begin = text.data();
    const char* end = begin + text.size();
    begin = skip_space(begin, end);
    if (begin == end) return {};
    while (end[-1] == ' ' || end[-1] == '\n' || end[-1] == '\r' || end[-1] == '\t') --end;
    return {.raw = std::string_view(begin, end), .kind = kind_of(*begin)};
}

}  // namespace sluice::json
