#include "context/bpe.h"

#include <algorithm>
#include <functional>

namespace sluice::context {

/// Merges by a heap and a linked list.
void Bpe::encode_window(std::string_view piece, Scratch& scratch) const {
    auto& nodes = scratch.nodes_;
    auto& heap = scratch.heap_;
    const auto count = static_cast<std::uint32_t>(piece.size());
    const auto entry = [&](std::uint32_t at) { return std::uint64_t{nodes[at].merge} << 32 | at; };
    nodes.resize(count);
    heap.clear();
    for (std::uint32_t i = 0; i < count; ++i) {
        nodes[i] = {.token = single_[static_cast<unsigned char>(piece[i])],
                    .merge = first_merge(piece, i),
                    .previous = i - 1,
                    .next = i + 1};
        if (nodes[i].merge != kNone) heap.push_back(entry(i));
    }
    std::ranges::make_heap(heap, std::greater<>{});
    const auto look_up = [&](std::uint32_t at) {
        Scratch::Node& node = nodes[at];
        node.merge = node.next == count ? kNone : merged(node.token, nodes[node.next].token);
        if (node.merge == kNone) return;
        heap.push_back(entry(at));
        std::ranges::push_heap(heap, std::greater<>{});
    };
    while (!heap.empty()) {
        const auto at = static_cast<std::uint32_t>(heap.front());
        const auto merge = static_cast<std::uint32_t>(heap.front() >> 32);
        std::ranges::pop_heap(heap, std::greater<>{});
        heap.pop_back();
        Scratch::Node& node = nodes[at];
        if (node.merge != merge) continue;  // one of the two has been merged meanwhile
        node.token = merge;
        nodes[node.next].merge = kNone;
        node.next = nodes[node.next].next;
        if (node.next != count) nodes[node.next].previous = at;
        look_up(at);
        if (at != 0) look_up(node.previous);
    }
    scratch.tokens_.clear();
    for (std::uint32_t i = 0; i != count; i = nodes[i].next) {
        scratch.tokens_.push_back(nodes[i].token);
    }
}

/// Whether the two stay apart when the text of both is encoded. The merges that made them are
/// undone one after another, the last one first: whatever tokens were neighbours at some time must
/// not have had a merge that comes before the one which parted them. Among equals the left one
/// comes first.
bool Bpe::may_stand_together(std::uint32_t left, std::uint32_t right) const noexcept {
    std::uint32_t parted_by = kNone;
    while (merged(left, right) >= parted_by) {
        if (left < kSingleBytes && right < kSingleBytes) return true;
        if (left > right) {
            parted_by = left;
            left = merges_.pair(left).right;
        } else {
            parted_by = right + 1;
            right = merges_.pair(right).left;
        }
    }
    return false;
}

/// Encodes a window, takes the tokens of its first three quarters, and goes on with a window that
/// begins behind them. That is exact if the last token taken and the next window's first may stand
/// together, since a row of tokens is the encoding of its text if and only if any two neighbours
/// are (docs/adr/0010-tokenizers.md). If they may not, all is done again with longer windows.
void Bpe::encode_windows(std::string_view piece, Scratch& scratch) const {
    auto& taken = scratch.taken_;
    taken.clear();
    std::size_t size = kWindow;
    std::size_t begin = 0;
    while (true) {
        encode_window(piece.substr(begin, size), scratch);
        const std::span<const std::uint32_t> tokens = scratch.tokens_;
        if (!taken.empty() && !may_stand_together(taken.back(), tokens.front())) {
            taken.clear();
            begin = 0;
            size *= 2;
            continue;
        }
        const bool is_last = piece.size() - begin <= size;
        const std::size_t stop = is_last ? piece.size() : begin + size / 4 * 3;
        for (std::size_t i = 0; begin < stop; ++i) {
            taken.push_back(tokens[i]);
            begin += text(tokens[i]).size();
        }
        if (is_last) break;
    }
    scratch.tokens_.swap(taken);
}

}  // namespace sluice::context
