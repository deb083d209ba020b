#pragma once

/// Writes JSON to a string, token by token, with the commas put where they belong.

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

namespace sluice::json {

/// Adds `text` as a JSON string, quotes included. Control characters are escaped, and bytes that
/// are not UTF-8 become U+FFFD.
void append_string(std::string& out, std::string_view text);

/// Usage:
///
///     Writer json(out);
///     json.begin_object().key("id").string(id).key("created").number(now).end_object();
///
/// That the calls make a well-formed document is the business of the caller.
class Writer {
public:
    /// `out` is appended to and must outlive the writer.
    explicit Writer(std::string& out) noexcept : out_(out) {}

    Writer& begin_object() { return open('{'); }
    Writer& end_object() { return close('}'); }
    Writer& begin_array() { return open('['); }
    Writer& end_array() { return close(']'); }
    Writer& key(std::string_view name);
    Writer& string(std::string_view text);
    /// Null when the text is empty, as OpenAI's envelopes have it.
    Writer& string_or_null(std::string_view text) { return text.empty() ? null() : string(text); }
    template <std::integral T>
    Writer& number(T value) {
        return raw(std::to_string(value));
    }
    Writer& number(double value);  ///< shortest that reads back the same; null unless finite
    Writer& boolean(bool value) { return raw(value ? "true" : "false"); }
    Writer& null() { return raw("null"); }
    Writer& raw(std::string_view json);  ///< a value that is JSON already

private:
    Writer& open(char bracket);
    Writer& close(char bracket);
    void separate();

    std::string& out_;
    bool need_comma_ = false;
};

}  // namespace sluice::json
