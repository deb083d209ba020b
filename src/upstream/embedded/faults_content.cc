/// Faults that are right HTTP: UP-13 to UP-18.

#include "json/writer.h"
#include "upstream/embedded/gzip.h"
#include "upstream/embedded/wire.h"

#include <array>

namespace sluice::upstream::embedded {
namespace {

using Request = FaultRequest;

constexpr std::chrono::milliseconds kIdleTime{300};
constexpr std::string_view kJson = "application/json";

std::string error_body(std::string_view message, std::string_view type, std::string_view code) {
    std::string body;
    json::Writer json(body);
    json.begin_object().key("error").begin_object().key("message").string(message);
    json.key("type").string(type).key("param").null();
    json.key("code").string_or_null(code).end_object().end_object();
    return body;
}

std::string error_response(std::string_view status, std::string_view fields,
                           std::string_view message, std::string_view type,
                           std::string_view code = {}) {
    return sized_response(status, kJson, fields, error_body(message, type, code));
}

/// A chunked 200 of that type with the right payload, or what `payload` says instead.
std::string typed_response(std::string_view type, std::string_view payload) {
    std::string response(kStatusLine);
    if (!type.empty()) response.append("content-type: ").append(type).append("\r\n");
    response.append("transfer-encoding: chunked\r\n\r\n");
    return response.append(chunk(payload)).append(kLastChunk);
}

WireScript bad_json_event(const Request& request) {
    return {send(good_start(request) + chunk("data: {\"choices\":[{]}\n\n") +
                 chunk(kDoneEvent).append(kLastChunk))};
}

WireScript gzip_bomb_response(const Request& request) {
    const GzipBomb bomb = gzip_bomb();
    constexpr std::uint64_t kPeriodsAtOnce = 1009;
    std::string block;
    for (std::uint64_t i = 0; i < kPeriodsAtOnce; ++i) block += bomb.period;
    std::string rest;
    for (std::uint64_t i = 0; i < bomb.repeats % kPeriodsAtOnce; ++i) rest += bomb.period;
    return {send(chunked_head(request, "content-encoding: gzip\r\n") + chunk(bomb.front)),
            send_times(chunk(block), bomb.repeats / kPeriodsAtOnce),
            send(chunk(rest) + chunk(bomb.back).append(kLastChunk))};
}

std::string redirect(std::string_view status) {
    return sized_response(status, "", "location: http://127.0.0.1:9/elsewhere\r\n", "");
}

constexpr auto kFaults = std::to_array<Fault>({
    {"fault-bad-json", "UP-13", "a whole reply that is not JSON; a stream: its first event is not",
     [](const Request& request) {
         if (request.stream) {
             return WireScript{send(typed_response("text/event-stream", "data: {nonsense\n\n"))};
         }
         return WireScript{send(sized_response("200 OK", kJson, "", "{\"choices\": nonsense}"))};
     }},
    {"fault-truncated-json", "UP-13", "half of a JSON body in an intact HTTP message",
     [](const Request& request) {
         Request whole = request;
         whole.stream = false;
         const std::string body = good_payload(whole);
         return WireScript{
             send(sized_response("200 OK", kJson, "", body.substr(0, body.size() / 2)))};
     }},
    {"fault-wrong-content-type", "UP-13", "200 with an HTML page",
     [](const Request&) {
         return WireScript{send(typed_response("text/html", "<html><body>Welcome</body></html>"))};
     }},
    {"fault-no-content-type", "UP-13", "a right answer that does not say what it is",
     [](const Request& request) {
         return WireScript{send(typed_response("", good_payload(request)))};
     }},
    {"fault-bad-json-event", "UP-13", "after two pieces an event that is not JSON", bad_json_event},

    {"fault-gzip", "UP-14", "a right answer, coded with gzip unasked",
     [](const Request& request) {
         const std::string coded = gzip_stored(good_payload(request));
         return WireScript{send(chunked_head(request, "content-encoding: gzip\r\n") +
                                chunk(coded).append(kLastChunk))};
     }},
    {"fault-gzip-bomb", "UP-14", "a gibibyte of zeros, coded with gzip unasked",
     gzip_bomb_response},

    {"fault-redirect", "UP-15", "307 to another server",
     [](const Request&) { return WireScript{send(redirect("307 Temporary Redirect"))}; }},
    {"fault-redirect-303", "UP-15", "303 to another server",
     [](const Request&) { return WireScript{send(redirect("303 See Other"))}; }},

    {"fault-429", "UP-16", "429 with Retry-After: 7",
     [](const Request&) {
         return WireScript{
             send(error_response("429 Too Many Requests", "retry-after: 7\r\n",
                                 "Rate limit reached", "rate_limit_error", "rate_limit_exceeded"))};
     }},
    {"fault-401", "UP-16", "401: the upstream does not know the key",
     [](const Request&) {
         return WireScript{send(error_response("401 Unauthorized", "", "Incorrect API key provided",
                                               "invalid_request_error", "invalid_api_key"))};
     }},
    {"fault-500", "UP-16", "500 with an error in OpenAI's envelope",
     [](const Request&) {
         return WireScript{send(error_response("500 Internal Server Error", "",
                                               "The server had an error", "server_error"))};
     }},
    {"fault-500-html", "UP-16", "500 with an HTML page",
     [](const Request&) {
         return WireScript{send(sized_response("500 Internal Server Error", "text/html", "",
                                               "<html><body>Oops</body></html>"))};
     }},
    {"fault-503", "UP-16", "503 with Retry-After: 1",
     [](const Request&) {
         return WireScript{send(error_response("503 Service Unavailable", "retry-after: 1\r\n",
                                               "The engine is overloaded", "server_error"))};
     }},
    {"fault-500-echo-key", "UP-16", "500 whose text repeats the Authorization header",
     [](const Request& request) {
         return WireScript{send(
             error_response("500 Internal Server Error", "",
                            "no handler for authorization: " + std::string(request.authorization),
                            "server_error"))};
     }},

    {kEarlyResponse, "UP-17", "answers before the request's body was read, then closes",
     [](const Request& request) {
         return WireScript{send(good_response(request, "connection: close\r\n")), close_now()};
     }},

    {"fault-close-idle", "UP-18", "a right answer; closes the connection once idle for 300 ms",
     [](const Request& request) {
         return WireScript{send(good_response(request)), act(WireStep::Act::close_idle, kIdleTime)};
     }},
});

}  // namespace

std::span<const Fault> content_faults() {
    return kFaults;
}

}  // namespace sluice::upstream::embedded
