#include "config/yaml.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

struct Parsed {
    NodePtr root;
    std::vector<std::string> problems;
};

Parsed parse(std::string_view text) {
    std::vector<Problem> problems;
    Parsed parsed{.root = parse_yaml(text, "f", problems), .problems = {}};
    for (const Problem& problem : problems) parsed.problems.push_back(to_string(problem));
    return parsed;
}

TEST(Yaml, EveryValueKnowsItsLine) {
    const auto [root, problems] = parse("a: 1\nb:\n  - x\n  - 'y'\nc: {d: ~}\n");

    ASSERT_TRUE(root && problems.empty());
    ASSERT_EQ(root->entries.size(), 3U);
    EXPECT_EQ(root->entries[0].value->text, "1");
    EXPECT_EQ(root->entries[1].place.line, 2);
    EXPECT_EQ(root->entries[1].value->items[1]->text, "y");
    EXPECT_EQ(root->entries[1].value->items[1]->place.line, 4);
    EXPECT_EQ(root->entries[2].value->entries[0].value->kind, Node::Kind::null);
}

TEST(Yaml, EmptyTextIsAnEmptyMap) {
    for (const char* text : {"", "\n", "# nothing\n", "---\n", "~"}) {
        const auto [root, problems] = parse(text);
        ASSERT_TRUE(root) << text;
        EXPECT_EQ(root->kind, Node::Kind::map);
        EXPECT_TRUE(root->entries.empty() && problems.empty());
    }
}

TEST(Yaml, AliasStandsForWhatItNames) {
    const auto [root, problems] = parse("a: &x {k: v}\nb: *x\n");

    ASSERT_TRUE(root && problems.empty());
    EXPECT_EQ(root->entries[1].value->entries[0].value->text, "v");
}

TEST(Yaml, DuplicateKeyIsReportedAndTheFirstCounts) {
    const auto [root, problems] = parse("a: 1\nb:\n  c: 1\n  c: 2\na: 3\n");

    EXPECT_THAT(problems, ElementsAre(HasSubstr("f:4: `c` is there a second time"),
                                      HasSubstr("f:5: `a` is there a second time")));
    EXPECT_EQ(root->entries[0].value->text, "1");
}

TEST(Yaml, WhatIsNoTreeIsReportedWithItsLine) {
    EXPECT_THAT(parse("a: 1\nb: [1\nc: }\n").problems, ElementsAre(HasSubstr("f:")));
    EXPECT_THAT(parse("a: 1\n\tb: 2\n").problems, ElementsAre(HasSubstr("f:2: not YAML")));
    EXPECT_THAT(parse("- a\n").problems, ElementsAre(HasSubstr("f:1: not a map")));
    EXPECT_THAT(parse("a: *b\n").problems, ElementsAre(HasSubstr("f:1: not YAML")));
    EXPECT_THAT(parse("a: &b [*b]\n").problems, ElementsAre(HasSubstr("f:1: ")));
    EXPECT_THAT(parse("a: 1\n---\nb: 2\n").problems,
                ElementsAre(HasSubstr("f:3: a second document")));
    EXPECT_FALSE(parse("- a\n").root);
}

TEST(Yaml, TagAndKeyThatIsNoTextAreReported) {
    EXPECT_THAT(parse("a: !x 1\n").problems, ElementsAre(HasSubstr("f:1: the tag `!x`")));
    EXPECT_THAT(parse("[1, 2]: 3\n").problems, ElementsAre(HasSubstr("f:1: a key is not text")));
    EXPECT_THAT(parse("? ~\n: 3\n").problems, ElementsAre(HasSubstr("a key is not text")));
}

TEST(Yaml, AliasBombIsRefused) {
    std::string bomb = "a: &a [x, x, x, x, x, x, x, x, x, x]\n";
    for (char name = 'b'; name < 'k'; ++name) {
        const auto previous = static_cast<char>(name - 1);
        bomb += std::string(1, name) + ": &" + name + " [";
        for (int i = 0; i < 10; ++i) bomb += std::string(i ? ", *" : "*") + previous;
        bomb += "]\n";
    }
    const auto [root, problems] = parse(bomb);

    EXPECT_FALSE(root);
    EXPECT_THAT(problems, ElementsAre(HasSubstr("more than 100000 values")));
}

TEST(Yaml, DeepNestingIsRefused) {
    EXPECT_FALSE(parse("a: " + std::string(100'000, '[')).root);
    EXPECT_FALSE(parse("a: " + std::string(100'000, '{')).root);
}

TEST(Yaml, EveryPrefixOfADocumentIsEitherReadOrRefused) {
    const std::string text = "a: &x {k: 'v', l: [1, ~, \"\\n\"]}\nb: *x\nc: |\n  text\n? d\n: e\n";
    for (std::size_t length = 0; length <= text.size(); ++length) {
        const auto [root, problems] = parse(text.substr(0, length));
        EXPECT_TRUE(root || !problems.empty()) << length;
    }
}

TEST(Yaml, MergeJoinsMapsAndReplacesTheRest) {
    const NodePtr base = parse("a: {x: 1, y: 2}\nb: [1, 2]\nc: 1\n").root;
    const NodePtr over = parse("a: {y: 3, z: 4}\nb: [9]\nc:\nd: 5\n").root;

    const NodePtr merged = merge(base, over);

    ASSERT_EQ(merged->entries.size(), 4U);
    const Node& a = *merged->entries[0].value;
    ASSERT_EQ(a.entries.size(), 3U);
    EXPECT_EQ(a.entries[0].value->text, "1");
    EXPECT_EQ(a.entries[1].value->text, "3");
    EXPECT_EQ(merged->entries[1].value->items.size(), 1U);
    EXPECT_EQ(merged->entries[2].value->text, "1");
    EXPECT_EQ(base->entries.size(), 3U);
}

}  // namespace
}  // namespace sluice::config
