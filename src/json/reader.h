#pragma once

/// Reads JSON (RFC 8259) where it lies: nothing is copied, allocated or converted, so a big integer
/// or an unknown field costs nothing and survives. A whole document is checked in one pass while
/// its top-level members are handed out. The scanner is our own: simdjson's parsers refuse big
/// integers (DOM) or leave half of the grammar unchecked (on-demand), and both need padding and
/// four bytes of index for each byte of input. simdjson checks the UTF-8.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::json {

/// Deeper nesting is refused. One bit a level is all that the scanner keeps.
inline constexpr unsigned kMaxDepth = 64;

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

/// Walks an object's members or an array's elements:
///
///     Reader reader(text);
///     while (reader.next()) {
///         if (reader.key_is("model")) use(reader.value());
///     }
///     if (reader.failed()) ...
///
/// A value is handed out when it has been checked to its end; what stands after it is checked by
/// the calls that follow, so only the last next() tells that all of it was right. The views point
/// into `text`. Does not check UTF-8: see is_valid_utf8().
class Reader {
public:
    /// `text` must hold one object or one array and nothing else but white space.
    explicit Reader(std::string_view text);

    [[nodiscard]] bool next();

    /// Object or array; null when the text holds neither, which is a failure as well.
    [[nodiscard]] Kind kind() const noexcept { return kind_; }
    [[nodiscard]] const Value& value() const noexcept { return value_; }
    /// Where value() stands, counted from the start of the text.
    [[nodiscard]] Span span() const noexcept;
    /// Between the quotes, still escaped; empty in an array.
    [[nodiscard]] std::string_view raw_key() const noexcept { return key_; }
    /// Compares the key as it reads unescaped.
    [[nodiscard]] bool key_is(std::string_view name) const;

    [[nodiscard]] bool failed() const noexcept { return reason_ != nullptr; }
    /// What is wrong and where: "unexpected character at byte 17". Empty unless failed().
    [[nodiscard]] std::string failure() const;

private:
    bool fail(const char* reason, const char* at) noexcept;

    std::string_view text_;
    const char* at_;
    Kind kind_ = Kind::null;
    bool first_ = true;
    bool ended_ = false;
    std::string_view key_;
    Value value_;
    const char* reason_ = nullptr;
};

/// Any JSON value with nothing after it: grammar, escapes, depth and UTF-8. nullopt when all is
/// well, else what is wrong.
[[nodiscard]] std::optional<std::string> find_error(std::string_view text);

[[nodiscard]] bool is_valid_utf8(std::string_view text) noexcept;

/// The text of a string value, quotes and escapes undone; nullopt when the value is no string.
/// A surrogate without its other half becomes U+FFFD.
[[nodiscard]] std::optional<std::string> to_string(const Value& value);

/// A number written as a plain integer within range; nullopt for anything else.
[[nodiscard]] std::optional<std::uint64_t> to_uint64(const Value& value) noexcept;

/// The first member of that name; nullopt when there is none or `object` is not an object. For
/// text that has been checked before.
[[nodiscard]] std::optional<Value> find(const Value& object, std::string_view name);

/// The value that stands in a checked text.
[[nodiscard]] Value as_value(std::string_view text) noexcept;

}  // namespace sluice::json
