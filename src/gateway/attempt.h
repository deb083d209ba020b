#pragma once

/// One attempt at one candidate: leave from its breaker, a place among its requests, a flight, and
/// what came of it. Made by std::make_shared. A hedged request has two of them at once, and the one
/// that loses may outlive the exchange while its last wait ends.

#include "base/error.h"
#include "chat/change.h"
#include "chat/finish_reason.h"
#include "chat/usage.h"
#include "config/route.h"
#include "dialect/stream.h"
#include "gateway/lane.h"
#include "gateway/translate.h"
#include "json/splice.h"
#include "net/pause.h"
#include "net/types.h"
#include "routing/plan.h"
#include "shaping/reply.h"
#include "upstream/flight.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::gateway {

// Both are final.
// NOLINTBEGIN(cppcoreguidelines-virtual-class-destructor)
class Exchange;
class Gateway;
// NOLINTEND(cppcoreguidelines-virtual-class-destructor)
struct Snapshot;
enum class Operation : std::uint8_t;

/// What an operation asks for, once it is known whom.
struct Question {
    std::string_view path;  ///< below the upstream's base URL
    std::string model;      ///< as the upstream calls it
    json::Splice body;
    std::unique_ptr<const std::string> rewritten;  ///< what `body` edits, if not the client's bytes
    bool stream = false;
    bool hide_usage = false;  ///< the usage chunk is asked for by us only
    std::string_view credential;
    std::string_view request_id;
    std::size_t inputs = 0;  ///< of an embeddings request
    bool is_retry = false;   ///< its upstream was asked before
    net::Clock::time_point deadline = net::Clock::time_point::max();  ///< of the whole exchange
    net::Clock::time_point patience = net::Clock::time_point::max();  ///< of the client
    std::vector<std::string> dropped;  ///< fields that the upstream does not get
    chat::Changes changes;             ///< of a request that was translated
    std::string fields;                ///< further header lines
};

class Attempt final : public routing::InFlight::Waiter,
                      public std::enable_shared_from_this<Attempt> {
public:
    Attempt(Exchange& exchange, const routing::Candidate& candidate);
    Attempt(const Attempt&) = delete;
    Attempt& operator=(const Attempt&) = delete;
    ~Attempt() override;

    /// Asks `question`, which must live until the task has ended, and waits for the first content.
    /// What came of it is in the members below.
    net::Task<> run(Question& question);

    /// Ends the waits under way, and every later one.
    void cancel();

    [[nodiscard]] const config::Upstream& upstream() const noexcept {
        return *candidate.destination->upstream;
    }
    [[nodiscard]] routing::UpstreamRecord& record() const noexcept {
        return *candidate.destination->record;
    }
    [[nodiscard]] bool is_called_off() const noexcept { return cancelled_; }
    /// Valid while run() is under way.
    [[nodiscard]] std::string_view request_id() const noexcept { return request_id_; }
    /// Lets the reply's reasoning be read, where it is kept, from bytes that are forwarded.
    void tap_bytes(std::string_view bytes);
    /// It ended in an exception: a mistake of ours, which fails like an upstream's.
    void end_after_bug();

    /// What the reply's head said, also after release().
    [[nodiscard]] const upstream::ReplyInfo& reply() const noexcept {
        return flight ? flight->reply() : reply_;
    }
    /// Gives back the connection and the place of an attempt that has failed.
    void release();

    /// How logs call what came of it: `200`, `503`, `connect`.
    [[nodiscard]] std::string outcome() const;

    const routing::Candidate candidate;
    const Lane lane;
    std::unique_ptr<upstream::Flight> flight;

    bool asked = false;  ///< false after run(): its breaker was open, or its line full
    bool done = false;   ///< run() has come to an end; not when it was called off
    std::optional<config::FailureKind> failure;      ///< unset after run(): it has content to give
    Error error;                                     ///< with `failure`
    std::optional<config::Milliseconds> asked_wait;  ///< with `failure`: by the reply's head
    bool refused =
        false;  ///< with `failure`: `first` is the answer to give, if nobody has a better one

    bool out_of_resources = false;  ///< with `failure`: insufficient_system_resource

    std::string credential;                      ///< the client's own, if that was shown
    std::vector<std::string> dropped;            ///< fields that the upstream did not get
    chat::Changes changes;                       ///< of a request that was translated
    std::unique_ptr<const Rendering> rendering;  ///< where the reply is to be translated

    std::string first;                  ///< a whole reply, or what there is of a streamed one
    std::unique_ptr<ReasoningTap> tap;  ///< where the reply's reasoning is kept
    std::unique_ptr<dialect::ReplyStream> stream;  ///< of a streamed reply
    std::optional<Error> broke;  ///< the stream broke together with its first content
    std::optional<shaping::ReplyRewriter> rewriter;
    chat::Usage usage;
    std::optional<chat::FinishReason> finish_reason;
    std::string reply_model;
    std::optional<net::Clock::duration> first_byte_after;

private:
    [[nodiscard]] bool may_ask();
    net::Task<Result<void>> take_turn(routing::InFlight::Entry entry,
                                      net::Clock::time_point deadline);
    net::Task<Result<void>> wait_in_line(net::Clock::time_point deadline);
    void on_admitted() override;
    void leave_line();
    void give_way(Error why);
    net::Task<Result<void>> await_answer(const Question& question);
    void judge(Result<void> result);
    void report() const;
    void decline(Errc code, std::string message, config::Milliseconds retry_after);

    Gateway& gateway_;
    const std::shared_ptr<const Snapshot> snapshot_;
    std::string_view request_id_;
    const Operation operation_;
    upstream::ReplyInfo reply_;         // once the flight is gone
    net::Pause turn_;                   // the wait in line
    std::shared_ptr<Attempt> in_line_;  // keeps this alive until on_admitted() has come by
    routing::Breaker::Leave leave_ = routing::Breaker::Leave::no;
    bool has_place_ = false;
    bool cancelled_ = false;
};

/// Takes from `pieces`, which the attempt's stream has just given, an error that the client is not
/// to be told in so many words: what a translation makes of one for a client of Anthropic's, which
/// learns of it by a status or by a stream that is cut off.
void leave_out_error(const Attempt& attempt, dialect::ReplyStream::Pieces& pieces);

/// Waits for the first content of the attempt's reply, whose head is there. Until then a failure
/// can still become a status, or another attempt. Sets `first`, `filter` and what is read of the
/// reply; a refusal of the upstream's own is an upstream_status with `refused` set.
net::Task<Result<void>> await_content(Attempt& attempt, bool stream, bool hide_usage);

/// The same for a reply that is handed on whatever it says, as long as it is JSON.
net::Task<Result<void>> await_document(Attempt& attempt);

/// The same for a reply to an embeddings request of so many inputs.
net::Task<Result<void>> await_embeddings(Attempt& attempt, std::size_t inputs);

}  // namespace sluice::gateway
