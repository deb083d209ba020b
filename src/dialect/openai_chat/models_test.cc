#include "dialect/openai_chat/models.h"

#include <gtest/gtest.h>

namespace sluice::dialect::openai_chat {
namespace {

TEST(OpenAiModels, AreWrittenAsAListAndAlone) {
    const std::vector<Model> models{
        {.id = "a/b", .owned_by = "me", .created = 17},
        {.id = "c", .owned_by = "", .created = 0},
    };

    EXPECT_EQ(write_models(models), R"({"object":"list","data":[)"
                                    R"({"id":"a/b","object":"model","created":17,"owned_by":"me"},)"
                                    R"({"id":"c","object":"model","created":0,"owned_by":""}]})");
    EXPECT_EQ(write_models({}), R"({"object":"list","data":[]})");
    EXPECT_EQ(write_model(models[0]),
              R"({"id":"a/b","object":"model","created":17,"owned_by":"me"})");
}

TEST(OpenAiModels, WhatIsWrittenReadsBackTheSame) {
    const std::vector<Model> models{{.id = "\"x\"\n", .owned_by = "o", .created = 5}};

    EXPECT_EQ(read_models(write_models(models)), models);
}

TEST(OpenAiModels, ListsWithoutCreatedAndOddEntriesAreRead) {
    const auto models = read_models(
        R"({"object":"list","data":[{"id":"deepseek-chat","object":"model","owned_by":"deepseek"},)"
        R"({"object":"model"},7,{"id":null},{"id":"x","created":18446744073709551615}]})");

    ASSERT_TRUE(models);
    ASSERT_EQ(models->size(), 2U);
    EXPECT_EQ((*models)[0], (Model{.id = "deepseek-chat", .owned_by = "deepseek", .created = 0}));
    EXPECT_EQ((*models)[1].id, "x");
    EXPECT_EQ((*models)[1].created, 0);
}

TEST(OpenAiModels, NoMoreThanTheLimitAreTaken) {
    EXPECT_EQ(read_models(R"({"data":[{"id":"a"},{"id":"b"},{"id":"c"}]})", 2)->size(), 2U);
}

TEST(OpenAiModels, WhatIsNoListIsRefused) {
    for (const std::string_view body : {"", "{}", "[]", R"({"data":{}})", R"({"data":[})"}) {
        const auto models = read_models(body);
        ASSERT_FALSE(models) << body;
        EXPECT_EQ(models.error().code, Errc::upstream_invalid_response);
    }
}

}  // namespace
}  // namespace sluice::dialect::openai_chat
