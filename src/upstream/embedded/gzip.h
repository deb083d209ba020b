#pragma once

/// Just enough of gzip (RFC 1951, 1952) for the faults: a stored block, and a bomb.

#include <cstdint>
#include <string>
#include <string_view>

namespace sluice::upstream::embedded {

/// `data`, at most 65,535 bytes, as a gzip file that a decoder restores; nothing is compressed.
[[nodiscard]] std::string gzip_stored(std::string_view data);

/// Just under a gibibyte of zeros in 6.8 MB: front, then `repeats` times the period, then back.
struct GzipBomb {
    std::string front;
    std::string period;
    std::uint64_t repeats = 0;
    std::string back;
};
[[nodiscard]] GzipBomb gzip_bomb();

}  // namespace sluice::upstream::embedded
