/// Properties: how the bytes are cut changes neither what is sent nor what is observed; without
/// dropping, what is sent is the upstream's own bytes but for a synthesised finish. The first byte
/// chooses the cut, its high bit whether the usage chunk is dropped, the next one whether chunks
/// are rewritten.

#include "dialect/openai_chat/stream_filter.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>

namespace {

using sluice::dialect::openai_chat::StreamFilter;

void check(bool holds) {
    if (!holds) std::abort();
}

struct Outcome {
    std::string sent;
    std::string model;
    sluice::chat::Usage usage;
    std::optional<sluice::chat::FinishReason> finish_reason;
    std::uint64_t chunks = 0;
    bool ok = true;
    bool ended = false;
    bool has_error = false;
    bool has_content = false;
    bool out_of_resources = false;

    friend bool operator==(const Outcome&, const Outcome&) = default;
};

StreamFilter::Options options_for(unsigned flags) {
    StreamFilter::Options options;
    options.drop_usage_chunk = (flags & 0x80U) != 0;
    if ((flags & 0x40U) != 0) {
        options.rewrite = [](std::string_view chunk, std::string& out) {
            if (chunk.size() % 2 == 0) return false;
            out = std::string(chunk) + "\n";
            return true;
        };
    }
    return options;
}

Outcome filter(std::string_view bytes, std::size_t size, unsigned flags) {
    const StreamFilter::Options options = options_for(flags);
    StreamFilter stream(options);
    StreamFilter::Pieces pieces;
    Outcome outcome;
    const auto send = [&] {
        for (const std::string_view piece : pieces) outcome.sent.append(piece);
        pieces.clear();
    };
    while (!bytes.empty() && outcome.ok) {
        const std::string piece(bytes.substr(0, size));  // its own, so that ASan sees a late view
        outcome.ok = stream.feed(piece, pieces).has_value();
        send();
        bytes.remove_prefix(std::min(size, bytes.size()));
    }
    if (outcome.ok) {
        outcome.ended = stream.end(pieces).has_value();
        send();
    }
    outcome.model = stream.facts().model;
    outcome.usage = stream.facts().usage;
    outcome.finish_reason = stream.facts().finish_reason;
    outcome.chunks = stream.facts().chunks;
    outcome.has_error = stream.facts().has_error;
    outcome.has_content = stream.facts().has_content;
    outcome.out_of_resources = stream.facts().out_of_resources;
    return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
    const unsigned flags = data[0] & 0xC0U;
    const std::size_t piece = std::size_t{data[0]} % 64 % 37 + 1;
    const Outcome whole = filter(bytes, bytes.size() + 1, flags);
    check(filter(bytes, piece, flags) == whole);
    if (flags == 0 && !whole.ended) check(bytes.starts_with(whole.sent));
    return 0;
}
