/// Faults of a body and its framing: UP-3 to UP-6, UP-8, UP-9, UP-12.

#include "upstream/embedded/wire.h"

#include <array>

namespace sluice::upstream::embedded {
namespace {

using namespace std::chrono_literals;  // NOLINT(google-build-using-namespace): literals only
using Request = FaultRequest;

constexpr std::size_t kMebibyte = 1024UL * 1024;
constexpr std::size_t kBlock = 64UL * 1024;
constexpr std::chrono::milliseconds kMoment{50};  // for what was sent to arrive before a reset

/// What came so far is a right answer; then chunk framing that is not.
WireScript broken_chunk(const Request& request, std::string bytes) {
    return {send(good_start(request)), send(std::move(bytes))};
}

/// The payload in chunks of one byte.
std::string byte_chunks(std::string_view payload) {
    std::string bytes;
    for (const char c : payload) bytes += chunk(std::string_view(&c, 1));
    return bytes.append(kLastChunk);
}

/// A right answer with `text` in its content, as it is: it may be wrong UTF-8.
std::string payload_with(const Request& request, std::string_view text) {
    std::string payload = good_payload(request);
    constexpr std::string_view kWord = "two";
    return payload.replace(payload.find(kWord), kWord.size(), text);
}

/// A chunk of `bytes`, in blocks, so that the script itself stays small.
void add_huge_chunk(WireScript& script, std::string_view front, std::size_t bytes,
                    std::string_view back) {
    script.push_back(send(chunk(front)));
    script.push_back(send_times(chunk(std::string(kBlock, 'x')), bytes / kBlock));
    script.push_back(send(chunk(back).append(kLastChunk)));
}

WireScript huge_event(const Request& request) {
    WireScript script{send(good_start(request))};
    add_huge_chunk(script, R"(data: {"choices":[{"index":0,"delta":{"content":")", 2 * kMebibyte,
                   "\"}}]}\n\n");
    return script;
}

WireScript huge_body(const Request& request) {
    WireScript script{send(chunked_head(request))};
    add_huge_chunk(script, R"({"id":"huge","choices":[],"padding":")", 40 * kMebibyte, "\"}");
    return script;
}

std::string sized_good_head(const Request& request, std::size_t length) {
    std::string head(kStatusLine);
    head.append("content-type: ");
    head.append(request.stream ? "text/event-stream" : "application/json");
    return head.append("\r\ncontent-length: ").append(std::to_string(length)).append("\r\n\r\n");
}

std::string events_without(const Request& request, bool finish, bool done) {
    std::string payload;
    for (const std::string& piece : good_pieces(request)) payload += piece;
    const ChunkWriter writer(request.identity, false);
    if (request.stream && finish) writer.finish(chat::FinishReason::stop, payload);
    if (request.stream && done) payload += kDoneEvent;
    return chunked_head(request) + chunk(payload).append(kLastChunk);
}

constexpr auto kFaults = std::to_array<Fault>({
    {"fault-reset-mid-stream", "UP-3", "resets after two pieces",
     [](const Request& request) {
         return WireScript{send(good_start(request)), act(WireStep::Act::reset, kMoment)};
     }},
    {"fault-close-mid-stream", "UP-3", "closes after two pieces, between two chunks",
     [](const Request& request) { return WireScript{send(good_start(request)), close_now()}; }},
    {"fault-close-mid-chunk", "UP-3", "closes in the middle of a chunk",
     [](const Request& request) {
         const std::string third = chunk(good_pieces(request)[2]);
         return WireScript{send(good_start(request) + third.substr(0, third.size() / 2)),
                           close_now()};
     }},
    {"fault-half-close", "UP-3", "ends its side after two pieces and goes on reading",
     [](const Request& request) {
         return WireScript{send(good_start(request)), act(WireStep::Act::half_close), hang_now()};
     }},
    {"fault-error-event", "UP-3",
     "an error event after two pieces; a whole reply: 200 with an error",
     [](const Request& request) {
         const std::string error =
             R"({"error":{"message":"the model fell over","type":"server_error",)"
             R"("param":null,"code":null}})";
         if (!request.stream) {
             return WireScript{send(sized_response("200 OK", "application/json", "", error))};
         }
         return WireScript{
             send(good_start(request) + chunk("data: " + error + "\n\n").append(kLastChunk))};
     }},

    {"fault-hang-mid-stream", "UP-4", "falls silent after two pieces",
     [](const Request& request) { return WireScript{send(good_start(request)), hang_now()}; }},
    {"fault-comments-then-hang", "UP-4",
     "two pieces, ten keep-alive comments 100 ms apart, then silence",
     [](const Request& request) {
         return WireScript{send(good_start(request)),
                           send_times(chunk(": keep-alive\n\n"), 10, 100ms), hang_now()};
     }},
    {"fault-endless-comments", "UP-4", "two pieces, then a keep-alive comment each second for ever",
     [](const Request& request) {
         return WireScript{send(good_start(request)),
                           send_times(chunk(": keep-alive\n\n"), kEndless, 1000ms)};
     }},

    {"fault-no-done", "UP-5", "a stream that ends in order, but without `[DONE]`",
     [](const Request& request) { return WireScript{send(events_without(request, true, false))}; }},
    {"fault-no-finish-reason", "UP-5", "a stream that has `[DONE]` but no finish_reason",
     [](const Request& request) { return WireScript{send(events_without(request, false, true))}; }},

    {"fault-short-content-length", "UP-6", "closes before the announced length has come",
     [](const Request& request) {
         const std::string payload = good_payload(request);
         return WireScript{send(sized_good_head(request, payload.size() + 100) + payload),
                           close_now()};
     }},
    {"fault-long-content-length", "UP-6", "sends more than the announced length",
     [](const Request& request) {
         const std::string payload = good_payload(request);
         return WireScript{send(sized_good_head(request, payload.size()) + payload +
                                "HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\npoison")};
     }},

    {"fault-huge-event", "UP-8", "an event of 2 MiB", huge_event},
    {"fault-huge-body", "UP-8", "a body of 40 MiB without a line end", huge_body},
    {"fault-endless-chunk", "UP-8", "one chunk without end, and without a line end in it",
     [](const Request& request) {
         return WireScript{send(chunked_head(request) + "7ffffffffffffff0\r\n"),
                           send_times(std::string(kBlock, 'x'), kEndless)};
     }},
    {"fault-endless-events", "UP-8", "right events without end",
     [](const Request& request) {
         return WireScript{send(good_start(request)),
                           send_times(chunk(good_pieces(request)[1]), kEndless)};
     }},

    {"fault-chunk-size-overflow", "UP-9", "a chunk size of more than 64 bits",
     [](const Request& request) {
         return broken_chunk(request, "10000000000000000a\r\nx\r\n0\r\n\r\n");
     }},
    {"fault-chunk-size-negative", "UP-9", "a negative chunk size",
     [](const Request& request) { return broken_chunk(request, "-1\r\nx\r\n0\r\n\r\n"); }},
    {"fault-chunk-bare-lf", "UP-9", "a chunk size line that ends in a bare LF",
     [](const Request& request) { return broken_chunk(request, "1\nx\r\n0\r\n\r\n"); }},
    {"fault-chunk-long-extension", "UP-9", "a chunk extension of 16 KiB",
     [](const Request& request) {
         return broken_chunk(request,
                             "1;x=" + std::string(16UL * 1024, 'y') + "\r\nx\r\n0\r\n\r\n");
     }},

    {"fault-invalid-utf8", "UP-12", "bytes within the content that are not UTF-8",
     [](const Request& request) {
         return WireScript{send(chunked_head(request) +
                                chunk(payload_with(request, "t\xC3\x28\xFFo")).append(kLastChunk))};
     }},
    {"fault-split-utf8", "UP-12", "a right answer with letters of 2 to 4 bytes, a byte to a chunk",
     [](const Request& request) {
         return WireScript{send(chunked_head(request) +
                                byte_chunks(payload_with(request, "\u00e4 \u20ac \U0001F600")))};
     }},
});

}  // namespace

std::span<const Fault> body_faults() {
    return kFaults;
}

}  // namespace sluice::upstream::embedded
