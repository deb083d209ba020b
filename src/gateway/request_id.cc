#include "gateway/request_id.h"

#include "base/text.h"
#include "net/digest.h"

#include <array>
#include <cstring>

namespace sluice::gateway {
namespace {

/// A bijection that spreads a counter over all 64 bits (the finalizer of SplitMix64).
std::uint64_t spread(std::uint64_t value) {
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9U;
    value = (value ^ (value >> 27)) * 0x94d049bb133111ebU;
    return value ^ (value >> 31);
}

}  // namespace

RequestIds::RequestIds() {
    std::array<std::uint8_t, 16> seed{};
    net::random_bytes(seed);
    std::memcpy(&prefix_, seed.data(), 8);
    std::memcpy(&counter_, seed.data() + 8, 8);
}

std::string RequestIds::next() {
    std::string id("req_0123456789abcdef0123456789abcdef");
    write_hex(id.data() + 4, prefix_);
    write_hex(id.data() + 20, spread(++counter_));
    return id;
}

}  // namespace sluice::gateway
