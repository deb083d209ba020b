#include "chat/reply.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice::chat {
namespace {

using Kind = Event::Kind;

Event tool_event(Kind kind, std::size_t number, std::string_view text = {},
                 std::string_view id = {}, std::string_view name = {}) {
    Event event;
    event.kind = kind;
    event.tool = number;
    event.text = text;
    event.id = id;
    event.name = name;
    return event;
}

Event text_event(Kind kind, std::string_view text) {
    Event event;
    event.kind = kind;
    event.text = text;
    return event;
}

TEST(Fold, JoinsWhatBelongsTogetherAndKeepsTheOrder) {
    Fold fold(1000);
    fold.on_event(text_event(Kind::thinking, "I "));
    fold.on_event(text_event(Kind::thinking, "see."));
    fold.on_event(text_event(Kind::signature, "sig"));
    fold.on_event(text_event(Kind::text, "Hel"));
    fold.on_event(text_event(Kind::text, "lo"));
    fold.on_event(text_event(Kind::block_end, ""));
    fold.on_event(text_event(Kind::text, "again"));
    fold.on_event(text_event(Kind::end, ""));
    const Reply& reply = fold.reply();
    ASSERT_EQ(reply.parts.size(), 3U);
    EXPECT_EQ(reply.parts[0].as<Thinking>()->text, "I see.");
    EXPECT_EQ(reply.parts[0].as<Thinking>()->signature, "sig");
    EXPECT_EQ(reply.parts[1].as<Text>()->text, "Hello");
    EXPECT_EQ(reply.parts[2].as<Text>()->text, "again");
    EXPECT_TRUE(reply.is_whole);
}

TEST(Fold, PutsInterleavedArgumentsWhereTheyBelong) {
    Fold fold(10'000);
    fold.on_event(tool_event(Kind::tool_start, 0, "", "a", "f"));
    fold.on_event(tool_event(Kind::tool_start, 1, "", "b", "g"));
    fold.on_event(tool_event(Kind::tool_arguments, 0, "{\"x\""));
    fold.on_event(tool_event(Kind::tool_arguments, 1, "{}"));
    fold.on_event(tool_event(Kind::tool_arguments, 0, ":1}"));
    const Reply& reply = fold.reply();
    ASSERT_EQ(reply.parts.size(), 2U);
    EXPECT_EQ(reply.parts[0].as<ToolUse>()->arguments, "{\"x\":1}");
    EXPECT_EQ(reply.parts[1].as<ToolUse>()->arguments, "{}");
    EXPECT_EQ(reply.parts[1].as<ToolUse>()->name, "g");
}

TEST(Fold, HoldsNoMoreThanItMay) {
    Fold fold(8);
    fold.on_event(text_event(Kind::text, "12345678"));
    EXPECT_FALSE(fold.is_full());
    fold.on_event(text_event(Kind::text, "9"));
    EXPECT_TRUE(fold.is_full());
    EXPECT_EQ(fold.reply().parts[0].as<Text>()->text, "12345678");
}

TEST(Fold, PassesOverArgumentsOfACallThatNeverBegan) {
    Fold fold(100);
    fold.on_event(tool_event(Kind::tool_arguments, 3, "{}"));
    EXPECT_TRUE(fold.reply().parts.empty());
}

}  // namespace
}  // namespace sluice::chat
