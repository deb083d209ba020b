#include "dialect/anthropic_messages/held_events.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace sluice::dialect::anthropic_messages {

using Kind = chat::Event::Kind;

std::size_t HeldEvents::size_of(const Held& held) noexcept {
    return sizeof(Held) + held.id.size() + held.name.size() + held.text.size();
}

HeldEvents::Held* HeldEvents::start_of(std::size_t tool) noexcept {
    const auto found = std::ranges::find_if(events_, [&](const Held& held) {
        return held.kind == Kind::tool_start && held.tool == tool;
    });
    return found == events_.end() ? nullptr : &*found;
}

/// What the event is a continuation of; null where it begins something new.
HeldEvents::Held* HeldEvents::target_of(const chat::Event& event) noexcept {
    if (event.kind == Kind::tool_arguments) return start_of(event.tool);
    if (events_.empty() || events_.back().kind != event.kind) return nullptr;
    const bool is_text = event.kind == Kind::text || event.kind == Kind::thinking ||
                         event.kind == Kind::refusal || event.kind == Kind::signature;
    return is_text ? &events_.back() : nullptr;
}

bool HeldEvents::hold(const chat::Event& event) {
    if (event.kind == Kind::block_end && !events_.empty() &&
        events_.back().kind == Kind::tool_start) {
        events_.back().is_whole = true;
        return true;
    }
    if (Held* const target = target_of(event); target != nullptr) {
        if (event.text.size() > room_) return false;
        room_ -= event.text.size();
        target->text += event.text;
        return true;
    }
    if (event.kind == Kind::tool_arguments) return true;  // of a call that is over
    Held held{.kind = event.kind,
              .tool = event.tool,
              .id = std::string(event.id),
              .name = std::string(event.name),
              .text = std::string(event.text)};
    if (size_of(held) > room_) return false;
    room_ -= size_of(held);
    events_.push_back(std::move(held));
    return true;
}

HeldEvents::Held HeldEvents::take() {
    Held held = std::move(events_.front());
    events_.pop_front();
    room_ += size_of(held);
    return held;
}

}  // namespace sluice::dialect::anthropic_messages
