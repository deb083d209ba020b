#pragma once

/// DeepSeek's cache of prompt prefixes in small: what of a prompt an earlier one began with, so
/// that a test can see whether a conversation that goes on keeps its prefix.

#include "app/deepseek_request.h"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

namespace sluice::app {

/// The prompt as the model's template has it: whether to think, leading system messages, tools,
/// then the turns. White space in JSON does not show, nor does the order of parallel tool results.
[[nodiscard]] std::string render_prompt(const DeepSeekRequest& request);

struct PromptUsage {
    std::uint64_t tokens = 0;  ///< a token for every 4 bytes begun
    std::uint64_t cached = 0;  ///< of them, in units of 64
    std::size_t bytes = 0;
    std::size_t common_bytes = 0;  ///< the longest prefix that an earlier prompt has as well
    bool extends = false;          ///< it begins with the whole of an earlier prompt
};

class PromptCache {
public:
    /// What is known of the prompt, which is remembered. Users see nothing of each other.
    PromptUsage add(std::string_view user, std::string prompt);

private:
    struct Entry {
        std::string user;
        std::string prompt;
    };

    std::deque<Entry> entries_;
    std::size_t bytes_ = 0;
};

}  // namespace sluice::app
