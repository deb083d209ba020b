#pragma once

/// The system text and the messages of a Messages request. Internal to this folder.

#include "chat/abilities.h"
#include "chat/change.h"
#include "chat/request.h"
#include "json/writer.h"

#include <string_view>
#include <vector>

namespace sluice::dialect::anthropic_messages {

inline constexpr std::string_view kCacheMark = R"({"type":"ephemeral"})";

/// Anthropic refuses texts of nothing but white space.
[[nodiscard]] bool is_blank(std::string_view text) noexcept;

/// `mark` puts a cache mark on the last block. One block without a mark is written as a string.
/// False where there is nothing to be written.
bool write_system(json::Writer& json, const std::vector<chat::Part>& system, bool mark);

/// `mark` puts a cache mark on the last block of the user's last message. Consecutive messages of
/// one role become one; what cannot be said is left out, as are empty texts, and messages in which
/// nothing is left.
void write_messages(json::Writer& json, const chat::Request& request,
                    const chat::Abilities& abilities, bool mark, chat::Changes& changes);

}  // namespace sluice::dialect::anthropic_messages
