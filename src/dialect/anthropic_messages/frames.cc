#include "dialect/anthropic_messages/frames.h"

#include "dialect/upstream_error.h"

#include <algorithm>
#include <array>
#include <utility>

namespace sluice::dialect::anthropic_messages {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

constexpr std::array<std::pair<std::string_view, EventType>, 8> kWords{{
    {"content_block_delta", EventType::block_delta},
    {"content_block_start", EventType::block_start},
    {"content_block_stop", EventType::block_stop},
    {"message_start", EventType::message_start},
    {"message_delta", EventType::message_delta},
    {"message_stop", EventType::message_stop},
    {"ping", EventType::ping},
    {"error", EventType::error},
}};

/// The first line of `text`, which loses it, without its end.
std::string_view take_line(std::string_view& text) noexcept {
    std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    if (const std::size_t cr = line.find('\r'); cr != std::string_view::npos) end = cr;
    const std::string_view taken = text.substr(0, end);
    text.remove_prefix(taken.size());
    text.remove_prefix(text.starts_with("\r\n") ? 2 : std::min<std::size_t>(1, text.size()));
    return taken;
}

/// What stands behind `name:`; nullopt when the line is another field.
std::optional<std::string_view> field(std::string_view line, std::string_view name) noexcept {
    if (!line.starts_with(name)) return std::nullopt;
    line.remove_prefix(name.size());
    if (line.empty()) return line;
    if (!line.starts_with(':')) return std::nullopt;
    line.remove_prefix(1);
    if (line.starts_with(' ')) line.remove_prefix(1);
    return line;
}

Errc error_code(std::string_view type) noexcept {
    if (type == "overloaded_error") return Errc::overloaded;
    if (type == "rate_limit_error") return Errc::rate_limited;
    return Errc::upstream_status;
}

bool is_nothing(const json::Value& value) noexcept {
    return value.is(json::Kind::null) || value.raw == "false" || value.raw == R"("")";
}

}  // namespace

std::optional<Frame> Frames::next() {
    const auto event = framer_.next();
    if (!event) return std::nullopt;
    return read(*event);
}

std::optional<Frame> Frames::last() {
    if (framer_.rest().empty()) return std::nullopt;
    Frame frame = read(framer_.rest());
    if (frame.data.empty() || json::find_error(frame.data)) return std::nullopt;
    return frame;
}

Frame Frames::read(std::string_view event) {
    Frame frame{.event = event, .name = {}, .data = {}};
    if (std::exchange(first_, false) && event.starts_with(kByteOrderMark)) {
        event.remove_prefix(kByteOrderMark.size());
    }
    bool has_data = false;
    while (!event.empty()) {
        const std::string_view line = take_line(event);
        if (const auto data = field(line, "data")) {
            if (std::exchange(has_data, true)) {
                if (frame.data.data() != joined_.data()) joined_ = frame.data;
                joined_ += '\n';
                joined_ += *data;
                frame.data = joined_;
            } else {
                frame.data = *data;
            }
        } else if (const auto name = field(line, "event")) {
            frame.name = *name;
        }
    }
    frame.data = json::as_value(frame.data).raw;
    return frame;
}

std::string_view to_string(EventType type) noexcept {
    for (const auto& [name, known] : kWords) {
        if (known == type) return name;
    }
    return {};
}

EventType to_event_type(std::string_view word) noexcept {
    for (const auto& [name, type] : kWords) {
        if (word == name) return type;
    }
    return EventType::unknown;
}

std::optional<EventType> peek_type(std::string_view data) noexcept {
    if (!data.starts_with(R"({"type":)")) return std::nullopt;
    data.remove_prefix(8);
    if (data.starts_with(' ')) data.remove_prefix(1);
    if (!data.starts_with('"')) return std::nullopt;
    data.remove_prefix(1);
    return to_event_type(data.substr(0, data.find('"')));
}

Result<Payload> read_payload(const Frame& frame) {
    Payload payload;
    const bool named_error = frame.name == "error";
    if (frame.data == "[DONE]") return payload;
    if (!named_error && !frame.data.starts_with('{')) {
        return fail(Errc::upstream_invalid_response,
                    "an event of the upstream's stream is not JSON");
    }
    std::string_view type;
    bool has_error = false;
    json::Reader reader(frame.data);
    while (reader.next()) {
        const json::Value& value = reader.value();
        if (reader.key_is("type")) {
            if (value.is(json::Kind::string)) type = value.raw.substr(1, value.raw.size() - 2);
        } else if (reader.key_is("index")) {
            payload.index = value;
        } else if (reader.key_is("delta")) {
            payload.delta = value;
        } else if (reader.key_is("content_block")) {
            payload.block = value;
        } else if (reader.key_is("message")) {
            payload.message = value;
        } else if (reader.key_is("usage")) {
            payload.usage = value;
        } else if (reader.key_is("error")) {
            has_error = !is_nothing(value);
        }
    }
    payload.type = to_event_type(type.empty() ? frame.name : type);
    if (named_error || (payload.type == EventType::unknown && has_error)) {
        payload.type = EventType::error;
    }
    if (!reader.failed()) return payload;
    if (named_error) return Payload{.type = EventType::error};
    return fail(Errc::upstream_invalid_response,
                "an event of the upstream's stream is not JSON: " + reader.failure());
}

Error read_error(const Frame& frame, std::span<const std::string_view> secrets) {
    Complaint complaint = read_complaint(frame.data, secrets);
    if (complaint.message.empty()) {
        complaint.message =
            complaint.type.empty() ? "the upstream reported an error" : complaint.type;
    }
    return Error(error_code(complaint.type), std::move(complaint.message));
}

}  // namespace sluice::dialect::anthropic_messages
