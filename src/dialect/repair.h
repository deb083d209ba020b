#pragma once

/// Arguments of tool calls that are not quite JSON, as models write them now and then.

#include <optional>
#include <string>
#include <string_view>

namespace sluice::dialect {

/// The arguments as a JSON object: as they are where they are one, else repaired, if there is but
/// one thing that can have been meant:
///
/// * nothing at all, or `null`: an object without members
/// * an object within a code fence, or written as a JSON string
/// * control characters (line ends, tabs) that stand in strings as they are
/// * a comma before a closing bracket
/// * behind the object, more closing brackets or the same object again
///
/// nullopt otherwise. What breaks off is not completed: nobody knows what was to follow.
[[nodiscard]] std::optional<std::string> repair_arguments(std::string_view arguments);

}  // namespace sluice::dialect
