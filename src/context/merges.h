#pragma once

/// A vocabulary's file (NAME.bpe) read where it lies. Tokens are numbered from 0 here: the single
/// bytes first, then the merged ones in the order in which the merges are made.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace sluice::context {

inline constexpr std::uint32_t kSingleBytes = 256;

class Merges {
public:
    struct Pair {
        std::uint32_t left = 0;
        std::uint32_t right = 0;
    };

    /// `file` must outlive it, and be one that tools/vocabularies/generate.py wrote.
    explicit Merges(std::span<const unsigned char> file) noexcept
        : count_(number<std::uint32_t>(file, 4)),
          first_id_(number<std::uint32_t>(file, 8)),
          width_(number<std::uint16_t>(file, 12)),
          longest_(number<std::uint16_t>(file, 14)),
          bytes_(file.subspan(16, kSingleBytes)),
          pairs_(file.subspan(16 + kSingleBytes)) {}

    [[nodiscard]] std::uint32_t count() const noexcept { return count_; }
    /// What is to be added to a number to have the id that the model knows.
    [[nodiscard]] std::uint32_t first_id() const noexcept { return first_id_; }
    [[nodiscard]] std::size_t longest() const noexcept { return longest_; }

    /// The byte that is the token `token` < kSingleBytes.
    [[nodiscard]] unsigned char byte(std::uint32_t token) const noexcept { return bytes_[token]; }

    /// The two that the token `token` >= kSingleBytes is merged from.
    [[nodiscard]] Pair pair(std::uint32_t token) const noexcept {
        const std::size_t bit = std::size_t{token - kSingleBytes} * 2 * width_;
        const std::uint64_t mask = (1ULL << width_) - 1;
        const std::uint64_t bits = number<std::uint64_t>(pairs_, bit / 8) >> bit % 8;
        return {.left = static_cast<std::uint32_t>(bits & mask),
                .right = static_cast<std::uint32_t>(bits >> width_ & mask)};
    }

private:
    template <class T>
    static T number(std::span<const unsigned char> from, std::size_t at) noexcept {
        T value{};
        std::memcpy(&value, from.subspan(at, sizeof value).data(), sizeof value);
        return value;
    }

    std::uint32_t count_;
    std::uint32_t first_id_;
    std::uint32_t width_;
    std::size_t longest_;
    std::span<const unsigned char> bytes_;
    std::span<const unsigned char> pairs_;
};

}  // namespace sluice::context
