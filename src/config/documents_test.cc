/// What the repository says about the configuration must be true of the code.

#include "config/dotenv.h"
#include "config/load_fixture.h"
#include "config/schema.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <sstream>

namespace sluice::config {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

class DocumentsTest : public LoadTest {
protected:
    static std::string document(const std::string& path) {
        const char* const root = std::getenv("SLUICE_SOURCE_DIR");
        const std::ifstream in(std::filesystem::path(root == nullptr ? "." : root) / path);
        std::ostringstream text;
        text << in.rdbuf();
        EXPECT_FALSE(text.str().empty()) << path << " under SLUICE_SOURCE_DIR";
        return text.str();
    }
};

TEST_F(DocumentsTest, ExampleFileLoads) {
    file(document("config/sluice.example.yaml"));

    EXPECT_THAT(problems(), IsEmpty());
    EXPECT_THAT(warnings(), IsEmpty());
}

TEST_F(DocumentsTest, ExampleFileShowsEveryKey) {
    const std::string text = document("config/sluice.example.yaml");
    for (const Schema& schema : kSchemas) {
        for (const std::string_view key : schema.keys)
            EXPECT_THAT(text, HasSubstr(std::string(key) + ":"));
    }
}

TEST_F(DocumentsTest, ExampleEnvironmentLoads) {
    write(".env", document(".env.example"));
    EXPECT_THAT(problems(), IsEmpty());
}

TEST_F(DocumentsTest, ExampleEnvironmentLoadsWithItsCommentsTakenOff) {
    std::istringstream lines(document(".env.example"));
    std::string text;
    for (std::string line; std::getline(lines, line);) {
        const bool assignment = line.starts_with('#') && !line.starts_with("# ");
        text += (assignment ? line.substr(1) : line) + '\n';
    }
    write(".env", text);

    const Config config = loaded();

    EXPECT_EQ(config.keys.size(), 2U);
    EXPECT_EQ(config.upstreams.size(), 2U);
    EXPECT_TRUE(config.admin.listen);
}

TEST_F(DocumentsTest, ExampleEnvironmentNamesEveryVariable) {
    const std::string text = document(".env.example");
    for (const std::string_view name : kVariables) {
        if (name == "HOME" || name == "STATE_DIRECTORY") continue;  // set by the system
        EXPECT_THAT(text, HasSubstr(std::string(name) + "="));
    }
}

TEST_F(DocumentsTest, ReferenceNamesEveryKeyAndVariable) {
    const std::string text = document("docs/configuration.md");
    for (const Schema& schema : kSchemas) {
        for (const std::string_view key : schema.keys) {
            const std::string path = schema.path.empty() ? "" : std::string(schema.path) + ".";
            EXPECT_THAT(text, HasSubstr("| `" + path + std::string(key) + "` |"));
        }
    }
    for (const std::string_view name : kVariables) {
        EXPECT_THAT(text, HasSubstr("| `" + std::string(name) + "` |"));
    }
}

TEST_F(DocumentsTest, ExamplesOfTheReferenceLoad) {
    for (const char* name : {"ALICE_KEY", "BOB_KEY", "DEEPSEEK_API_KEY", "OPENAI_API_KEY"}) {
        environment_[name] = std::string("sk-") + name;
    }
    const std::string text = document("docs/configuration.md");
    constexpr std::string_view kBegin = "```yaml\n";
    std::size_t examples = 0;
    for (auto at = text.find(kBegin); at != std::string::npos; at = text.find(kBegin, at + 1)) {
        const auto begin = at + kBegin.size();
        file(text.substr(begin, text.find("```", begin) - begin));
        EXPECT_THAT(problems(), IsEmpty());
        ++examples;
    }
    EXPECT_EQ(examples, 2U);
}

}  // namespace
}  // namespace sluice::config
