#include "context/vocabulary.h"

#include <gtest/gtest.h>

namespace sluice::context {
namespace {

TEST(VocabularyOf, DeepSeeksModelsHaveTheirOwnWhateverIsAroundTheName) {
    for (const auto* model :
         {"deepseek-flash", "deepseek-v4-pro", "deepseek-chat", "DeepSeek-R1",
          "deepseek/deepseek-v4-flash", "accounts/fireworks/models/deepseek-v3p1",
          "us.deepseek.r1-v1:0", "deepseek-ai/DeepSeek-V4-Pro", "claude-deepseek-flash"}) {
        EXPECT_EQ(vocabulary_of(model), Vocabulary::deepseek) << model;
    }
}

TEST(VocabularyOf, ADistillationSpeaksAnotherFamilysVocabulary) {
    EXPECT_EQ(vocabulary_of("deepseek-r1-distill-llama-70b"), Vocabulary::o200k);
    EXPECT_EQ(vocabulary_of("deepseek-ai/DeepSeek-R1-Distill-Qwen-32B"), Vocabulary::o200k);
}

TEST(VocabularyOf, OpenAisOlderModelsHaveCl100k) {
    for (const auto* model : {"gpt-4", "gpt-4-0613", "gpt-4-turbo", "GPT-4-32k", "gpt-3.5-turbo",
                              "openai/gpt-3.5-turbo-16k", "gpt-35-turbo", "text-embedding-3-small",
                              "text-embedding-ada-002", "ft:gpt-3.5-turbo:acme::x", "ft:gpt-4"}) {
        EXPECT_EQ(vocabulary_of(model), Vocabulary::cl100k) << model;
    }
}

TEST(VocabularyOf, TheNewerOnesAndAllThatIsUnknownHaveO200k) {
    for (const auto* model :
         {"gpt-4o", "gpt-4o-mini", "gpt-4.1", "gpt-4.5-preview", "gpt-5", "o1", "o3-mini",
          "o4-mini", "chatgpt-4o-latest", "gpt-oss-120b", "ft:gpt-4o-mini:acme::x", "claude-opus-5",
          "qwen3", "gpt-40", "ft:", "ft:gpt-", "/", ""}) {
        EXPECT_EQ(vocabulary_of(model), Vocabulary::o200k) << model;
    }
}

}  // namespace
}  // namespace sluice::context
