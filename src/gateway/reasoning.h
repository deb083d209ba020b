#pragma once

/// What a model thought in earlier turns, for clients that do not send it back to an upstream that
/// wants it (DeepSeek: facts/deepseek-api.md 4).

#include "chat/reply.h"
#include "chat/request.h"
#include "store/reasoning.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::gateway {

/// Where a conversation stands, told by who asks, how it began, and what was said: tool calls by
/// their ids, texts by their words. Arguments and results are left out, which clients write anew.
class ConversationMark {
public:
    /// `tenant` keeps one caller's reasoning from another's.
    explicit ConversationMark(std::string_view tenant);

    /// The next message of the conversation.
    void add(const chat::Message& message);

    /// What the reasoning of an assistant's message that comes next is found by: what it says at
    /// this place, and the ids of its tool calls, which some upstreams give again. Empty for a
    /// message that says nothing.
    [[nodiscard]] std::vector<store::Key> keys_of(const std::vector<chat::Part>& parts) const;

private:
    std::string begin_;  // the tenant and the user's first words
    std::string chain_;  // everything so far
    bool has_begun_ = false;
};

/// Puts what `store` knows in front of each assistant's message that brings no thinking of its own.
/// Leaves in `mark` the whole conversation. Returns how many were found and how many were not.
struct ReasoningFound {
    std::size_t hits = 0;
    std::size_t misses = 0;
};
ReasoningFound restore_reasoning(chat::Request& request, store::ReasoningStore& store,
                                 ConversationMark& mark);

/// Keeps what `reply`, the answer to the conversation of `mark`, thought.
void keep_reasoning(const chat::Reply& reply, const ConversationMark& mark,
                    store::ReasoningStore& store);

}  // namespace sluice::gateway
