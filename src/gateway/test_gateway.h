#pragma once

/// For the tests of this layer: a gateway on a worker of its own, and requests to it that need no
/// socket.

#include "config/config.h"
#include "gateway/endpoint.h"
#include "gateway/frontend.h"
#include "net/transaction.h"
#include "net/worker.h"

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice::gateway::testing {

/// A request as a client would send it, and what the gateway answered.
class TestTransaction final : public net::Transaction {
public:
    TestTransaction(std::string method, std::string path, std::string body = {})
        : method_(std::move(method)),
          path_(std::move(path)),
          body_(std::move(body)) {
        body_size_ = body_.size();
        body_.append(net::Body::kPadding, '\0');
    }

    TestTransaction& with(std::string_view name, std::string_view value) {
        fields_.push_back({name, value});
        return *this;
    }

    const net::http1::RequestHead& head() const override {
        head_.method = method_;
        head_.target = head_.path = path_;
        head_.fields = fields_;
        return head_;
    }
    const net::Peer& peer() const override { return peer_; }
    net::Task<Result<net::Body>> read_body(std::uint64_t limit) override {
        if (throws) throw std::runtime_error("out of luck");
        if (body_size_ > limit) co_return fail(Errc::payload_too_large);
        net::Body body;
        body.data = body_.data();
        body.size = body_size_;
        body.capacity = body_.size();
        co_return body;
    }
    std::optional<std::uint64_t> body_size() const override { return body_size_; }
    net::Task<Result<std::string_view>> read_some() override {
        co_return std::string_view(body_).substr(0,
                                                 std::exchange(body_read_, true) ? 0 : body_size_);
    }
    void release_request() override { body_.assign(body_.size(), '?'); }
    net::Sent send(const net::ReplyHead& head, std::span<const std::string_view> body) override {
        status = head.status;
        fields = head.fields;
        closes = head.close;
        for (const std::string_view piece : body) reply += piece;
        started_ = finished = true;
        return net::Sent::all;
    }
    void start(const net::ReplyHead& head) override {
        status = head.status;
        fields = head.fields;
        started_ = true;
    }
    bool started() const override { return started_; }
    net::Sent write(std::span<const std::string_view> pieces, bool last) override {
        for (const std::string_view piece : pieces) reply += piece;
        finished = last;
        if (on_write) on_write();
        return takes_all ? net::Sent::all : net::Sent::pending;
    }
    net::Task<Result<void>> flush() override { co_return Result<void>(); }
    void abort() override { aborted = true; }
    void watch_client(net::ClientWatch* watch) override { watch_ = watch; }
    std::uint64_t bytes_received() const override { return body_size_; }
    std::uint64_t bytes_sent() const override { return reply.size(); }

    void stop_server() {
        if (watch_ != nullptr) std::exchange(watch_, nullptr)->on_server_stopping();
    }
    void hang_up() {
        if (watch_ != nullptr) std::exchange(watch_, nullptr)->on_client_gone();
    }

    /// A header field of the answer; empty where it has none of that name.
    [[nodiscard]] std::string_view field(std::string_view name) const {
        const std::string line = "\r\n" + std::string(name) + ": ";
        const std::size_t at = ("\r\n" + fields).find(line);
        if (at == std::string::npos) return {};
        const std::string_view rest = std::string_view(fields).substr(at + line.size() - 2);
        return rest.substr(0, rest.find("\r\n"));
    }

    int status = 0;
    std::string fields;
    std::string reply;
    bool finished = false;
    bool aborted = false;
    bool closes = false;     ///< the connection is not to be kept
    bool throws = false;     ///< read_body() throws, as nothing should
    bool takes_all = false;  ///< what is written leaves at once
    std::function<void()> on_write;

private:
    std::string method_;
    std::string path_;
    std::string body_;
    std::size_t body_size_ = 0;
    bool body_read_ = false;
    std::vector<net::http1::Field> fields_;
    mutable net::http1::RequestHead head_;
    net::Peer peer_{.address = "127.0.0.1", .loopback = true};
    net::ClientWatch* watch_ = nullptr;
    bool started_ = false;
};

/// The embedded models behind the name `local`, reached by any model name.
[[nodiscard]] inline config::Config embedded_config() {
    config::Config config;
    config.listeners.push_back({"127.0.0.1", 0});
    config::Upstream upstream;
    upstream.name = "local";
    upstream.kind = config::UpstreamKind::embedded;
    upstream.retry.max_retries = 0;
    config.upstreams.emplace("local", upstream);
    config.default_route.targets.push_back({"local", "*"});
    config.log.access = false;
    return config;
}

/// An embedded upstream and its model.
using Model = std::pair<std::string, std::string>;

/// Embedded upstreams with these models, of which each is asked when those before it have failed.
/// Their faults are open, and nothing is repeated.
[[nodiscard]] inline config::Config chain_of(const std::vector<Model>& models) {
    config::Config config = embedded_config();
    config.default_route.targets.clear();
    for (const auto& [name, model] : models) {
        config::Upstream upstream = config.upstreams.at("local");
        upstream.name = name;
        upstream.embedded.faults = true;
        config.upstreams.emplace(name, upstream);
        config::Target target;
        target.upstream = name;
        target.model = model;
        target.tier = config.default_route.targets.size();
        config.default_route.targets.push_back(target);
    }
    config.upstreams.erase("local");
    return config;
}

class TestGateway {
public:
    explicit TestGateway(config::Config config = embedded_config()) { use(std::move(config)); }

    void use(config::Config config) {
        const auto used =
            gateway.use(std::make_shared<const Snapshot>(std::move(config), shared.board));
        EXPECT_TRUE(used);
    }

    /// Handles the request to its end.
    void run(TestTransaction& transaction, const EndpointTable& table = client_endpoints()) {
        begin(transaction, table);
        worker.io().run();
    }

    /// Works until that has happened; false where it has not within ten seconds.
    [[nodiscard]] bool run_until(const std::function<bool()>& has_happened) {
        const auto give_up = net::Clock::now() + std::chrono::seconds(10);
        while (!has_happened() && net::Clock::now() < give_up) {
            worker.io().restart();
            worker.io().run_one_for(std::chrono::milliseconds(100));
        }
        return has_happened();
    }

    routing::UpstreamRecord& record(std::string_view upstream) {
        return *gateway.snapshot()->records.at(upstream);
    }

    /// Starts handling it; worker.io() has to be run.
    void begin(TestTransaction& transaction, const EndpointTable& table = client_endpoints()) {
        frontends_.push_back(std::make_unique<Frontend>(gateway, table));
        worker.io().restart();
        worker.spawn(frontends_.back()->handle(transaction));
    }

    net::Worker worker{0};
    Shared shared;
    Gateway gateway{worker, shared};

private:
    std::vector<std::unique_ptr<Frontend>> frontends_;
};

[[nodiscard]] inline std::string chat_request(std::string_view model, bool stream) {
    return R"({"model":")" + std::string(model) + R"(","stream":)" + (stream ? "true" : "false") +
           R"(,"messages":[{"role":"user","content":"hello"}]})";
}

}  // namespace sluice::gateway::testing
