#include "dialect/anthropic_messages/message.h"

namespace sluice::dialect::anthropic_messages {

Result<Message> read_message(std::string_view body) {
    const auto refuse = [](std::string_view why) {
        return fail(Errc::upstream_invalid_response,
                    "the upstream's reply is not a JSON object: " + std::string(why));
    };
    Message message;
    bool has_error = false;
    json::Reader reader(body);
    if (!reader.failed() && reader.kind() != json::Kind::object) return refuse("it is a list");
    while (reader.next()) {
        const json::Value& value = reader.value();
        if (reader.key_is("id")) {
            message.id = value;
        } else if (reader.key_is("model")) {
            message.model = value;
        } else if (reader.key_is("content")) {
            message.content = value;
        } else if (reader.key_is("stop_reason")) {
            message.stop_reason = value;
        } else if (reader.key_is("stop_sequence")) {
            message.stop_sequence = value;
        } else if (reader.key_is("usage")) {
            message.usage = value;
        } else if (reader.key_is("type")) {
            message.is_error = value.raw == R"("error")";
        } else if (reader.key_is("error")) {
            has_error = !value.is(json::Kind::null);
        }
    }
    if (reader.failed()) return refuse(reader.failure());
    message.is_error |= has_error && message.content.is(json::Kind::null);
    return message;
}

}  // namespace sluice::dialect::anthropic_messages
