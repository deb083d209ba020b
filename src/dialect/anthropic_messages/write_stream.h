#pragma once

/// Events written as a Messages stream, by the state machine of facts/anthropic-openai-mapping.md
/// 8.3, and a whole reply as one message.

#include "chat/reply.h"
#include "chat/usage.h"
#include "dialect/stream.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace sluice::dialect::anthropic_messages {

struct ReplyIdentity {
    std::string id;     ///< of the gateway's minting: "msg_..."
    std::string model;  ///< what the client asked for
    /// The signature of thinking that has none of its provider's; empty text for none.
    std::function<std::string(std::uint64_t thinking_bytes)> sign;
    std::uint64_t input_tokens = 0;  ///< estimate for message_start; 0 where there is none
};

/// Blocks never overlap, indices count from 0, frames carry their `event:` line, tool calls that
/// are interrupted by others are held back and follow in their order. White space alone between
/// thinking and a tool call does not open a text block. The reply's end comes with the usage.
/// Event::error becomes `event: error`.
[[nodiscard]] std::unique_ptr<StreamWriter> make_stream_writer(ReplyIdentity identity,
                                                               std::string& out);

[[nodiscard]] std::string write_reply(const chat::Reply& reply, const ReplyIdentity& identity);

}  // namespace sluice::dialect::anthropic_messages
