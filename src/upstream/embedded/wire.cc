#include "upstream/embedded/wire.h"

#include <array>
#include <charconv>
#include <utility>

namespace sluice::upstream::embedded {
namespace {

constexpr std::array<std::string_view, 4> kWords{"one", " two", " three", " four"};

Answer good_answer() {
    Answer answer;
    std::string text;
    for (const std::string_view word : kWords) text += word;
    answer.content = TokenText::of(std::move(text));
    answer.prompt_tokens = 8;
    answer.completion_tokens = kWords.size();
    return answer;
}

std::string_view type_of(const FaultRequest& request) {
    return request.stream ? "text/event-stream" : "application/json";
}

}  // namespace

WireStep send(std::string bytes) {
    return send_times(std::move(bytes), 1);
}

WireStep send_times(std::string bytes, std::uint64_t times, std::chrono::milliseconds wait) {
    WireStep step;
    step.bytes = std::move(bytes);
    step.times = times;
    step.wait = wait;
    return step;
}

WireStep act(WireStep::Act act, std::chrono::milliseconds wait) {
    WireStep step;
    step.act = act;
    step.wait = wait;
    return step;
}

WireStep close_now() {
    return act(WireStep::Act::close);
}

WireStep reset_now() {
    return act(WireStep::Act::reset);
}

WireStep hang_now() {
    return act(WireStep::Act::hang);
}

std::string chunked_head(const FaultRequest& request, std::string_view fields) {
    std::string head(kStatusLine);
    head.append("content-type: ").append(type_of(request)).append("\r\n");
    head.append(fields).append("transfer-encoding: chunked\r\n\r\n");
    return head;
}

std::string chunk(std::string_view data) {
    std::array<char, 16> digits{};
    const auto end =
        std::to_chars(digits.data(), digits.data() + digits.size(), data.size(), 16).ptr;
    std::string bytes(digits.data(), end);
    bytes.append("\r\n").append(data).append("\r\n");
    return bytes;
}

std::vector<std::string> good_pieces(const FaultRequest& request) {
    std::vector<std::string> pieces;
    if (request.stream) {
        const ChunkWriter writer(request.identity, false);
        writer.role(pieces.emplace_back());
        for (const std::string_view word : kWords) writer.content(word, pieces.emplace_back());
        return pieces;
    }
    const std::string body = write_reply(request.identity, good_answer());
    const std::size_t quarter = body.size() / 4;
    for (std::size_t i = 0; i < 4; ++i) {
        pieces.push_back(body.substr(i * quarter, i < 3 ? quarter : std::string::npos));
    }
    return pieces;
}

std::string good_end(const FaultRequest& request) {
    std::string end;
    if (!request.stream) return end;
    ChunkWriter(request.identity, false).finish(chat::FinishReason::stop, end);
    return end.append(kDoneEvent);
}

std::string good_payload(const FaultRequest& request) {
    std::string payload;
    for (const std::string& piece : good_pieces(request)) payload += piece;
    return payload + good_end(request);
}

std::string good_start(const FaultRequest& request) {
    const auto pieces = good_pieces(request);
    return chunked_head(request) + chunk(pieces[0]) + chunk(pieces[1]);
}

std::string good_response(const FaultRequest& request, std::string_view fields) {
    return chunked_head(request, fields) + chunk(good_payload(request)).append(kLastChunk);
}

std::string sized_response(std::string_view status, std::string_view type, std::string_view fields,
                           std::string_view body) {
    std::string response = "HTTP/1.1 ";
    response.append(status).append("\r\n");
    if (!type.empty()) response.append("content-type: ").append(type).append("\r\n");
    response.append(fields);
    response.append("content-length: ").append(std::to_string(body.size())).append("\r\n\r\n");
    return response.append(body);
}

}  // namespace sluice::upstream::embedded
