#include "upstream/embedded/embedded_flight.h"

#include "dialect/openai_chat/errors.h"
#include "net/transaction.h"
#include "upstream/embedded/fault_flight.h"
#include "upstream/embedded/faults.h"

#include <chrono>
#include <utility>

namespace sluice::upstream::embedded {
namespace {

Identity identity_of(const Ask& ask) {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    Identity identity;
    identity.id = "chatcmpl-" + (ask.request_id.empty() ? "embedded" : std::string(ask.request_id));
    identity.created = std::chrono::duration_cast<std::chrono::seconds>(now).count();
    identity.model = ask.model;
    return identity;
}

constexpr std::size_t kMaxBodyBytes = 32UL * 1024 * 1024;

std::string concatenate(std::span<const std::string_view> pieces) {
    std::string whole;
    for (const std::string_view piece : pieces) whole += piece;
    return whole;
}

Reply error_reply(Errc code, std::string message) {
    return whole_reply(http_status(code),
                       dialect::openai_chat::write_error(Error(code, std::move(message))));
}

Reply reply_to(const Ask& ask, const std::string& body, const config::Embedded& settings) {
    if (is_fault_name(ask.model)) {
        return error_reply(Errc::model_not_found, "there is no such fault, or faults are off");
    }
    const std::string_view method =
        ask.method.empty() ? (body.empty() ? "GET" : "POST") : ask.method;
    const std::string_view path = ask.path.substr(0, ask.path.find('?'));
    return serve(method, path, body, identity_of(ask), settings);
}

/// A body that comes is read whole: the models look at all of it.
net::Task<Result<std::string>> read_body(const Ask& ask) {
    std::string body = concatenate(ask.body);
    while (ask.source != nullptr) {
        const auto piece = co_await ask.source->read();
        if (!piece) co_return std::unexpected(piece.error());
        if (piece->empty()) break;
        if (body.size() + piece->size() > kMaxBodyBytes) {
            co_return fail(Errc::payload_too_large, "the embedded models read no more than 32 MiB");
        }
        body += *piece;
    }
    co_return body;
}

}  // namespace

EmbeddedFlight::EmbeddedFlight(net::Worker& worker, const config::Upstream& settings)
    : worker_(worker),
      timeouts_(settings.timeouts),
      settings_(settings.embedded),
      pause_(worker) {}

EmbeddedFlight::~EmbeddedFlight() = default;

net::Task<Result<void>> EmbeddedFlight::open(const Ask& ask) {
    if (cancelled_) co_return fail(Errc::cancelled);
    sent_ = true;
    source_ = ask.source;
    const auto body = co_await read_body(ask);
    source_ = nullptr;
    if (!body) co_return std::unexpected(body.error());
    const Fault* const fault = settings_.faults ? find_fault(ask.model) : nullptr;
    if (fault != nullptr) {
        FaultRequest wanted;
        wanted.stream = ask.stream;
        wanted.identity = identity_of(ask);
        fault_ = std::make_unique<FaultFlight>(worker_, timeouts_, fault->make(wanted));
        auto opened = co_await fault_->open(ask);
        reply_ = fault_->reply();
        co_return opened;
    }
    const Reply& reply = answer_.emplace(reply_to(ask, *body, settings_));
    begin_ = net::Clock::now();
    reply_.status = reply.status();
    reply_.content_type = reply.content_type();
    if (ask.raw) net::append_field(reply_.fields, "content-type", reply_.content_type);
    co_return Result<void>();
}

net::Task<Result<std::string_view>> EmbeddedFlight::next() {
    if (cancelled_) co_return fail(Errc::cancelled);
    if (fault_) co_return co_await fault_->next();
    const auto due = answer_ ? answer_->due() : std::nullopt;
    if (!due) co_return std::string_view();
    const auto waited = co_await wait_until(begin_ + *due);
    if (!waited) co_return std::unexpected(waited.error());
    fill_batch(*answer_);
    co_return std::string_view(batch_);
}

/// Suspends in any case, but for the first time: a reply without a pace must not keep the other
/// connections of the worker waiting.
net::Task<Result<void>> EmbeddedFlight::wait_until(net::Clock::time_point due) {
    const auto wait = due - net::Clock::now();
    if (wait > net::Clock::duration::zero()) {
        co_await pause_.wait(wait);
    } else if (begun_) {
        co_await worker_.sleep(net::Clock::duration::zero());
    }
    begun_ = true;
    if (cancelled_) co_return fail(Errc::cancelled);
    co_return Result<void>();
}

/// What is due by now, and in any case what was waited for.
void EmbeddedFlight::fill_batch(Reply& reply) {
    batch_.clear();
    const auto elapsed = net::Clock::now() - begin_;
    std::optional<std::chrono::microseconds> due;
    do {
        reply.take(batch_);
        due = reply.due();
    } while (due && *due <= elapsed && batch_.size() < kBatchBytes);
}

bool EmbeddedFlight::at_end() const {
    return fault_ ? fault_->at_end() : !answer_ || !answer_->due();
}

void EmbeddedFlight::cancel() {
    cancelled_ = true;
    pause_.cancel();
    if (source_ != nullptr) source_->stop();
    if (fault_) fault_->cancel();
}

}  // namespace sluice::upstream::embedded
