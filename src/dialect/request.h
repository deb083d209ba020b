#pragma once

/// What the readers of requests of several dialects share: how a field is refused, and where the
/// body's object begins.

#include "base/error.h"
#include "json/reader.h"

#include <cstddef>
#include <expected>
#include <string>
#include <string_view>

namespace sluice::dialect {

/// A bad_request that names the field at fault.
[[nodiscard]] std::unexpected<Error> refuse(std::string_view param, std::string message);
/// "'stream' must be true or false".
[[nodiscard]] std::unexpected<Error> refuse_type(std::string_view param, std::string_view expected);
[[nodiscard]] std::unexpected<Error> refuse_duplicate(std::string_view param);

/// The offset of the brace with which the body's object begins; bad_request where it is no object.
[[nodiscard]] Result<std::size_t> find_object(std::string_view body);

/// The model's name; bad_request where it is no text or empty.
[[nodiscard]] Result<std::string> read_model(const json::Value& value);

}  // namespace sluice::dialect
