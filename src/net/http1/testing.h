#pragma once

/// For the tests and the fuzz targets of this folder: a reader run over bytes that come in pieces.

#include "net/http1/request_reader.h"
#include "net/http1/response_reader.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice::net::http1::testing {

struct Outcome {
    Progress progress = Progress::need_more;  ///< of the last message begun
    std::string seen;                         ///< all heads and bodies, rendered
    std::size_t messages = 0;                 ///< whole ones
    std::string surplus;                      ///< bytes behind the last message taken
    Error error;

    /// The code and text of the error are left out: where two things are wrong, the cut may decide
    /// which of them is seen first.
    friend bool operator==(const Outcome& a, const Outcome& b) {
        return a.progress == b.progress && a.seen == b.seen && a.messages == b.messages &&
               a.surplus == b.surplus;
    }
};

inline std::string render(const Head& head) {
    std::string text = "1." + std::to_string(head.minor_version);
    text += head.keep_alive ? " keep" : " close";
    if (head.chunked) text += " chunked";
    if (head.content_length) text += " length=" + std::to_string(*head.content_length);
    for (const Field& field : head.fields) {
        text.append("\n").append(field.name).append("=").append(field.value);
    }
    return text;
}

inline std::string render(const RequestHead& head) {
    std::string text(head.method);
    text.append(" ").append(head.target).append(" ").append(head.path).append("?");
    text.append(head.query).append(" ").append(head.expects_continue ? "expects " : "");
    return text + render(static_cast<const Head&>(head));
}

inline std::string render(const ResponseHead& head) {
    return std::to_string(head.status) + (head.until_close ? " until_close " : " ") +
           render(static_cast<const Head&>(head));
}

/// Feeds `bytes` with the cuts given (ascending offsets) and reads up to `max_messages` messages,
/// no further than keep-alive allows. Every feed shows the reader a fresh copy of the bytes, so
/// that the sanitizers see a view kept into the old ones.
template <class Reader>
Outcome read_all(Reader& reader, std::string_view bytes, const std::vector<std::size_t>& cuts,
                 std::size_t max_messages = 8) {
    Outcome outcome;
    std::string pending;
    bool in_body = false;
    std::size_t fed = 0;
    for (std::size_t i = 0; i <= cuts.size(); ++i) {
        const std::size_t end = i < cuts.size() ? cuts[i] : bytes.size();
        std::string next;
        next.reserve(pending.size() + end - fed);
        next.append(pending).append(bytes.substr(fed, end - fed));
        pending = std::move(next);
        fed = end;
        while (outcome.messages < max_messages) {
            if (!in_body) {
                outcome.progress = reader.read_head(pending);
                if (outcome.progress != Progress::done) break;
                outcome.seen += render(reader.head()) + "\n\n";
                in_body = true;
                // The keep-alive flag outlives the bytes that the head's views point into.
                pending.erase(0, reader.head_size());
            }
            std::string_view input = pending;
            std::string_view piece;
            do {
                outcome.progress = reader.read_body(input, piece);
                outcome.seen += piece;
            } while (outcome.progress == Progress::need_more && !input.empty());
            pending.erase(0, pending.size() - input.size());
            if (outcome.progress != Progress::done) break;
            outcome.seen += "\n.\n";
            ++outcome.messages;
            in_body = false;
            const bool keep_alive = reader.head().keep_alive;
            reader.reset();
            outcome.progress = Progress::need_more;
            if (!keep_alive) max_messages = outcome.messages;
        }
        if (outcome.progress == Progress::failed) break;
    }
    if (outcome.progress == Progress::failed) {
        outcome.error = reader.error();
    } else {
        outcome.surplus = pending.append(bytes.substr(std::min(fed, bytes.size())));
        if (outcome.messages == max_messages) outcome.progress = Progress::done;
    }
    return outcome;
}

/// As read_all(), cut after every `piece` bytes.
template <class Reader>
Outcome read_in_pieces(Reader& reader, std::string_view bytes, std::size_t piece,
                       std::size_t max_messages = 8) {
    std::vector<std::size_t> cuts;
    for (std::size_t at = piece; at < bytes.size(); at += piece) cuts.push_back(at);
    return read_all(reader, bytes, cuts, max_messages);
}

}  // namespace sluice::net::http1::testing
