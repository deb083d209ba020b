#include "gateway/lane.h"

#include <gtest/gtest.h>

namespace sluice::gateway {
namespace {

using dialect::openai_chat::Shape;

config::Upstream upstream_of(config::UpstreamKind kind) {
    config::Upstream upstream;
    upstream.kind = kind;
    return upstream;
}

TEST(LaneTest, TranslatesWhereTheSidesSpeakDifferently) {
    const auto anthropic = upstream_of(config::UpstreamKind::anthropic);
    const auto openai = upstream_of(config::UpstreamKind::openai);

    EXPECT_TRUE(lane_of(Dialect::openai_chat, anthropic).translates());
    EXPECT_TRUE(lane_of(Dialect::openai_text, anthropic).translates());
    EXPECT_FALSE(lane_of(Dialect::anthropic_messages, anthropic).translates());
    EXPECT_TRUE(lane_of(Dialect::anthropic_messages, openai).translates());
    EXPECT_FALSE(lane_of(Dialect::openai_chat, openai).translates());
}

TEST(LaneTest, TheModelsOfThisProgramSpeakAsOpenAiDoes) {
    const auto embedded = upstream_of(config::UpstreamKind::embedded);

    EXPECT_EQ(lane_of(Dialect::openai_chat, embedded).upstream, Dialect::openai_chat);
    EXPECT_EQ(lane_of(Dialect::anthropic_messages, embedded).upstream, Dialect::openai_chat);
}

TEST(LaneTest, TextIsAskedForAsAChatWhereThereIsNoEndpointForIt) {
    auto openai = upstream_of(config::UpstreamKind::openai);
    EXPECT_EQ(lane_of(Dialect::openai_text, openai).upstream, Dialect::openai_text);

    openai.paths.completions.clear();
    const Lane lane = lane_of(Dialect::openai_text, openai);
    EXPECT_EQ(lane.upstream, Dialect::openai_chat);
    EXPECT_TRUE(lane.translates());
}

TEST(LaneTest, AMessageIsNeverAskedForAsText) {
    const auto openai = upstream_of(config::UpstreamKind::openai);
    EXPECT_EQ(lane_of(Dialect::anthropic_messages, openai).upstream, Dialect::openai_chat);
}

TEST(LaneTest, OnlyTextCompletionsHaveTheShapeOfText) {
    EXPECT_EQ(shape_of(Dialect::openai_text), Shape::text);
    EXPECT_EQ(shape_of(Dialect::openai_chat), Shape::chat);
}

}  // namespace
}  // namespace sluice::gateway
