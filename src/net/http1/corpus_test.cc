/// The shared corpora of raw requests and responses, read by the readers alone. They lie beside the
/// project; without them there is nothing to run.

#include "net/http1/testing.h"

#include <boost/beast/core/detail/base64.hpp>
#include <boost/json/src.hpp>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

namespace sluice::net::http1 {
namespace {

namespace base64 = boost::beast::detail::base64;

boost::json::array load_cases(const std::string& file) {
    // NOLINTNEXTLINE(concurrency-mt-unsafe): nothing writes the environment
    const char* shared = std::getenv("SLUICE_SHARED");
    if (shared == nullptr) return {};
    const std::ifstream in(std::string(shared) + "/corpora/" + file);
    std::stringstream text;
    text << in.rdbuf();
    return boost::json::parse(text.str()).at("cases").as_array();
}

std::string text_of(const boost::json::value& test_case, const char* key) {
    return std::string(test_case.at(key).as_string());
}

std::string raw_of(const boost::json::value& test_case) {
    const std::string coded = text_of(test_case, "raw_b64");
    std::string raw(base64::decoded_size(coded.size()), '\0');
    raw.resize(base64::decode(raw.data(), coded.data(), coded.size()).first);
    return raw;
}

std::string describe(const boost::json::value& test_case, const std::string& raw) {
    return text_of(test_case, "name") + ": " + ::testing::PrintToString(raw.substr(0, 600));
}

TEST(HttpRequestCorpus, IsReadAsAStrictGatewayMust) {
    const auto cases = load_cases("http-requests.json");
    if (cases.empty()) GTEST_SKIP() << "SLUICE_SHARED is not set";
    for (const auto& test_case : cases) {
        const std::string raw = raw_of(test_case);
        const std::string posture = text_of(test_case, "posture_gateway");
        SCOPED_TRACE(describe(test_case, raw));
        for (const std::size_t piece : {raw.size() + 1, 1UL, 7UL}) {
            RequestReader reader;
            const auto outcome = testing::read_in_pieces(reader, raw, piece);
            if (posture == "reject") {
                EXPECT_EQ(outcome.progress, Progress::failed);
            } else if (posture == "accept") {
                EXPECT_GE(outcome.messages, 1U) << outcome.error.message;
            } else if (posture == "wait") {
                EXPECT_EQ(outcome.progress, Progress::need_more) << outcome.error.message;
            }
        }
    }
}

TEST(HttpResponseCorpus, IsRefusedWhereTheStrictParserRefusesAndReadWhereItReads) {
    const auto cases = load_cases("http-responses.json");
    if (cases.empty()) GTEST_SKIP() << "SLUICE_SHARED is not set";
    for (const auto& test_case : cases) {
        const std::string raw = raw_of(test_case);
        const std::string expected = text_of(test_case, "source_expect");
        // The lenient types say what a parser takes that was told to be careless.
        const bool strict = text_of(test_case, "type") == "response";
        SCOPED_TRACE(describe(test_case, raw));
        for (const std::size_t piece : {raw.size() + 1, 1UL, 7UL}) {
            ResponseReader reader;
            const auto outcome = testing::read_in_pieces(reader, raw, piece, 1);
            if (expected.starts_with("error")) {
                EXPECT_EQ(outcome.progress, Progress::failed);
            } else if (strict && expected == "complete") {
                // Some cases lack the last line end, so that they wait.
                EXPECT_NE(outcome.progress, Progress::failed) << outcome.error.message;
            }
        }
    }
}

}  // namespace
}  // namespace sluice::net::http1
