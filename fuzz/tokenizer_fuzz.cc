/// Properties, for each vocabulary: the count is the number of ids; the ids' texts joined are the
/// text (repaired, where it is not UTF-8).

#include "context/embedded.h"
#include "context/merges.h"
#include "context/tokenizer.h"
#include "context/utf8.h"

#include <array>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace {

using sluice::context::Vocabulary;

void check(bool holds) {
    if (!holds) std::abort();
}

/// The text of every token, by the definition of a vocabulary's file.
std::vector<std::string> texts(Vocabulary vocabulary) {
    const sluice::context::Merges merges(sluice::context::embedded_merges(vocabulary));
    std::vector<std::string> found;
    for (std::uint32_t token = 0; token < merges.count(); ++token) {
        if (token < sluice::context::kSingleBytes) {
            found.emplace_back(1, static_cast<char>(merges.byte(token)));
        } else {
            const auto [left, right] = merges.pair(token);
            found.push_back(found[left] + found[right]);
        }
    }
    return found;
}

void check_vocabulary(Vocabulary vocabulary, const std::vector<std::string>& texts,
                      std::string_view text) {
    const auto& tokenizer = sluice::context::Tokenizer::of(vocabulary);
    const std::uint32_t first =
        sluice::context::Merges(sluice::context::embedded_merges(vocabulary)).first_id();
    std::vector<std::uint32_t> ids;
    tokenizer.encode(text, ids);
    check(tokenizer.count(text) == ids.size());
    std::string joined;
    for (const std::uint32_t id : ids) joined += texts.at(id - first);
    check(joined == sluice::context::repaired_utf8(text));
    check(sluice::context::is_utf8(joined));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    constexpr std::array kVocabularies{Vocabulary::deepseek, Vocabulary::o200k, Vocabulary::cl100k};
    static const std::array<std::vector<std::string>, 3> kTexts{
        texts(kVocabularies[0]), texts(kVocabularies[1]), texts(kVocabularies[2])};
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    for (std::size_t i = 0; i < kVocabularies.size(); ++i) {
        check_vocabulary(kVocabularies[i], kTexts[i], text);
    }
    return 0;
}
