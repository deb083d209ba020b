#include "observe/prompt_file.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <unistd.h>

namespace sluice::observe {
namespace {

class PromptFileTest : public testing::Test {
protected:
    void SetUp() override {
        path_ = testing::TempDir() + "prompts-" + std::to_string(getpid()) + ".jsonl";
        std::filesystem::remove(path_);
    }
    void TearDown() override { std::filesystem::remove(path_); }

    [[nodiscard]] std::string content() const {
        const std::ifstream in(path_);
        std::ostringstream text;
        text << in.rdbuf();
        return text.str();
    }

    std::string path_;
};

TEST_F(PromptFileTest, AnExchangeIsOneLineOfJson) {
    auto file = PromptFile::open(path_);
    ASSERT_TRUE(file);

    (*file)->write("req_1", "{\"a\":\n1}", "data: \"x\"\n\n");
    file->reset();

    EXPECT_EQ(content(),
              "{\"request_id\":\"req_1\",\"request\":\"{\\\"a\\\":\\n1}\",\"reply\":\"data: "
              "\\\"x\\\"\\n\\n\"}\n");
}

TEST_F(PromptFileTest, OnlyTheOwnerMayReadIt) {
    auto file = PromptFile::open(path_);
    ASSERT_TRUE(file);

    EXPECT_EQ(std::filesystem::status(path_).permissions(),
              std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

TEST_F(PromptFileTest, LongTextsAreCut) {
    auto file = PromptFile::open(path_);
    ASSERT_TRUE(file);

    (*file)->write("req_1", std::string(3 * PromptFile::kMaxTextBytes, 'x'), "");
    file->reset();

    EXPECT_LT(content().size(), PromptFile::kMaxTextBytes + 200);
}

TEST_F(PromptFileTest, AFolderThatIsNotThereIsAnErrorThatNamesThePath) {
    const auto file = PromptFile::open("/nonexistent/prompts.jsonl");

    ASSERT_FALSE(file);
    EXPECT_NE(file.error().message.find("/nonexistent/prompts.jsonl"), std::string::npos);
}

}  // namespace
}  // namespace sluice::observe
