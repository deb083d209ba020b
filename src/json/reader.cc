#include "json/reader.h"

#include "json/cursor.h"
#include "json/token.h"

#include <simdjson.h>

#include <algorithm>
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
void append_unescaped(std::string& out, std::string_view text) {
    out.reserve(out.size() + text.size());
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
}

std::string unescape(std::string_view text) {
    std::string out;
    append_unescaped(out, text);
    return out;
}

std::string describe(const Failure& failure) {
    std::string text = failure.reason;
    if (failure.at) text += " at byte " + std::to_string(*failure.at);
    return text;
}

}  // namespace

Reader::Reader(std::string_view text, std::size_t padding) : text_(text), cursor_(lease_cursor()) {
    const bool opened = cursor_->open(text, padding);
    kind_ = cursor_->kind();
    if (!opened) stop();
}

Reader::Reader(const Value& checked) : text_(checked.raw), cursor_(lease_cursor()) {
    const bool opened = cursor_->open_checked(text_);
    kind_ = cursor_->kind();
    if (!opened) stop();
}

bool Reader::next() {
    if (!cursor_) return false;
    if (!cursor_->next()) {
        stop();
        return false;
    }
    key_ = cursor_->key();
    value_ = cursor_->value();
    return true;
}

void Reader::stop() {
    failure_ = cursor_->failure();
    cursor_.reset();
}

Span Reader::span() const noexcept {
    return {.offset = static_cast<std::size_t>(value_.raw.data() - text_.data()),
            .length = value_.raw.size()};
}

bool Reader::key_is(std::string_view name) const {
    return key_.escaped ? unescape(key_.raw) == name : key_.raw == name;
}

std::string Reader::failure() const {
    return failed() ? describe(failure_) : std::string();
}

std::optional<std::string> find_error(std::string_view text) {
    const CursorLease cursor = lease_cursor();
    if (cursor->check(text)) return std::nullopt;
    return describe(cursor->failure());
}

bool is_valid_utf8(std::string_view text) noexcept {
    return simdjson::validate_utf8(text);
}

std::optional<std::string> to_string(const Value& value) {
    if (!value.is(Kind::string) || value.raw.size() < 2) return std::nullopt;
    return unescape(value.raw.substr(1, value.raw.size() - 2));
}

void append_text(std::string& out, std::string_view inner) {
    append_unescaped(out, inner);
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
    Reader reader(object);
    while (reader.next()) {
        if (reader.key_is(name)) return reader.value();
    }
    return std::nullopt;
}

Value as_value(std::string_view text) noexcept {
    const auto* const begin = std::ranges::find_if_not(text, is_space);
    if (begin == text.end()) return {};
    const char* end = text.data() + text.size();
    while (is_space(end[-1])) --end;
    return {.raw = std::string_view(begin, end), .kind = kind_of(*begin)};
}

bool is_empty(const Value& container) noexcept {
    if (!container.is(Kind::object) && !container.is(Kind::array)) return false;
    const auto* const inside = std::ranges::find_if_not(container.raw.substr(1), is_space);
    return inside + 1 == container.raw.end();
}

}  // namespace sluice::json
