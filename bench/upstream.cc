/// bench_upstream --port N [--events N] [--interval-us N] [--reply-bytes N]
///
/// A model server that costs as little as possible: whole replies and streams whose events carry
/// the time they were sent. The request steers it (see request.h); the flags are the defaults.

#include "arguments.h"
#include "message_reader.h"
#include "poller.h"
#include "request.h"
#include "sockets.h"

#include <algorithm>
#include <charconv>
#include <csignal>
#include <memory>
#include <queue>
#include <string>
#include <unistd.h>
#include <unordered_map>
#include <vector>

namespace sluice::bench {
namespace {

constexpr std::size_t kBodyFront = 4096;
constexpr std::int64_t kForever = std::int64_t{3600} * 1'000'000'000;
constexpr std::uint64_t kListenerTag = 0;

std::string chunk(std::string_view data) {
    std::string size(16, '\0');
    const auto [end, error] =
        std::to_chars(size.data(), size.data() + size.size(), data.size(), 16);
    size.resize(static_cast<std::size_t>(end - size.data()));
    return size + "\r\n" + std::string(data) + "\r\n";
}

std::string event(std::string_view choices, std::string_view rest = {}) {
    return R"(data: {"id":"chatcmpl-bench","object":"chat.completion.chunk","created":1700000000,)"
           R"("model":"bench","choices":[)" +
           std::string(choices) + "]" + std::string(rest) + "}\n\n";
}

std::string head(std::string_view type, std::string_view framing) {
    return "HTTP/1.1 200 OK\r\nContent-Type: " + std::string(type) + "\r\n" + std::string(framing) +
           "\r\n\r\n";
}

/// The bytes that do not depend on the request, made once.
struct Texts {
    std::string stream_head =
        head("text/event-stream", "Cache-Control: no-cache\r\nTransfer-Encoding: chunked") +
        chunk(event(R"({"index":0,"delta":{"role":"assistant","content":""},)"
                    R"("logprobs":null,"finish_reason":null})"));
    std::string content = chunk(event(
        R"({"index":0,"delta":{"content":")" + std::string(kStampDigits, '0') +
        R"( and about forty bytes of text, as they come"},"logprobs":null,"finish_reason":null})"));
    std::size_t stamp_at = content.find(kStampMark) + kStampMark.size();
    std::string stream_end =
        chunk(event(R"({"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"})")) +
        chunk(
            event("", R"(,"usage":{"prompt_tokens":9,"completion_tokens":64,"total_tokens":73})")) +
        chunk("data: [DONE]\n\n") + "0\r\n\r\n";
    std::string models = R"({"object":"list","data":[{"id":"bench","object":"model"}]})";
};

struct Connection {
    int fd = -1;
    std::uint64_t tag = 0;
    MessageReader reader;
    std::string body_front;
    std::string unsent;
    std::int64_t events_left = 0;
    std::int64_t interval_ns = 0;
    std::int64_t due_ns = 0;
    bool streaming = false;
    bool stalled = false;  ///< the stream waits until `unsent` is gone
};

class Upstream {
public:
    Upstream(std::uint16_t port, Question defaults)
        : listener_(listen_on(port)),
          defaults_(defaults) {
        poller_.add(listener_, EPOLLIN, kListenerTag);
    }

    [[noreturn]] void run() {
        while (true) {
            std::int64_t until = monotonic_ns() + kForever;
            if (!due_.empty()) until = due_.top().first;
            if (!fast_.empty()) until = 0;
            for (const epoll_event& event : poller_.wait(until)) on_event(event);
            send_due();
            send_fast();
        }
    }

private:
    using Due = std::pair<std::int64_t, std::uint64_t>;

    void on_event(const epoll_event& event) {
        if (event.data.u64 == kListenerTag) {
            accept_all();
            return;
        }
        Connection* connection = find(event.data.u64);
        if (connection == nullptr) return;
        if ((event.events & EPOLLOUT) != 0 && !flush(*connection)) return;
        if ((event.events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) read(*connection);
    }

    void accept_all() {
        for (int fd = accept_from(listener_); fd >= 0; fd = accept_from(listener_)) {
            auto connection = std::make_unique<Connection>();
            connection->fd = fd;
            connection->tag = next_tag_++;
            poller_.add(fd, EPOLLIN, connection->tag);
            connections_.emplace(connection->tag, std::move(connection));
        }
    }

    Connection* find(std::uint64_t tag) {
        const auto found = connections_.find(tag);
        return found == connections_.end() ? nullptr : found->second.get();
    }

    void drop(Connection& connection) {
        close(connection.fd);
        connections_.erase(connection.tag);
    }

    void read(Connection& connection) {
        std::string_view bytes;
        const Received received = receive(connection.fd, bytes);
        if (received == Received::closed) drop(connection);
        if (received != Received::bytes) return;
        while (true) {
            std::string_view piece;
            switch (connection.reader.next(bytes, piece)) {
                case MessageReader::Step::need_more: return;
                case MessageReader::Step::broken: drop(connection); return;
                case MessageReader::Step::body:
                    connection.body_front +=
                        piece.substr(0, kBodyFront - connection.body_front.size());
                    break;
                case MessageReader::Step::message_end:
                    if (!answer(connection)) return;
                    break;
            }
        }
    }

    /// False when the connection is gone.
    [[nodiscard]] bool answer(Connection& connection) {
        const Question question = read_question(connection.body_front, defaults_);
        connection.body_front.clear();
        if (!connection.reader.is_post()) return write_whole(connection, texts_.models);
        if (!question.stream) return write_whole(connection, whole_reply(question.reply_bytes));
        connection.streaming = true;
        connection.stalled = false;
        connection.events_left = question.events;
        connection.interval_ns = question.interval_us * 1000;
        connection.due_ns = monotonic_ns() + connection.interval_ns;
        if (!write(connection, texts_.stream_head)) return false;
        schedule(connection);
        return true;
    }

    void schedule(Connection& connection) {
        if (connection.interval_ns > 0) {
            due_.emplace(connection.due_ns, connection.tag);
        } else {
            fast_.push_back(connection.tag);
        }
    }

    [[nodiscard]] bool write_whole(Connection& connection, std::string_view json) {
        return write(connection,
                     head("application/json", "Content-Length: " + std::to_string(json.size())) +
                         std::string(json));
    }

    const std::string& whole_reply(std::int64_t size) {
        std::string& reply = whole_[size];
        if (!reply.empty()) return reply;
        const std::string front =
            R"({"id":"chatcmpl-bench","object":"chat.completion","created":1700000000,)"
            R"("model":"bench","choices":[{"index":0,"message":{"role":"assistant","content":")";
        const std::string back =
            R"("},"logprobs":null,"finish_reason":"stop"}],)"
            R"("usage":{"prompt_tokens":9,"completion_tokens":64,"total_tokens":73}})";
        const auto wanted = static_cast<std::size_t>(std::max<std::int64_t>(size, 0));
        const std::size_t fixed = front.size() + back.size();
        reply = front + std::string(wanted > fixed ? wanted - fixed : 0, 'y') + back;
        return reply;
    }

    /// Sends the next event of a stream, or its end. False when the stream has nothing to send now:
    /// it is over, gone, or the peer reads too slowly.
    [[nodiscard]] bool advance(Connection& connection) {
        if (connection.events_left == 0) {
            connection.streaming = false;
            (void)write(connection, texts_.stream_end);
            return false;
        }
        --connection.events_left;
        std::to_chars(texts_.content.data() + texts_.stamp_at,
                      texts_.content.data() + texts_.stamp_at + kStampDigits,
                      kStampBase + monotonic_ns());
        if (!write(connection, texts_.content)) return false;
        connection.stalled = !connection.unsent.empty();
        return !connection.stalled;
    }

    void send_due() {
        const std::int64_t now = monotonic_ns();
        while (!due_.empty() && due_.top().first <= now) {
            Connection* connection = find(due_.top().second);
            due_.pop();
            if (connection == nullptr || !connection->streaming) continue;
            connection->due_ns += connection->interval_ns;
            if (advance(*connection)) schedule(*connection);
        }
    }

    /// One event for each fast stream: they take turns, as many clients of a model server do.
    void send_fast() {
        std::vector<std::uint64_t> turn;
        turn.swap(fast_);
        for (const std::uint64_t tag : turn) {
            Connection* connection = find(tag);
            if (connection != nullptr && connection->streaming && advance(*connection)) {
                fast_.push_back(tag);
            }
        }
    }

    /// Keeps what the kernel does not take; a stream goes on once that is sent. False when the
    /// connection is gone.
    [[nodiscard]] bool write(Connection& connection, std::string_view bytes) {
        std::ptrdiff_t sent = 0;
        if (connection.unsent.empty()) sent = send_some(connection.fd, bytes);
        if (sent < 0) {
            drop(connection);
            return false;
        }
        const auto taken = static_cast<std::size_t>(sent);
        if (taken < bytes.size()) {
            if (connection.unsent.empty()) {
                poller_.change(connection.fd, EPOLLIN | EPOLLOUT, connection.tag);
            }
            connection.unsent += bytes.substr(taken);
        }
        return true;
    }

    [[nodiscard]] bool flush(Connection& connection) {
        if (connection.unsent.empty()) return true;
        const std::ptrdiff_t sent = send_some(connection.fd, connection.unsent);
        if (sent < 0) {
            drop(connection);
            return false;
        }
        connection.unsent.erase(0, static_cast<std::size_t>(sent));
        if (!connection.unsent.empty()) return true;
        poller_.change(connection.fd, EPOLLIN, connection.tag);
        if (connection.stalled) schedule(connection);
        connection.stalled = false;
        return true;
    }

    Poller poller_;
    int listener_;
    Question defaults_;
    Texts texts_;
    std::uint64_t next_tag_ = kListenerTag + 1;
    std::unordered_map<std::uint64_t, std::unique_ptr<Connection>> connections_;
    std::unordered_map<std::int64_t, std::string> whole_;
    std::priority_queue<Due, std::vector<Due>, std::greater<>> due_;
    std::vector<std::uint64_t> fast_;
};

}  // namespace
}  // namespace sluice::bench

int main(int argc, char** argv) {
    using sluice::bench::Arguments;
    using sluice::bench::Question;
    using sluice::bench::Upstream;
    const Arguments arguments(argc, argv);
    std::signal(SIGPIPE, SIG_IGN);
    Question defaults;
    defaults.events = arguments.number("events", defaults.events);
    defaults.interval_us = arguments.number("interval-us", defaults.interval_us);
    defaults.reply_bytes = arguments.number("reply-bytes", defaults.reply_bytes);
    Upstream(static_cast<std::uint16_t>(arguments.number("port", 9100)), defaults).run();
}
