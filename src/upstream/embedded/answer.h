#pragma once

/// What an embedded model says to a request.

#include "chat/finish_reason.h"
#include "config/config.h"
#include "upstream/embedded/request.h"
#include "upstream/embedded/token_text.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::upstream::embedded {

struct ToolCall {
    std::string id;
    std::string name;
    std::string arguments;  ///< a JSON object
};

struct Answer {
    TokenText reasoning;
    TokenText content;
    std::vector<ToolCall> calls;  ///< instead of content
    chat::FinishReason finish = chat::FinishReason::stop;
    std::uint64_t prompt_tokens = 0;
    std::uint64_t completion_tokens = 0;  ///< reasoning included
};

/// `lorem` writes as many words as it may, every other model echoes. `call_id` begins the ids of
/// the calls.
[[nodiscard]] Answer make_answer(const Request& request, const config::Embedded& settings,
                                 std::string_view call_id);

}  // namespace sluice::upstream::embedded
