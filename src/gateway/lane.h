#pragma once

/// Which wire format each side of an exchange speaks, and what that means for the bytes between
/// them.

#include "config/upstream.h"
#include "dialect/openai_chat/shape.h"

#include <cstdint>

namespace sluice::gateway {

enum class Dialect : std::uint8_t { openai_chat, openai_text, anthropic_messages };

/// One attempt's way. Where both sides speak alike the bytes are forwarded as they came (express);
/// else both request and reply are read and written anew (translate).
struct Lane {
    Dialect client = Dialect::openai_chat;
    Dialect upstream = Dialect::openai_chat;

    [[nodiscard]] bool translates() const noexcept { return client != upstream; }
};

[[nodiscard]] Lane lane_of(Dialect client, const config::Upstream& upstream) noexcept;

/// For the two that are OpenAI's.
[[nodiscard]] dialect::openai_chat::Shape shape_of(Dialect dialect) noexcept;

}  // namespace sluice::gateway
