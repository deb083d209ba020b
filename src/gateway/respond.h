#pragma once

/// Whole answers of the gateway's own, errors among them, and the header lines that every answer
/// carries.

#include "base/error.h"
#include "gateway/exchange.h"

#include <string>
#include <string_view>

namespace sluice::gateway {

/// The request's id and, where asked for and allowed, CORS. Whole header lines.
[[nodiscard]] std::string common_fields(const Exchange& exchange);

/// The header lines of an upstream's reply as they go to the client, with ours about the attempts
/// made, the variant chosen and the fields dropped. Whole lines.
[[nodiscard]] std::string reply_fields(const Exchange& exchange, std::string_view from_upstream);

/// The head of an answer, with what every answer carries.
[[nodiscard]] net::ReplyHead begin_head(Exchange& exchange, int status);

/// Begins the answer as an event stream; `from_upstream` are header lines of its reply, if there is
/// one already.
void start_event_stream(Exchange& exchange, std::string_view from_upstream);

/// Sends a whole answer. `fields` are further header lines. What the socket does not take at once
/// leaves after the exchange has ended.
void respond(Exchange& exchange, int status, std::string_view content_type, std::string_view body,
             std::string_view fields = {});

void respond_json(Exchange& exchange, int status, std::string_view body);

/// What really ended the exchange, where `error` is only how it showed: a flight that was cancelled
/// because the client hung up, or because the gateway stops.
[[nodiscard]] Error root_cause(const Exchange& exchange, Error error);

/// Answers with the error, in the client's dialect, if nothing was sent yet; else only notes it.
void respond_error(Exchange& exchange, Error error);

/// Answers a browser's question whether it may ask (CORS), where that is configured.
Result<void> answer_preflight(Exchange& exchange);

}  // namespace sluice::gateway
