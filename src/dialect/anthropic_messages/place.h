#pragma once

/// Where a value stands in a request, and how it is refused there in Anthropic's words. Internal to
/// this folder.

#include "base/error.h"
#include "json/reader.h"

#include <cstddef>
#include <expected>
#include <string>
#include <string_view>

namespace sluice::dialect::anthropic_messages {

/// One step of a path, written out only where something is refused: "messages.1.content.0.text".
/// What it is made of must outlive it.
class Place {
public:
    explicit Place(std::string_view name) noexcept : name_(name) {}
    Place(const Place& outer, std::string_view name) noexcept : outer_(&outer), name_(name) {}
    Place(const Place& outer, std::size_t index) noexcept : outer_(&outer), index_(index) {}

    [[nodiscard]] std::string path() const;

    /// "messages.1.role: Field required"
    [[nodiscard]] std::unexpected<Error> refuse(std::string_view fault) const;

private:
    const Place* outer_ = nullptr;
    std::string_view name_;  // empty for an element
    std::size_t index_ = 0;
};

// A value that is null counts as not given, as does one that is not there (json::Value()).

/// Field required, or not a string.
Result<std::string> read_required_string(const json::Value& value, const Place& place);
/// Empty where it is not given.
Result<std::string> read_string(const json::Value& value, const Place& place);
/// False where it is not given.
Result<bool> read_bool(const json::Value& value, const Place& place);

Result<void> require_object(const json::Value& value, const Place& place);
Result<void> require_list(const json::Value& value, const Place& place);

}  // namespace sluice::dialect::anthropic_messages
