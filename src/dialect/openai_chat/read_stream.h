#pragma once

/// Chunks of Chat Completions read into events, in every variation that is known of
/// (facts/anthropic-openai-mapping.md 8.2), and the same for a whole reply.

#include "base/error.h"
#include "chat/event.h"
#include "dialect/openai_chat/shape.h"
#include "dialect/stream.h"

#include <memory>
#include <string_view>

namespace sluice::dialect::openai_chat {

/// Tool calls are told apart by index, else by id, else by order; a name that is sent again is not
/// added to. Of several choices only the first is read. An end without a finish reason gets one.
/// `insufficient_system_resource` is Event::error, overloaded. A single event is at most
/// `max_event_bytes` long.
[[nodiscard]] std::unique_ptr<StreamReader> make_stream_reader(
    Shape shape = Shape::chat, std::size_t max_event_bytes = 1024UL * 1024);

/// The events of a whole reply. upstream_invalid_response unless `body` is a completion.
Result<void> read_events(std::string_view body, chat::EventSink& sink, Shape shape = Shape::chat);

}  // namespace sluice::dialect::openai_chat
