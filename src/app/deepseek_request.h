#pragma once

/// A chat as DeepSeek's API takes it apart, so that tests of the gateway meet the same refusals as
/// users of the provider. The facts are in deepseek-api.md; what it says nothing about is let pass.

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::app {

/// Why DeepSeek would answer 400.
struct DeepSeekViolation {
    std::string rule;     ///< for the journal: `deserialize`, `reasoning_content`, ...
    std::string message;  ///< the provider's words
};

struct DeepSeekCall {
    std::string id;
    std::string name;
    std::string arguments;
};

struct DeepSeekMessage {
    enum class Role : std::uint8_t { system, user, assistant, tool };
    Role role = Role::user;
    bool has_text = false;  ///< content is there and not null
    std::string text;       ///< text parts joined, images as their digests
    std::size_t images = 0;
    std::optional<std::string> reasoning;  ///< reasoning_content, where it is a string
    bool has_calls = false;                ///< the member is there and not null
    std::vector<DeepSeekCall> calls;
    std::string tool_call_id;
};

struct DeepSeekTool {
    std::string name;
    std::string json;  ///< the `function` object, without white space
};

struct DeepSeekRequest {
    enum class ToolChoice : std::uint8_t { automatic, none, forced };

    std::string model;
    std::vector<DeepSeekMessage> messages;
    bool thinking = true;
    std::string effort;  ///< empty: not stated
    std::vector<DeepSeekTool> tools;
    ToolChoice tool_choice = ToolChoice::automatic;
    std::string response_format = "text";
    std::size_t stops = 0;
    bool stream = false;
    bool has_stream_options = false;
    std::optional<std::string> user_id;
    std::optional<double> max_tokens;
    std::optional<double> temperature;
    std::optional<double> top_p;
    std::vector<std::string> ignored;  ///< members that the API does not list
};

/// Takes the body apart as strictly as the provider's deserializer.
[[nodiscard]] std::expected<DeepSeekRequest, DeepSeekViolation> read_deepseek_request(
    std::string_view body);

/// The first of the provider's rules that a well-formed request violates.
[[nodiscard]] std::optional<DeepSeekViolation> find_violation(const DeepSeekRequest& request);

}  // namespace sluice::app
