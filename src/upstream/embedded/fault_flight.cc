#include "upstream/embedded/fault_flight.h"

#include "base/text.h"
#include "net/transaction.h"

#include <algorithm>
#include <utility>

namespace sluice::upstream::embedded {

using net::http1::Progress;

namespace {

WireStep hang() {
    WireStep step;
    step.act = WireStep::Act::hang;
    return step;
}

}  // namespace

FaultFlight::FaultFlight(net::Worker& worker, const config::Timeouts& timeouts, WireScript script)
    : worker_(worker),
      timeouts_(timeouts),
      script_(std::move(script)),
      pause_(worker) {}

net::Task<Result<void>> FaultFlight::open(const Ask& /*ask*/) {
    deadline_ = net::Clock::now() + timeouts_.first_byte;
    for (;;) {
        const Event event = co_await receive();
        switch (event) {
            case Event::bytes: break;
            case Event::end:
                co_return fail(Errc::upstream_unreachable,
                               "the upstream closed the connection without an answer");
            case Event::broken:
                co_return fail(Errc::upstream_unreachable, "the upstream reset the connection");
            case Event::timed_out:
                co_return fail(Errc::upstream_timeout, "the upstream did not answer in time");
            case Event::cancelled: co_return fail(Errc::cancelled);
        }
        const Progress progress = reader_.read_head(received_);
        if (progress == Progress::failed) co_return std::unexpected(reader_.error());
        if (progress == Progress::done) co_return take_head();
    }
}

Result<void> FaultFlight::take_head() {
    const net::http1::ResponseHead& head = reader_.head();
    reply_.status = head.status;
    reply_.content_type = to_lower(head.find("content-type").value_or(""));
    reply_.request_id = head.find("x-request-id").value_or("");
    if (const auto wait = head.find("retry-after")) {
        net::append_field(reply_.fields, "retry-after", *wait);
    }
    const auto coding = head.find("content-encoding");
    if (coding && !iequals(*coding, "identity")) {
        return fail(Errc::upstream_invalid_response,
                    "the upstream coded its reply although it was asked not to");
    }
    received_.erase(0, reader_.head_size());
    return {};
}

net::Task<Result<std::string_view>> FaultFlight::next() {
    piece_.clear();
    deadline_ = net::Clock::now() + timeouts_.idle;
    for (;;) {
        const bool right = take_body(piece_);
        if (!piece_.empty()) co_return std::string_view(piece_);
        if (!right) co_return std::unexpected(reader_.error());
        if (reader_.body_done()) co_return std::string_view();
        const Event event = co_await receive();
        switch (event) {
            case Event::bytes: break;
            case Event::end:
                if (reader_.read_eof() == Progress::failed) {
                    co_return std::unexpected(reader_.error());
                }
                co_return std::string_view();
            case Event::broken:
                co_return fail(Errc::upstream_truncated, "the upstream broke off its reply");
            case Event::timed_out:
                co_return fail(Errc::upstream_timeout, "the upstream fell silent");
            case Event::cancelled: co_return fail(Errc::cancelled);
        }
    }
}

/// False when the reader has failed; what came before that is in `out`.
bool FaultFlight::take_body(std::string& out) {
    std::string_view input = received_;
    Progress progress = Progress::need_more;
    do {
        std::string_view piece;
        progress = reader_.read_body(input, piece);
        out += piece;
    } while (progress == Progress::need_more && !input.empty());
    received_.clear();
    return progress != Progress::failed;
}

/// Plays the script up to its next effect on the reader.
net::Task<FaultFlight::Event> FaultFlight::receive() {
    co_await worker_.sleep(net::Clock::duration::zero());  // endless ones must let others in
    if (cancelled_) co_return Event::cancelled;
    static const WireStep silence = hang();  // the connection lives on, and nothing comes
    const WireStep& step = step_ < script_.size() ? script_[step_] : silence;
    const auto when = net::Clock::now() + step.wait;
    const bool in_time = co_await pause_until(when);
    if (cancelled_) co_return Event::cancelled;
    if (!in_time) co_return Event::timed_out;
    switch (step.act) {
        case WireStep::Act::send:
            received_ += step.bytes;
            if (++sent_ == step.times) {
                ++step_;
                sent_ = 0;
            }
            co_return Event::bytes;
        case WireStep::Act::close:
        case WireStep::Act::half_close: co_return Event::end;
        case WireStep::Act::reset: co_return Event::broken;
        case WireStep::Act::close_idle:
        case WireStep::Act::hang: break;
    }
    co_await pause_until(net::Clock::time_point::max());
    co_return cancelled_ ? Event::cancelled : Event::timed_out;
}

/// False when the deadline came first.
net::Task<bool> FaultFlight::pause_until(net::Clock::time_point when) {
    const auto wait = std::min(when, deadline_) - net::Clock::now();
    if (wait > net::Clock::duration::zero()) co_await pause_.wait(wait);
    co_return when <= deadline_;
}

void FaultFlight::cancel() {
    cancelled_ = true;
    pause_.cancel();
}

}  // namespace sluice::upstream::embedded
