/// What the repository says about the configuration must be true of the code.

#include "config/dotenv.h"
#include "config/load_fixture.h"
#include "config/presets.h"
#include "config/schema.h"
#include "config/yaml.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <sstream>

namespace sluice::config {
namespace {

using testing::Contains;
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

    /// The rows of all tables whose first cell is code, from behind its backquote.
    static std::vector<std::string> rows(const std::string& text) {
        constexpr std::string_view kBegin = "| `";
        std::vector<std::string> found;
        std::istringstream lines(text);
        for (std::string line; std::getline(lines, line);) {
            if (line.starts_with(kBegin)) found.push_back(line.substr(kBegin.size()));
        }
        return found;
    }

    /// Every key of the file with its whole path.
    static std::vector<std::string> keys() {
        std::vector<std::string> all;
        for (const Schema& schema : kSchemas) {
            const std::string path = schema.path.empty() ? "" : std::string(schema.path) + ".";
            for (const std::string_view key : schema.keys) all.push_back(path + std::string(key));
        }
        return all;
    }

    static std::vector<std::string_view> variables() {
        std::vector<std::string_view> all(kVariables.begin(), kVariables.end());
        all.insert(all.end(), kPresetVariables.begin(), kPresetVariables.end());
        return all;
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
    for (const std::string_view name : variables()) {
        if (name == "HOME" || name == "STATE_DIRECTORY") continue;  // set by the system
        EXPECT_THAT(text, HasSubstr(std::string(name) + "="));
    }
}

TEST_F(DocumentsTest, ReferenceNamesEveryKeyAndVariable) {
    const std::string text = document("docs/configuration.md");
    for (const std::string& key : keys()) EXPECT_THAT(text, HasSubstr("| `" + key + "` |"));
    for (const std::string_view name : variables()) {
        EXPECT_THAT(text, HasSubstr("| `" + std::string(name) + "` |"));
    }
}

TEST_F(DocumentsTest, ReferenceNamesNoKeyThatIsUnknown) {
    const auto known = keys();
    for (const std::string& row : rows(document("docs/configuration.md"))) {
        const std::string name = row.substr(0, row.find('`'));
        if (!name.contains('.')) continue;
        EXPECT_THAT(known, Contains(name));
    }
}

TEST_F(DocumentsTest, ReferenceHasTheDefaultOfEveryFailure) {
    const std::string text = document("docs/configuration.md");
    const std::string reliability = document("docs/reliability.md");
    const FailureTable table;
    for (std::size_t i = 0; i < kFailureKinds; ++i) {
        const auto kind = static_cast<FailureKind>(i);
        std::string words = table[kind].retry ? "retry" : "";
        if (table[kind].fall_back) words += words.empty() ? "fall_back" : ", fall_back";
        EXPECT_THAT(text, HasSubstr("| `failures." + std::string(to_string(kind)) +
                                    "` | list | `[" + words + "]` |"));
        const auto row = reliability.find("| `" + std::string(to_string(kind)) + "` | ");
        ASSERT_NE(row, std::string::npos) << to_string(kind);
        const std::string line = reliability.substr(row, reliability.find('\n', row) - row);
        EXPECT_THAT(line, HasSubstr(std::string(" | ") + (table[kind].retry ? "yes" : "no") +
                                    " | " + (table[kind].fall_back ? "yes" : "no") + " | "));
    }
}

TEST_F(DocumentsTest, ExamplesOfTheDocumentsLoad) {
    for (const char* name :
         {"ALICE_KEY", "BOB_KEY", "CLAUDE_KEY", "DEEPSEEK_API_KEY", "GROQ_API_KEY", "MINE_KEY",
          "OPENAI_API_KEY", "OPENAI_KEY_1", "OPENAI_KEY_2", "OPENAI_SECOND_KEY"}) {
        environment_[name] = std::string("sk-") + name;
    }
    constexpr std::string_view kBegin = "```yaml\n";
    for (const char* path : {"docs/configuration.md", "docs/upstreams.md"}) {
        const std::string text = document(path);
        std::size_t examples = 0;
        for (auto at = text.find(kBegin); at != std::string::npos; at = text.find(kBegin, at + 1)) {
            const auto begin = at + kBegin.size();
            file(text.substr(begin, text.find("```", begin) - begin));
            EXPECT_THAT(problems(), IsEmpty()) << path;
            ++examples;
        }
        EXPECT_GE(examples, 3U) << path;
    }
}

/// What docs/upstreams.md has to say of a preset, between backquotes.
std::vector<std::string> changes_of(const Upstream& upstream) {
    std::vector<std::string> names{to_string(upstream.base_url)};
    const Transforms& transforms = upstream.transforms;
    const auto add_all = [&](const auto& items, auto name) {
        for (const auto& item : items) names.push_back(name(item));
    };
    const auto itself = [](const std::string& name) { return name; };
    add_all(transforms.reject, itself);
    add_all(transforms.drop, itself);
    for (const auto& renamings : {transforms.rename, transforms.roles}) {
        add_all(renamings, [](const Renaming& renaming) { return renaming.from; });
        add_all(renamings, [](const Renaming& renaming) { return renaming.to; });
    }
    const auto field = [](const auto& rule) { return rule.field; };
    add_all(transforms.defaults, field);
    add_all(transforms.force, field);
    add_all(transforms.clamp, field);
    for (const ModelAlias& alias : transforms.models) {
        names.push_back(alias.name);
        names.push_back(alias.model);
        add_all(alias.defaults, field);
        add_all(alias.force, field);
    }
    if (upstream.kind == UpstreamKind::openai &&
        upstream.paths.completions != Paths().completions) {
        names.push_back(upstream.paths.completions);
    }
    return names;
}

TEST_F(DocumentsTest, TableOfPresetsNamesWhatEachChanges) {
    const auto table = rows(document("docs/upstreams.md"));
    for (const Preset& preset : upstream_presets()) {
        const std::string name(preset.name);
        file("upstreams: {a: {preset: " + name + "}}\n");
        const Upstream upstream = loaded().upstreams["a"];
        const auto row = std::ranges::find_if(
            table, [&](const std::string& text) { return text.starts_with(name + "`"); });
        ASSERT_NE(row, table.end()) << name;
        for (const std::string& change : changes_of(upstream)) {
            EXPECT_THAT(*row, HasSubstr("`" + change + "`")) << name;
        }
        const bool refused = upstream.embeddings.token_arrays == Embeddings::TokenArrays::refuse;
        EXPECT_EQ(row->contains("token arrays refused"), refused) << name;
        const bool floats = upstream.embeddings.encoding == Embeddings::Encoding::number_lists;
        EXPECT_EQ(row->contains("asked for as float"), floats) << name;
        const bool patient = upstream.timeouts.first_byte == Milliseconds(600'000);
        EXPECT_EQ(row->contains("first byte 600 s"), patient) << name;
        const std::size_t batch = upstream.embeddings.max_batch;
        const bool usual = batch == Embeddings().max_batch;
        EXPECT_TRUE(usual || row->contains(std::to_string(batch) + " at once")) << name;
    }
}

TEST_F(DocumentsTest, TableOfPresetsClaimsNoMoreThanTheyDo) {
    const auto table = rows(document("docs/upstreams.md"));
    for (const Preset& preset : upstream_presets()) {
        const auto row = std::ranges::find_if(table, [&](const std::string& text) {
            return text.starts_with(std::string(preset.name) + "`");
        });
        ASSERT_NE(row, table.end());
        const bool drops = preset.text.contains("drop:");
        EXPECT_EQ(row->contains("drops `"), drops) << preset.name;
        EXPECT_EQ(row->contains("renames `"), preset.text.contains("rename:")) << preset.name;
    }
}

TEST_F(DocumentsTest, TableOfAbilitiesNamesWhatEachPresetStates) {
    const std::string text = document("docs/upstreams.md");
    const auto begin = text.find("| preset | abilities |");
    ASSERT_NE(begin, std::string::npos);
    const auto table = rows(text.substr(begin, text.find("\n\n", begin) - begin));
    for (const Preset& preset : upstream_presets()) {
        std::vector<Problem> problems;
        const NodePtr keys = parse_yaml(preset.text, "preset", problems);
        const auto stated = std::ranges::find(keys->entries, "abilities", &Entry::key);
        if (stated == keys->entries.end()) continue;
        const std::string name = std::string(preset.name) + "`";
        const auto row = std::ranges::find_if(table, [&](const std::string& line) {
            const std::string first = line.substr(0, line.find(" | "));
            return first.starts_with(name) || first.contains("`" + name);
        });
        ASSERT_NE(row, table.end()) << name;
        for (const Entry& entry : stated->value->entries) {
            EXPECT_THAT(*row, HasSubstr("`" + entry.key)) << name;
        }
    }
}

TEST_F(DocumentsTest, TableOfPresetsToServeIsComplete) {
    const auto table = rows(document("docs/configuration.md"));
    for (const Preset& preset : serve_presets()) {
        EXPECT_TRUE(std::ranges::any_of(table, [&](const std::string& row) {
            return row.starts_with(std::string(preset.name) + "` | ");
        })) << preset.name;
    }
}

}  // namespace
}  // namespace sluice::config
