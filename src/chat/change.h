#pragma once

/// What a translation could not keep as it was.

#include <string>
#include <string_view>
#include <vector>

namespace sluice::chat {

/// `rule` is a literal from a small set, fit for a metric's label (docs/dialects.md lists them
/// all): "drop.cache_control", "fold.tool_result_image". `what` names the thing: "tools[3]",
/// "top_k".
struct Change {
    std::string_view rule;
    std::string what;

    friend bool operator==(const Change&, const Change&) = default;
};

using Changes = std::vector<Change>;

}  // namespace sluice::chat
