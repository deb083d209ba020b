#pragma once

/// A whole reply: the fold of its events.

#include "base/error.h"
#include "chat/event.h"
#include "chat/request.h"
#include "chat/usage.h"

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sluice::chat {

struct Reply {
    std::string id;
    std::string model;
    /// In the order in which they began: Text, Thinking (signature included), RedactedThinking,
    /// ToolUse, Native. Citations are left out.
    std::vector<Part> parts;
    std::string refusal;
    Usage usage;
    std::optional<FinishReason> finish_reason;
    std::string stop_sequence;
    std::optional<Error> error;
    bool is_whole = false;  ///< `end` has come
};

/// Folds what it is given. Stops adding content, and says so, once it would hold more than
/// `max_bytes`.
class Fold final : public EventSink {
public:
    explicit Fold(std::size_t max_bytes) noexcept : room_(max_bytes) {}

    void on_event(const Event& event) override;

    [[nodiscard]] const Reply& reply() const noexcept { return reply_; }
    [[nodiscard]] Reply take() noexcept { return std::move(reply_); }
    /// Whether content was left out for want of room.
    [[nodiscard]] bool is_full() const noexcept { return full_; }

private:
    [[nodiscard]] bool take_room(std::size_t bytes) noexcept;
    ToolUse* tool(std::size_t number);
    template <typename T>
    T& open();

    Reply reply_;
    std::vector<std::size_t> tools_;  // where in parts each tool call stands, by its number
    std::size_t room_;
    bool closed_ = true;  // the next text begins a part of its own
    bool full_ = false;
};

}  // namespace sluice::chat
