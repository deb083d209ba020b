/// Properties: how the bytes are cut must change neither the parser's events nor the framer's, and
/// the framer's events joined are the bytes. The first byte chooses the cut.

#include "sse/framer.h"
#include "sse/parser.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>

namespace {

constexpr std::size_t kMaxEventBytes = 1UL << 20;

void check(bool holds) {
    if (!holds) std::abort();
}

/// Calls `take` with each piece of `size` bytes.
template <class F>
void cut(std::string_view bytes, std::size_t size, F take) {
    while (!bytes.empty()) {
        take(bytes.substr(0, size));
        bytes.remove_prefix(std::min(size, bytes.size()));
    }
}

std::string parse(std::string_view bytes, std::size_t size) {
    sluice::sse::Parser parser(kMaxEventBytes);
    std::string events;
    cut(bytes, size, [&](std::string_view piece) {
        parser.feed(piece);
        while (parser.next()) {
            const sluice::sse::Event& event = parser.event();
            events.append(event.type).append(1, '\x1F').append(event.data).append(1, '\x1F');
            events.append(event.id).append(1, '\x1E');
        }
    });
    return events;
}

/// The events with a mark behind each.
std::string frame(std::string_view bytes, std::size_t size) {
    sluice::sse::Framer framer(kMaxEventBytes);
    std::string events;
    std::string joined;
    cut(bytes, size, [&](std::string_view piece) {
        framer.feed(piece);
        while (const auto event = framer.next()) {
            events.append(*event).append(1, '\x1E');
            joined.append(*event);
        }
    });
    joined.append(framer.rest());
    check(joined == bytes);
    return events;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
    const std::size_t piece = std::size_t{data[0]} % 17 + 1;
    check(parse(bytes, piece) == parse(bytes, bytes.size() + 1));
    check(frame(bytes, piece) == frame(bytes, bytes.size() + 1));
    return 0;
}
