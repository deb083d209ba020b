#include "observe/log_line.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace sluice::observe {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";
constexpr std::string_view kReplacement = R"(\ufffd)";

/// Bytes that stand for themselves inside a JSON string.
constexpr std::array<bool, 256> kPlain = [] {
    std::array<bool, 256> plain{};
    for (std::size_t c = 0x20; c < 0x7f; ++c) plain.at(c) = c != '"' && c != '\\';
    return plain;
}();

/// Bytes that also need no quotes in a text line.
constexpr std::array<bool, 256> kBare = [] {
    std::array<bool, 256> bare = kPlain;
    bare[' '] = false;
    bare['='] = false;
    return bare;
}();

constexpr std::uint8_t byte_of(char c) noexcept {
    return static_cast<std::uint8_t>(c);
}

struct CodePoint {
    std::uint32_t value = 0;
    std::size_t length = 0;  ///< 0: not UTF-8
};

/// Decodes the first character of `text`, whose first byte is not ASCII.
CodePoint decode(std::string_view text) noexcept {
    const std::uint8_t lead = byte_of(text[0]);
    const std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead < 0xc2 || lead > 0xf4 || text.size() < length) return {};
    std::uint32_t value = lead & (0x7fU >> length);
    for (std::size_t i = 1; i < length; ++i) {
        const std::uint8_t byte = byte_of(text[i]);
        if ((byte & 0xc0U) != 0x80) return {};
        value = (value << 6U) | (byte & 0x3fU);
    }
    const bool overlong = (length == 3 && value < 0x800) || (length == 4 && value < 0x10000);
    const bool surrogate = value >= 0xd800 && value <= 0xdfff;
    if (overlong || surrogate || value > 0x10ffff) return {};
    return {.value = value, .length = length};
}

/// C1 controls, the line and paragraph separators, and what turns the direction of text.
bool needs_escape(std::uint32_t code) noexcept {
    return code < 0xa0 || (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
}

void append_unicode_escape(std::string& out, std::uint32_t code) {
    const std::array<char, 6> escape = {'\\',
                                        'u',
                                        kHexDigits[(code >> 12U) & 15U],
                                        kHexDigits[(code >> 8U) & 15U],
                                        kHexDigits[(code >> 4U) & 15U],
                                        kHexDigits[code & 15U]};
    out.append(escape.data(), escape.size());
}

void append_ascii_escape(std::string& out, char c, Quotes quotes) {
    switch (c) {
        case '"': out += quotes == Quotes::kept ? "\"" : "\\\""; break;
        case '\\': out += "\\\\"; break;
        case '\n': out += "\\n"; break;
        case '\r': out += "\\r"; break;
        case '\t': out += "\\t"; break;
        default: append_unicode_escape(out, byte_of(c));
    }
}

template <class Number>
void append_number(std::string& out, Number number) {
    std::array<char, 32> digits;  // NOLINT(cppcoreguidelines-pro-type-member-init): written below
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
    out.append(digits.data(), end);
}

void append_padded(std::string& out, unsigned number, std::size_t width) {
    std::array<char, 8> digits;  // NOLINT(cppcoreguidelines-pro-type-member-init): written below
    for (std::size_t i = width; i > 0; --i) {
        digits.at(i - 1) = static_cast<char>('0' + number % 10);
        number /= 10;
    }
    out.append(digits.data(), width);
}

void append_date(std::string& out, std::chrono::sys_days day) {
    const std::chrono::year_month_day date(day);
    append_padded(out, static_cast<unsigned>(static_cast<int>(date.year())), 4);
    out += '-';
    append_padded(out, static_cast<unsigned>(date.month()), 2);
    out += '-';
    append_padded(out, static_cast<unsigned>(date.day()), 2);
}

void append_time_of_day(std::string& out, std::chrono::milliseconds since_midnight) {
    const auto ms = static_cast<unsigned>(since_midnight.count());
    append_padded(out, ms / 3'600'000, 2);
    out += ':';
    append_padded(out, ms / 60'000 % 60, 2);
    out += ':';
    append_padded(out, ms / 1000 % 60, 2);
    out += '.';
    append_padded(out, ms % 1000, 3);
}

std::string_view name_of(LogLevel level) noexcept {
    switch (level) {
        case LogLevel::debug: return "debug";
        case LogLevel::info: return "info";
        case LogLevel::warn: return "warn";
        case LogLevel::error: return "error";
        case LogLevel::off: return "off";
    }
    return "off";
}

}  // namespace

void append_escaped(std::string& out, std::string_view text, Quotes quotes) {
    std::size_t plain = 0;
    std::size_t i = 0;
    while (i < text.size()) {
        if (kPlain[byte_of(text[i])]) {
            ++i;
            continue;
        }
        out.append(text.substr(plain, i - plain));
        if (byte_of(text[i]) < 0x80) {
            append_ascii_escape(out, text[i], quotes);
            ++i;
        } else {
            const CodePoint code = decode(text.substr(i));
            if (code.length == 0) {
                out += kReplacement;
            } else if (needs_escape(code.value)) {
                append_unicode_escape(out, code.value);
            } else {
                out.append(text.substr(i, code.length));
            }
            i += std::max<std::size_t>(code.length, 1);
        }
        plain = i;
    }
    out.append(text.substr(plain));
}

void LineWriter::begin(std::chrono::system_clock::time_point time, LogLevel level,
                       std::string_view message) {
    const auto ms = std::chrono::floor<std::chrono::milliseconds>(time);
    const auto day = std::chrono::floor<std::chrono::days>(ms);
    if (json_) {
        out_ += R"({"time":")";
        append_date(out_, day);
        out_ += 'T';
        append_time_of_day(out_, ms - day);
        out_ += R"(Z","level":")";
        out_ += name_of(level);
        out_ += R"(","message":)";
        quoted(message);
    } else {
        append_time_of_day(out_, ms - day);
        out_ += ' ';
        out_ += name_of(level);
        out_.append(6 - name_of(level).size(), ' ');
        escaped(message, Quotes::kept);
    }
}

void LineWriter::field(std::string_view name, std::string_view text) {
    this->name(name);
    const bool bare = !json_ && !text.empty() && text.size() <= text_limit_ &&
                      std::ranges::all_of(text, [](char c) { return kBare[byte_of(c)]; });
    if (bare) {
        out_ += text;
    } else {
        quoted(text);
    }
}

void LineWriter::field(std::string_view name, std::int64_t number) {
    this->name(name);
    append_number(out_, number);
}

void LineWriter::field(std::string_view name, std::uint64_t number) {
    this->name(name);
    append_number(out_, number);
}

void LineWriter::field(std::string_view name, double number) {
    this->name(name);
    if (std::isfinite(number)) {
        append_number(out_, number);
    } else {
        out_ += "null";  // JSON has neither infinities nor NaN
    }
}

void LineWriter::field(std::string_view name, bool flag) {
    this->name(name);
    out_ += flag ? "true" : "false";
}

void LineWriter::field(std::string_view name, std::chrono::nanoseconds duration) {
    this->name(name);
    const auto us =
        std::chrono::duration_cast<std::chrono::microseconds>(std::max(duration, {})).count();
    append_number(out_, us / 1000);
    out_ += '.';
    append_padded(out_, static_cast<unsigned>(us % 1000), 3);
}

void LineWriter::end() {
    out_ += json_ ? "}\n" : "\n";
}

void LineWriter::name(std::string_view name) {
    if (json_) {
        out_ += ",\"";
        append_escaped(out_, name);
        out_ += "\":";
    } else {
        out_ += ' ';
        append_escaped(out_, name);
        out_ += '=';
    }
}

void LineWriter::quoted(std::string_view text) {
    out_ += '"';
    escaped(text, Quotes::escaped);
    out_ += '"';
}

void LineWriter::escaped(std::string_view text, Quotes quotes) {
    if (text.size() <= text_limit_) {
        append_escaped(out_, text, quotes);
        return;
    }
    std::size_t cut = text_limit_;
    while (cut > 0 && (byte_of(text[cut]) & 0xc0U) == 0x80) --cut;
    append_escaped(out_, text.substr(0, cut), quotes);
    out_ += "\u2026";
}

}  // namespace sluice::observe
