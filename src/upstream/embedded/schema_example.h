#pragma once

/// A value that fits a JSON Schema: what the embedded models call tools with.

#include <string>
#include <string_view>

namespace sluice::upstream::embedded {

/// Always the same value for the same schema: a constant, an enumeration's first value, a default
/// or an example where the schema has one, else the smallest thing of the right type; a string is
/// the name of its property. Of an object, the required properties, or all if none is. An object
/// whatever the schema says; "{}" when it is empty. The schema must be well-formed JSON. What lies
/// too deep (8 levels) or is too much (16 KiB) is left out.
[[nodiscard]] std::string write_example_arguments(std::string_view schema);

}  // namespace sluice::upstream::embedded
