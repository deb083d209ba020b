#include "context/bpe.h"

#include "context/text_hash.h"

#include <algorithm>
#include <bit>

namespace sluice::context {
namespace {

// A slot of by_text_ is a token with the top bits of its text's hash above it, a slot of by_pair_
// is a token with its pair above it. All vocabularies have fewer tokens than kTokenBits can tell.
constexpr unsigned kTokenBits = 18;
constexpr std::uint32_t kTokenMask = (1U << kTokenBits) - 1;
constexpr std::uint32_t kNoText = UINT32_MAX;
constexpr std::uint64_t kNoPair = UINT64_MAX;

constexpr std::uint32_t tag(std::uint64_t hash) noexcept {
    return static_cast<std::uint32_t>(hash >> 32) & ~kTokenMask;
}

constexpr std::uint64_t key(std::uint32_t left, std::uint32_t right) noexcept {
    return std::uint64_t{left} << kTokenBits | right;
}

constexpr std::size_t pair_hash(std::uint64_t key) noexcept {
    return static_cast<std::size_t>(key * 0x9E3779B97F4A7C15ULL >> 32);
}

/// The place of the two bytes from `at` in by_bytes_.
std::size_t two_bytes(std::string_view text, std::size_t at) noexcept {
    return std::size_t{static_cast<unsigned char>(text[at])} << 8 |
           static_cast<unsigned char>(text[at + 1]);
}

/// Where the lowest of the `count` numbers is, the first of several.
std::size_t lowest(const std::uint32_t* numbers, std::size_t count) noexcept {
    std::size_t at = 0;
    for (std::size_t i = 1; i < count; ++i) at = numbers[i] < numbers[at] ? i : at;
    return at;
}

}  // namespace

Bpe::Bpe(const Merges& merges)
    : merges_(merges),
      by_text_(std::bit_ceil(std::size_t{merges.count()} * 2), kNoText),
      by_pair_(std::bit_ceil(std::size_t{merges.count()} * 5 / 4), kNoPair),
      has_pair_(std::bit_ceil(std::size_t{merges.count()} * 8) / 64),
      by_bytes_(std::size_t{1} << 16, kNone) {
    begins_.reserve(std::size_t{merges.count()} + 1);
    text_.reserve(std::size_t{merges.count()} * 8);
    begins_.push_back(0);
    for (std::uint32_t token = 0; token < merges.count(); ++token) {
        if (token < kSingleBytes) {
            single_[merges.byte(token)] = token;
            text_ += static_cast<char>(merges.byte(token));
        } else {
            const Merges::Pair pair = merges.pair(token);
            text_ += text(pair.left);
            text_ += text(pair.right);
        }
        begins_.push_back(static_cast<std::uint32_t>(text_.size()));
        add_text(token);
        if (token >= kSingleBytes) add_pair(token);
    }
    text_.shrink_to_fit();
}

void Bpe::add_text(std::uint32_t token) {
    const std::uint64_t hash = text_hash(text(token));
    const std::size_t mask = by_text_.size() - 1;
    std::size_t slot = hash & mask;
    while (by_text_[slot] != kNoText) slot = (slot + 1) & mask;
    by_text_[slot] = tag(hash) | token;
}

void Bpe::add_pair(std::uint32_t token) {
    const auto [left, right] = merges_.pair(token);
    if (text(token).size() == 2) by_bytes_[two_bytes(text(token), 0)] = token;
    const std::size_t hash = pair_hash(key(left, right));
    const std::size_t bit = hash & (has_pair_.size() * 64 - 1);
    has_pair_[bit / 64] |= 1ULL << bit % 64;
    const std::size_t mask = by_pair_.size() - 1;
    std::size_t slot = hash & mask;
    while (by_pair_[slot] != kNoPair) slot = (slot + 1) & mask;
    by_pair_[slot] = key(left, right) << kTokenBits | token;
}

std::string_view Bpe::text(std::uint32_t token) const noexcept {
    return {text_.data() + begins_[token], begins_[token + 1] - begins_[token]};
}

/// The token whose text `piece` is. Merging would come to it as well: generate.py makes sure of it.
std::uint32_t Bpe::whole(std::string_view piece) const noexcept {
    if (piece.size() > merges_.longest()) return kNone;
    const std::uint64_t hash = text_hash(piece);
    const std::size_t mask = by_text_.size() - 1;
    for (std::size_t slot = hash & mask; by_text_[slot] != kNoText; slot = (slot + 1) & mask) {
        if ((by_text_[slot] & ~kTokenMask) != tag(hash)) continue;
        const std::uint32_t token = by_text_[slot] & kTokenMask;
        if (text(token) == piece) return token;
    }
    return kNone;
}

/// What the two are merged to, which is also the rank of that merge; kNone where there is none.
std::uint32_t Bpe::merged(std::uint32_t left, std::uint32_t right) const noexcept {
    const std::uint64_t wanted = key(left, right);
    const std::size_t hash = pair_hash(wanted);
    const std::size_t bit = hash & (has_pair_.size() * 64 - 1);
    if ((has_pair_[bit / 64] >> bit % 64 & 1) == 0) return kNone;
    const std::size_t mask = by_pair_.size() - 1;
    for (std::size_t slot = hash & mask; by_pair_[slot] != kNoPair; slot = (slot + 1) & mask) {
        if (by_pair_[slot] >> kTokenBits != wanted) continue;
        return static_cast<std::uint32_t>(by_pair_[slot]) & kTokenMask;
    }
    return kNone;
}

/// What the byte at `at` and the next one are merged to.
std::uint32_t Bpe::first_merge(std::string_view piece, std::size_t at) const noexcept {
    return at + 1 < piece.size() ? by_bytes_[two_bytes(piece, at)] : kNone;
}

std::span<const std::uint32_t> Bpe::encode(std::string_view piece, Scratch& scratch) const {
    scratch.tokens_.clear();
    if (const std::uint32_t token = whole(piece); token != kNone) {
        scratch.tokens_.push_back(token);
    } else if (piece.size() <= kShort) {
        encode_short(piece, scratch);
    } else if (piece.size() <= kWindow) {
        encode_window(piece, scratch);
    } else {
        encode_windows(piece, scratch);
    }
    return scratch.tokens_;
}

/// Looks through all pairs for each merge: of few tokens that is faster than a heap.
void Bpe::encode_short(std::string_view piece, Scratch& scratch) const {
    std::size_t count = piece.size();
    scratch.tokens_.resize(count);
    scratch.merge_.resize(count);
    std::uint32_t* const tokens = scratch.tokens_.data();
    std::uint32_t* const merge = scratch.merge_.data();
    for (std::size_t i = 0; i < count; ++i) {
        tokens[i] = single_[static_cast<unsigned char>(piece[i])];
        merge[i] = first_merge(piece, i);
    }
    while (true) {
        const std::size_t at = lowest(merge, count);
        if (merge[at] == kNone) break;
        tokens[at] = merge[at];
        std::copy(tokens + at + 2, tokens + count, tokens + at + 1);
        std::copy(merge + at + 2, merge + count, merge + at + 1);
        --count;
        merge[at] = at + 1 < count ? merged(tokens[at], tokens[at + 1]) : kNone;
        if (at > 0) merge[at - 1] = merged(tokens[at - 1], tokens[at]);
    }
    scratch.tokens_.resize(count);
}

}  // namespace sluice::context
