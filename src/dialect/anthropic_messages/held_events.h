#pragma once

/// Events that must wait until a tool call is whole, because blocks may not overlap. Internal to
/// this folder.

#include "chat/event.h"

#include <cstddef>
#include <deque>
#include <optional>
#include <string>

namespace sluice::dialect::anthropic_messages {

/// Kept in their order, but for the arguments of a tool call, which are kept with its start.
class HeldEvents {
public:
    struct Held {
        chat::Event::Kind kind = chat::Event::Kind::ping;
        std::size_t tool = 0;
        std::string id;
        std::string name;
        std::string text;       ///< of a tool_start: its arguments
        bool is_whole = false;  ///< of a tool_start: its block_end has come
    };

    explicit HeldEvents(std::size_t max_bytes) noexcept : room_(max_bytes) {}

    /// False, and nothing is kept, when there is no room left.
    [[nodiscard]] bool hold(const chat::Event& event);

    [[nodiscard]] bool empty() const noexcept { return events_.empty(); }
    /// The one that has waited longest.
    [[nodiscard]] Held take();

private:
    [[nodiscard]] static std::size_t size_of(const Held& held) noexcept;
    Held* start_of(std::size_t tool) noexcept;
    Held* target_of(const chat::Event& event) noexcept;

    std::size_t room_;
    std::deque<Held> events_;
};

}  // namespace sluice::dialect::anthropic_messages
