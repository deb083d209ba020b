#pragma once

/// Events written as Chat Completions chunks, and a whole reply as one body; both also in the
/// legacy shape for plain text.

#include "chat/reply.h"
#include "dialect/openai_chat/shape.h"
#include "dialect/stream.h"

#include <cstdint>
#include <memory>
#include <string>

namespace sluice::dialect::openai_chat {

/// What stands in every chunk or body beside the reply itself.
struct ReplyIdentity {
    Shape shape = Shape::chat;
    std::string id;             ///< of the gateway's minting: "chatcmpl-..."
    std::string model;          ///< where the upstream names none
    std::int64_t created = 0;   ///< Unix seconds
    bool include_usage = true;  ///< the client wants the usage chunk
};

/// By facts/anthropic-openai-mapping.md 8.4. An Event::error becomes an error object, without
/// `[DONE]` after it.
[[nodiscard]] std::unique_ptr<StreamWriter> make_stream_writer(ReplyIdentity identity,
                                                               std::string& out);

[[nodiscard]] std::string write_reply(const chat::Reply& reply, const ReplyIdentity& identity);

}  // namespace sluice::dialect::openai_chat
