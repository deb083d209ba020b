#pragma once

/// Byte-level byte-pair encoding: a piece of text to the tokens that are left when, as long as
/// there is one, the adjacent pair whose merge comes first in the vocabulary is merged, the
/// leftmost of several. Whatever the text, the time is about linear in its length, and a piece
/// needs little memory beyond its tokens.

#include "context/merges.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::context {

class Bpe {
public:
    /// What encoding needs for a while; kept by the caller to be used again for the next piece.
    class Scratch;

    /// Makes the tables for fast look-up: a few megabytes, in some ten milliseconds.
    explicit Bpe(const Merges& merges);

    /// The tokens of `piece`, which must not be empty, as numbers of Merges. The view is valid
    /// until `scratch` is used again.
    [[nodiscard]] std::span<const std::uint32_t> encode(std::string_view piece,
                                                        Scratch& scratch) const;

    [[nodiscard]] std::uint32_t first_id() const noexcept { return merges_.first_id(); }

private:
    static constexpr std::uint32_t kNone = UINT32_MAX;
    static constexpr std::size_t kShort = 96;     ///< up to here each merge looks through all pairs
    static constexpr std::size_t kWindow = 8192;  ///< up to here a piece is encoded in one go

    void add_text(std::uint32_t token);
    void add_pair(std::uint32_t token);
    [[nodiscard]] std::string_view text(std::uint32_t token) const noexcept;
    [[nodiscard]] std::uint32_t whole(std::string_view piece) const noexcept;
    [[nodiscard]] std::uint32_t merged(std::uint32_t left, std::uint32_t right) const noexcept;
    [[nodiscard]] std::uint32_t first_merge(std::string_view piece, std::size_t at) const noexcept;
    [[nodiscard]] bool may_stand_together(std::uint32_t left, std::uint32_t right) const noexcept;
    void encode_short(std::string_view piece, Scratch& scratch) const;
    void encode_window(std::string_view piece, Scratch& scratch) const;
    void encode_windows(std::string_view piece, Scratch& scratch) const;

    Merges merges_;
    std::string text_;                     ///< of all tokens, one behind another
    std::vector<std::uint32_t> begins_;    ///< of each token in text_, and the end
    std::vector<std::uint32_t> by_text_;   ///< hash table of tokens by their text
    std::vector<std::uint64_t> by_pair_;   ///< hash table of merged tokens by their pair
    std::vector<std::uint64_t> has_pair_;  ///< a bit for each pair's hash: it spares most look-ups
    std::vector<std::uint32_t> by_bytes_;  ///< merged tokens by the two bytes that they are
    std::array<std::uint32_t, 256> single_{};
};

class Bpe::Scratch {
    friend class Bpe;

    struct Node {
        std::uint32_t token = 0;
        std::uint32_t merge = 0;  ///< what it and the next one make
        std::uint32_t previous = 0;
        std::uint32_t next = 0;
    };
    std::vector<std::uint32_t> tokens_;  ///< the result
    std::vector<std::uint32_t> merge_;   ///< what each of tokens_ makes with its next
    std::vector<Node> nodes_;
    std::vector<std::uint64_t> heap_;   ///< merges that can be made, each above its place
    std::vector<std::uint32_t> taken_;  ///< from the windows before the present one
};

}  // namespace sluice::context
