#include "gateway/reasoning.h"

#include "net/digest.h"

#include <algorithm>

namespace sluice::gateway {
namespace {

/// Lengths stand before texts, so that no two conversations are written alike.
void append(std::string& out, std::string_view text) {
    out += std::to_string(text.size());
    out += ':';
    out += text;
}

std::string digest_text(std::string_view bytes) {
    const net::Digest digest = net::sha256(bytes);
    return {digest.begin(), digest.end()};
}

/// Clients add and remove white space around texts.
std::string_view without_space_around(std::string_view text) {
    constexpr std::string_view kSpace = " \t\r\n";
    const std::size_t begin = text.find_first_not_of(kSpace);
    if (begin == std::string_view::npos) return {};
    return text.substr(begin, text.find_last_not_of(kSpace) + 1 - begin);
}

/// What a message says, in the form in which all clients give it back alike.
std::string said_by(const std::vector<chat::Part>& parts) {
    std::string said;
    append(said, without_space_around(chat::text_of(parts, "")));
    for (const chat::Part& part : parts) {
        if (const auto* call = part.as<chat::ToolUse>()) {
            append(said, call->id);
            append(said, call->name);
        } else if (const auto* result = part.as<chat::ToolResult>()) {
            append(said, result->id);
        }
    }
    return said;
}

bool says_nothing(const std::vector<chat::Part>& parts) {
    return std::ranges::none_of(parts, [](const chat::Part& part) {
        const auto* const text = part.as<chat::Text>();
        return part.as<chat::ToolUse>() != nullptr || (text != nullptr && !text->text.empty());
    });
}

bool has_thinking(const std::vector<chat::Part>& parts) {
    return std::ranges::any_of(parts, [](const chat::Part& part) {
        const auto* const thinking = part.as<chat::Thinking>();
        return thinking != nullptr && !thinking->text.empty();
    });
}

}  // namespace

ConversationMark::ConversationMark(std::string_view tenant) {
    append(begin_, tenant);
    chain_ = begin_;
}

void ConversationMark::add(const chat::Message& message) {
    const std::string said = said_by(message.parts);
    if (!has_begun_ && message.role == chat::Role::user) {
        begin_ = digest_text(begin_ + said);
        has_begun_ = true;
    }
    chain_ += std::to_string(static_cast<int>(message.role));
    chain_ += said;
    chain_ = digest_text(chain_);
}

std::vector<store::Key> ConversationMark::keys_of(const std::vector<chat::Part>& parts) const {
    std::vector<store::Key> keys;
    if (says_nothing(parts)) return keys;
    keys.push_back(net::sha256(chain_ + "m" + said_by(parts)));
    for (const chat::Part& part : parts) {
        const auto* const call = part.as<chat::ToolUse>();
        if (call == nullptr || call->id.empty()) continue;
        keys.push_back(net::sha256(begin_ + "t" + call->id));
    }
    return keys;
}

ReasoningFound restore_reasoning(chat::Request& request, store::ReasoningStore& store,
                                 ConversationMark& mark) {
    ReasoningFound found;
    for (chat::Message& message : request.messages) {
        const bool lacks = message.role == chat::Role::assistant && !has_thinking(message.parts);
        if (lacks) {
            std::optional<std::string> reasoning;
            for (const store::Key& key : mark.keys_of(message.parts)) {
                reasoning = store.find(key);
                if (reasoning) break;
            }
            ++(reasoning ? found.hits : found.misses);
            mark.add(message);
            if (reasoning) {
                message.parts.emplace(
                    message.parts.begin(),
                    chat::Thinking{.text = std::move(*reasoning), .signature = {}});
            }
        } else {
            mark.add(message);
        }
    }
    return found;
}

void keep_reasoning(const chat::Reply& reply, const ConversationMark& mark,
                    store::ReasoningStore& store) {
    std::string reasoning;
    for (const chat::Part& part : reply.parts) {
        if (const auto* thinking = part.as<chat::Thinking>()) reasoning += thinking->text;
    }
    if (reasoning.empty()) return;
    const std::vector<store::Key> keys = mark.keys_of(reply.parts);
    if (!keys.empty()) store.put(keys, reasoning);
}

}  // namespace sluice::gateway
