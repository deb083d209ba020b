#include "dialect/openai_chat/replay.h"

#include "dialect/openai_chat/head.h"

#include <gtest/gtest.h>

#include <string>

namespace sluice::dialect::openai_chat {
namespace {

chat::Message assistant(std::string thinking) {
    chat::Message message{.role = chat::Role::assistant, .parts = {}};
    if (!thinking.empty()) {
        message.parts.emplace_back(chat::Thinking{.text = std::move(thinking), .signature = {}});
    }
    return message;
}

std::string replayed(std::string_view body, const chat::Request& request) {
    const auto head = read_head(body);
    json::Splice splice(body);
    add_reasoning(body, head->members, request, "reasoning_content", splice);
    std::string out;
    splice.append_to(out);
    return out;
}

TEST(AddReasoning, FillsWhatIsMissingAndLeavesTheRestAlone) {
    chat::Request request;
    request.messages.push_back({.role = chat::Role::user, .parts = {}});
    request.messages.push_back(assistant("I \"think\""));
    request.messages.push_back(assistant("known"));
    request.messages.push_back(assistant(""));
    EXPECT_EQ(
        replayed(
            R"({"model":"m","messages":[{"role":"user","content":"q"},)"
            R"( { "role":"assistant","content":"a"},{"reasoning_content":"own","role":"assistant"},)"
            R"({"role":"assistant","content":null,"reasoning_content":null}]})",
            request),
        R"({"model":"m","messages":[{"role":"user","content":"q"},)"
        R"( {"reasoning_content":"I \"think\"", "role":"assistant","content":"a"},)"
        R"({"reasoning_content":"own","role":"assistant"},)"
        R"({"role":"assistant","content":null,"reasoning_content":""}]})");
}

}  // namespace
}  // namespace sluice::dialect::openai_chat
