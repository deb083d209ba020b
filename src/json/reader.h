#pragma once

/// Reads JSON (RFC 8259) where it lies: no value is converted, so a big integer or an unknown field
/// costs nothing and survives. A whole document is checked in one pass of simdjson's while its
/// top-level members are handed out.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::json {

/// Deeper nesting is refused.
inline constexpr unsigned kMaxDepth = 64;

/// A text with so many bytes behind it that may be read, whatever they are, is read where it lies;
/// any other is copied first.
inline constexpr std::size_t kPadding = 64;

/// A place in a document, which stays right when the document's buffer moves.
struct Span {
    std::size_t offset = 0;
    std::size_t length = 0;

    [[nodiscard]] bool empty() const noexcept { return length == 0; }
    [[nodiscard]] std::size_t end() const noexcept { return offset + length; }
    [[nodiscard]] std::string_view in(std::string_view text) const {
        return text.substr(offset, length);
    }
    friend bool operator==(const Span&, const Span&) = default;
};

enum class Kind : std::uint8_t { object, array, string, number, boolean, null };

/// A value as it stands in the text, without the white space around it.
struct Value {
    std::string_view raw;
    Kind kind = Kind::null;

    [[nodiscard]] bool is(Kind k) const noexcept { return kind == k; }
    [[nodiscard]] bool is_true() const noexcept { return raw == "true"; }
};

/// A member's name as it stands between the quotes.
struct Key {
    std::string_view raw;
    bool escaped = false;
};

struct Failure {
    const char* reason = nullptr;  ///< a literal; null while all is well
    std::optional<std::size_t> at;
};

class Cursor;
struct ReturnCursor {
    void operator()(Cursor* cursor) const noexcept;
};
using CursorLease = std::unique_ptr<Cursor, ReturnCursor>;

/// Walks an object's members or an array's elements:
///
///     Reader reader(text);
///     while (reader.next()) {
///         if (reader.key_is("model")) use(reader.value());
///     }
///     if (reader.failed()) ...
///
/// A value is handed out when it has been checked to its end; what stands after it is checked by
/// the calls that follow, so only the last next() tells that all of it was right. The whole text
/// must be UTF-8 from the start. The views point into `text`, never into a copy of it. Readers may
/// be used within one another.
class Reader {
public:
    /// `text` must hold one object or one array and nothing else but white space. `padding` bytes
    /// may be read behind it.
    explicit Reader(std::string_view text, std::size_t padding = 0);

    /// Of a value that was checked when it was handed out, or that stands in a checked text: it is
    /// not checked again.
    explicit Reader(const Value& checked);

    [[nodiscard]] bool next();

    /// Object or array; null when the text holds neither, which is a failure as well.
    [[nodiscard]] Kind kind() const noexcept { return kind_; }
    [[nodiscard]] const Value& value() const noexcept { return value_; }
    /// Where value() stands, counted from the start of the text.
    [[nodiscard]] Span span() const noexcept;
    /// Between the quotes, still escaped; empty in an array.
    [[nodiscard]] std::string_view raw_key() const noexcept { return key_.raw; }
    /// Compares the key as it reads unescaped.
    [[nodiscard]] bool key_is(std::string_view name) const;

    [[nodiscard]] bool failed() const noexcept { return failure_.reason != nullptr; }
    /// What is wrong and, where it has one place, where: "unexpected character at byte 17". Empty
    /// unless failed().
    [[nodiscard]] std::string failure() const;

private:
    void stop();

    std::string_view text_;
    CursorLease cursor_;  // empty when nothing is left to read
    Kind kind_ = Kind::null;
    Key key_;
    Value value_;
    Failure failure_;
};

/// Any JSON value with nothing after it: grammar, escapes, depth and UTF-8. nullopt when all is
/// well, else what is wrong.
[[nodiscard]] std::optional<std::string> find_error(std::string_view text);

[[nodiscard]] bool is_valid_utf8(std::string_view text) noexcept;

/// The text of a string value, quotes and escapes undone; nullopt when the value is no string.
/// A surrogate without its other half becomes U+FFFD.
[[nodiscard]] std::optional<std::string> to_string(const Value& value);

/// Appends the text that stands, escaped, between a checked string's quotes, as to_string() has it.
void append_text(std::string& out, std::string_view inner);

/// A number written as a plain integer within range; nullopt for anything else.
[[nodiscard]] std::optional<std::uint64_t> to_uint64(const Value& value) noexcept;

/// The first member of that name; nullopt when there is none or `object` is not an object. For
/// text that has been checked before.
[[nodiscard]] std::optional<Value> find(const Value& object, std::string_view name);

/// The value that stands in a checked text.
[[nodiscard]] Value as_value(std::string_view text) noexcept;

/// A checked object or array without members.
[[nodiscard]] bool is_empty(const Value& container) noexcept;

}  // namespace sluice::json
