#include "chat/finish_reason.h"

namespace sluice::chat {

std::string_view to_string(FinishReason reason) noexcept {
    switch (reason) {
        case FinishReason::stop: return "stop";
        case FinishReason::length: return "length";
        case FinishReason::tool_calls: return "tool_calls";
        case FinishReason::content_filter: return "content_filter";
        case FinishReason::other: return "other";
        case FinishReason::stop_sequence: return "stop_sequence";
        case FinishReason::context_window: return "context_window";
        case FinishReason::pause: return "pause";
    }
    return "other";
}

}  // namespace sluice::chat
