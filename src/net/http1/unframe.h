#pragma once

/// Takes the framing off the bytes of a body in place.

#include "net/http1/head.h"

#include <cstddef>
#include <cstring>
#include <span>
#include <string_view>

namespace sluice::net::http1 {

struct Unframed {
    Progress progress = Progress::need_more;
    std::string_view payload;  ///< in one piece, at the begin of the bytes
    std::string_view rest;     ///< behind the message, where progress is done
};

/// Hands all of `bytes` to the reader of requests or responses and moves the payload together: what
/// the caller gets is one view, and nothing is left in a shared buffer when it suspends.
template <class Reader>
[[nodiscard]] Unframed unframe(Reader& reader, std::span<char> bytes) {
    Unframed result;
    std::string_view input(bytes.data(), bytes.size());
    std::size_t size = 0;
    do {
        std::string_view piece;
        result.progress = reader.read_body(input, piece);
        if (piece.empty()) continue;
        if (piece.data() != bytes.data() + size) {
            std::memmove(bytes.data() + size, piece.data(), piece.size());
        }
        size += piece.size();
    } while (result.progress == Progress::need_more && !input.empty());
    result.payload = {bytes.data(), size};
    result.rest = input;
    return result;
}

}  // namespace sluice::net::http1
