#pragma once

/// A Messages stream on its way from an upstream to a client of the same dialect: bytes pass as
/// they came while usage and the stop reason are observed.

#include "dialect/stream.h"
#include "sse/framer.h"

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::dialect::anthropic_messages {

class StreamFilter final : public ReplyStream {
public:
    struct Options {
        std::size_t max_event_bytes = 4UL * 1024 * 1024;
        std::vector<std::string> secrets;  ///< made unreadable in an error event
        /// Gives in `out` an event's JSON as the client is to see it; false to leave it as it is.
        std::function<bool(std::string_view json, std::string& out)> rewrite;
    };

    explicit StreamFilter(Options options);

    Result<void> feed(std::string_view bytes, Pieces& out) override;
    Result<void> end(Pieces& out) override;
};

/// What the gateway must know of a whole message, which is checked to its end.
struct ReplyFacts {
    chat::Usage usage;
    std::optional<chat::FinishReason> finish_reason;
    std::string model;
    bool is_error = false;  ///< {"type":"error"}, whatever the status said
};

/// upstream_invalid_response unless `body` is one well-formed JSON object in UTF-8.
Result<ReplyFacts> read_reply(std::string_view body);

}  // namespace sluice::dialect::anthropic_messages
