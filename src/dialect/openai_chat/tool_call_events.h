#pragma once

/// The tool calls of a reply, told apart and made into events, however an upstream cuts them up.
/// Internal to the reader of replies.

#include "base/error.h"
#include "chat/event.h"
#include "dialect/split_text.h"
#include "json/reader.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::dialect::openai_chat {

class ToolCallEvents {
public:
    static constexpr std::size_t kMaxCalls = 256;
    /// Arguments that came before the name of their tool, all calls together.
    static constexpr std::size_t kMaxHeldBytes = 1024UL * 1024;

    /// A checked `tool_calls`: fragments, or, in a whole message, a call each. Calls are told apart
    /// by index, else by id, else by order. A call begins when its name is there and its id or the
    /// first of its arguments; a name or an id that is sent again changes nothing. Between two
    /// calls Event::block_end tells that the arguments of the first are a whole object; what comes
    /// for it then is ignored. Fails with upstream_invalid_response beyond the bounds.
    Result<void> take(const json::Value& calls, bool whole, chat::EventSink& sink);

    /// The legacy `function_call`: one call, without an id.
    Result<void> take_legacy(const json::Value& call, chat::EventSink& sink);

    /// The reply is at its end. A call without a name is left out when it is without arguments too,
    /// else a failure.
    Result<void> finish(chat::EventSink& sink);

    [[nodiscard]] std::size_t started() const noexcept { return started_; }
    /// There is none, or the newest one's arguments are a whole object.
    [[nodiscard]] bool is_whole() const noexcept;

private:
    /// Follows brackets and strings through pieces of JSON.
    struct Extent {
        std::size_t depth = 0;
        bool begun = false;
        bool in_string = false;
        bool escaped = false;

        void add(std::string_view piece) noexcept;
        [[nodiscard]] bool complete() const noexcept { return begun && depth == 0; }
    };

    struct Call {
        std::optional<std::uint64_t> index;
        std::string id;
        std::string name;
        std::string held;  // arguments, until the call has begun
        TextJoiner joiner;
        Extent extent;
        std::size_t number = 0;
        bool started = false;
        bool closed = false;
    };

    struct Fragment {
        std::optional<std::uint64_t> index;
        std::string_view id;
        std::string_view name;
        json::Value arguments;
    };

    Fragment read(const json::Value& fragment);
    void read_function(const json::Value& function, Fragment& out);
    Call* find(const Fragment& fragment, bool follows_another) const noexcept;
    Result<Call*> add(const Fragment& fragment);
    Result<void> take_fragment(Call& call, const Fragment& fragment, chat::EventSink& sink);
    Result<void> add_arguments(Call& call, std::string_view text, chat::EventSink& sink);
    void start(Call& call, chat::EventSink& sink);

    std::vector<std::unique_ptr<Call>> calls_;
    Call* legacy_ = nullptr;
    Call* newest_ = nullptr;  // of those that have begun
    std::string id_text_;     // of the fragment at hand, where they are written with escapes
    std::string name_text_;
    std::size_t held_bytes_ = 0;
    std::size_t started_ = 0;
};

}  // namespace sluice::dialect::openai_chat
