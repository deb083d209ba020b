#pragma once

/// The bytes of an answer: head, framing, and what the socket has not taken yet. No I/O.

#include "net/transaction.h"

#include <array>
#include <span>
#include <string>
#include <string_view>

namespace sluice::net::http1 {

class ReplyWriter {
public:
    struct Framing {
        bool http10 = false;        ///< no chunked coding: a streamed body ends with the connection
        bool close = false;         ///< say so in the head
        bool head_request = false;  ///< the head alone is sent
    };

    /// Starts over for the next answer.
    void reset();

    [[nodiscard]] bool started() const noexcept { return started_; }
    [[nodiscard]] bool finished() const noexcept { return finished_; }
    /// Whether the answer has a body at all: not for HEAD, 204, 304.
    [[nodiscard]] bool body_allowed() const noexcept { return body_allowed_; }
    /// The end of the connection is the end of the body, so only a reset can tell a cut.
    [[nodiscard]] bool ends_with_connection() const noexcept { return until_close_; }

    /// The head of an answer whose body has `size` bytes.
    [[nodiscard]] std::string_view whole(const ReplyHead& head, std::size_t size, Framing framing);

    /// The head of a streamed answer; it is kept and leaves in front of the first pieces. Where it
    /// says a length, the answer is finished only if it has just that length.
    void begin(const ReplyHead& head, Framing framing);

    static constexpr std::size_t kMaxPieces = 16;
    using Pieces = std::array<std::string_view, kMaxPieces + 3>;

    /// Frames at most kMaxPieces pieces as one chunk, after what is still unsent of the head. The
    /// result's views end with the next call.
    [[nodiscard]] std::span<const std::string_view> chunk(std::span<const std::string_view> pieces,
                                                          bool last, Pieces& framed);

    /// What the socket has not taken yet.
    [[nodiscard]] std::string_view unsent() const noexcept {
        return std::string_view(unsent_).substr(unsent_from_);
    }
    void keep(std::span<const std::string_view> pieces, std::size_t already_sent);
    void sent(std::size_t bytes);

private:
    void write_head(const ReplyHead& head, const Framing& framing);

    std::string head_;  // formatted head, until it is sent
    std::string unsent_;
    std::size_t unsent_from_ = 0;
    std::array<char, 24> size_line_{};
    bool started_ = false;
    bool finished_ = false;
    std::uint64_t missing_ = 0;  // of a streamed answer with a length
    bool sized_ = false;
    bool broken_ = false;  // more came than its length: what is left of it is not sent
    bool chunked_ = false;
    bool until_close_ = false;
    bool body_allowed_ = true;
};

}  // namespace sluice::net::http1
