#include "app/conversation_match.h"

#include <algorithm>
#include <ranges>
#include <utility>

namespace sluice::app {
namespace {

using Role = DeepSeekMessage::Role;

std::uint64_t count(const DeepSeekRequest& request, Role role) {
    return static_cast<std::uint64_t>(
        std::ranges::count(request.messages, role, &DeepSeekMessage::role));
}

/// The text of the first such message in the range; empty where there is none.
template <class Range>
std::string_view text_of(Range&& messages, Role role) {
    const auto found = std::ranges::find(messages, role, &DeepSeekMessage::role);
    return found == std::ranges::end(messages) ? std::string_view() : std::string_view(found->text);
}

}  // namespace

Result<bool> ConversationMatch::read(std::string_view key, const json::Value& value) {
    using Text = std::pair<std::string_view, std::string*>;
    using Number = std::pair<std::string_view, std::optional<std::uint64_t>*>;
    for (const auto& [name, where] : {Text{"system", &system_}, Text{"first_user", &first_user_},
                                      Text{"last_user", &last_user_},
                                      Text{"last_result", &last_result_}, Text{"tool", &tool_}}) {
        if (key != name) continue;
        auto text = json::to_string(value);
        if (!text) return fail(Errc::bad_request, "'" + std::string(key) + "' must be a string");
        *where = *std::move(text);
        return stated_ = true;
    }
    for (const auto& [name, where] :
         {Number{"assistant_turns", &assistant_turns_}, Number{"tool_results", &tool_results_}}) {
        if (key != name) continue;
        *where = json::to_uint64(value);
        if (!*where) return fail(Errc::bad_request, "'" + std::string(key) + "' must be a number");
        return stated_ = true;
    }
    return false;
}

bool ConversationMatch::fits(const DeepSeekRequest& request) const {
    const auto& messages = request.messages;
    const auto backwards = messages | std::views::reverse;
    const bool says_system = std::ranges::any_of(messages, [&](const DeepSeekMessage& message) {
        return message.role == Role::system && message.text.contains(system_);
    });
    const bool offers = std::ranges::any_of(
        request.tools, [&](const DeepSeekTool& tool) { return tool.name == tool_; });
    return (!assistant_turns_ || *assistant_turns_ == count(request, Role::assistant)) &&
           (!tool_results_ || *tool_results_ == count(request, Role::tool)) &&
           (system_.empty() || says_system) && (tool_.empty() || offers) &&
           text_of(messages, Role::user).contains(first_user_) &&
           text_of(backwards, Role::user).contains(last_user_) &&
           text_of(backwards, Role::tool).contains(last_result_);
}

}  // namespace sluice::app
