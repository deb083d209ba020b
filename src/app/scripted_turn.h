#pragma once

/// A model's turn as a script states it: what it thinks, says and calls, and how the telling of it
/// fails. Written in DeepSeek's form, whole or as a stream.

#include "app/prompt_cache.h"
#include "base/error.h"
#include "json/reader.h"
#include "upstream/embedded/faults.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::app {

struct ScriptedCall {
    std::string name;
    std::string arguments;  ///< as they are sent, valid JSON or not
    std::string id;         ///< empty: one is made
};

struct ScriptedTurn {
    std::string reasoning;  ///< kept back where the request says not to think
    std::string content;
    std::vector<ScriptedCall> calls;
    std::string finish_reason;  ///< empty: `tool_calls` where there are calls, else `stop`
    std::uint64_t status = 0;   ///< of an error in place of the turn; 0: none
    std::string message;        ///< of the error
    std::optional<std::size_t> cut_after;   ///< events of a stream; a whole body: half
    upstream::embedded::WireStep cut;       ///< what comes then
    std::size_t keep_alives = 0;            ///< before the first event, or the body
    std::chrono::milliseconds delay{0};     ///< before the head
    std::chrono::milliseconds interval{0};  ///< between events
};

[[nodiscard]] Result<ScriptedTurn> parse_turn(const json::Value& value);

/// `close`, `reset`, `half_close` or `hang`; nullopt for anything else.
[[nodiscard]] std::optional<upstream::embedded::WireStep> last_step(std::string_view word);

/// What a turn is told with.
struct TurnContext {
    std::uint64_t number = 0;  ///< of the reply, for its ids
    std::int64_t created = 0;
    PromptUsage prompt;
};

[[nodiscard]] upstream::embedded::WireScript write_turn(const ScriptedTurn& turn,
                                                        const DeepSeekRequest& request,
                                                        const TurnContext& context);

/// An error in DeepSeek's envelope.
[[nodiscard]] upstream::embedded::WireScript write_deepseek_error(std::uint64_t status,
                                                                  std::string_view message);

}  // namespace sluice::app
