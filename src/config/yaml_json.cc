#include "config/yaml_json.h"

#include "base/text.h"

#include <algorithm>
#include <charconv>
#include <cstdint>

namespace sluice::config {
namespace {

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

std::string_view take_digits(std::string_view& text) {
    const auto end = std::ranges::find_if_not(text, is_digit);
    const auto length = static_cast<std::size_t>(end - text.begin());
    const std::string_view digits = text.substr(0, length);
    text.remove_prefix(length);
    return digits;
}

bool is_one_of(std::string_view text, std::initializer_list<std::string_view> words) {
    return std::ranges::find(words, text) != words.end();
}

/// `0x1f` and `0o17`.
std::optional<std::string> based_integer(std::string_view text) {
    constexpr int kHex = 16;
    constexpr int kOctal = 8;
    const bool hex = text.starts_with("0x");
    if (!hex && !text.starts_with("0o")) return std::nullopt;
    text.remove_prefix(2);
    std::uint64_t value = 0;
    const char* const last = text.data() + text.size();
    const auto [end, error] = std::from_chars(text.data(), last, value, hex ? kHex : kOctal);
    if (error != std::errc{} || end != last) return std::nullopt;
    return std::to_string(value);
}

/// A decimal number as JSON spells it: no `+`, no leading zeros, digits on both sides of the point.
std::optional<std::string> decimal(std::string_view text) {
    std::string json;
    if (text.starts_with('-')) json = "-";
    if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
    std::string_view whole = take_digits(text);
    std::string_view fraction;
    if (text.starts_with('.')) {
        text.remove_prefix(1);
        fraction = take_digits(text);
    }
    if (whole.empty() && fraction.empty()) return std::nullopt;
    while (whole.size() > 1 && whole.starts_with('0')) whole.remove_prefix(1);
    json += whole.empty() ? "0" : whole;
    if (!fraction.empty()) json.append(".").append(fraction);
    if (text.starts_with('e') || text.starts_with('E')) {
        text.remove_prefix(1);
        json += 'e';
        if (text.starts_with('-')) json += '-';
        if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
        const std::string_view exponent = take_digits(text);
        if (exponent.empty()) return std::nullopt;
        json += exponent;
    }
    return text.empty() ? std::optional(json) : std::nullopt;
}

bool is_no_json_number(std::string_view text) {
    if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
    return is_one_of(text, {".inf", ".Inf", ".INF", ".nan", ".NaN", ".NAN"});
}

/// What a plain scalar is.
std::string plain_json(std::string_view text) {
    if (is_one_of(text, {"", "~", "null", "Null", "NULL"})) return "null";
    if (is_one_of(text, {"true", "True", "TRUE"})) return "true";
    if (is_one_of(text, {"false", "False", "FALSE"})) return "false";
    if (auto number = decimal(text)) return *std::move(number);
    if (auto number = based_integer(text)) return *std::move(number);
    return json_string(text);
}

class Writer {
public:
    Writer(const Reader& reader, std::string_view what) : reader_(reader), what_(what) {}

    /// False after a report.
    bool write(const Node& node, std::size_t depth) {
        if (depth > kMaxJsonDepth) {
            return refuse(node, "is nested deeper than " + std::to_string(kMaxJsonDepth) +
                                    " levels, expected fewer");
        }
        const bool written = write_value(node, depth);
        if (!written || json_.size() <= kMaxJsonBytes) return written;
        return refuse(node, "is longer than 64 KiB as JSON, expected less");
    }

    [[nodiscard]] std::string take() { return std::move(json_); }

private:
    bool write_value(const Node& node, std::size_t depth) {
        switch (node.kind) {
            case Node::Kind::null: json_ += "null"; return true;
            case Node::Kind::scalar: return write_scalar(node);
            case Node::Kind::list: return write_list(node, depth);
            case Node::Kind::map: return write_map(node, depth);
        }
        return false;
    }

    bool write_scalar(const Node& node) {
        const auto text = reader_.text(node, what_);
        if (!text) return false;
        if (node.plain && is_no_json_number(*text)) {
            return refuse(node, "is not a number that JSON has, expected a finite one");
        }
        json_ += node.plain ? plain_json(*text) : json_string(*text);
        return true;
    }

    bool write_list(const Node& node, std::size_t depth) {
        json_ += '[';
        for (bool first = true; const NodePtr& item : node.items) {
            if (!first) json_ += ',';
            first = false;
            if (!write(*item, depth + 1)) return false;
        }
        json_ += ']';
        return true;
    }

    bool write_map(const Node& node, std::size_t depth) {
        json_ += '{';
        for (bool first = true; const Entry& entry : node.entries) {
            if (!first) json_ += ',';
            first = false;
            json_ += json_string(entry.key) + ':';
            if (!write(*entry.value, depth + 1)) return false;
        }
        json_ += '}';
        return true;
    }

    bool refuse(const Node& node, const std::string& why) {
        reader_.report(node.place, "`" + std::string(what_) + "` " + why);
        return false;
    }

    const Reader& reader_;
    std::string_view what_;
    std::string json_;
};

}  // namespace

std::optional<std::string> to_json(const Reader& reader, const Node& node, std::string_view what) {
    Writer writer(reader, what);
    if (!writer.write(node, 0)) return std::nullopt;
    return writer.take();
}

std::string json_string(std::string_view text) {
    constexpr std::string_view kHex = "0123456789abcdef";
    std::string json = "\"";
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20 || byte == 0x7f) {
            json += "\\u00";
            json += kHex[byte >> 4U];
            json += kHex[byte & 0xfU];
            continue;
        }
        if (c == '"' || c == '\\') json += '\\';
        json += c;
    }
    return json + '"';
}

}  // namespace sluice::config
