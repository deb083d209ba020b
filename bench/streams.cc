/// bench_streams --port N [--key K] [--model M] [--streams N] [--events N] [--interval-us N]
///     [--seconds N] [--ramp-ms N] [--body-bytes N] [--hold none|streams|idle] [--grace N]
///     [--dialect openai|anthropic]
///
/// Opens many streams at once and watches every event of them. `--seconds 0` runs each stream once;
/// otherwise connections ask again until the time is over. `--hold` is for measuring memory: it
/// prints `{"open":N}` once all streams have begun (or all idle connections have had one whole
/// reply), and ends when a line comes on standard input. `--dialect anthropic` asks /v1/messages,
/// which the gateway translates; `--interval-us` does not get through then and is the upstream's to
/// set. Prints one JSON object at the end.

#include "arguments.h"
#include "histogram.h"
#include "message_reader.h"
#include "poller.h"
#include "request.h"
#include "sockets.h"

#include <algorithm>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <fcntl.h>
#include <string>
#include <unistd.h>
#include <vector>

namespace sluice::bench {
namespace {

constexpr std::uint64_t kStandardInputTag = ~std::uint64_t{0};
constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::size_t kMaxEvent = std::size_t{64} * 1024;

enum class Hold : std::uint8_t { none, streams, idle };

struct Plan {
    std::uint16_t port = 0;
    std::string request;
    std::size_t streams = 0;
    std::int64_t events = 0;  ///< that a complete stream has
    std::int64_t seconds = 0;
    std::int64_t ramp_ns = 0;
    std::int64_t grace_ns = 0;  ///< how long after `seconds` the last streams may take
    Hold hold = Hold::none;
    std::string_view stamp_mark = kStampMark;
    std::string_view last_event;  ///< what the last event of a complete stream begins with
};

struct Stream {
    int fd = -1;
    MessageReader reader;
    std::string unsent;
    std::string partial;  ///< an event whose end has not come yet
    std::int64_t events = 0;
    std::int64_t last_ns = 0;
    bool finished = false;  ///< the last event has been seen
    bool begun = false;     ///< counted in `open_`
};

struct Report {
    std::uint64_t complete = 0;
    std::uint64_t whole = 0;
    std::uint64_t content_events = 0;
    std::uint64_t all_events = 0;
    std::uint64_t errors = 0;
    Histogram delay;
    Histogram gap;
    Histogram first;
};

class Load {
public:
    explicit Load(Plan plan) : plan_(std::move(plan)), streams_(plan_.streams) {
        if (plan_.hold == Hold::none) return;
        fcntl(STDIN_FILENO, F_SETFL, O_NONBLOCK);
        poller_.add(STDIN_FILENO, EPOLLIN, kStandardInputTag);
    }

    void run() {
        started_ns_ = monotonic_ns();
        stop_ns_ = started_ns_ + plan_.seconds * kSecond;
        const std::int64_t give_up_ns = stop_ns_ + plan_.ramp_ns + plan_.grace_ns;
        while (!told_to_stop_ && monotonic_ns() < give_up_ns) {
            open_next();
            if (opened_ == streams_.size() && busy_ == 0 && plan_.hold == Hold::none) break;
            const bool opening = opened_ < streams_.size();
            for (const epoll_event& event :
                 poller_.wait(opening ? opens_at(opened_) : give_up_ns)) {
                on_event(event);
            }
            if (plan_.hold != Hold::none && begun_ == streams_.size() && !announced_) announce();
        }
        // Streams that a held run cuts off are no errors; those that did not end in time are.
        if (plan_.hold == Hold::none) report_.errors += busy_;
        ended_ns_ = monotonic_ns();
    }

    [[nodiscard]] std::string json() const {
        const double seconds =
            static_cast<double>(ended_ns_ - started_ns_) / static_cast<double>(kSecond);
        return R"({"seconds":)" + std::to_string(seconds) + R"(,"complete":)" +
               std::to_string(report_.complete) + R"(,"whole":)" + std::to_string(report_.whole) +
               R"(,"content_events":)" + std::to_string(report_.content_events) +
               R"(,"all_events":)" + std::to_string(report_.all_events) + R"(,"errors":)" +
               std::to_string(report_.errors) + R"(,"delay":)" + report_.delay.json() +
               R"(,"gap":)" + report_.gap.json() + R"(,"first_event":)" + report_.first.json() +
               "}\n";
    }

private:
    [[nodiscard]] std::int64_t opens_at(std::size_t index) const {
        return started_ns_ + plan_.ramp_ns * static_cast<std::int64_t>(index) /
                                 static_cast<std::int64_t>(streams_.size());
    }

    void open_next() {
        const std::int64_t now = monotonic_ns();
        while (opened_ < streams_.size() && opens_at(opened_) <= now) {
            ++busy_;
            connect(opened_++);
        }
    }

    void connect(std::size_t index) {
        Stream& stream = streams_[index];
        const bool begun = stream.begun;
        stream = Stream{};
        stream.begun = begun;
        stream.fd = connect_to(plan_.port);
        if (stream.fd < 0) {
            give_up(index);
            return;
        }
        poller_.add(stream.fd, EPOLLIN | EPOLLOUT, index);
        ask(stream);
    }

    void ask(Stream& stream) {
        stream.unsent = plan_.request;
        stream.partial.clear();
        stream.events = 0;
        stream.finished = false;
        stream.last_ns = monotonic_ns();
    }

    void announce() {
        announced_ = true;
        const std::string line = R"({"open":)" + std::to_string(begun_) + R"(,"errors":)" +
                                 std::to_string(report_.errors) + "}\n";
        std::fputs(line.c_str(), stdout);
        std::fflush(stdout);
    }

    void give_up(std::size_t index) {
        Stream& stream = streams_[index];
        if (stream.fd >= 0) close(stream.fd);
        stream.fd = -1;
        ++report_.errors;
        --busy_;
        begin(stream);
    }

    /// One of the connections that a held run waits for has got where it should be, or never will.
    void begin(Stream& stream) {
        if (!stream.begun) ++begun_;
        stream.begun = true;
    }

    void on_event(const epoll_event& event) {
        if (event.data.u64 == kStandardInputTag) {
            told_to_stop_ = true;
            return;
        }
        const auto index = static_cast<std::size_t>(event.data.u64);
        if (streams_[index].fd < 0) return;
        if ((event.events & EPOLLOUT) != 0 && !send_request(index)) return;
        if ((event.events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) read(index);
    }

    [[nodiscard]] bool send_request(std::size_t index) {
        Stream& stream = streams_[index];
        const std::ptrdiff_t sent = send_some(stream.fd, stream.unsent);
        if (sent < 0) {
            give_up(index);
            return false;
        }
        stream.unsent.erase(0, static_cast<std::size_t>(sent));
        if (stream.unsent.empty()) poller_.change(stream.fd, EPOLLIN, index);
        return true;
    }

    void read(std::size_t index) {
        Stream& stream = streams_[index];
        std::string_view bytes;
        const Received received = receive(stream.fd, bytes);
        if (received == Received::closed) give_up(index);
        if (received != Received::bytes) return;
        const std::int64_t now = monotonic_ns();
        while (stream.fd >= 0) {
            std::string_view piece;
            switch (stream.reader.next(bytes, piece)) {
                case MessageReader::Step::need_more: return;
                case MessageReader::Step::broken: give_up(index); return;
                case MessageReader::Step::body:
                    if (plan_.hold != Hold::idle) take(stream, piece, now);
                    break;
                case MessageReader::Step::message_end: end(index); break;
            }
        }
    }

    void take(Stream& stream, std::string_view piece, std::int64_t now) {
        if (stream.reader.status() != 200) return;
        while (!piece.empty()) {
            // An event ends with two line feeds, which may come apart.
            const std::size_t before = stream.partial.size();
            if (before > 0) {
                stream.partial += piece.substr(0, kMaxEvent);
                const std::size_t end = stream.partial.find("\n\n", before - 1);
                if (end == std::string::npos) return;
                take_event(stream, std::string_view(stream.partial).substr(0, end), now);
                piece.remove_prefix(end + 2 - before);
                stream.partial.clear();
                continue;
            }
            const std::size_t end = piece.find("\n\n");
            if (end == std::string_view::npos) {
                stream.partial = piece;
                return;
            }
            take_event(stream, piece.substr(0, end), now);
            piece.remove_prefix(end + 2);
        }
    }

    void take_event(Stream& stream, std::string_view event, std::int64_t now) {
        ++report_.all_events;
        if (event.starts_with(plan_.last_event)) {
            stream.finished = true;
            return;
        }
        const std::size_t mark = event.find(plan_.stamp_mark);
        if (mark == std::string_view::npos) return;
        const std::size_t at = mark + plan_.stamp_mark.size();
        if (at + kStampDigits > event.size() || event[at] == '"') return;
        std::int64_t stamp = 0;
        std::from_chars(event.data() + at, event.data() + at + kStampDigits, stamp);
        ++report_.content_events;
        report_.delay.record(now - (stamp - kStampBase));
        (stream.events == 0 ? report_.first : report_.gap).record(now - stream.last_ns);
        stream.last_ns = now;
        ++stream.events;
        if (stream.events == 1) begin(stream);
    }

    void end(std::size_t index) {
        Stream& stream = streams_[index];
        if (plan_.hold == Hold::idle) {
            if (stream.reader.status() != 200) {
                give_up(index);
                return;
            }
            ++report_.whole;
            begin(stream);
            return;
        }
        if (!stream.finished || stream.events != plan_.events) {
            give_up(index);
            return;
        }
        ++report_.complete;
        if (monotonic_ns() >= stop_ns_) {
            close(stream.fd);
            stream.fd = -1;
            --busy_;
        } else if (stream.reader.closes()) {
            close(stream.fd);
            connect(index);
        } else {
            ask(stream);
            poller_.change(stream.fd, EPOLLIN | EPOLLOUT, index);
        }
    }

    Plan plan_;
    Poller poller_;
    std::vector<Stream> streams_;
    Report report_;
    std::size_t opened_ = 0;
    std::size_t busy_ = 0;
    std::size_t begun_ = 0;
    bool announced_ = false;
    bool told_to_stop_ = false;
    std::int64_t started_ns_ = 0;
    std::int64_t stop_ns_ = 0;
    std::int64_t ended_ns_ = 0;
};

Plan plan_of(const Arguments& arguments) {
    Plan plan;
    plan.port = static_cast<std::uint16_t>(arguments.number("port", 8080));
    plan.streams =
        static_cast<std::size_t>(std::max<std::int64_t>(arguments.number("streams", 32), 1));
    plan.seconds = arguments.number("seconds", 0);
    plan.ramp_ns = arguments.number("ramp-ms", 0) * 1'000'000;
    plan.grace_ns = arguments.number("grace", 60) * kSecond;
    const std::string hold = arguments.text("hold", "none");
    if (hold != "none" && hold != "streams" && hold != "idle") fail("--hold none|streams|idle");
    if (hold == "streams") plan.hold = Hold::streams;
    if (hold == "idle") plan.hold = Hold::idle;

    const std::string dialect = arguments.text("dialect", "openai");
    if (dialect != "openai" && dialect != "anthropic") fail("--dialect openai|anthropic");
    const bool is_openai = dialect == "openai";
    plan.stamp_mark = is_openai ? kStampMark : kTranslatedStampMark;
    plan.last_event = is_openai ? "data: [DONE]" : "event: message_stop\n";

    Question question;
    question.stream = plan.hold != Hold::idle;
    question.events = arguments.number("events", question.events);
    question.interval_us = arguments.number("interval-us", question.interval_us);
    question.body_bytes = static_cast<std::size_t>(arguments.number("body-bytes", 1200));
    plan.events = question.events;
    plan.request = request_bytes(
        question, {.key = arguments.text("key", ""), .model = arguments.text("model", "bench")},
        is_openai ? Dialect::openai : Dialect::anthropic);
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
