#pragma once

/// A streamed completion of either shape on its way from an upstream to a client of the same
/// dialect. Bytes pass as they came, event by event, while usage and the finish are observed; the
/// few events that must not pass, or must be added, are seen to. No I/O and no time.

#include "base/error.h"
#include "dialect/openai_chat/shape.h"
#include "dialect/stream.h"
#include "json/reader.h"
#include "sse/framer.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::dialect::openai_chat {

class StreamFilter final : public ReplyStream {
public:
    /// Gives in `out` a chunk's JSON as the client is to see it; false to leave it as it is.
    using Rewrite = std::function<bool(std::string_view chunk, std::string& out)>;

    struct Options {
        Shape shape = Shape::chat;
        bool drop_usage_chunk = false;  ///< the gateway asked for usage, the client did not
        std::size_t max_event_bytes = 1024UL * 1024;
        std::vector<std::string> secrets;  ///< made unreadable in an error event
        Rewrite rewrite;                   ///< of the chunks that pass; may be empty
    };

    explicit StreamFilter(Options options);

    /// A whole event in `bytes` is not copied.
    Result<void> feed(std::string_view bytes, Pieces& out) override;

    /// Adds a `[DONE]` whose blank line is missing: clients take that for an end as well.
    Result<void> end(Pieces& out) override;

private:
    enum class Verdict : std::uint8_t { pass, rewritten, drop, done, error };

    Result<Verdict> judge(std::string_view event);
    Result<Verdict> judge_data(std::string_view data, bool named_error);
    Result<Verdict> judge_chunk(std::string_view chunk);
    Result<Verdict> read_chunk(std::string_view chunk);
    void read_identity(const json::Reader& reader);
    void add(std::string_view event, Verdict verdict, Pieces& out);
    std::string_view rewrite_event(std::string_view event);
    bool redact_error(std::string_view event);
    void write_finish_chunk();

    Options options_;
    sse::Framer framer_;
    std::string finish_chunk_;    // synthesised; empty unless the upstream left it out
    std::string done_event_;      // written anew when it came without its blank line
    std::string redacted_;        // an error event with a secret taken out
    std::string rewritten_json_;  // of the chunk at hand
    std::vector<std::unique_ptr<std::string>> rewritten_;  // events among the pieces given out
    std::string id_;                                       // of the reply, as JSON, like the next
    std::string created_;
    bool first_event_ = true;
};

}  // namespace sluice::dialect::openai_chat
