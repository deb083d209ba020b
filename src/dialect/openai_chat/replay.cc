#include "dialect/openai_chat/replay.h"

#include "json/reader.h"
#include "json/writer.h"

#include <string>
#include <utility>

namespace sluice::dialect::openai_chat {
namespace {

constexpr std::string_view kNothing = R"("")";

struct Sighting {
    bool is_assistant = false;
    bool has_reasoning = false;
    std::string_view emptied;  ///< the value of a member `field` that says nothing
};

Sighting look_at(const json::Value& message, std::string_view field) {
    Sighting seen;
    json::Reader reader(message);
    while (reader.next()) {
        const json::Value& value = reader.value();
        if (reader.key_is("role")) {
            seen.is_assistant = json::to_string(value) == "assistant";
        } else if (reader.key_is("reasoning_content") || reader.key_is("reasoning")) {
            seen.has_reasoning |= value.is(json::Kind::string) && value.raw != kNothing;
            if (reader.key_is(field)) seen.emptied = value.raw;
        }
    }
    return seen;
}

std::string thinking_of(const chat::Message* message) {
    std::string text;
    if (message == nullptr) return text;
    for (const chat::Part& part : message->parts) {
        if (const auto* thinking = part.as<chat::Thinking>()) text += thinking->text;
    }
    return text;
}

json::Span place_of(std::string_view part, std::string_view body) {
    return {.offset = static_cast<std::size_t>(part.data() - body.data()), .length = part.size()};
}

/// Hands out the assistant's messages one after another.
class Assistants {
public:
    explicit Assistants(const chat::Request& request) : messages_(request.messages) {}

    const chat::Message* next() {
        while (at_ < messages_.size()) {
            const chat::Message& message = messages_[at_++];
            if (message.role == chat::Role::assistant) return &message;
        }
        return nullptr;
    }

private:
    std::span<const chat::Message> messages_;
    std::size_t at_ = 0;
};

}  // namespace

void add_reasoning(std::string_view body, std::span<const json::Member> members,
                   const chat::Request& request, std::string_view field, json::Splice& splice) {
    const json::Member* const messages = json::find_member(members, body, "messages");
    if (messages == nullptr) return;
    Assistants assistants(request);
    json::Reader reader(json::as_value(messages->value.in(body)));
    while (reader.next()) {
        const json::Value& message = reader.value();
        if (!message.is(json::Kind::object)) continue;
        const Sighting seen = look_at(message, field);
        if (!seen.is_assistant) continue;
        const chat::Message* const known = assistants.next();
        if (seen.has_reasoning) continue;
        std::string text;
        json::append_string(text, thinking_of(known));
        if (!seen.emptied.empty()) {
            if (seen.emptied == text) continue;
            splice.replace(place_of(seen.emptied, body), std::move(text));
            continue;
        }
        std::string member;
        json::append_string(member, field);
        member.append(":").append(text).append(",");
        splice.insert(place_of(message.raw, body).offset + 1, std::move(member));
    }
}

}  // namespace sluice::dialect::openai_chat
