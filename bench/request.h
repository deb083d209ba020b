#pragma once

/// What the load generators ask and how the upstream understands it. The fields that steer the
/// upstream stand at the front of the body, so that it need not parse a megabyte of prompt.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace sluice::bench {

struct Question {
    bool stream = false;
    std::int64_t events = 64;
    std::int64_t interval_us = 0;     ///< between two events; 0 = as fast as possible
    std::int64_t reply_bytes = 1024;  ///< of a whole reply's body
    std::size_t body_bytes = 1200;    ///< of the request's body, about
};

struct Credentials {
    std::string key;
    std::string model = "bench";
};

/// What the client speaks. The upstream speaks OpenAI's in either case.
enum class Dialect : std::uint8_t { openai, anthropic };

/// A complete POST /v1/chat/completions or /v1/messages. Of what steers the upstream, `stream` and
/// `events` alone survive translation; the rest is left out of an Anthropic request, and the
/// upstream's own defaults hold.
[[nodiscard]] std::string request_bytes(const Question& question, const Credentials& credentials,
                                        Dialect dialect = Dialect::openai);

/// Reads the steering fields in the front of a body; what is absent keeps the given default.
[[nodiscard]] Question read_question(std::string_view body_front, Question defaults);

/// The number behind `"name":`, or `otherwise`.
[[nodiscard]] std::int64_t number_field(std::string_view json, std::string_view name,
                                        std::int64_t otherwise);

/// Where the clock reading stands in a streamed event: `"content":"` and this many digits. The base
/// makes them as many however short the machine has been up.
inline constexpr std::string_view kStampMark = R"("content":")";
inline constexpr std::string_view kTranslatedStampMark = R"("text":")";  ///< to an Anthropic client
inline constexpr std::size_t kStampDigits = 19;
inline constexpr std::int64_t kStampBase = 1'000'000'000'000'000'000;

}  // namespace sluice::bench
