#include "dialect/openai_chat/chunk_scan.h"

#include <cstddef>

namespace sluice::dialect::openai_chat {
namespace {

constexpr std::size_t kBlock = 32;

/// May the name of a member that we look for begin here? Branchless, so that a block of these
/// becomes a few vector instructions.
constexpr unsigned char starts_name(char quote, char initial) noexcept {
    const auto is = [](char a, char b) { return static_cast<unsigned char>(a == b); };
    return is(quote, '"') &
           (is(initial, 'u') | is(initial, 'f') | is(initial, 't') | is(initial, 'e'));
}

bool block_has_start(const char* block) noexcept {
    unsigned char any = 0;
    for (std::size_t i = 0; i < kBlock; ++i) any |= starts_name(block[i], block[i + 1]);
    return any != 0;
}

std::string_view skip_space(std::string_view text) noexcept {
    while (!text.empty() && (text[0] == ' ' || text[0] == '\t' || text[0] == '\n')) {
        text.remove_prefix(1);
    }
    return text;
}

/// What stands after `name":` at the start of `text`; empty when that is not what stands there.
std::string_view value_of(std::string_view text, std::string_view name) noexcept {
    if (!text.starts_with(name)) return {};
    text.remove_prefix(name.size());
    if (!text.starts_with('"')) return {};
    text = skip_space(text.substr(1));
    if (!text.starts_with(':')) return {};
    return skip_space(text.substr(1));
}

/// `text` begins after a quote.
void sight(std::string_view text, Sightings& seen) noexcept {
    switch (text[0]) {
        case 'u': seen.usage |= value_of(text, "usage").starts_with('{'); break;
        case 'f': seen.finish_reason |= value_of(text, "finish_reason").starts_with('"'); break;
        case 't': {
            const std::string_view calls = value_of(text, "tool_calls");
            if (calls.starts_with('[')) {
                seen.tool_calls |= !skip_space(calls.substr(1)).starts_with(']');
            }
            break;
        }
        case 'e': {
            const std::string_view error = value_of(text, "error");
            seen.error |= !error.empty() && error[0] != 'n' && error[0] != 'f';
            break;
        }
        default: break;
    }
}

}  // namespace

Sightings scan_chunk(std::string_view chunk) noexcept {
    Sightings seen;
    std::size_t at = 0;
    while (at + 1 < chunk.size()) {
        const bool whole_block = at + kBlock < chunk.size();
        const std::size_t end = whole_block ? at + kBlock : chunk.size() - 1;
        if (!whole_block || block_has_start(chunk.data() + at)) {
            for (; at < end; ++at) {
                if (starts_name(chunk[at], chunk[at + 1]) != 0) sight(chunk.substr(at + 1), seen);
            }
        }
        at = end;
    }
    return seen;
}

}  // namespace sluice::dialect::openai_chat
