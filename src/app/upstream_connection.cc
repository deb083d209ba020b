#include "app/upstream_connection.h"

#include "dialect/openai_chat/errors.h"
#include "dialect/openai_chat/head.h"
#include "json/reader.h"
#include "upstream/embedded/faults.h"
#include "upstream/embedded/wire.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

namespace sluice::app {
namespace {

using net::http1::Progress;
using upstream::embedded::Reply;
using upstream::embedded::WireScript;
using upstream::embedded::WireStep;

constexpr std::chrono::hours kForever{1};
constexpr std::chrono::seconds kLingerTime{1};
constexpr std::size_t kBatchBytes = 64UL * 1024;
constexpr std::size_t kEarlySearchBytes = 4096;

net::http1::Limits limits() {
    net::http1::Limits limits;
    limits.body_bytes = 64UL * 1024 * 1024;
    return limits;
}

/// Base URLs come with and without the version.
std::string_view without_version(std::string_view path) {
    constexpr std::string_view kVersion = "/v1";
    if (path.starts_with("/v1/")) path.remove_prefix(kVersion.size());
    return path;
}

bool is_chat(std::string_view path) {
    return path.ends_with("/chat/completions");
}

std::int64_t unix_seconds() {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::seconds>(now).count();
}

/// Where no rule of the script fits.
ScriptedTurn default_turn() {
    ScriptedTurn turn;
    turn.reasoning = "Nothing in the script is about this.";
    turn.content = "No rule of the script fits.";
    return turn;
}

std::string model_of(std::string_view body) {
    const auto head = dialect::openai_chat::read_head(body);
    return head ? head->model : "";
}

}  // namespace

UpstreamConnection::UpstreamConnection(net::Worker& worker, UpstreamContext& context,
                                       net::Stream stream, std::uint64_t number)
    : worker_(worker),
      context_(context),
      stream_(std::move(stream)),
      pause_(worker),
      reader_(limits()) {
    request_.connection = number;
}

net::Task<> UpstreamConnection::run() {
    while (!cancelled_) {
        const Got got = co_await read_request();
        if (got == Got::closed) co_return;
        context_.journal.write_request(request_);
        const auto begin = net::Clock::now();
        stream_.watch(this);
        const bool complete = co_await answer();
        stream_.watch(nullptr);
        if (client_gone_) {
            context_.journal.write_client_gone(
                request_,
                std::chrono::duration_cast<std::chrono::milliseconds>(net::Clock::now() - begin));
        }
        if (!complete || client_gone_) co_return;
        if (got == Got::early || !keep_alive_) {
            co_await linger();
            co_return;
        }
        reader_.reset();
    }
}

void UpstreamConnection::cancel() {
    cancelled_ = true;
    stream_.cancel();
    pause_.cancel();
}

/// Called while a reply is under way. Bytes are the next request; the end is the client's.
void UpstreamConnection::on_readable() {
    if (!stream_.peer_gone()) return;
    client_gone_ = true;
    pause_.cancel();
}

net::Task<bool> UpstreamConnection::receive() {
    stream_.deadline().expire_after(idle_time_);
    const net::Wake wake = co_await stream_.readable();
    stream_.deadline().never();
    if (wake != net::Wake::ready) co_return false;
    const auto scratch = worker_.scratch();
    const net::Io io = stream_.read_now(scratch.data(), scratch.size());
    if (io.status == net::Io::Status::closed || io.status == net::Io::Status::failed) {
        co_return false;
    }
    buffer_.append(scratch.data(), io.bytes);
    co_return true;
}

net::Task<bool> UpstreamConnection::read_head() {
    for (;;) {
        if (!buffer_.empty()) {
            const Progress progress = reader_.read_head(buffer_);
            if (progress == Progress::done) co_return true;
            if (progress == Progress::failed) {
                const std::string refusal = upstream::embedded::sized_response(
                    "400 Bad Request", "application/json", "connection: close\r\n",
                    dialect::openai_chat::write_error(reader_.error()));
                co_await write(refusal);
                co_await linger();
                co_return false;
            }
        }
        const bool more = co_await receive();
        if (!more) co_return false;
    }
}

net::Task<UpstreamConnection::Got> UpstreamConnection::read_request() {
    const bool has_head = co_await read_head();
    if (!has_head) co_return Got::closed;
    const bool asks = keep_head();
    if (asks) co_await write("HTTP/1.1 100 Continue\r\n\r\n");
    for (;;) {
        std::string_view input = buffer_;
        Progress progress = Progress::need_more;
        do {
            std::string_view piece;
            progress = reader_.read_body(input, piece);
            request_.body += piece;
        } while (progress == Progress::need_more && !input.empty());
        buffer_.erase(0, buffer_.size() - input.size());
        if (progress == Progress::done) co_return Got::request;
        if (progress == Progress::failed) co_return Got::closed;
        if (is_early()) co_return Got::early;
        const bool more = co_await receive();
        if (!more) co_return Got::closed;
    }
}

/// Copies what is needed of the head, whose views are about to end; whether the client waits to be
/// asked for the body.
bool UpstreamConnection::keep_head() {
    const net::http1::RequestHead& head = reader_.head();
    request_.method = head.method;
    request_.target = head.target;
    request_.fields.clear();
    for (const auto& [name, value] : head.fields) request_.fields.emplace_back(name, value);
    request_.body.clear();
    ++request_.number;
    keep_alive_ = head.keep_alive;
    const bool asks = head.expects_continue;
    buffer_.erase(0, reader_.head_size());
    return asks;
}

bool UpstreamConnection::is_early() const {
    return std::string_view(request_.body)
        .substr(0, kEarlySearchBytes)
        .contains("\"" + std::string(upstream::embedded::kEarlyResponse) + "\"");
}

upstream::embedded::Identity UpstreamConnection::identity() {
    upstream::embedded::Identity identity;
    identity.id = "chatcmpl-" + std::to_string(++context_.replies);
    identity.created = unix_seconds();
    return identity;
}

/// Takes the conversation apart where somebody wants to see it, and refuses it where the rules say
/// so.
std::optional<WireScript> UpstreamConnection::refuse(std::optional<DeepSeekRequest>& conversation) {
    if (!context_.deepseek_rules && !context_.script.reads_conversations()) return std::nullopt;
    auto read = read_deepseek_request(request_.body);
    const auto violation = read ? find_violation(*read) : read.error();
    if (context_.deepseek_rules && violation) {
        context_.journal.write_violation(request_, *violation);
        return write_deepseek_error(400, violation->message);
    }
    if (read) conversation = *std::move(read);
    return std::nullopt;
}

WireScript UpstreamConnection::tell(const ScriptedTurn& turn, const DeepSeekRequest& conversation) {
    const std::string user = conversation.user_id.value_or("");
    TurnContext context;
    context.number = ++context_.replies;
    context.created = unix_seconds();
    context.prompt = context_.prompts.add(user, render_prompt(conversation));
    context_.journal.write_turn(request_, context.prompt, conversation.ignored);
    return write_turn(turn, conversation, context);
}

/// False when the connection is to be closed.
net::Task<bool> UpstreamConnection::answer() {
    const std::string path(std::string_view(request_.target).substr(0, request_.target.find('?')));
    const bool early = is_early();
    const std::string model =
        early ? std::string(upstream::embedded::kEarlyResponse) : model_of(request_.body);
    std::optional<DeepSeekRequest> conversation;
    if (!early && is_chat(path)) {
        const auto refusal = refuse(conversation);
        if (refusal) co_return co_await play(*refusal, 0);
    }
    const ScriptedReply* const scripted =
        context_.script.answer(path, model, request_.body, conversation ? &*conversation : nullptr);
    if (scripted != nullptr && !scripted->turn) {
        co_return co_await play(scripted->wire, scripted->split);
    }
    // A rule that tells a turn fits conversations only.
    if (conversation && (scripted != nullptr || context_.deepseek_rules)) {
        const bool told_by_rule = scripted != nullptr && scripted->turn;
        const ScriptedTurn turn = told_by_rule ? *scripted->turn : default_turn();
        const WireScript told = tell(turn, *conversation);
        co_return co_await play(told, 0);
    }
    const auto* const fault = upstream::embedded::find_fault(model);
    if (fault != nullptr) {
        upstream::embedded::FaultRequest wanted;
        const auto head = dialect::openai_chat::read_head(request_.body);
        wanted.stream = head ? head->stream : request_.body.contains("\"stream\":true");
        for (const auto& [name, value] : request_.fields) {
            if (name == "authorization" || name == "Authorization") wanted.authorization = value;
        }
        wanted.identity = identity();
        wanted.identity.model = model;
        const WireScript script = fault->make(wanted);
        co_return co_await play(script, 0);
    }
    co_return co_await play(upstream::embedded::serve(
        request_.method, without_version(path), request_.body, identity(), context_.embedded));
}

net::Task<bool> UpstreamConnection::play(const WireScript& script, std::size_t split) {
    for (const WireStep& step : script) {
        if (step.act == WireStep::Act::close_idle) {
            idle_time_ = step.wait;
            continue;
        }
        const bool open = co_await play_step(step, split);
        if (!open) co_return false;
    }
    co_return true;
}

net::Task<bool> UpstreamConnection::play_step(const WireStep& step, std::size_t split) {
    for (std::uint64_t i = 0; i < step.times; ++i) {
        const bool waited = co_await wait(step.wait);
        if (!waited) co_return false;
        switch (step.act) {
            case WireStep::Act::close_idle:
            case WireStep::Act::send: break;
            case WireStep::Act::close: co_await linger(); co_return false;
            case WireStep::Act::reset: stream_.reset(); co_return false;
            case WireStep::Act::half_close: stream_.shutdown_send(); co_return true;
            case WireStep::Act::hang: co_await wait(kForever); co_return false;
        }
        const std::string_view bytes = step.bytes;
        const std::size_t size = split == 0 ? std::max(bytes.size(), 1UL) : split;
        for (std::size_t at = 0; at < bytes.size(); at += size) {
            const bool written = co_await write(bytes.substr(at, size));
            if (!written) co_return false;
            if (split != 0) co_await worker_.sleep(net::Clock::duration::zero());
        }
    }
    co_return true;
}

net::Task<bool> UpstreamConnection::play(Reply reply) {
    if (reply.is_event_stream()) co_return co_await play_events(reply);
    const auto wanted = reply.due().value_or(std::chrono::microseconds(0));
    const bool waited = co_await wait(wanted);
    if (!waited) co_return false;
    std::string body;
    reply.take(body);
    const std::string response = upstream::embedded::sized_response(
        std::to_string(reply.status()) + " Embedded", reply.content_type(), "", body);
    co_return co_await write(response);
}

/// One chunk for each event, as model servers do; what is due at once leaves at once.
net::Task<bool> UpstreamConnection::play_events(Reply& reply) {
    const auto begin = net::Clock::now();
    std::string batch(upstream::embedded::kStatusLine);
    batch +=
        "content-type: text/event-stream\r\ncache-control: no-cache\r\n"
        "transfer-encoding: chunked\r\n\r\n";
    std::string event;
    while (auto due = reply.due()) {
        const bool waited = co_await wait(begin + *due - net::Clock::now());
        if (!waited) co_return false;
        const auto elapsed = net::Clock::now() - begin;
        do {
            event.clear();
            reply.take(event);
            batch += upstream::embedded::chunk(event);
            due = reply.due();
        } while (due && *due <= elapsed && batch.size() < kBatchBytes);
        if (!due) batch += upstream::embedded::kLastChunk;
        const bool written = co_await write(batch);
        if (!written) co_return false;
        batch.clear();
    }
    co_return true;
}

/// False when the client has gone meanwhile.
net::Task<bool> UpstreamConnection::wait(net::Clock::duration time) {
    if (time > net::Clock::duration::zero()) co_await pause_.wait(time);
    co_return !client_gone_ && !cancelled_;
}

net::Task<bool> UpstreamConnection::write(std::string_view bytes) {
    const std::array pieces{bytes};
    const auto written = co_await stream_.write(pieces);
    if (written.status != net::Io::Status::ok) client_gone_ = true;
    co_return written.ok();
}

/// Bytes that were not read turn a close into a reset, which could overtake the reply.
net::Task<> UpstreamConnection::linger() {
    stream_.shutdown_send();
    if (!stream_.has_unread_bytes() && reader_.body_done()) co_return;
    co_await wait(kLingerTime);
}

}  // namespace sluice::app
