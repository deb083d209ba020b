#include "context/tokenizer.h"

#include "context/embedded.h"
#include "context/merges.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

namespace sluice::context {
namespace {

using Ids = std::vector<std::uint32_t>;

constexpr std::array kVocabularies{Vocabulary::deepseek, Vocabulary::o200k, Vocabulary::cl100k};

std::string repeated(std::string_view unit, int times) {
    std::string text;
    while (times-- > 0) text += unit;
    return text;
}

Ids encoded(Vocabulary vocabulary, std::string_view text) {
    Ids ids;
    Tokenizer::of(vocabulary).encode(text, ids);
    return ids;
}

struct Case {
    std::string name;
    std::string text;
    std::array<Ids, kVocabularies.size()> ids;
};

std::string from_hex(std::string_view hex) {
    std::string bytes;
    for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
        unsigned byte = 0;
        std::from_chars(hex.data() + i, hex.data() + i + 2, byte, 16);
        bytes += static_cast<char>(byte);
    }
    return bytes;
}

/// The cases of tokenizer_corpus.txt, which tools/vocabularies/make_corpus.py wrote.
std::vector<Case> corpus() {
    const char* const root = std::getenv("SLUICE_SOURCE_DIR");
    std::ifstream file(std::string(root != nullptr ? root : ".") +
                       "/src/context/tokenizer_corpus.txt");
    const std::map<std::string, std::size_t> places{{"deepseek", 0}, {"o200k", 1}, {"cl100k", 2}};
    std::vector<Case> cases;
    for (std::string line; std::getline(file, line);) {
        std::istringstream words(line);
        std::string word;
        words >> word;
        if (word == "case") {
            words >> cases.emplace_back().name;
        } else if (word == "text") {
            std::string hex;
            words >> hex;
            cases.back().text = from_hex(hex);
        } else if (const auto place = places.find(word); place != places.end()) {
            for (std::uint32_t id = 0; words >> id;)
                cases.back().ids.at(place->second).push_back(id);
        }
    }
    return cases;
}

TEST(Tokenizer, TheIdsAreThoseOfTheReferences) {
    const std::vector<Case> cases = corpus();
    ASSERT_GE(cases.size(), 40U);
    for (const Case& one : cases) {
        for (std::size_t i = 0; i < kVocabularies.size(); ++i) {
            EXPECT_EQ(encoded(kVocabularies.at(i), one.text), one.ids.at(i))
                << one.name << ' ' << i;
        }
    }
}

TEST(Tokenizer, TheCountIsTheNumberOfIds) {
    for (const Case& one : corpus()) {
        for (std::size_t i = 0; i < kVocabularies.size(); ++i) {
            EXPECT_EQ(Tokenizer::of(kVocabularies.at(i)).count(one.text), one.ids.at(i).size())
                << one.name << ' ' << i;
        }
    }
}

TEST(Tokenizer, EncodingAppends) {
    Ids ids{7};

    Tokenizer::of(Vocabulary::cl100k).encode("Hello world", ids);

    EXPECT_THAT(ids, testing::ElementsAre(7, 9906, 1917));
}

TEST(Tokenizer, WhatSpellsASpecialTokenIsOrdinaryText) {
    EXPECT_THAT(encoded(Vocabulary::o200k, "<|endoftext|>"), testing::SizeIs(testing::Gt(3U)));
    EXPECT_THAT(encoded(Vocabulary::deepseek, "<｜User｜>"), testing::SizeIs(testing::Gt(2U)));
}

TEST(Tokenizer, BrokenUtf8CountsAsReplacementCharacters) {
    for (const Vocabulary vocabulary : kVocabularies) {
        EXPECT_EQ(encoded(vocabulary, "a\xFF\xE4\xBD z"), encoded(vocabulary, "a\uFFFD\uFFFD z"));
    }
}

/// Pieces that are longer than a window of Bpe's; the counts are the references' (make_corpus.py).
TEST(Tokenizer, LongPiecesAreExact) {
    const std::string letters = repeated(
        "qxjzkvwbpfyghmdlcrusnihtaoetqzxjkvbwpyfgmcldruhsnioateqjxzvkbwpgyfcmuldhrsnioatezqxj",
        360);
    const std::string cjk = repeated("自然语言处理是人工智能和语言学领域的分支学科", 360);
    const std::vector<std::pair<std::string, std::array<std::size_t, 3>>> cases{
        {repeated("a", 20000), {2500, 2500, 2500}}, {repeated(" ", 20001), {157, 157, 157}},
        {letters, {15840, 16560, 16560}},           {cjk, {3960, 5400, 8640}},
        {repeated("=", 20003), {314, 313, 314}},    {repeated("abba", 5000), {10000, 5000, 10000}},
    };
    for (const auto& [text, counts] : cases) {
        for (std::size_t i = 0; i < kVocabularies.size(); ++i) {
            EXPECT_EQ(Tokenizer::of(kVocabularies.at(i)).count(text), counts.at(i))
                << text.substr(0, 12) << ' ' << i;
        }
    }
}

/// Of this thread alone, however busy the machine is.
double processor_seconds() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

/// Sixteen times the text may take 64 times as long; quadratic behaviour would make it 256 times.
TEST(Tokenizer, TimeIsLinearInWhateverIsRepeated) {
    const auto time_of = [](const Tokenizer& tokenizer, const std::string& text) {
        const double begin = processor_seconds();
        EXPECT_GT(tokenizer.count(text), 0U);
        return processor_seconds() - begin;
    };
    for (const Vocabulary vocabulary : {Vocabulary::deepseek, Vocabulary::o200k}) {
        const Tokenizer& tokenizer = Tokenizer::of(vocabulary);
        for (const char* unit : {"a", "A", " ", "=", "qz", "\u0301", "\x01", "\xFF", "a\n"}) {
            const std::string text = repeated(unit, 2000);
            const double once = std::min(time_of(tokenizer, text), time_of(tokenizer, text));
            EXPECT_LT(time_of(tokenizer, repeated(unit, 32000)), 64 * once) << unit;
        }
    }
}

TEST(Tokenizer, SeveralThreadsMayMakeTheTablesAndCount) {
    std::vector<std::jthread> threads;
    threads.reserve(4);
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([] {
            for (const Vocabulary vocabulary : kVocabularies) {
                EXPECT_EQ(Tokenizer::of(vocabulary).count("Hello world"), 2U);
            }
        });
    }
}

/// Merging by the book, to which the references and we should come.
Ids merged_by_the_book(
    const Merges& merges,
    const std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint32_t>& ranks,
    std::string_view piece) {
    std::array<std::uint32_t, 256> single{};
    for (std::uint32_t token = 0; token < kSingleBytes; ++token)
        single.at(merges.byte(token)) = token;
    Ids tokens;
    for (const char c : piece) tokens.push_back(single.at(static_cast<unsigned char>(c)));
    while (true) {
        std::uint32_t lowest = UINT32_MAX;
        std::size_t at = 0;
        for (std::size_t i = 0; i + 1 < tokens.size(); ++i) {
            const auto found = ranks.find({tokens[i], tokens[i + 1]});
            if (found == ranks.end() || found->second >= lowest) continue;
            lowest = found->second;
            at = i;
        }
        if (lowest == UINT32_MAX) break;
        tokens[at] = lowest;
        tokens.erase(tokens.begin() + static_cast<std::ptrdiff_t>(at) + 1);
    }
    for (std::uint32_t& token : tokens) token += merges.first_id();
    return tokens;
}

TEST(Tokenizer, WordsOfEveryLengthAreMergedByTheBook) {
    const Merges merges(embedded_merges(Vocabulary::cl100k));
    std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint32_t> ranks;
    for (std::uint32_t token = kSingleBytes; token < merges.count(); ++token) {
        ranks[{merges.pair(token).left, merges.pair(token).right}] = token;
    }
    std::uint32_t random = 1;
    for (std::size_t length = 1; length < 400; length = length < 110 ? length + 1 : length + 37) {
        for (const std::string_view alphabet : {"ab", "etaoin", "abcdefghijklmnopqrstuvwxyz"}) {
            std::string word;
            while (word.size() < length) {
                random = random * 1664525 + 1013904223;
                word += alphabet[(random >> 16) % alphabet.size()];
            }
            ASSERT_EQ(encoded(Vocabulary::cl100k, word), merged_by_the_book(merges, ranks, word))
                << word;
        }
    }
}

}  // namespace
}  // namespace sluice::context
