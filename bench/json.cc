/// Reads JSON as the gateway does, over and over, for bench/json.sh to count the instructions:
/// bench_json OPERATION TIMES [BYTES]

#include "dialect/openai_chat/head.h"
#include "dialect/openai_chat/reply.h"
#include "dialect/openai_chat/stream_filter.h"

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

namespace chat = sluice::dialect::openai_chat;

constexpr std::size_t kPadding = 64;

/// English-like text with a line break, quotes and an umlaut now and then, as prompts have them.
std::string prose(std::size_t bytes) {
    constexpr std::string_view kSentence =
        R"(The gateway reads \"what it must\", gr\u00fcndlich, and sends the rest on as it came.\n)";
    std::string text;
    while (text.size() < bytes) text += kSentence;
    return text;
}

std::string request(std::size_t bytes) {
    std::string body =
        R"({"model":"gpt-4o-mini","temperature":0.7,"top_p":1,"max_tokens":512,"stream":true,)"
        R"("stream_options":{"include_usage":true},"user":"u-1","messages":[)"
        R"({"role":"system","content":"You are a helpful assistant."})";
    std::size_t turn = 0;
    do {
        body += turn++ % 2 == 0 ? R"(,{"role":"user","content":")"
                                : R"(,{"role":"assistant","content":")";
        body += prose(160) + "\"}";
    } while (body.size() < bytes);
    return body + "]}";
}

std::string reply(std::size_t bytes) {
    return R"({"id":"chatcmpl-1","object":"chat.completion","created":1700000000,)"
           R"("model":"gpt-4o-mini-2024-07-18","choices":[{"index":0,"message":{)"
           R"("role":"assistant","content":")" +
           prose(bytes) +
           R"(","refusal":null},"logprobs":null,"finish_reason":"stop"}],"usage":{)"
           R"("prompt_tokens":290,"completion_tokens":120,"total_tokens":410,)"
           R"("prompt_tokens_details":{"cached_tokens":128,"audio_tokens":0},)"
           R"("completion_tokens_details":{"reasoning_tokens":0,"audio_tokens":0}},)"
           R"("system_fingerprint":"fp_1"})";
}

constexpr std::string_view kDelta =
    R"(data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1700000000,)"
    R"("model":"gpt-4o-mini","choices":[{"index":0,"delta":{"content":" word"},)"
    R"("logprobs":null,"finish_reason":null}]})"
    "\n\n";
constexpr std::string_view kUsage =
    R"(data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1700000000,)"
    R"("model":"gpt-4o-mini","choices":[],"usage":{"prompt_tokens":290,)"
    R"("completion_tokens":120,"total_tokens":410,"prompt_tokens_details":{"cached_tokens":128}}})"
    "\n\n";

void expect(bool holds) {
    if (!holds) std::abort();
}

void feed(std::string_view event, unsigned times) {
    chat::StreamFilter filter({});
    chat::StreamFilter::Pieces pieces;
    for (unsigned i = 0; i < times; ++i) {
        pieces.clear();
        expect(filter.feed(event, pieces).has_value());
    }
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 3) return 2;
    const std::string_view operation = argv[1];
    const auto times = static_cast<unsigned>(std::strtoul(argv[2], nullptr, 10));
    const std::size_t bytes = argc > 3 ? std::strtoul(argv[3], nullptr, 10) : 1000;
    if (operation == "head") {
        std::string body = request(bytes);
        body.reserve(body.size() + kPadding);
        for (unsigned i = 0; i < times; ++i) expect(chat::read_head(body, kPadding).has_value());
    } else if (operation == "reply") {
        const std::string body = reply(bytes);
        for (unsigned i = 0; i < times; ++i) expect(chat::read_reply(body).has_value());
    } else if (operation == "delta") {
        feed(kDelta, times);
    } else if (operation == "usage") {
        feed(kUsage, times);
    } else {
        return 2;
    }
    return 0;
}
