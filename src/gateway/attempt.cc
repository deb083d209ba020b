#include "gateway/attempt.h"

#include "gateway/exchange.h"
#include "routing/backoff.h"
#include "routing/failure.h"

#include <algorithm>
#include <utility>

namespace sluice::gateway {
namespace {

using routing::Breaker;
using routing::InFlight;

constexpr config::Milliseconds kAskAgainSoon{1'000};

InFlight::Outcome place_outcome(const Attempt& attempt) {
    if (!attempt.done || !attempt.asked) return InFlight::Outcome::unknown;
    if (!attempt.failure) return InFlight::Outcome::ok;
    switch (*attempt.failure) {
        case config::FailureKind::overloaded:
        case config::FailureKind::rate_limited:
        case config::FailureKind::timeout: return InFlight::Outcome::overloaded;
        case config::FailureKind::connect:
        case config::FailureKind::broken:
        case config::FailureKind::conflict:
        case config::FailureKind::server_error:
        case config::FailureKind::unauthorized:
        case config::FailureKind::no_credit:
        case config::FailureKind::forbidden:
        case config::FailureKind::not_found:
        case config::FailureKind::too_long:
        case config::FailureKind::invalid_reply:
        case config::FailureKind::bad_request: return InFlight::Outcome::unknown;
    }
    return InFlight::Outcome::unknown;
}

/// All but the body and the key.
upstream::Ask ask_of(const Question& question) {
    upstream::Ask ask;
    ask.path = question.path;
    ask.model = question.model;
    ask.stream = question.stream;
    ask.request_id = question.request_id;
    ask.credential = question.credential;
    ask.fields = question.fields;
    if (question.deadline != net::Clock::time_point::max()) ask.deadline = question.deadline;
    return ask;
}

/// Whatever else is wrong with an answer, it is one.
bool is_silent(const std::optional<config::FailureKind>& failure) {
    return failure == config::FailureKind::connect || failure == config::FailureKind::broken ||
           failure == config::FailureKind::timeout;
}

}  // namespace

Attempt::Attempt(Exchange& exchange, const routing::Candidate& chosen)
    : candidate(chosen),
      lane(lane_of(exchange.dialect, upstream())),
      gateway_(exchange.gateway),
      snapshot_(exchange.snapshot),
      operation_(exchange.operation),
      turn_(exchange.gateway.worker()) {
    const config::ReplyRules& rules = exchange.plan->plan.route().reply;
    const bool completes =
        operation_ == Operation::chat || operation_ == Operation::text_completion;
    if (!completes) return;
    if (rules.changes_body()) rewriter.emplace(rules, exchange.head.model);
    if (!lane.translates()) return;
    rendering = std::make_unique<Rendering>(
        Rendering{.model = exchange.head.model,
                  .request_id = exchange.request_id,
                  .created = std::chrono::system_clock::to_time_t(exchange.started_at),
                  .include_usage = exchange.head.include_usage || !exchange.head.stream});
}

Attempt::~Attempt() {
    release();
    if (!done && leave_ != Breaker::Leave::no) {
        record().breaker.forget(leave_, net::coarse_now());
    }
}

void Attempt::release() {
    if (flight) reply_ = flight->reply();
    flight.reset();
    if (!std::exchange(has_place_, false)) return;
    const auto first_byte = first_byte_after.value_or(std::chrono::nanoseconds(0));
    record().in_flight.leave(place_outcome(*this), first_byte, net::coarse_now());
}

void Attempt::cancel() {
    cancelled_ = true;
    turn_.cancel();
    if (flight) flight->leave();
}

std::string Attempt::outcome() const {
    const int status = reply().status;
    const bool says_it = status != 0 && status != 200;
    if (failure && !says_it) return std::string(config::to_string(*failure));
    return std::to_string(status);
}

/// What cannot be read is not kept: the client's bytes are judged elsewhere.
void Attempt::tap_bytes(std::string_view bytes) {
    if (!tap || !tap->reader) return;
    const auto read = bytes.empty() ? tap->reader->end(*tap) : tap->reader->feed(bytes, *tap);
    if (!read) tap->reader.reset();
}

void Attempt::decline(Errc code, std::string message, config::Milliseconds retry_after) {
    error = Error(code, std::move(message));
    error.retry_after = retry_after;
    failure = config::FailureKind::overloaded;
}

/// An upstream that fails is left alone; the requests are told so at once.
bool Attempt::may_ask() {
    const auto now = net::Clock::now();
    leave_ = record().breaker.ask(now);
    if (leave_ != Breaker::Leave::no) return true;
    const auto wait =
        std::max<net::Clock::duration>(record().breaker.closed_until(now) - now, kAskAgainSoon);
    decline(Errc::overloaded,
            "the upstream " + upstream().name + " has failed repeatedly and is left alone for now",
            std::chrono::ceil<config::Milliseconds>(wait));
    return false;
}

/// Called on any worker's thread.
void Attempt::on_admitted() {
    gateway_.worker().post([this] {
        has_place_ = true;
        turn_.cancel();
        leave_line();
    });
}

/// May end the attempt.
void Attempt::leave_line() {
    const auto kept = std::move(in_line_);
}

/// Waits in line, where there is one.
net::Task<Result<void>> Attempt::wait_in_line(net::Clock::time_point deadline) {
    in_line_ = shared_from_this();
    const auto patience = deadline - net::Clock::now();
    co_await turn_.wait(
        std::min<net::Clock::duration>(upstream().concurrency.queue_time, patience));
    if (has_place_ && !cancelled_) co_return Result<void>();
    // Where the place is on its way already, the destructor gives it back.
    if (!has_place_ && record().in_flight.abandon(*this)) leave_line();
    if (cancelled_) co_return fail(Errc::cancelled);
    gateway_.shared().metrics.queue_refused(upstream().name, "too_late");
    co_return fail(Errc::overloaded,
                   "no place became free at the upstream " + upstream().name + " in time");
}

net::Task<Result<void>> Attempt::take_turn(InFlight::Entry entry, net::Clock::time_point deadline) {
    switch (entry) {
        case InFlight::Entry::admitted: co_return Result<void>();
        case InFlight::Entry::waiting: co_return co_await wait_in_line(deadline);
        case InFlight::Entry::full: break;
    }
    gateway_.shared().metrics.queue_refused(upstream().name, "full");
    co_return fail(Errc::overloaded,
                   "too many requests wait for the upstream " + upstream().name + " already");
}

/// Ends without having asked.
void Attempt::give_way(Error why) {
    record().breaker.forget(std::exchange(leave_, Breaker::Leave::no), net::Clock::now());
    decline(why.code, std::move(why.message), kAskAgainSoon);
    done = true;
}

void Attempt::end_after_bug() {
    give_way(Error(Errc::internal, "the gateway failed to handle this request"));
}

net::Task<> Attempt::run(Question& question) {
    if (!question.credential.empty()) credential = question.credential;
    dropped = std::move(question.dropped);
    changes = std::move(question.changes);
    request_id_ = question.request_id;
    if (!may_ask()) {
        done = true;
        co_return;
    }
    const auto entry = record().in_flight.enter(*this);
    has_place_ = entry == InFlight::Entry::admitted;
    if (!has_place_) {
        auto turn = co_await take_turn(entry, question.patience);
        if (!turn && !cancelled_) give_way(std::move(turn.error()));
        if (!turn) co_return;
    }
    asked = true;
    if (!question.is_retry) record().retries.count_request(net::coarse_now());
    const auto asked_at = net::Clock::now();
    flight = gateway_.origin(upstream()).flight();
    const auto pieces = question.body.pieces();
    upstream::Ask ask = ask_of(question);
    ask.body = std::span(pieces.begin(), pieces.end());
    ask.key = candidate.key;
    auto opened = co_await flight->open(ask);
    if (opened) opened = co_await await_answer(question);
    first_byte_after = net::Clock::now() - asked_at;
    judge(std::move(opened));
    if (cancelled_) co_return;
    done = true;
    report();
}

/// No coroutine, for each costs its frame.
net::Task<Result<void>> Attempt::await_answer(const Question& question) {
    switch (operation_) {
        case Operation::embeddings: return await_embeddings(*this, question.inputs);
        case Operation::count_tokens: return await_document(*this);
        case Operation::none:
        case Operation::chat:
        case Operation::text_completion: break;
    }
    return await_content(*this, question.stream, question.hide_usage);
}

void Attempt::judge(Result<void> result) {
    if (result) return;
    error = std::move(result.error());
    const upstream::ReplyInfo& head = flight->reply();
    const bool broken = head.status == 200 && !refused;
    failure = routing::classify(error, broken ? 0 : head.status, first);
    if (out_of_resources) failure = config::FailureKind::overloaded;
    // Once connected, it may have been sent.
    if (failure == config::FailureKind::connect && flight->sent()) {
        failure = config::FailureKind::broken;
    }
    if (head.status >= 400) {
        const bool limited = failure == config::FailureKind::rate_limited;
        asked_wait =
            routing::read_retry_wait(head.fields, std::chrono::system_clock::now(), limited);
    }
    if (asked_wait && !error.retry_after) error.retry_after = asked_wait;
}

void Attempt::report() const {
    const auto now = net::Clock::now();
    const std::string& name = upstream().name;
    Shared& shared = gateway_.shared();
    shared.metrics.attempt(name, failure ? to_string(error.code) : "ok");
    // A client's own credential says nothing of our keys.
    if (failure && routing::is_key_fault(*failure) && credential.empty()) {
        const auto wait = asked_wait.value_or(upstream().retry.rate_limit_wait);
        record().keys.cool(candidate.key, *failure, wait, now);
    }
    if (!failure && first_byte_after) record().latency.record(*first_byte_after, now);
    if (is_silent(failure)) {
        record().last_word.report_down(error.message, now);
    } else {
        record().last_word.report_up(now);
    }
    const bool ok = !failure || !routing::is_upstream_fault(*failure);
    if (const auto state = record().breaker.report(ok, leave_, now)) {
        gateway_.note_breaker(name, *state);
    }
}

}  // namespace sluice::gateway
