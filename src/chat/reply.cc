#include "chat/reply.h"

#include <utility>

namespace sluice::chat {

bool Fold::take_room(std::size_t bytes) noexcept {
    if (full_ || bytes > room_) {
        full_ = true;
        return false;
    }
    room_ -= bytes;
    return true;
}

ToolUse* Fold::tool(std::size_t number) {
    return number < tools_.size() ? reply_.parts[tools_[number]].as<ToolUse>() : nullptr;
}

/// The part that text of this kind belongs to: the last one, or a new one.
template <typename T>
T& Fold::open() {
    T* last = reply_.parts.empty() || closed_ ? nullptr : reply_.parts.back().as<T>();
    if (last == nullptr) {
        last = reply_.parts.emplace_back(T()).template as<T>();
        closed_ = false;
    }
    return *last;
}

void Fold::on_event(const Event& event) {
    // Ids and names count as well, and so does each part for itself.
    constexpr std::size_t kPartBytes = sizeof(Part);
    const std::size_t bytes = event.text.size() + event.id.size() + event.name.size();
    switch (event.kind) {
        case Event::Kind::start:
            reply_.id = event.id;
            reply_.model = event.name;
            return;
        case Event::Kind::text:
            if (take_room(bytes)) open<Text>().text += event.text;
            return;
        case Event::Kind::thinking:
            if (take_room(bytes)) open<Thinking>().text += event.text;
            return;
        case Event::Kind::signature:
            if (take_room(bytes)) open<Thinking>().signature += event.text;
            return;
        case Event::Kind::redacted_thinking:
            if (!take_room(bytes + kPartBytes)) return;
            reply_.parts.emplace_back(RedactedThinking{std::string(event.text)});
            closed_ = true;
            return;
        case Event::Kind::refusal:
            if (take_room(bytes)) reply_.refusal += event.text;
            return;
        case Event::Kind::tool_start:
            if (!take_room(bytes + kPartBytes)) return;
            tools_.push_back(reply_.parts.size());
            reply_.parts.emplace_back(ToolUse{.id = std::string(event.id),
                                              .name = std::string(event.name),
                                              .arguments = {},
                                              .is_custom = false});
            closed_ = true;
            return;
        case Event::Kind::tool_arguments:
            if (ToolUse* const call = tool(event.tool); call != nullptr && take_room(bytes)) {
                call->arguments += event.text;
            }
            return;
        case Event::Kind::block_end: closed_ = true; return;
        case Event::Kind::native:
            if (!take_room(bytes + kPartBytes)) return;
            reply_.parts.emplace_back(
                Native{.type = std::string(event.name), .json = std::string(event.text)});
            closed_ = true;
            return;
        case Event::Kind::usage: reply_.usage = event.usage; return;
        case Event::Kind::finish:
            reply_.finish_reason = event.finish;
            reply_.stop_sequence = event.text;
            return;
        case Event::Kind::error:
            if (event.error != nullptr) reply_.error = *event.error;
            return;
        case Event::Kind::end: reply_.is_whole = true; return;
        case Event::Kind::citation:
        case Event::Kind::ping: return;
    }
}

}  // namespace sluice::chat
