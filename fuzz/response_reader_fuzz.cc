/// Property: how the bytes are cut must not change what is read. The first byte chooses the cut and
/// whether a HEAD request is answered.

#include "net/http1/testing.h"

#include <cstdint>
#include <cstdlib>

namespace {

namespace testing = sluice::net::http1::testing;
using sluice::net::http1::Limits;
using sluice::net::http1::Progress;
using sluice::net::http1::ResponseReader;

testing::Outcome outcome_of(std::string_view bytes, std::size_t piece, bool head_request) {
    constexpr Limits kLimits{.head_bytes = 512,
                             .line_bytes = 128,
                             .fields = 12,
                             .chunk_line_bytes = 32,
                             .body_bytes = UINT64_MAX};
    ResponseReader reader(kLimits);
    reader.expect(head_request);
    auto outcome = testing::read_in_pieces(reader, bytes, piece, 1);
    if (outcome.progress == Progress::need_more) {
        outcome.seen += reader.read_eof() == Progress::done ? "ended" : "truncated";
    }
    return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::string bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
    const std::size_t piece = std::size_t{data[0]} % 17 + 1;
    const bool head_request = data[0] >= 0xF0;
    if (outcome_of(bytes, bytes.size() + 1, head_request) !=
        outcome_of(bytes, piece, head_request)) {
        std::abort();
    }
    return 0;
}
