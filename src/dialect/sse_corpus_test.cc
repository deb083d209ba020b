/// The SSE parser against the shared corpus, which is JSON and therefore read here.

#include "json/reader.h"
#include "sse/parser.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <vector>

namespace sluice {
namespace {

struct Seen {
    std::string type;
    std::string data;
    friend bool operator==(const Seen&, const Seen&) = default;
};

std::string decode_base64(std::string_view text) {
    constexpr std::string_view kAlphabet =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string out;
    std::uint32_t bits = 0;
    int count = 0;
    for (const char c : text) {
        const auto digit = kAlphabet.find(c);
        if (digit == std::string_view::npos) break;
        bits = (bits << 6U) | static_cast<std::uint32_t>(digit);
        count += 6;
        if (count < 8) continue;
        count -= 8;
        out.push_back(static_cast<char>((bits >> static_cast<unsigned>(count)) & 0xFFU));
    }
    return out;
}

std::string text_in(const json::Value& object, std::string_view name) {
    const auto member = json::find(object, name);
    return member ? json::to_string(*member).value_or("") : "";
}

std::vector<Seen> parse(const std::vector<std::string>& chunks) {
    sse::Parser parser;
    std::vector<Seen> seen;
    for (const std::string& chunk : chunks) {
        parser.feed(chunk);
        while (parser.next()) seen.push_back({parser.event().type, parser.event().data});
    }
    return seen;
}

TEST(SseCorpus, EveryCaseYieldsItsEvents) {
    const char* const shared = std::getenv("SLUICE_SHARED");
    if (shared == nullptr) GTEST_SKIP() << "SLUICE_SHARED is not set";
    std::ifstream in(std::string(shared) + "/corpora/sse.json", std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    ASSERT_EQ(json::find_error(text), std::nullopt);

    int count = 0;
    json::Reader cases(json::find(json::as_value(text), "cases")->raw);
    while (cases.next()) {
        std::vector<std::string> chunks;
        json::Reader encoded(json::find(cases.value(), "chunks_b64")->raw);
        while (encoded.next()) {
            chunks.push_back(decode_base64(json::to_string(encoded.value()).value_or("")));
        }
        std::vector<Seen> expected;
        json::Reader events(json::find(cases.value(), "expect_events")->raw);
        while (events.next()) {
            expected.push_back({text_in(events.value(), "event"), text_in(events.value(), "data")});
        }
        EXPECT_EQ(parse(chunks), expected) << text_in(cases.value(), "name");
        ++count;
    }
    EXPECT_GE(count, 20);
}

}  // namespace
}  // namespace sluice
