#pragma once

/// What the embedded models look at in a Chat Completions request.

#include "base/error.h"
#include "json/reader.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice::upstream::embedded {

struct Tool {
    std::string name;
    std::string_view parameters;  ///< JSON Schema; empty when there is none
};

/// The request's tool_choice.
enum class ToolUse : std::uint8_t { automatic, none, required, named };

struct Request {
    static constexpr std::size_t kMaxTools = 128;

    std::string model;
    bool stream = false;
    bool include_usage = false;
    std::optional<std::uint64_t> max_tokens;  ///< max_completion_tokens, else max_tokens
    std::optional<double> tokens_per_second;  ///< sluice_tokens_per_second
    bool reasoning = false;                   ///< thinking, or a reasoning_effort but none

    std::vector<Tool> tools;  ///< functions, in order, the first kMaxTools
    ToolUse tool_use = ToolUse::automatic;
    std::string named_tool;
    bool parallel_tool_calls = true;

    std::size_t messages = 0;
    std::vector<std::pair<std::string, std::size_t>> roles;  ///< how many of each, by first use
    std::size_t text_bytes = 0;                              ///< of all messages
    std::size_t other_parts = 0;                             ///< images, files, audio
    std::string last_role;
    std::string last_text;
    std::string last_user_text;
    std::string last_called_tool;  ///< by the assistant, before the last message
    std::uint64_t prompt_tokens = 0;
};

/// The pace that a request asks for, in tokens a second.
Result<double> read_rate(const json::Value& value);

/// Refuses, as bad_request with `param`, what an OpenAI server would. The tools' parameters are
/// views into `body`.
Result<Request> read_request(std::string_view body);

/// The same of a request to POST /completions: its prompt as the one message of a user.
Result<Request> read_text_request(std::string_view body);

}  // namespace sluice::upstream::embedded
