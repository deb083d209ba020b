#pragma once

/// A reply as it comes: what every dialect's stream can be read into and written from. A whole
/// reply is read into the same events, and is the fold of them (reply.h).

#include "base/error.h"
#include "chat/finish_reason.h"
#include "chat/usage.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sluice::chat {

/// The views are valid during the call that hands the event over. No text ends within a UTF-8
/// sequence or between the halves of a surrogate pair.
struct Event {
    enum class Kind : std::uint8_t {
        start,              ///< `id` of the reply, `name` of the model; either may be empty
        text,               ///< `text`: more of the answer
        thinking,           ///< `text`: more of the reasoning
        signature,          ///< `text`: of the thinking that came before it
        redacted_thinking,  ///< `text`: data, whole
        refusal,            ///< `text`: more of the words by which the model declines
        tool_start,         ///< tool call number `tool`: its `id` (may be empty) and `name`
        tool_arguments,     ///< `text`: more of the arguments of tool call `tool`
        block_end,          ///< what was open (text, thinking, the newest tool call) is whole
        citation,           ///< `text`: JSON of a citation that belongs to the open text
        native,  ///< `text`: JSON of a whole block that one dialect has; `name`: its type
        usage,   ///< `usage`: all that is known so far, in place of earlier counts
        finish,  ///< `finish`; `text`: the stop sequence that was met, if known
        ping,    ///< nothing but a sign of life
        error,   ///< `error`: the reply ends here
        end,     ///< the reply is whole
    };

    Kind kind = Kind::ping;
    std::string_view text;
    std::string_view id;
    std::string_view name;
    std::size_t tool = 0;  ///< counts the reply's tool calls from 0; several may be open at once
    FinishReason finish = FinishReason::other;
    Usage usage;
    const Error* error = nullptr;
};

/// Takes events in their order. A reader gives at most one `start`, first, and at most one of
/// `error` and `end`, last; `finish` and `usage` come before `end`, in either order, `usage` also
/// earlier and more than once. There is one tool_start for each number, before its arguments.
class EventSink {
public:
    virtual void on_event(const Event& event) = 0;

protected:
    ~EventSink() = default;
};

}  // namespace sluice::chat
