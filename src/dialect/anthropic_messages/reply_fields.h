#pragma once

/// What a Messages stream and a whole message have in common. Internal to this folder.

#include "chat/finish_reason.h"
#include "chat/usage.h"
#include "dialect/anthropic_messages/write_stream.h"
#include "json/writer.h"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::dialect::anthropic_messages {

/// How a reply ended, as far as its stop reason depends on it.
struct Ending {
    std::optional<chat::FinishReason> reason;
    std::string stop_sequence;
    bool has_tool_calls = false;
    bool has_refusal = false;  ///< the model has declined in words
};

/// Adds stop_reason, stop_sequence and, for a refusal, stop_details.
void write_ending(json::Writer& json, const Ending& ending);

/// Adds `usage`; where the upstream said nothing, `input_tokens` and zeros.
void write_usage(json::Writer& json, const chat::Usage& usage, std::uint64_t input_tokens);

[[nodiscard]] std::size_t leading_white_space(std::string_view text) noexcept;
/// White space and nothing else, or nothing.
[[nodiscard]] bool is_white_space(std::string_view text) noexcept;

/// The ids of a reply's tool calls: those of the upstream, but none twice and none empty.
class ToolIds {
public:
    explicit ToolIds(std::string_view reply_id) : reply_id_(reply_id) {}

    /// The view lives until the next call.
    [[nodiscard]] std::string_view take(std::string_view id);

private:
    [[nodiscard]] bool is_taken(std::string_view id) const noexcept;

    std::string_view reply_id_;
    std::vector<std::string> taken_;
};

}  // namespace sluice::dialect::anthropic_messages
