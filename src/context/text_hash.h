#pragma once

/// A fast hash of short texts, for tables whose content is fixed: nobody can fill them with
/// collisions, so it needs no secret.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace sluice::context {

[[nodiscard]] inline std::uint64_t text_hash(std::string_view text) noexcept {
    constexpr std::uint64_t kFactor = 0x9E3779B97F4A7C15ULL;
    const std::size_t size = text.size();
    const char* const data = text.data();
    const auto four = [&](std::size_t at) {
        std::uint32_t bytes = 0;
        std::memcpy(&bytes, data + at, sizeof bytes);
        return std::uint64_t{bytes};
    };
    const auto mix = [](std::uint64_t hash, std::uint64_t bytes) {
        hash = (hash ^ bytes) * kFactor;
        return hash ^ hash >> 32;
    };
    const std::uint64_t seed = size * kFactor;
    if (size < 4) {
        std::uint64_t bytes = 0;
        for (const char c : text) bytes = bytes << 8 | static_cast<unsigned char>(c);
        return mix(seed, bytes);
    }
    if (size < 8) return mix(seed, four(0) << 32 | four(size - 4));
    std::uint64_t hash = seed;
    const auto eight = [&](std::size_t at) { return four(at) | four(at + 4) << 32; };
    for (std::size_t at = 0; at + 8 <= size; at += 8) hash = mix(hash, eight(at));
    return size % 8 == 0 ? hash : mix(hash, eight(size - 8));
}

}  // namespace sluice::context
