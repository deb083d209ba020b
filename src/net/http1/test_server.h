#pragma once

/// For the tests of the server's side: a worker in a thread of its own that serves a port with a
/// scripted handler, so that the test can speak to it through plain blocking sockets.

#include "net/http1/server.h"
#include "net/test_loop.h"

#include <array>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>

namespace sluice::net::http1::testing {

using namespace std::chrono_literals;
using net::testing::RawSocket;

class TestServer final : public RequestHandler {
public:
    using Script = std::function<Task<>(Transaction&)>;

    explicit TestServer(Script script, ServerLimits limits = {})
        : limits_(limits),
          script_(std::move(script)) {
        worker_.spawn(listener_.accept_all([this](Stream stream, Peer peer) {
            server_.serve(std::move(stream), std::move(peer));
        }));
        thread_ = std::jthread([this] { worker_.run(); });
    }
    TestServer(const TestServer&) = delete;
    TestServer& operator=(const TestServer&) = delete;
    ~TestServer() {
        on_worker([this] {
            listener_.stop();
            server_.cancel_all();
        });
        const auto start = Clock::now();
        thread_.join();
        EXPECT_LT(Clock::now() - start, 1500ms) << "something went on after cancel_all()";
        EXPECT_EQ(server_.connections(), 0U);
    }

    [[nodiscard]] RawSocket connect() const { return RawSocket::connected_to(port_); }

    /// Connects, sends `request` and returns everything up to the connection's end.
    [[nodiscard]] std::string exchange(std::string_view request) const {
        RawSocket client = connect();
        client.send(request);
        return client.receive_to_end();
    }

    /// Runs `act` on the worker's thread and waits for it.
    template <class Act>
    std::invoke_result_t<Act> on_worker(Act act) {
        std::packaged_task<std::invoke_result_t<Act>()> task(std::move(act));
        auto result = task.get_future();
        worker_.post(std::move(task));
        return result.get();
    }
    [[nodiscard]] std::size_t connections() {
        return on_worker([this] { return server_.connections(); });
    }
    /// Whether the number of connections comes to that within `patience`.
    [[nodiscard]] bool comes_to(std::size_t connections, Clock::duration patience = 2s) {
        const auto start = Clock::now();
        while (this->connections() != connections) {
            if (Clock::now() - start > patience) return false;
            std::this_thread::sleep_for(5ms);
        }
        return true;
    }

    Worker& worker() { return worker_; }
    Server& server() { return server_; }

private:
    Task<> handle(Transaction& transaction) override { return script_(transaction); }
    Task<> refuse(Transaction& transaction, Error why) override {
        const std::array<std::string_view, 1> body = {why.message};
        const ReplyHead head{.status = http_status(why.code)};
        if (transaction.send(head, body) == Sent::pending) {
            [[maybe_unused]] const auto flushed = co_await transaction.flush();
        }
    }
    [[nodiscard]] const ServerLimits& limits() const override { return limits_; }

    ServerLimits limits_;
    Script script_;
    Worker worker_{0};
    Server server_{worker_, *this};
    Listener listener_ = Listener::open(worker_, "127.0.0.1", 0).value();
    std::uint16_t port_ = listener_.port();
    std::jthread thread_;
};

/// Answers with `status` and `body`, waiting for nothing.
inline void answer(Transaction& transaction, std::string_view body, int status = 200) {
    const std::array<std::string_view, 1> pieces = {body};
    const ReplyHead head{.status = status};
    [[maybe_unused]] const Sent sent = transaction.send(head, pieces);
}

/// Answers with the method, the target and the body of the request, or with why it has none.
inline Task<> echo(Transaction& transaction) {
    std::string text(transaction.head().method);
    text.append(" ").append(transaction.head().target).append(" ");
    const auto body = co_await transaction.read_body(1024UL * 1024);
    if (body) {
        answer(transaction, text.append(body->view()));
    } else {
        answer(transaction, body.error().message, http_status(body.error().code));
    }
}

}  // namespace sluice::net::http1::testing
