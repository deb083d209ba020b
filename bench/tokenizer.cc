/// Counts the tokens of files, for bench/tokenizer.sh to time and for the differential test to
/// compare with the references. NAME is of a vocabulary:
///   bench_tokenizer rate NAME FILE...   megabytes a second of one thread, each file by itself
///   bench_tokenizer first NAME          milliseconds until the tables are made
///   bench_tokenizer ids NAME            reads texts, each behind its length in 4 bytes, and writes
///                                       their ids likewise

#include "context/tokenizer.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

namespace {

using sluice::context::Tokenizer;
using sluice::context::Vocabulary;

/// Of this thread's own time: what a load on the machine takes is not ours.
double milliseconds() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

Vocabulary vocabulary_called(std::string_view name) {
    if (name == "deepseek") return Vocabulary::deepseek;
    return name == "cl100k" ? Vocabulary::cl100k : Vocabulary::o200k;
}

int first(Vocabulary vocabulary) {
    const double begin = milliseconds();
    const std::size_t tokens = Tokenizer::of(vocabulary).count("one");
    std::printf("%.1f ms until the first text was counted (%zu)\n", milliseconds() - begin, tokens);
    return 0;
}

/// The best of several runs.
void rate(const Tokenizer& tokenizer, const char* path) {
    std::ifstream file(path, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    constexpr int kRuns = 7;
    double best = 1e9;
    std::size_t tokens = 0;
    for (int run = 0; run < kRuns; ++run) {
        const double begin = milliseconds();
        tokens = tokenizer.count(text);
        best = std::min(best, milliseconds() - begin);
    }
    const auto bytes = static_cast<double>(text.size());
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
