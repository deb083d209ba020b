#include "dialect/anthropic_messages/models.h"

#include "json/reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice::dialect::anthropic_messages {
namespace {

using testing::HasSubstr;

std::vector<Model> models_named(std::initializer_list<const char*> ids) {
    std::vector<Model> models;
    for (const char* const id : ids) models.push_back({.id = id, .owned_by = "x", .created = 0});
    return models;
}

/// The ids of a page, "+" behind them where there are more.
std::string ids_in(const std::string& body) {
    EXPECT_EQ(json::find_error(body), std::nullopt) << body;
    const json::Value document = json::as_value(body);
    std::string ids;
    json::Reader entries(*json::find(document, "data"));
    while (entries.next()) ids += *json::to_string(*json::find(entries.value(), "id"));
    return ids + (json::find(document, "has_more")->is_true() ? "+" : "");
}

TEST(AnthropicModels, AreWrittenForEitherParser) {
    const std::vector<Model> models{{.id = "a", .owned_by = "o", .created = 1'729'555'200}};

    EXPECT_EQ(write_models(models, {}),
              R"({"object":"list","data":[{"type":"model","id":"a","display_name":"a",)"
              R"("created_at":"2024-10-22T00:00:00Z","object":"model","created":1729555200,)"
              R"("owned_by":"o"}],"has_more":false,"first_id":"a","last_id":"a"})");
    EXPECT_EQ(write_models({}, {}),
              R"({"object":"list","data":[],"has_more":false,"first_id":null,"last_id":null})");
}

TEST(AnthropicModels, TimesAreWrittenAndReadTheSame) {
    const auto written = [](std::int64_t created) {
        return write_model({.id = "a", .owned_by = "", .created = created});
    };
    EXPECT_THAT(written(0), HasSubstr("1970-01-01T00:00:00Z"));
    EXPECT_THAT(written(951'827'696), HasSubstr("2000-02-29T12:34:56Z"));
    EXPECT_THAT(written(-5), HasSubstr("1970-01-01T00:00:00Z"));
    EXPECT_THAT(written(std::numeric_limits<std::int64_t>::max()),
                HasSubstr("9999-12-31T23:59:59Z"));

    const auto models = read_models(R"({"data":[{"id":"a","created_at":"2000-02-29T12:34:56Z"},)"
                                    R"({"id":"b","created_at":"2001-02-29T12:34:56Z"},)"
                                    R"({"id":"c","created_at":"today"},{"id":"d"},{},)"
                                    R"({"id":"e","created_at":"2000-02-29T12:34:56.789+00:00"}]})");

    ASSERT_TRUE(models);
    ASSERT_EQ(models->size(), 5U);
    EXPECT_EQ(models->at(0), (Model{.id = "a", .owned_by = "anthropic", .created = 951'827'696}));
    EXPECT_EQ(models->at(1).created, 0);
    EXPECT_EQ(models->at(2).created, 0);
    EXPECT_EQ(models->at(3).created, 0);
    EXPECT_EQ(models->at(4).created, 951'827'696);
}

TEST(AnthropicModels, ComeInPages) {
    const auto models = models_named({"a", "b", "c", "d", "e"});
    const auto page = [&](std::size_t limit, const char* before, const char* after) {
        return ids_in(
            write_models(models, {.limit = limit, .before_id = before, .after_id = after}));
    };

    EXPECT_EQ(page(20, "", ""), "abcde");
    EXPECT_EQ(page(2, "", ""), "ab+");
    EXPECT_EQ(page(2, "", "b"), "cd+");
    EXPECT_EQ(page(2, "", "c"), "de");
    EXPECT_EQ(page(2, "", "e"), "");
    EXPECT_EQ(page(2, "", "nobody"), "");
    EXPECT_EQ(page(2, "d", ""), "bc+");
    EXPECT_EQ(page(9, "d", ""), "abc");
    EXPECT_EQ(page(2, "a", ""), "");
    EXPECT_EQ(page(2, "nobody", ""), "");
}

TEST(AnthropicModels, ThePageIsReadFromTheQuery) {
    const auto page = read_page("beta=true&limit=1000&after_id=a%2Fb+c%zz%2&&before_id");

    ASSERT_TRUE(page);
    EXPECT_EQ(page->limit, 1000U);
    EXPECT_EQ(page->after_id, "a/b c%zz%2");
    EXPECT_EQ(page->before_id, "");
    EXPECT_EQ(read_page("")->limit, 20U);
}

TEST(AnthropicModels, ALimitOutOfRangeIsRefused) {
    for (const std::string_view query : {"limit=0", "limit=1001", "limit=", "limit", "limit=-1",
                                         "limit=2x", "limit=99999999999999999999999"}) {
        const auto page = read_page(query);
        ASSERT_FALSE(page) << query;
        EXPECT_EQ(page.error().param, "limit");
        EXPECT_EQ(page.error().code, Errc::bad_request);
    }
}

TEST(AnthropicModels, OnlyAListIsRead) {
    for (const std::string_view body : {"", "[]", "{}", R"({"data":{}})", R"({"data":[)"}) {
        EXPECT_FALSE(read_models(body)) << body;
    }
    EXPECT_EQ(read_models(R"({"data":[{"id":"a"},{"id":"b"}]})", 1)->size(), 1U);
}

}  // namespace
}  // namespace sluice::dialect::anthropic_messages
