#pragma once

/// How a record becomes one line, as JSON or as text for a person. Private to this layer.

#include "observe/log.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace sluice::observe {

enum class Quotes : std::uint8_t { escaped, kept };

/// Appends `text` with JSON's escapes for whatever could end a line, move a terminal's cursor or
/// hide text: control characters, line separators, direction overrides. Bytes that are not UTF-8
/// become U+FFFD, written as an escape.
void append_escaped(std::string& out, std::string_view text, Quotes quotes = Quotes::escaped);

/// Appends one line to a buffer: begin(), fields, end(). Texts are cut at `text_limit` bytes, with
/// an ellipsis in place of the rest.
class LineWriter {
public:
    LineWriter(std::string& out, LogFormat format, std::size_t text_limit) noexcept
        : out_(out),
          json_(format != LogFormat::text),
          text_limit_(text_limit) {}

    void begin(std::chrono::system_clock::time_point time, LogLevel level,
               std::string_view message);
    void field(std::string_view name, std::string_view text);
    void field(std::string_view name, std::int64_t number);
    void field(std::string_view name, std::uint64_t number);
    void field(std::string_view name, double number);
    void field(std::string_view name, bool flag);
    /// Milliseconds with three decimals.
    void field(std::string_view name, std::chrono::nanoseconds duration);
    void end();

private:
    void name(std::string_view name);
    void quoted(std::string_view text);
    void escaped(std::string_view text, Quotes quotes);

    std::string& out_;
    bool json_;
    std::size_t text_limit_;
};

}  // namespace sluice::observe
