#include "gateway/reasoning.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <utility>

namespace sluice::gateway {
namespace {

chat::Message says(chat::Role role, std::string text) {
    chat::Message message{.role = role, .parts = {}};
    message.parts.emplace_back(chat::Text{.text = std::move(text)});
    return message;
}

chat::Message calls(std::string id, std::string arguments) {
    chat::Message message{.role = chat::Role::assistant, .parts = {}};
    message.parts.emplace_back(chat::ToolUse{.id = std::move(id),
                                             .name = "read",
                                             .arguments = std::move(arguments),
                                             .is_custom = false});
    return message;
}

chat::Message result(std::string id) {
    chat::Message message{.role = chat::Role::user, .parts = {}};
    message.parts.emplace_back(
        chat::ToolResult{.id = std::move(id), .content = {}, .is_error = false});
    return message;
}

chat::Reply reply_of(chat::Message message, std::string thinking) {
    chat::Reply reply;
    reply.parts = std::move(message.parts);
    reply.parts.emplace(reply.parts.begin(),
                        chat::Thinking{.text = std::move(thinking), .signature = {}});
    reply.is_whole = true;
    return reply;
}

/// Has the answer `said` to `request` remembered with its thoughts.
void remember(const chat::Request& request, chat::Message said, std::string thinking,
              std::string_view tenant, store::ReasoningStore& store) {
    chat::Request copy = request;
    ConversationMark mark(tenant);
    restore_reasoning(copy, store, mark);
    keep_reasoning(reply_of(std::move(said), std::move(thinking)), mark, store);
}

std::string thinking_of(const chat::Message& message) {
    const auto* const thinking =
        message.parts.empty() ? nullptr : message.parts.front().as<chat::Thinking>();
    return thinking == nullptr ? "" : thinking->text;
}

TEST(Reasoning, ComesBackByTheIdOfAToolCallWhoseArgumentsWereWrittenAnew) {
    store::ReasoningStore store;
    chat::Request request;
    request.messages.push_back(says(chat::Role::user, "hello"));
    remember(request, calls("call_1", R"({"a": 1})"), "I shall read", "alice", store);

    request.messages.push_back(calls("call_1", R"({"a":1})"));
    request.messages.push_back(result("call_1"));
    ConversationMark mark("alice");
    const ReasoningFound found = restore_reasoning(request, store, mark);
    EXPECT_EQ(found.hits, 1U);
    EXPECT_EQ(found.misses, 0U);
    EXPECT_EQ(thinking_of(request.messages[1]), "I shall read");
}

TEST(Reasoning, ComesBackByTheWordsOfAnAnswerAtItsPlaceInTheConversation) {
    store::ReasoningStore store;
    chat::Request request;
    request.messages.push_back(says(chat::Role::user, "hello"));
    remember(request, says(chat::Role::assistant, "Done."), "first", "alice", store);
    request.messages.push_back(says(chat::Role::assistant, "Done."));
    request.messages.push_back(says(chat::Role::user, "more"));
    remember(request, says(chat::Role::assistant, "Done."), "second", "alice", store);
    request.messages.push_back(says(chat::Role::assistant, " Done.\n"));

    ConversationMark mark("alice");
    restore_reasoning(request, store, mark);
    EXPECT_EQ(thinking_of(request.messages[1]), "first");
    EXPECT_EQ(thinking_of(request.messages[3]), "second");
}

/// Some upstreams count their ids from the start in every turn.
TEST(Reasoning, ComesBackByItsPlaceWhereALaterTurnGaveTheIdAgain) {
    store::ReasoningStore store;
    chat::Request request;
    request.messages.push_back(says(chat::Role::user, "hello"));
    for (const char* const thought : {"first", "second", "third"}) {
        remember(request, calls("call_0", "{}"), thought, "alice", store);
        request.messages.push_back(calls("call_0", "{}"));
        request.messages.push_back(result("call_0"));
    }

    ConversationMark mark("alice");
    const ReasoningFound found = restore_reasoning(request, store, mark);
    EXPECT_EQ(found.hits, 3U);
    EXPECT_EQ(thinking_of(request.messages[1]), "first");
    EXPECT_EQ(thinking_of(request.messages[3]), "second");
    EXPECT_EQ(thinking_of(request.messages[5]), "third");
}

TEST(Reasoning, ComesBackByAnIdWhereWhatWasSaidBeforeHasChanged) {
    store::ReasoningStore store;
    chat::Request request;
    request.messages.push_back(says(chat::Role::user, "hello"));
    request.messages.push_back(says(chat::Role::assistant, "Hi."));
    request.messages.push_back(says(chat::Role::user, "go on"));
    remember(request, calls("call_7", "{}"), "I shall read", "alice", store);
    request.messages.push_back(calls("call_7", "{}"));

    request.messages.erase(request.messages.begin() + 1);  // compacted
    ConversationMark mark("alice");
    restore_reasoning(request, store, mark);
    EXPECT_EQ(thinking_of(request.messages[2]), "I shall read");
}

TEST(Reasoning, IsNotFoundByAnotherTenantNorInAnotherConversation) {
    store::ReasoningStore store;
    chat::Request request;
    request.messages.push_back(says(chat::Role::user, "hello"));
    remember(request, calls("call_1", "{}"), "secret", "alice", store);

    chat::Request same = request;
    same.messages.push_back(calls("call_1", "{}"));
    ConversationMark bob("bob");
    EXPECT_EQ(restore_reasoning(same, store, bob).hits, 0U);
    EXPECT_EQ(thinking_of(same.messages[1]), "");

    chat::Request other;
    other.messages.push_back(says(chat::Role::user, "something else"));
    other.messages.push_back(calls("call_1", "{}"));
    ConversationMark alice("alice");
    EXPECT_EQ(restore_reasoning(other, store, alice).hits, 0U);
}

TEST(Reasoning, OfTheClientsOwnIsLeftAlone) {
    store::ReasoningStore store;
    chat::Request request;
    request.messages.push_back(says(chat::Role::user, "hello"));
    remember(request, calls("call_1", "{}"), "ours", "alice", store);
    chat::Message own = calls("call_1", "{}");
    own.parts.emplace(own.parts.begin(), chat::Thinking{.text = "theirs", .signature = {}});
    request.messages.push_back(std::move(own));
    ConversationMark mark("alice");
    const ReasoningFound found = restore_reasoning(request, store, mark);
    EXPECT_EQ(found.hits + found.misses, 0U);
    EXPECT_EQ(thinking_of(request.messages[1]), "theirs");
    EXPECT_EQ(request.messages[1].parts.size(), 2U);
}

TEST(Reasoning, NothingIsKeptOfAReplyThatDidNotThinkOrSaidNothing) {
    store::ReasoningStore store;
    const ConversationMark mark("alice");
    keep_reasoning(reply_of(says(chat::Role::assistant, "Hi"), ""), mark, store);
    keep_reasoning(reply_of(says(chat::Role::assistant, ""), "thoughts"), mark, store);
    EXPECT_EQ(store.stats().texts, 0U);
}

}  // namespace
}  // namespace sluice::gateway
