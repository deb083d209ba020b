#pragma once

/// A document under simdjson's On-Demand front end, walked once from end to end. On-Demand believes
/// what it is not asked for, so the walk asks for everything: it visits every key and value, looks
/// at every scalar's spelling and bounds the depth. Internal to json/.

#include "json/reader.h"

#include <simdjson.h>

#include <memory>

namespace sluice::json {

class Cursor {
public:
    /// Finds the document's tokens, which checks UTF-8, the strings' ends and control characters.
    /// `text` must live until the last call; `padding` bytes may be read behind it. False when the
    /// text holds anything but an object or a list, of which failure() tells.
    bool open(std::string_view text, std::size_t padding);

    /// The same for what has been checked before: values are passed over.
    bool open_checked(std::string_view text);

    /// The whole of a document that may also be a scalar.
    bool check(std::string_view text);

    /// Object or array after open().
    [[nodiscard]] Kind kind() const noexcept { return kind_; }

    /// To the next member or element; false at the end and on failure.
    bool next();
    [[nodiscard]] const Value& value() const noexcept { return value_; }
    [[nodiscard]] const Key& key() const noexcept { return key_; }

    [[nodiscard]] const Failure& failure() const noexcept { return failure_; }

    /// How long a text it holds memory for.
    [[nodiscard]] std::size_t capacity() const noexcept;

private:
    bool index(std::string_view text, std::size_t padding);
    bool start();
    bool finish();
    bool take_field();
    bool take_value(simdjson::ondemand::value value);
    bool skip_value(simdjson::ondemand::value value);
    bool check_value(simdjson::ondemand::value value, unsigned depth);
    bool check_members(simdjson::ondemand::value value, unsigned depth);
    bool check_elements(simdjson::ondemand::value value, unsigned depth);
    bool check_closed();
    bool check_key(const char* begin, Key& key);
    bool check_scalar(std::string_view token);
    bool fail(const char* reason, const char* at);
    bool fail(simdjson::error_code error);
    [[nodiscard]] std::string_view in_text(std::string_view part) const;

    simdjson::ondemand::parser parser_;
    simdjson::ondemand::document document_;
    simdjson::ondemand::object_iterator member_;
    simdjson::ondemand::array_iterator element_;
    std::unique_ptr<char[]> copy_;  // NOLINT(*-avoid-c-arrays): uninitialised on purpose
    std::size_t copy_capacity_ = 0;

    std::string_view text_;
    const char* data_ = nullptr;  ///< what is parsed: the text, or its padded copy
    Kind kind_ = Kind::null;
    bool first_ = true;
    bool checked_ = false;
    Value value_;
    Key key_;
    Failure failure_;
};

/// A cursor of this thread's that nobody uses, or a new one.
[[nodiscard]] CursorLease lease_cursor();

}  // namespace sluice::json
