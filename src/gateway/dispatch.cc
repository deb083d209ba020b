/// The first half of an answer: the candidates are asked, one after another and again, until one
/// has content to give (ADR 9).

#include "gateway/attempt.h"
#include "gateway/deadline.h"
#include "gateway/handle.h"
#include "gateway/hedge.h"
#include "gateway/question.h"
#include "observe/log.h"
#include "routing/course.h"

#include <array>
#include <utility>
#include <vector>

namespace sluice::gateway {
namespace {

using routing::Course;
using Contender = std::shared_ptr<Attempt>;

/// Who asks, for a split that is the same for all of their requests: the session, else the key,
/// else the address.
std::string_view identity_of(const Exchange& exchange) {
    const net::http1::RequestHead& head = exchange.client.head();
    for (const std::string_view name :
         {"x-client-session", "x-claude-code-session-id", "session-id", "x-session-id"}) {
        if (const auto session = head.find(name); session && !session->empty()) return *session;
    }
    if (!exchange.scope.key_name.empty()) return exchange.scope.key_name;
    return exchange.client.peer().address;
}

std::vector<routing::Candidate> order_candidates(Exchange& exchange) {
    std::vector<routing::Candidate> candidates;
    routing::Chooser chooser;
    chooser.now = net::coarse_now();
    chooser.random = exchange.gateway.random();
    if (exchange.plan->plan.route().balance == config::Balance::split) {
        chooser.identity = identity_of(exchange);
    }
    exchange.plan->plan.order(chooser, candidates);
    return candidates;
}

void note_variant(Exchange& exchange, const routing::Candidate& first) {
    if (exchange.plan->plan.route().balance != config::Balance::split) return;
    const config::Target& target = *first.destination->target;
    exchange.variant =
        target.variant.empty() ? target.upstream + "/" + target.model : target.variant;
    exchange.gateway.shared().metrics.split(exchange.route, exchange.variant);
}

/// Of a request that goes well at once nothing is noted: its upstream says it all.
void note_attempt(Exchange& exchange, const Attempt& attempt, std::string_view outcome) {
    ++exchange.attempts;
    if (!exchange.tried.empty()) exchange.tried += ", ";
    exchange.tried.append(attempt.upstream().name).append(":").append(outcome);
}

Course::Failure failure_of(const Attempt& attempt) {
    Course::Failure failure;
    failure.kind = attempt.failure.value_or(config::FailureKind::broken);
    failure.asked_wait = attempt.asked_wait;
    failure.status = attempt.reply().status;
    failure.forbids_retry = attempt.reply().fields.contains("x-should-retry: false");
    return failure;
}

/// One exchange's way through its candidates.
class Dispatch {
public:
    explicit Dispatch(Exchange& exchange)
        : exchange_(exchange),
          shared_(exchange.gateway.shared()),
          candidates_(order_candidates(exchange)),
          course_(candidates_, exchange.snapshot->config.failures) {}

    net::Task<Result<void>> run();

private:
    struct Asked {
        Contender attempt;
        std::size_t index = 0;
    };

    net::Task<bool> wait_for(const Course::Step& step);
    [[nodiscard]] bool may_repeat(const Course::Step& step);
    [[nodiscard]] std::optional<Runner> prepare(std::size_t index, bool is_retry);
    net::Task<Contender> ask(std::size_t index, bool is_retry);
    net::Task<Contender> ask_with_rival(Asked first, Question question, net::Clock::duration delay);
    net::Task<Contender> first_to_answer(std::array<Asked, 2> sides);
    void lost(const Asked& asked);
    void won(const Contender& attempt);
    [[nodiscard]] Result<void> give_up();

    Exchange& exchange_;
    Shared& shared_;
    std::vector<routing::Candidate> candidates_;
    Course course_;
    Contender refusal_;  // an upstream's own words come before ours
    Error error_{Errc::overloaded, "no upstream is left to ask"};
    bool any_asked_ = false;
    const config::Upstream* last_ = nullptr;  // who failed last, and why
    config::FailureKind why_ = config::FailureKind::broken;
};

net::Task<Result<void>> Dispatch::run() {
    for (;;) {
        const auto now = net::Clock::now();
        const auto step = course_.next(now);
        if (!step) break;
        const bool is_first = !any_asked_ && step->not_before <= now;
        if (!is_first) {
            const bool in_time = co_await wait_for(*step);
            if (exchange_.is_over()) co_return fail(Errc::cancelled);
            if (!in_time) break;
        }
        if (!may_repeat(*step)) {
            course_.pass_over(step->index);
            continue;
        }
        const Contender winner = co_await ask(step->index, step->is_retry);
        if (exchange_.is_over()) co_return fail(Errc::cancelled);
        if (winner) {
            won(winner);
            co_return Result<void>();
        }
    }
    co_return give_up();
}

/// False where the wait is longer than the client's patience or ours: it is told how long instead.
net::Task<bool> Dispatch::wait_for(const Course::Step& step) {
    const auto now = net::Clock::now();
    const config::Upstream& upstream = *candidates_[step.index].destination->upstream;
    const auto wait = step.not_before - now;
    if (wait > upstream.retry.max_wait || step.not_before >= deadline_of(exchange_, upstream)) {
        if (wait > net::Clock::duration::zero()) {
            error_.retry_after = std::chrono::ceil<config::Milliseconds>(wait);
        }
        co_return false;
    }
    if (wait <= net::Clock::duration::zero()) co_return true;
    co_return co_await exchange_.wait(wait) == net::Wake::ready;
}

/// Whether the upstream's budget has room for one more repetition (OV-8).
bool Dispatch::may_repeat(const Course::Step& step) {
    const routing::Destination& destination = *candidates_[step.index].destination;
    const std::string& name = destination.upstream->name;
    if (step.is_retry) {
        if (!destination.record->retries.take_retry(net::Clock::now())) {
            shared_.metrics.budget_exhausted(name);
            return false;
        }
        shared_.metrics.retry(name, config::to_string(why_));
    } else if (last_ != nullptr) {
        shared_.metrics.fallback(last_->name, config::to_string(why_));
    }
    return true;
}

/// nullopt where this upstream is not to get such a request.
std::optional<Runner> Dispatch::prepare(std::size_t index, bool is_retry) {
    auto attempt = std::make_shared<Attempt>(exchange_, candidates_[index]);
    auto question = ask_for(exchange_, *attempt);
    if (!question) {
        if (!any_asked_) error_ = std::move(question.error());
        course_.pass_over(index);
        return std::nullopt;
    }
    question->is_retry = is_retry;
    exchange_.upstream = &attempt->upstream();
    return Runner{.attempt = std::move(attempt), .question = std::move(*question)};
}

/// nullptr where nobody answered: then the course knows.
net::Task<Contender> Dispatch::ask(std::size_t index, bool is_retry) {
    auto runner = prepare(index, is_retry);
    if (!runner) co_return nullptr;
    if (!exchange_.asked_after) exchange_.asked_after = net::Clock::now() - exchange_.started;
    const Asked first{.attempt = runner->attempt, .index = index};
    const auto delay = hedge_delay(exchange_, *first.attempt);
    if (delay) co_return co_await ask_with_rival(first, std::move(runner->question), *delay);

    exchange_.enlist(*first.attempt);
    co_await first.attempt->run(runner->question);
    exchange_.resign(*first.attempt);
    if (!first.attempt->done && first.attempt->asked) {
        note_attempt(exchange_, *first.attempt, "cancelled");
    }
    if (exchange_.is_over() || !first.attempt->failure) co_return first.attempt;
    lost(first);
    co_return nullptr;
}

net::Task<Contender> Dispatch::ask_with_rival(Asked first, Question question,
                                              net::Clock::duration delay) {
    exchange_.plan->hedges.count_request(net::Clock::now());
    std::array<Asked, 2> sides{std::move(first), Asked()};
    exchange_.enlist(*sides[0].attempt);
    start(exchange_, Runner{.attempt = sides[0].attempt, .question = std::move(question)});
    if (!sides[0].attempt->done) co_await exchange_.wait(delay);
    const auto rival = course_.rival_of(sides[0].index);
    const bool hedge =
        !sides[0].attempt->done && !exchange_.is_over() && rival &&
        exchange_.plan->hedges.take(exchange_.plan->plan.route().hedge.share, net::Clock::now());
    if (hedge) {
        if (auto runner = prepare(*rival, false)) {
            shared_.metrics.hedge(exchange_.route, "sent");
            exchange_.hedged = true;
            sides[1] = {.attempt = runner->attempt, .index = *rival};
            exchange_.enlist(*sides[1].attempt);
            start(exchange_, std::move(*runner));
        }
    }
    co_return co_await first_to_answer(std::move(sides));
}

/// Both sides end here: one is taken, or each has failed, or is called off.
net::Task<Contender> Dispatch::first_to_answer(std::array<Asked, 2> sides) {
    Contender winner;
    bool is_final = false;
    while (!winner && !exchange_.is_over()) {
        bool any_running = false;
        for (Asked& side : sides) {
            if (!side.attempt) continue;
            any_running = any_running || !side.attempt->done;
            if (!side.attempt->done) continue;
            exchange_.resign(*side.attempt);
            if (side.attempt->failure) {
                lost(side);
                is_final = is_final || !exchange_.snapshot->config.failures[why_].fall_back;
                side.attempt.reset();
            } else if (!winner) {
                winner = side.attempt;
            }
        }
        if (winner || !any_running || is_final) break;
        co_await exchange_.wait(std::chrono::hours(1));
    }
    for (const Asked& side : sides) {
        if (!side.attempt || side.attempt == winner) continue;
        exchange_.resign(*side.attempt);
        if (!side.attempt->done) side.attempt->cancel();
        if (side.attempt->asked) note_attempt(exchange_, *side.attempt, "cancelled");
    }
    if (winner && winner == sides[1].attempt) shared_.metrics.hedge(exchange_.route, "won");
    co_return winner;
}

void Dispatch::lost(const Asked& asked) {
    Attempt& attempt = *asked.attempt;
    last_ = &attempt.upstream();
    why_ = attempt.failure.value_or(config::FailureKind::broken);
    if (!attempt.asked) {
        course_.pass_over(asked.index);
        if (!any_asked_) error_ = attempt.error;
        return;
    }
    any_asked_ = true;
    note_attempt(exchange_, attempt, attempt.outcome());
    observe::log_info("an attempt failed", {{"request_id", exchange_.request_id},
                                            {"attempt", exchange_.attempts},
                                            {"upstream", attempt.upstream().name},
                                            {"outcome", attempt.outcome()},
                                            {"reason", attempt.error.message}});
    const Course::Failure failure = failure_of(attempt);
    const auto wait = Course::wait_after(attempt.upstream().retry, failure);
    attempt.release();
    course_.failed(asked.index, failure, net::Clock::now(), exchange_.gateway.random_share());
    error_ = attempt.error;
    error_.retry_after = wait;
    if (attempt.refused) {
        refusal_ = asked.attempt;
        refusal_->error.retry_after = wait;
    }
}

void Dispatch::won(const Contender& attempt) {
    if (exchange_.tried.empty() && !exchange_.embeddings) {
        ++exchange_.attempts;
    } else {
        note_attempt(exchange_, *attempt, attempt->outcome());
    }
    exchange_.attempt = attempt;
    exchange_.dropped = std::move(attempt->dropped);
    exchange_.changes = std::move(attempt->changes);
    exchange_.upstream = &attempt->upstream();
    exchange_.first_byte_after = attempt->first_byte_after;
    exchange_.upstream_request_id = attempt->reply().request_id;
    exchange_.usage = attempt->usage;
    exchange_.finish_reason = attempt->finish_reason;
    exchange_.reply_model = std::move(attempt->reply_model);
    note_variant(exchange_, attempt->candidate);
    exchange_.enlist(*attempt);
}

Result<void> Dispatch::give_up() {
    if (!refusal_) return std::unexpected(std::move(error_));
    exchange_.attempt = refusal_;
    exchange_.dropped = refusal_->dropped;
    exchange_.changes = refusal_->changes;
    exchange_.upstream = &refusal_->upstream();
    exchange_.upstream_request_id = refusal_->reply().request_id;
    exchange_.error = refusal_->error;
    if (error_.retry_after) exchange_.error->retry_after = error_.retry_after;
    return {};
}

}  // namespace

net::Task<Result<void>> open(Exchange& exchange) {
    exchange.watch_client();
    const auto& silence = exchange.snapshot->config.limits.keepalive_after;
    if (exchange.head.stream && silence) exchange.keepalive.begin(*silence);
    Dispatch dispatch(exchange);
    co_return co_await dispatch.run();
}

}  // namespace sluice::gateway
