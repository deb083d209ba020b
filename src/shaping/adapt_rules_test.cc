/// What is written of the rules must be true of the code, and the other way round.

#include "shaping/adapt.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

namespace sluice::shaping {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::SizeIs;

class ChangeRules : public testing::Test {
protected:
    static std::filesystem::path root() {
        const char* const root = std::getenv("SLUICE_SOURCE_DIR");
        return root == nullptr ? "." : root;
    }

    static std::string content(const std::filesystem::path& path) {
        const std::ifstream in(path);
        std::ostringstream text;
        text << in.rdbuf();
        EXPECT_FALSE(text.str().empty()) << path << " under SLUICE_SOURCE_DIR";
        return text.str();
    }

    /// What looks like a rule between two `quote`s.
    static std::set<std::string> rules_in(const std::string& text, const std::string& quote) {
        const std::regex rule(
            quote + "((?:add|clamp|default|downgrade|drop|fold|move|pass|rename|sort)\\.[a-z_]+)" +
            quote);
        std::set<std::string> found;
        for (std::sregex_iterator at(text.begin(), text.end(), rule), end; at != end; ++at) {
            found.insert((*at)[1]);
        }
        return found;
    }

    /// The rules that the sources of a folder name.
    static std::set<std::string> rules_of(const std::string& folder) {
        std::set<std::string> found;
        for (const auto& entry :
             std::filesystem::recursive_directory_iterator(root() / "src" / folder)) {
            const std::string name = entry.path().filename();
            if (!name.ends_with(".cc") || name.ends_with("_test.cc")) continue;
            found.merge(rules_in(content(entry.path()), "\""));
        }
        return found;
    }
};

TEST_F(ChangeRules, EachIsNamedOnce) {
    EXPECT_THAT(std::set(kChangeRules.begin(), kChangeRules.end()), SizeIs(kChangeRules.size()));
}

TEST_F(ChangeRules, EachIsUsed) {
    auto used = rules_of("shaping");
    used.merge(rules_of("dialect"));
    for (const std::string_view rule : kChangeRules) EXPECT_THAT(used, Contains(rule));
}

TEST_F(ChangeRules, TheWritersUseNoOther) {
    for (const std::string& rule : rules_of("dialect")) EXPECT_THAT(kChangeRules, Contains(rule));
}

TEST_F(ChangeRules, TheDocumentHasARowForEach) {
    const std::string text = content(root() / "docs/dialects.md");
    for (const std::string_view rule : kChangeRules) {
        EXPECT_THAT(text, HasSubstr("\n| `" + std::string(rule) + "` | "));
    }
}

TEST_F(ChangeRules, TheDocumentNamesNoOther) {
    for (const std::string& rule : rules_in(content(root() / "docs/dialects.md"), "`")) {
        EXPECT_THAT(kChangeRules, Contains(rule));
    }
}

}  // namespace
}  // namespace sluice::shaping
