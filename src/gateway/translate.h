#pragma once

/// The translate lane: a request written for an upstream of another dialect, and its reply for the
/// client.

#include "base/error.h"
#include "chat/change.h"
#include "chat/reply.h"
#include "chat/usage.h"
#include "dialect/stream.h"
#include "gateway/lane.h"
#include "gateway/reasoning.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::gateway {

class Exchange;  // NOLINT(cppcoreguidelines-virtual-class-destructor): it is final
struct Question;

/// How a reply is to be written for its client. Kept with the attempt, which may outlive the
/// exchange.
struct Rendering {
    std::string model;  ///< what the client asked for
    std::string request_id;
    std::int64_t created = 0;  ///< Unix seconds
    bool include_usage = true;
};

/// What is kept of a reply beside the relay, so that its reasoning can be given back later.
struct ReasoningTap final : chat::EventSink {
    explicit ReasoningTap(ConversationMark conversation)
        : mark(std::move(conversation)),
          fold(kMaxBytes) {}

    static constexpr std::size_t kMaxBytes = 1024UL * 1024;

    /// Arguments are not what reasoning is found by, and may be long.
    void on_event(const chat::Event& event) override {
        if (event.kind != chat::Event::Kind::tool_arguments) fold.on_event(event);
    }

    ConversationMark mark;
    chat::Fold fold;                                ///< of a stream
    std::optional<chat::Reply> reply;               ///< whole
    std::unique_ptr<dialect::StreamReader> reader;  ///< of a stream that is not translated
};

/// Writes the exchange's request into `question` as `lane.upstream` has it. Sets `tap` where the
/// reply's reasoning is to be kept. Errors: bad_request.
Result<void> translate_request(Exchange& exchange, const config::Upstream& upstream, Lane lane,
                               Question& question, std::unique_ptr<ReasoningTap>& tap);

/// For a request that is forwarded: adds to `question.body` the reasoning that the upstream must
/// have and the client did not send.
void replay_reasoning(Exchange& exchange, const config::Upstream& upstream, Question& question,
                      std::unique_ptr<ReasoningTap>& tap);

/// From the upstream's stream to the client's. `tap` may be null; like `secrets`, which are made
/// unreadable in errors, it must outlive the stream.
[[nodiscard]] std::unique_ptr<dialect::ReplyStream> make_translation(
    Lane lane, const Rendering& rendering, std::vector<std::string> secrets, ReasoningTap* tap);

/// A whole reply of the upstream's, folded. upstream_invalid_response where it is none; an error
/// that the upstream answered with in its place is that error.
Result<chat::Reply> fold_reply(Lane lane, std::string_view body);

/// The same for the client.
[[nodiscard]] std::string write_reply(Lane lane, const Rendering& rendering,
                                      const chat::Reply& reply);

/// "rule(what), rule(what)", cut where it would be too long for a header.
[[nodiscard]] std::string describe(const chat::Changes& changes);

}  // namespace sluice::gateway
