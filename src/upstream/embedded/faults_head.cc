/// Faults before the body: UP-1, UP-2, UP-7, UP-9 to UP-11.

#include "upstream/embedded/wire.h"

#include <array>

namespace sluice::upstream::embedded {
namespace {

using namespace std::chrono_literals;  // NOLINT(google-build-using-namespace): literals only
using Request = FaultRequest;

constexpr std::size_t kKibibyte = 1024;

/// A response without a body, with `fields` in its head.
std::string empty_response(std::string_view fields) {
    return std::string(kStatusLine).append(fields).append("content-length: 0\r\n\r\n");
}

/// A right answer with a line of `bytes` in front that cuts its framing.
std::string with_fields(const Request& request, std::string_view fields) {
    const std::string body = good_payload(request);
    std::string response(kStatusLine);
    return response.append(fields).append("\r\n").append(body);
}

std::string slow_part() {
    return "x-slow: 1\r\n";
}

WireScript slow_head(const Request& request) {
    WireScript script;
    const std::string head = chunked_head(request, slow_part());
    for (const char c : head) script.push_back(send_times(std::string(1, c), 1, 200ms));
    script.push_back(send(chunk(good_payload(request)).append(kLastChunk)));
    return script;
}

std::string many_fields(std::size_t count, std::size_t value_bytes) {
    std::string fields;
    for (std::size_t i = 0; i < count; ++i) {
        fields += "x-field-" + std::to_string(i) + ": " + std::string(value_bytes, 'v') + "\r\n";
    }
    return fields;
}

std::string interim(std::size_t count) {
    std::string heads;
    for (std::size_t i = 0; i < count; ++i) heads += "HTTP/1.1 102 Processing\r\n\r\n";
    return heads;
}

constexpr auto kFaults = std::to_array<Fault>({
    {"fault-close-before-head", "UP-1", "closes the connection without an answer",
     [](const Request&) { return WireScript{close_now()}; }},
    {"fault-reset-before-head", "UP-1", "resets the connection without an answer",
     [](const Request&) { return WireScript{reset_now()}; }},
    {"fault-close-mid-head", "UP-1", "closes in the middle of a header line",
     [](const Request&) { return WireScript{send("HTTP/1.1 200 OK\r\ncontent-ty"), close_now()}; }},
    {"fault-reset-mid-head", "UP-1", "resets in the middle of a header line",
     [](const Request&) {
         return WireScript{send("HTTP/1.1 200 OK\r\ncontent-ty"), act(WireStep::Act::reset, 50ms)};
     }},

    {"fault-hang-before-head", "UP-2", "never answers",
     [](const Request&) { return WireScript{hang_now()}; }},
    {"fault-hang-mid-head", "UP-2", "falls silent in the middle of a header line",
     [](const Request&) { return WireScript{send("HTTP/1.1 200 OK\r\ncontent-ty"), hang_now()}; }},
    {"fault-slow-head", "UP-2", "a right answer whose head comes at a byte each 200 ms", slow_head},

    {"fault-huge-header-line", "UP-7", "a header line of 64 KiB",
     [](const Request& request) {
         return WireScript{
             send(good_response(request, "x-long: " + std::string(64 * kKibibyte, 'v') + "\r\n"))};
     }},
    {"fault-huge-head", "UP-7", "a head of 64 KiB in lines of 1 KiB",
     [](const Request& request) {
         return WireScript{send(good_response(request, many_fields(64, kKibibyte)))};
     }},
    {"fault-many-headers", "UP-7", "200 header lines",
     [](const Request& request) {
         return WireScript{send(good_response(request, many_fields(200, 1)))};
     }},
    {"fault-endless-headers", "UP-7", "header lines without end",
     [](const Request&) {
         return WireScript{send(std::string(kStatusLine)),
                           send_times("x-again: and again\r\n", kEndless)};
     }},
    {"fault-endless-header-line", "UP-7", "one header line without end",
     [](const Request&) {
         return WireScript{send(std::string(kStatusLine) + "x-long: "),
                           send_times(std::string(kKibibyte, 'v'), kEndless)};
     }},

    {"fault-duplicate-content-length", "UP-9", "two Content-Length fields that differ",
     [](const Request& request) {
         return WireScript{
             send(with_fields(request, "content-length: 5\r\ncontent-length: 500\r\n"))};
     }},
    {"fault-negative-content-length", "UP-9", "Content-Length: -1",
     [](const Request& request) {
         return WireScript{send(with_fields(request, "content-length: -1\r\n")), close_now()};
     }},
    {"fault-te-and-cl", "UP-9", "Transfer-Encoding and Content-Length together",
     [](const Request& request) {
         return WireScript{send(good_response(request, "content-length: 5\r\n"))};
     }},
    {"fault-bad-status", "UP-9", "status 700",
     [](const Request& request) {
         return WireScript{
             send(sized_response("700 Strange", "application/json", "", good_payload(request)))};
     }},
    {"fault-status-without-digits", "UP-9", "a status that is no number",
     [](const Request&) {
         return WireScript{send("HTTP/1.1 OK 200\r\ncontent-length: 0\r\n\r\n")};
     }},
    {"fault-http09", "UP-9", "a body with no head at all, then a close",
     [](const Request& request) { return WireScript{send(good_payload(request)), close_now()}; }},
    {"fault-not-http", "UP-9", "the greeting of another protocol",
     [](const Request&) { return WireScript{send("SSH-2.0-OpenSSH_9.2\r\n"), hang_now()}; }},
    {"fault-nul-in-header", "UP-9", "a NUL byte in a header value",
     [](const Request& request) {
         return WireScript{send(good_response(request, std::string("x-nul: a") + '\0' + "b\r\n"))};
     }},
    {"fault-cr-in-header", "UP-9", "a lone CR in a header value",
     [](const Request& request) {
         return WireScript{send(good_response(request, "x-cr: a\rx-injected: b\r\n"))};
     }},
    {"fault-lf-in-header", "UP-9", "a header line that ends in a bare LF",
     [](const Request& request) {
         return WireScript{send(good_response(request, "x-lf: a\nx-injected: b\r\n"))};
     }},

    {"fault-many-1xx", "UP-10", "twelve interim responses before a right answer",
     [](const Request& request) { return WireScript{send(interim(12) + good_response(request))}; }},
    {"fault-endless-1xx", "UP-10", "interim responses without end",
     [](const Request&) { return WireScript{send_times(interim(1), kEndless)}; }},
    {"fault-101", "UP-10", "switches protocols unasked",
     [](const Request&) {
         return WireScript{send("HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\n"
                                "upgrade: h2c\r\n\r\n"),
                           hang_now()};
     }},

    {"fault-set-cookie", "UP-11", "a right answer with fields that are not the client's business",
     [](const Request& request) {
         return WireScript{
             send(good_response(request,
                                "set-cookie: session=upstream\r\nx-upstream-api-key: upstream\r\n"
                                "authorization: Bearer upstream\r\nserver: upstream\r\n"
                                "x-ratelimit-remaining-requests: 7\r\n"))};
     }},
    {"fault-empty-204", "UP-13", "204 without a body",
     [](const Request&) { return WireScript{send("HTTP/1.1 204 No Content\r\n\r\n")}; }},
    {"fault-empty-200", "UP-13", "200 with an empty body",
     [](const Request&) { return WireScript{send(empty_response(""))}; }},
});

}  // namespace

std::span<const Fault> head_faults() {
    return kFaults;
}

}  // namespace sluice::upstream::embedded
