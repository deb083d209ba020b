#pragma once

/// The answers that a script file gives the stand-alone upstream, instead of a model's. The format
/// is in docs/embedded.md.

#include "app/conversation_match.h"
#include "app/scripted_turn.h"
#include "base/error.h"
#include "upstream/embedded/faults.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::app {

struct ScriptedReply {
    upstream::embedded::WireScript wire;
    std::size_t split = 0;             ///< bytes per write; 0: as many as there are
    std::optional<ScriptedTurn> turn;  ///< in place of `wire`: it depends on the request
};

class UpstreamScript {
public:
    using ReadFile = std::function<Result<std::string>(const std::string&)>;

    UpstreamScript() = default;

    /// The names of other files in `text` are passed to `read_file` as they are. The error says
    /// which rule is wrong.
    [[nodiscard]] static Result<UpstreamScript> parse(std::string_view text,
                                                      const ReadFile& read_file);

    /// The reply of the first rule that fits and has not been used up; nullptr when none does.
    /// Rules that are about conversations, or tell a turn, fit only where there is one.
    [[nodiscard]] const ScriptedReply* answer(std::string_view path, std::string_view model,
                                              std::string_view body,
                                              const DeepSeekRequest* conversation = nullptr);

    /// Whether any rule wants to see the conversation.
    [[nodiscard]] bool reads_conversations() const;

private:
    struct Rule {
        std::string model;  // globs; empty: any
        std::string path;
        std::string contains;
        ConversationMatch conversation;
        std::uint64_t times = UINT64_MAX;
        ScriptedReply reply;

        [[nodiscard]] bool reads_conversation() const {
            return conversation.any() || reply.turn.has_value();
        }
    };

    static Result<Rule> parse_rule(std::string_view text, const ReadFile& read_file);
    static Result<void> parse_match(const json::Value& value, Rule& rule);

    std::vector<Rule> rules_;
};

}  // namespace sluice::app
