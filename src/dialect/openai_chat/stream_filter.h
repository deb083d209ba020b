#pragma once

/// A streamed completion of either shape on its way from an upstream to a client of the same
/// dialect. Bytes pass as they came, event by event, while usage and the finish are observed; the
/// few events that must not pass, or must be added, are seen to. No I/O and no time.

#include "base/error.h"
#include "chat/finish_reason.h"
#include "chat/usage.h"
#include "dialect/openai_chat/shape.h"
#include "json/reader.h"
#include "sse/framer.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::dialect::openai_chat {

class StreamFilter {
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

    /// What to send, in order. The views point into the bytes fed or into the filter, and live
    /// until the next call of feed() or end().
    using Pieces = std::vector<std::string_view>;

    explicit StreamFilter(Options options);

    /// Adds to `out` the complete events among what has come so far; a whole event in `bytes` is
    /// not copied. After a failure (upstream_invalid_response), what was added before the bad event
    /// may still be sent; feed nothing more. What follows `[DONE]`, or an error event of the
    /// upstream's own, is ignored.
    Result<void> feed(std::string_view bytes, Pieces& out);

    /// To be called once, when the upstream's body has ended. upstream_truncated unless `[DONE]`
    /// came, or upstream_status after an error event, which the client has been sent already. Adds
    /// a `[DONE]` whose blank line is missing: clients take that for an end as well.
    Result<void> end(Pieces& out);

    [[nodiscard]] bool done() const noexcept { return done_; }
    /// A chunk with something to show has come: too late for another attempt. What has come before
    /// (comments, the chunk that only names the role) may be held back till then.
    [[nodiscard]] bool has_content() const noexcept { return has_content_; }
    /// Chunks with or without content; no comments and no errors.
    [[nodiscard]] std::uint64_t chunks() const noexcept { return chunks_; }
    /// The reply has ended before any content, because the upstream (DeepSeek) ran out of
    /// resources: to be treated as an overload.
    [[nodiscard]] bool out_of_resources() const noexcept {
        return out_of_resources_ && !has_content_;
    }
    /// An error event of the upstream's own has been added to the pieces.
    [[nodiscard]] bool has_error() const noexcept { return has_error_; }
    [[nodiscard]] bool has_tool_calls() const noexcept { return has_tool_calls_; }
    [[nodiscard]] const chat::Usage& usage() const noexcept { return usage_; }
    [[nodiscard]] std::optional<chat::FinishReason> finish_reason() const noexcept {
        return finish_reason_;
    }
    /// The model that the upstream says it is; empty until it has said so.
    [[nodiscard]] const std::string& model() const noexcept { return model_; }

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
    std::string model_;
    chat::Usage usage_;
    std::optional<chat::FinishReason> finish_reason_;
    std::uint64_t chunks_ = 0;
    bool first_event_ = true;
    bool has_content_ = false;
    bool out_of_resources_ = false;
    bool has_tool_calls_ = false;
    bool has_error_ = false;
    bool done_ = false;
};

}  // namespace sluice::dialect::openai_chat
