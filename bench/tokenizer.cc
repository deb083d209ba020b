/// Counts the tokens of files, for bench/tokenizer.sh to time and for the differential test to
/// compare with the references:
///   bench_tokenizer rate VOCABULARY FILE...    megabytes a second of one thread, each file by
///   itself bench_tokenizer first VOCABULARY           milliseconds until the tables are made
///   bench_tokenizer ids VOCABULARY             standard input: 4 bytes of length (little-endian)
///   and
///                                              a text, over and over; output: the same with ids

#include "context/tokenizer.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

namespace {

using sluice::context::Tokenizer;
using sluice::context::Vocabulary;
using Clock = std::chrono::steady_clock;

double milliseconds_since(Clock::time_point begin) {
    return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

Vocabulary vocabulary_called(std::string_view name) {
    if (name == "deepseek") return Vocabulary::deepseek;
    return name == "cl100k" ? Vocabulary::cl100k : Vocabulary::o200k;
}

int first(Vocabulary vocabulary) {
    const Clock::time_point begin = Clock::now();
    const std::size_t tokens = Tokenizer::of(vocabulary).count("one");
    std::printf("%.1f ms until the first text was counted (%zu)\n", milliseconds_since(begin),
                tokens);
    return 0;
}

/// The best of several runs: what a load on the machine does to the others is not ours.
void rate(const Tokenizer& tokenizer, const char* path) {
    std::ifstream file(path, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    constexpr int kRuns = 7;
    double best = 1e9;
    std::size_t tokens = 0;
    for (int run = 0; run < kRuns; ++run) {
        const Clock::time_point begin = Clock::now();
        tokens = tokenizer.count(text);
        best = std::min(best, milliseconds_since(begin));
    }
    const double bytes = static_cast<double>(text.size());
    std::printf("%8.1f MB/s  %9zu bytes %8zu tokens  %s\n", bytes / best / 1e3, text.size(), tokens,
                path);
}

/// Ids of texts as they come, until the input ends.
int ids(const Tokenizer& tokenizer) {
    std::string text;
    std::vector<std::uint32_t> found;
    std::uint32_t size = 0;
    while (std::fread(&size, sizeof size, 1, stdin) == 1) {
        text.resize(size);
        if (std::fread(text.data(), 1, size, stdin) != size) return 1;
        found.clear();
        tokenizer.encode(text, found);
        const auto count = static_cast<std::uint32_t>(found.size());
        std::fwrite(&count, sizeof count, 1, stdout);
        std::fwrite(found.data(), sizeof count, count, stdout);
        std::fflush(stdout);
    }
    return 0;
}

}  // namespace

int main(int count, char** arguments) {
    if (count < 3) {
        std::fputs("usage: bench_tokenizer rate|first|ids VOCABULARY [FILE...]\n", stderr);
        return 2;
    }
    const std::string_view what = arguments[1];
    const Vocabulary vocabulary = vocabulary_called(arguments[2]);
    if (what == "first") return first(vocabulary);
    const Tokenizer& tokenizer = Tokenizer::of(vocabulary);
    if (what == "ids") return ids(tokenizer);
    for (int i = 3; i < count; ++i) rate(tokenizer, arguments[i]);
    return 0;
}
