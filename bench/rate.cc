/// bench_rate --port N [--key K] [--model M] [--rate N] [--connections N] [--seconds N]
///     [--body-bytes N] [--reply-bytes N]
///
/// Asks for whole replies at a constant rate, whatever the answers do: a latency is counted from
/// the moment the request was due, so that a stall is charged to every request that it delayed.
/// `--rate 0` instead keeps every connection busy. Prints one JSON object.

#include "arguments.h"
#include "histogram.h"
#include "message_reader.h"
#include "poller.h"
#include "request.h"
#include "sockets.h"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <deque>
#include <string>
#include <unistd.h>
#include <vector>

namespace sluice::bench {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::uint64_t kMaxErrors = 10'000;
constexpr std::int64_t kGrace = 10 * kSecond;

struct Plan {
    std::uint16_t port = 0;
    std::string request;
    std::size_t connections = 32;
    std::int64_t rate = 0;
    std::int64_t seconds = 5;
};

struct Connection {
    int fd = -1;
    MessageReader reader;
    std::size_t sent = 0;
    std::int64_t due_ns = 0;
    bool writing = false;  ///< watched for room in the socket
};

class Load {
public:
    explicit Load(Plan plan) : plan_(std::move(plan)), connections_(plan_.connections) {
        for (std::size_t i = 0; i < connections_.size(); ++i) connect(i);
    }

    void run() {
        started_ns_ = monotonic_ns();
        const std::int64_t stop_ns = started_ns_ + plan_.seconds * kSecond;
        while (true) {
            const std::int64_t now = monotonic_ns();
            if (now < stop_ns) {
                ask_due(now);
            } else if (idle_.size() + lost_ == connections_.size() || now > stop_ns + kGrace) {
                break;
            }
            // A rate that the connections cannot carry waits for an answer instead of the clock.
            std::int64_t until = stop_ns + kGrace;
            if (now < stop_ns) until = idle_.empty() || plan_.rate == 0 ? stop_ns : next_due();
            for (const epoll_event& event : poller_.wait(until)) on_event(event);
        }
        ended_ns_ = monotonic_ns();
    }

    [[nodiscard]] std::string json() const {
        const double seconds =
            static_cast<double>(ended_ns_ - started_ns_) / static_cast<double>(kSecond);
        return R"({"seconds":)" + std::to_string(seconds) + R"(,"requests":)" +
               std::to_string(answered_) + R"(,"errors":)" + std::to_string(errors_) +
               R"(,"latency":)" + latency_.json() + "}\n";
    }

private:
    [[nodiscard]] std::int64_t next_due() const {
        return started_ns_ + asked_ * kSecond / std::max<std::int64_t>(plan_.rate, 1);
    }

    void connect(std::size_t index) {
        Connection& connection = connections_[index];
        connection = Connection{};
        connection.fd = connect_to(plan_.port);
        if (connection.fd < 0) {
            ++errors_;
            ++lost_;
            return;
        }
        poller_.add(connection.fd, EPOLLIN, index);
        idle_.push_back(index);
    }

    void ask_due(std::int64_t now) {
        while (!idle_.empty() && (plan_.rate == 0 || next_due() <= now)) {
            const std::size_t index = idle_.front();
            idle_.pop_front();
            connections_[index].due_ns = plan_.rate == 0 ? now : next_due();
            connections_[index].sent = 0;
            ++asked_;
            send_request(index);
        }
    }

    void send_request(std::size_t index) {
        Connection& connection = connections_[index];
        const std::string_view left = std::string_view(plan_.request).substr(connection.sent);
        const std::ptrdiff_t sent = send_some(connection.fd, left);
        if (sent < 0) {
            lose(index);
            return;
        }
        connection.sent += static_cast<std::size_t>(sent);
        const bool unfinished = connection.sent < plan_.request.size();
        if (unfinished == connection.writing) return;
        connection.writing = unfinished;
        poller_.change(connection.fd, unfinished ? EPOLLIN | EPOLLOUT : EPOLLIN, index);
    }

    void lose(std::size_t index) {
        if (++errors_ > kMaxErrors) fail("bench_rate: nothing answers, or it keeps hanging up");
        std::erase(idle_, index);
        close(connections_[index].fd);
        connect(index);
    }

    void on_event(const epoll_event& event) {
        const auto index = static_cast<std::size_t>(event.data.u64);
        Connection& connection = connections_[index];
        if (connection.writing && (event.events & EPOLLOUT) != 0) send_request(index);
        if ((event.events & (EPOLLIN | EPOLLHUP | EPOLLERR)) == 0) return;
        std::string_view bytes;
        const Received received = receive(connection.fd, bytes);
        if (received == Received::closed) lose(index);
        if (received != Received::bytes) return;
        while (true) {
            std::string_view piece;
            switch (connection.reader.next(bytes, piece)) {
                case MessageReader::Step::need_more: return;
                case MessageReader::Step::broken: lose(index); return;
                case MessageReader::Step::body: break;
                case MessageReader::Step::message_end:
                    if (!end(index)) return;
                    break;
            }
        }
    }

    /// False when the connection has been replaced.
    [[nodiscard]] bool end(std::size_t index) {
        const Connection& connection = connections_[index];
        latency_.record(monotonic_ns() - connection.due_ns);
        if (connection.reader.status() == 200) {
            ++answered_;
        } else {
            ++errors_;
        }
        if (connection.reader.closes()) {
            close(connection.fd);
            connect(index);
            return false;
        }
        idle_.push_back(index);
        return true;
    }

    Plan plan_;
    Poller poller_;
    std::vector<Connection> connections_;
    std::deque<std::size_t> idle_;
    std::size_t lost_ = 0;
    std::int64_t asked_ = 0;
    std::uint64_t answered_ = 0;
    std::uint64_t errors_ = 0;
    Histogram latency_;
    std::int64_t started_ns_ = 0;
    std::int64_t ended_ns_ = 0;
};

Plan plan_of(const Arguments& arguments) {
    Plan plan;
    plan.port = static_cast<std::uint16_t>(arguments.number("port", 8080));
    plan.connections =
        static_cast<std::size_t>(std::max<std::int64_t>(arguments.number("connections", 32), 1));
    plan.rate = arguments.number("rate", 0);
    plan.seconds = arguments.number("seconds", 5);
    Question question;
    question.body_bytes = static_cast<std::size_t>(arguments.number("body-bytes", 1200));
    question.reply_bytes = arguments.number("reply-bytes", question.reply_bytes);
    plan.request = request_bytes(
        question, {.key = arguments.text("key", ""), .model = arguments.text("model", "bench")});
    return plan;
}

}  // namespace
}  // namespace sluice::bench

int main(int argc, char** argv) {
    using sluice::bench::Arguments;
    using sluice::bench::Load;
    using sluice::bench::plan_of;
    const Arguments arguments(argc, argv);
    std::signal(SIGPIPE, SIG_IGN);
    Load load(plan_of(arguments));
    load.run();
    std::fputs(load.json().c_str(), stdout);
}
