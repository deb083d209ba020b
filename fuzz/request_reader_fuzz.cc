/// Properties: how the bytes are cut must not change what is read, and what we take Beast takes and
/// reads the same way. The first byte chooses the cut.

#include "net/http1/beast_oracle.h"
#include "net/http1/testing.h"

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <iostream>

namespace {

namespace testing = sluice::net::http1::testing;
using sluice::net::http1::Limits;
using sluice::net::http1::Progress;
using sluice::net::http1::RequestReader;

/// Small, so that the fuzzer reaches the limits.
constexpr Limits kLimits{.head_bytes = 512,
                         .line_bytes = 128,
                         .target_bytes = 64,
                         .fields = 12,
                         .chunk_line_bytes = 32,
                         .body_bytes = 4096};

void check_against_beast(std::string_view bytes) {
    while (bytes.starts_with("\r\n")) bytes.remove_prefix(2);  // Beast knows no empty lines
    RequestReader reader(kLimits);
    if (reader.read_head(bytes) != Progress::done) return;
    const testing::BeastRequest beast(bytes.substr(0, reader.head_size()));
    if (const auto difference = beast.difference(reader.head()); !difference.empty()) {
        std::cerr << difference << '\n';
        std::abort();
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::string bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
    const std::size_t piece = std::size_t{data[0]} % 17 + 1;
    RequestReader whole(kLimits);
    RequestReader cut(kLimits);
    if (testing::read_in_pieces(whole, bytes, bytes.size() + 1) !=
        testing::read_in_pieces(cut, bytes, piece)) {
        std::abort();
    }
    check_against_beast(bytes);
    return 0;
}
