#pragma once

/// The few facts of a Messages request that the gateway decides by, read in the one pass that
/// checks the whole body, and the patching of its bytes for an upstream of the same dialect.

#include "base/error.h"
#include "json/members.h"
#include "json/reader.h"
#include "json/splice.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::dialect::anthropic_messages {

/// A body with more top-level members is refused.
inline constexpr std::size_t kMaxMembers = 1024;

struct Head {
    /// Without the "[1m]" by which Claude Code marks a long window; empty where the client named
    /// none.
    std::string model;
    bool stream = false;
    std::optional<std::uint64_t> max_output_tokens;  ///< max_tokens
    bool has_tools = false;

    json::Span model_value;             ///< quotes included; empty when absent
    std::size_t members_begin = 0;      ///< just after the body's opening brace
    std::vector<json::Member> members;  ///< all at the top level, in their order
    bool has_window_mark = false;       ///< "[1m]" stands behind the model's name
};

/// The model's name without a "[1m]" at its end.
[[nodiscard]] std::string_view without_window_mark(std::string_view model) noexcept;

/// Refuses, as bad_request with `param` set, what is not one well-formed JSON object in UTF-8 with
/// a list of messages, and fields of the right type and but one of each among those that are read
/// here. A model may be missing (a default may be configured), and so may max_tokens. `padding`
/// bytes may be read behind the body; with json::kPadding of them it is not copied.
Result<Head> read_head(std::string_view body, std::size_t padding = 0);

/// Adds to the splice of the body that `head` was read from the edit that calls the model `model`,
/// where it is not called so there. An empty `model` changes nothing.
void patch_request(const Head& head, std::string_view model, json::Splice& splice);

}  // namespace sluice::dialect::anthropic_messages
