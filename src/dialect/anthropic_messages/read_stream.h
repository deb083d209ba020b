#pragma once

/// The events of a Messages stream, by the grammar of facts/anthropic-openai-mapping.md 8.1, and a
/// whole message read into the same events.

#include "base/error.h"
#include "chat/event.h"
#include "chat/finish_reason.h"
#include "chat/usage.h"
#include "dialect/stream.h"
#include "json/reader.h"

#include <memory>
#include <optional>
#include <string_view>

namespace sluice::dialect::anthropic_messages {

/// Unknown events and blocks are passed over, or are Event::native. A stream that ends after its
/// stop reason without message_stop is whole. Usage is cumulative: later counts replace earlier.
[[nodiscard]] std::unique_ptr<StreamReader> make_stream_reader(std::size_t max_event_bytes = 4UL *
                                                                                             1024 *
                                                                                             1024);

/// The events of a whole message. upstream_invalid_response unless `body` is one.
Result<void> read_events(std::string_view body, chat::EventSink& sink);

/// Adds what a `usage` object says to `usage`, whose `input` then has the cached tokens in it, as
/// chat::Usage wants and Anthropic does not.
void read_usage(const json::Value& usage, chat::Usage& so_far);

/// nullopt for null and whatever is no string.
[[nodiscard]] std::optional<chat::FinishReason> read_stop_reason(const json::Value& value);

}  // namespace sluice::dialect::anthropic_messages
