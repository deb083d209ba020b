#include "upstream/embedded/gzip.h"

#include <array>
#include <cassert>

namespace sluice::upstream::embedded {
namespace {

constexpr std::string_view kHeader("\x1F\x8B\x08\0\0\0\0\0\0\xFF", 10);

void append_le(std::string& out, std::uint64_t value, unsigned bytes) {
    for (unsigned i = 0; i < bytes; ++i) out.push_back(static_cast<char>(value >> (8 * i) & 0xFFU));
}

std::uint32_t crc32(std::string_view data) noexcept {
    std::uint32_t crc = 0xFFFFFFFFU;
    for (const char c : data) {
        crc ^= static_cast<unsigned char>(c);
        for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1U) ^ ((crc & 1U) != 0 ? 0xEDB88320U : 0U);
    }
    return ~crc;
}

}  // namespace

std::string gzip_stored(std::string_view data) {
    assert(data.size() <= 0xFFFF);
    std::string out(kHeader);
    out.push_back('\x01');  // the last block, stored
    append_le(out, data.size(), 2);
    append_le(out, ~data.size(), 2);
    out.append(data);
    append_le(out, crc32(data), 4);
    append_le(out, data.size(), 4);
    return out;
}

/// One block with fixed codes: the literal 0 and then "258 bytes as the one before", which is 13
/// bits. The front holds the first of these, which brings it to a byte's end; eight more fill the
/// 13 bytes of the period.
GzipBomb gzip_bomb() {
    constexpr std::uint64_t kRepeats = 520'223;
    constexpr std::uint64_t kSize = 259 + kRepeats * 8 * 258;
    constexpr std::uint32_t kCrc = 0xC2BE5AFE;  // of kSize zeros, by zlib
    GzipBomb bomb;
    bomb.front = std::string(kHeader) + "\x63\x18\x05";
    bomb.period = "\xA3\x60\x14\x8C\x82\x51\x30\x0A\x46\xC1\x28\x18\x05";
    bomb.repeats = kRepeats;
    bomb.back.push_back('\0');  // the code for the block's end is seven zero bits
    append_le(bomb.back, kCrc, 4);
    append_le(bomb.back, kSize, 4);
    return bomb;
}

}  // namespace sluice::upstream::embedded
