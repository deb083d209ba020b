#include "context/tokenizer.h"

#include "context/bpe.h"
#include "context/characters.h"
#include "context/embedded.h"
#include "context/merges.h"
#include "context/split.h"
#include "context/utf8.h"

#include <string>
#include <utility>

namespace sluice::context {
namespace {

/// The tables are never taken down: threads may still count while the process ends.
template <Vocabulary vocabulary>
const Bpe& tables() {
    static const Bpe& bpe = *new Bpe(Merges(embedded_merges(vocabulary)));
    return bpe;
}

template <typename Cut, typename Take>
void each_piece(std::string_view text, const Characters& characters, Cut cut, Take take) {
    for (std::size_t begin = 0; begin < text.size();) {
        const std::size_t end = cut(characters, begin);
        take(text.substr(begin, end - begin));
        begin = end;
    }
}

/// Calls `take` with each piece of `text`.
template <typename Take>
void split(Vocabulary vocabulary, std::string_view text, Take take) {
    std::string repaired;
    if (!is_utf8(text)) text = repaired = repaired_utf8(text);
    const Characters characters(text, embedded_classes(vocabulary));
    switch (vocabulary) {
        case Vocabulary::deepseek: return each_piece(text, characters, deepseek_piece, take);
        case Vocabulary::o200k: return each_piece(text, characters, o200k_piece, take);
        case Vocabulary::cl100k: return each_piece(text, characters, cl100k_piece, take);
    }
    std::unreachable();
}

}  // namespace

const Tokenizer& Tokenizer::of(Vocabulary vocabulary) {
    switch (vocabulary) {
        case Vocabulary::deepseek: {
            static const Tokenizer deepseek_tokenizer(vocabulary, tables<Vocabulary::deepseek>());
            return deepseek_tokenizer;
        }
        case Vocabulary::o200k: {
            static const Tokenizer o200k_tokenizer(vocabulary, tables<Vocabulary::o200k>());
            return o200k_tokenizer;
        }
        case Vocabulary::cl100k: {
            static const Tokenizer cl100k_tokenizer(vocabulary, tables<Vocabulary::cl100k>());
            return cl100k_tokenizer;
        }
    }
    std::unreachable();
}

std::size_t Tokenizer::count(std::string_view text) const {
    Bpe::Scratch scratch;
    std::size_t tokens = 0;
    split(vocabulary_, text,
          [&](std::string_view piece) { tokens += bpe_.encode(piece, scratch).size(); });
    return tokens;
}

void Tokenizer::encode(std::string_view text, std::vector<std::uint32_t>& out) const {
    Bpe::Scratch scratch;
    split(vocabulary_, text, [&](std::string_view piece) {
        for (const std::uint32_t token : bpe_.encode(piece, scratch)) {
            out.push_back(token + bpe_.first_id());
        }
    });
}

}  // namespace sluice::context
