#pragma once

/// Comments for a client that waits for an event stream, so that neither it nor anyone between
/// takes the silence for a broken connection.

#include "net/deadlines.h"
#include "net/types.h"

#include <chrono>
#include <optional>

namespace sluice::gateway {

class Exchange;  // NOLINT(cppcoreguidelines-virtual-class-destructor): it is final

class KeepAlive final : public net::Deadline {
public:
    KeepAlive(net::Deadlines& deadlines, Exchange& exchange)
        : Deadline(deadlines),
          exchange_(exchange) {}

    /// From now on a comment goes out after every `silence`; the first one begins the answer.
    void begin(std::chrono::milliseconds silence) {
        silence_ = silence;
        note_bytes();
    }

    /// The client has been sent something.
    void note_bytes() {
        if (silence_) expire_at(net::coarse_now() + *silence_);
    }

    /// The reply itself has begun: clients of Anthropic's are pinged from now on.
    void note_content() noexcept { has_content_ = true; }

    /// No comment comes between the bytes that are being flushed.
    void pause() noexcept { never(); }

    /// No more comments.
    void end() noexcept {
        silence_.reset();
        never();
    }

    /// Whether a comment is still on its way, so that flush() comes before the next write.
    [[nodiscard]] bool is_unflushed() const noexcept { return unflushed_; }
    void note_flushed() noexcept { unflushed_ = false; }

private:
    void on_expired() override;

    Exchange& exchange_;
    std::optional<std::chrono::milliseconds> silence_;
    bool unflushed_ = false;
    bool has_content_ = false;
};

}  // namespace sluice::gateway
