#include "dialect/ollama/models.h"

#include "json/reader.h"

#include <gtest/gtest.h>

namespace sluice::dialect::ollama {
namespace {

using std::chrono::seconds;
using std::chrono::sys_seconds;

Model known() {
    return {.name = "gpt-4o",
            .family = "gpt",
            .parameter_size = "8B",
            .quantization = "Q4_K_M",
            .digest = "abc",
            .size = 5,
            .context_length = 131072,
            .modified_at = sys_seconds(seconds(1'700'000'000)),
            .capabilities = {"completion", "tools"}};
}

TEST(OllamaModels, TagsHaveEveryFieldThatClientsRead) {
    Model unknown;
    unknown.name = "a \"b\"";
    EXPECT_EQ(
        write_tags(std::vector{known(), unknown}),
        R"({"models":[{"name":"gpt-4o","model":"gpt-4o","size":5,"digest":"abc","details":{)"
        R"("parent_model":"","format":"gguf","family":"gpt","families":["gpt"],)"
        R"("parameter_size":"8B","quantization_level":"Q4_K_M"},)"
        R"("modified_at":"2023-11-14T22:13:20Z"},)"
        R"({"name":"a \"b\"","model":"a \"b\"","size":0,"digest":"","details":{)"
        R"("parent_model":"","format":"gguf","family":"","families":[],)"
        R"("parameter_size":"","quantization_level":""},"modified_at":"1970-01-01T00:00:00Z"}]})");
    EXPECT_EQ(write_tags({}), R"({"models":[]})");
}

TEST(OllamaModels, RunningModelsTellUntilWhen) {
    EXPECT_EQ(write_running(std::vector{known()}, sys_seconds(seconds(1'709'210'096))),
              R"({"models":[{"name":"gpt-4o","model":"gpt-4o","size":5,"digest":"abc","details":{)"
              R"("parent_model":"","format":"gguf","family":"gpt","families":["gpt"],)"
              R"("parameter_size":"8B","quantization_level":"Q4_K_M"},)"
              R"("expires_at":"2024-02-29T12:34:56Z","size_vram":0,"context_length":131072}]})");
    EXPECT_EQ(write_running({}, {}), R"({"models":[]})");
}

TEST(OllamaModels, ShowTellsCapabilitiesAndTheContext) {
    EXPECT_EQ(write_show(known()),
              R"({"modelfile":"","parameters":"","template":"","license":"","details":{)"
              R"("parent_model":"","format":"gguf","family":"gpt","families":["gpt"],)"
              R"("parameter_size":"8B","quantization_level":"Q4_K_M"},)"
              R"("model_info":{"general.architecture":"gpt","gpt.context_length":131072},)"
              R"("capabilities":["completion","tools"],"modified_at":"2023-11-14T22:13:20Z"})");
}

TEST(OllamaModels, ShowOfAnUnknownModelHasItsShape) {
    const std::string text = write_show({});
    EXPECT_FALSE(json::find_error(text));
    const auto info = json::find(json::as_value(text), "model_info");
    ASSERT_TRUE(info);
    EXPECT_EQ(info->raw, R"({"general.architecture":"unknown"})");
    EXPECT_EQ(json::find(json::as_value(text), "capabilities")->raw, "[]");
}

TEST(OllamaModels, VersionAndErrorHaveTheirShapes) {
    EXPECT_EQ(write_version("1.2.3"), R"({"version":"1.2.3"})");
    EXPECT_EQ(write_error(Error(Errc::model_not_found, "model \"m\" not found")),
              R"({"error":"model \"m\" not found"})");
}

TEST(OllamaModels, ShowIsAskedByModelOrName) {
    EXPECT_EQ(read_show(R"({"model":"a"})"), "a");
    EXPECT_EQ(read_show(R"({"name":"b","verbose":true})"), "b");
    EXPECT_EQ(read_show(R"({"name":"b","model":"a"})"), "a");
    EXPECT_EQ(read_show(R"({"name":"b","model":""})"), "b");
}

TEST(OllamaModels, ShowWithoutAModelIsRefused) {
    for (const std::string_view body :
         {"{}", "[]", "\"a\"", R"({"model":""})", R"({"model":1,"name":null})"}) {
        const auto name = read_show(body);
        ASSERT_FALSE(name) << body;
        EXPECT_EQ(name.error().code, Errc::bad_request);
        EXPECT_EQ(name.error().param, "model");
    }
    for (const std::string_view body : {"", "{", R"({"model":"a"}x)", R"({"model":"a",})"}) {
        EXPECT_FALSE(read_show(body)) << body;
    }
}

TEST(OllamaModels, TheTagLatestMayBeLeftOut) {
    EXPECT_EQ(without_latest("m:latest"), "m");
    EXPECT_EQ(without_latest("m"), "m");
    EXPECT_EQ(without_latest("m:8b"), "m:8b");
    EXPECT_EQ(without_latest(":latest"), ":latest");
}

}  // namespace
}  // namespace sluice::dialect::ollama
