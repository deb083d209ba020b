#include "gateway/pass_through.h"

#include "base/text.h"
#include "gateway/deadline.h"
#include "gateway/forwarded_fields.h"
#include "gateway/forwarded_reply.h"
#include "json/reader.h"
#include "observe/log.h"
#include "routing/backoff.h"
#include "routing/failure.h"
#include "upstream/reply_fields.h"

#include <array>
#include <utility>
#include <vector>

namespace sluice::gateway {
namespace {

using routing::Breaker;

/// A body of this size is taken whole before the upstream is asked, so that it can be asked again.
constexpr std::uint64_t kSmallBody = 64UL * 1024;

/// The client's body, handed on while it comes.
class ClientBody final : public upstream::BodySource {
public:
    explicit ClientBody(net::Transaction& client) : client_(client) {}

    std::optional<std::uint64_t> size() const override { return client_.body_size(); }
    net::Task<Result<std::string_view>> read() override {
        touched_ = true;
        return client_.read_some();
    }
    void stop() override { client_.stop_reading(); }
    /// Whether some of it may be gone.
    [[nodiscard]] bool touched() const noexcept { return touched_; }

private:
    net::Transaction& client_;
    bool touched_ = false;
};

bool is_idempotent(std::string_view method) {
    return method != "POST" && method != "PATCH";
}

bool is_multipart(const net::http1::RequestHead& head) {
    return to_lower(head.find("content-type").value_or("")).starts_with("multipart/");
}

/// Every `model` of a JSON object must be one that the key may use. Servers differ on what else
/// they take for JSON, and on whose word, so nothing else goes through.
Result<void> check_models(Exchange& exchange, std::string_view body) {
    json::Reader reader(body);
    while (reader.next()) {
        if (!reader.key_is("model")) continue;
        const auto model = json::to_string(reader.value());
        if (model) exchange.head.model = *model;
        if (model && exchange.scope.may_use(*model)) continue;
        Error unknown(Errc::model_not_found,
                      "the model `" + exchange.head.model +
                          "` does not exist here; GET /v1/models lists those that do");
        unknown.param = "model";
        return std::unexpected(std::move(unknown));
    }
    if (!reader.failed()) return {};
    return fail(
        Errc::bad_request,
        "this key is for certain models only, so the body must be JSON: " + reader.failure());
}

/// One request's way to the upstream.
class PassThrough {
public:
    explicit PassThrough(Exchange& exchange)
        : exchange_(exchange),
          settings_(exchange.snapshot->config.pass_through),
          upstream_(*exchange.snapshot->upstream(settings_.upstream)),
          record_(exchange.snapshot->record(upstream_)),
          source_(exchange.client) {}

    net::Task<Result<void>> run();

private:
    [[nodiscard]] Result<void> prepare();
    net::Task<Result<void>> take_body();
    net::Task<Result<void>> open();
    net::Task<Result<void>> ask_once();
    net::Task<bool> may_repeat(const Error& error, std::size_t retry);
    void choose_key(std::size_t attempt);
    [[nodiscard]] config::FailureKind kind_of(const Error& error);
    void report(const Result<void>& opened);
    void note_tried(const Result<void>& opened);

    Exchange& exchange_;
    const config::PassThrough& settings_;
    const config::Upstream& upstream_;
    routing::UpstreamRecord& record_;
    ClientBody source_;
    std::string target_;
    std::string fields_;
    std::array<std::string_view, 1> body_;
    upstream::Ask ask_;
    std::vector<routing::Keys::Choice> keys_;
    Breaker::Leave leave_ = Breaker::Leave::no;
};

Result<void> PassThrough::prepare() {
    const net::http1::RequestHead& head = exchange_.client.head();
    const bool passes = upstream_.auth == config::Auth::passthrough;
    const bool strangers =
        exchange_.snapshot->passes_credentials && !exchange_.snapshot->loopback_only;
    if (strangers && !passes) {
        return fail(Errc::forbidden, "the upstream " + upstream_.name +
                                         " has a key of its own, which is not for clients whose "
                                         "key nobody has checked");
    }
    auto target = forwarded_target(exchange_.path_argument, head.query);
    if (!target) return fail(Errc::bad_request, "the path has dot segments");
    const bool own_account = passes && !exchange_.client_credential.empty();
    target_ = std::move(*target);
    fields_ = forwarded_fields(head, own_account ? Account::clients : Account::ours);
    ask_.method = exchange_.method;
    ask_.path = target_;
    ask_.raw = true;
    ask_.request_id = exchange_.request_id;
    if (passes) ask_.credential = exchange_.client_credential;
    ask_.fields = fields_;
    record_.keys.order(record_.keys.next_turn(), net::Clock::now(), keys_);
    return {};
}

/// A body is read whole where it is small, or where what it asks for has to be checked.
net::Task<Result<void>> PassThrough::take_body() {
    const net::http1::RequestHead& head = exchange_.client.head();
    const auto size = exchange_.client.body_size();
    const bool checked = !exchange_.scope.models.empty() && !is_multipart(head);
    if (checked && head.find("content-encoding") && size != 0) {
        co_return fail(Errc::unsupported_media_type,
                       "this key is for certain models only, and the body cannot be checked; send "
                       "it without Content-Encoding");
    }
    if (!checked && (!size || *size > kSmallBody)) {
        ask_.source = &source_;
        co_return Result<void>();
    }
    const auto body =
        co_await exchange_.client.read_body(exchange_.snapshot->config.limits.body_bytes);
    if (!body) co_return std::unexpected(body.error());
    exchange_.body = *body;
    body_[0] = body->view();
    if (body->size > 0) ask_.body = body_;
    if (checked && body->size > 0) co_return check_models(exchange_, body->view());
    co_return Result<void>();
}

void PassThrough::choose_key(std::size_t attempt) {
    if (!keys_.empty()) ask_.key = keys_[attempt % keys_.size()].index;
}

/// Of a failure before the head.
config::FailureKind PassThrough::kind_of(const Error& error) {
    const auto kind = routing::classify(error, 0, {});
    const bool reached = kind == config::FailureKind::connect && exchange_.flight().sent();
    return reached ? config::FailureKind::broken : kind;
}

net::Task<Result<void>> PassThrough::ask_once() {
    const auto now = net::Clock::now();
    leave_ = record_.breaker.ask(now);
    if (leave_ == Breaker::Leave::no) {
        Error closed(Errc::overloaded, "the upstream " + upstream_.name +
                                           " has failed repeatedly and is left alone for now");
        closed.retry_after =
            std::chrono::ceil<config::Milliseconds>(record_.breaker.closed_until(now) - now);
        co_return std::unexpected(std::move(closed));
    }
    ++exchange_.attempts;
    exchange_.fly(exchange_.gateway.origin(upstream_).flight());
    auto opened = co_await exchange_.flight().open(ask_);
    exchange_.first_byte_after = net::Clock::now() - now;
    report(opened);
    note_tried(opened);
    co_return opened;
}

void PassThrough::report(const Result<void>& opened) {
    const auto now = net::Clock::now();
    const bool client_failed =
        !opened && (exchange_.is_over() || !is_retryable(opened.error().code));
    Shared& shared = exchange_.gateway.shared();
    shared.metrics.attempt(upstream_.name, opened ? "ok" : to_string(opened.error().code));
    if (client_failed) return record_.breaker.forget(leave_, now);
    const upstream::ReplyInfo& reply = exchange_.flight().reply();
    bool ok = true;
    if (!opened || reply.status >= 400) {
        const Error refused(Errc::upstream_status);
        const auto kind =
            opened ? routing::classify(refused, reply.status, {}) : kind_of(opened.error());
        if (routing::is_key_fault(kind) && ask_.credential.empty()) {
            const auto wait =
                routing::read_retry_wait(reply.fields, std::chrono::system_clock::now());
            record_.keys.cool(ask_.key, kind, wait.value_or(upstream_.retry.rate_limit_wait), now);
        }
        ok = !routing::is_upstream_fault(kind);
    }
    if (opened) {
        record_.last_word.report_up(now);
    } else {
        record_.last_word.report_down(opened.error().message, now);
    }
    if (const auto state = record_.breaker.report(ok, leave_, now)) {
        exchange_.gateway.note_breaker(upstream_.name, *state);
    }
}

/// Of one that went well at once there is nothing to tell.
void PassThrough::note_tried(const Result<void>& opened) {
    if (opened && exchange_.tried.empty()) return;
    if (!exchange_.tried.empty()) exchange_.tried += ", ";
    exchange_.tried += upstream_.name;
    exchange_.tried += ':';
    exchange_.tried += opened ? std::to_string(exchange_.flight().reply().status)
                              : config::to_string(kind_of(opened.error()));
}

/// What nobody has got may be sent again whatever it is; anything else only if it does no harm, and
/// only if all of it is still here.
net::Task<bool> PassThrough::may_repeat(const Error& error, std::size_t retry) {
    const bool lost = ask_.source != nullptr && source_.touched();
    const bool harmless =
        !exchange_.flight().sent() || is_idempotent(exchange_.method) || settings_.retry;
    if (lost || !harmless || exchange_.is_over() || !is_retryable(error.code) ||
        retry >= upstream_.retry.max_retries) {
        co_return false;
    }
    const auto wait = routing::backoff(upstream_.retry, retry, exchange_.gateway.random_share());
    if (net::Clock::now() + wait > deadline_of(exchange_, upstream_)) co_return false;
    observe::Metrics& metrics = exchange_.gateway.shared().metrics;
    if (!record_.retries.take_retry(net::Clock::now())) {
        metrics.budget_exhausted(upstream_.name);
        co_return false;
    }
    metrics.retry(upstream_.name, config::to_string(kind_of(error)));
    co_return co_await exchange_.wait(wait) == net::Wake::ready;
}

net::Task<Result<void>> PassThrough::open() {
    exchange_.asked_after = net::Clock::now() - exchange_.started;
    record_.retries.count_request(net::coarse_now());
    for (std::size_t attempt = 0;; ++attempt) {
        choose_key(attempt);
        auto opened = co_await ask_once();
        if (opened || leave_ == Breaker::Leave::no) co_return opened;
        const bool again = co_await may_repeat(opened.error(), attempt);
        if (!again) co_return opened;
    }
}

net::Task<Result<void>> PassThrough::run() {
    exchange_.upstream = &upstream_;
    auto result = prepare();
    if (result) result = co_await take_body();
    if (!result) co_return result;
    exchange_.watch_client();
    result = co_await open();
    if (!result) co_return result;
    const auto secrets = upstream::secrets_of(exchange_.flight().keys(), ask_.credential);
    exchange_.client.release_request();
    co_return co_await relay_as_it_is(exchange_, secrets);
}

}  // namespace

net::Task<Result<void>> pass_through(Exchange& exchange) {
    PassThrough request(exchange);
    auto result = co_await request.run();
    exchange.land();
    co_return result;
}

}  // namespace sluice::gateway
