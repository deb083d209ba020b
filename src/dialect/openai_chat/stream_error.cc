#include "base/text.h"
#include "dialect/openai_chat/reply_events.h"
#include "dialect/upstream_error.h"
#include "dialect/walk.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace sluice::dialect::openai_chat {
namespace {

/// What stands for a status in the words of a type or a code; the first that is found counts.
constexpr std::array<std::pair<std::string_view, Errc>, 21> kWords{{
    {"auth", Errc::upstream_status},        {"api_key", Errc::upstream_status},
    {"permission", Errc::upstream_status},  {"balance", Errc::upstream_status},
    {"billing", Errc::upstream_status},     {"rate_limit", Errc::rate_limited},
    {"quota", Errc::rate_limited},          {"too_many_requests", Errc::rate_limited},
    {"overloaded", Errc::overloaded},       {"unavailable", Errc::overloaded},
    {"slow_down", Errc::overloaded},        {"system_resource", Errc::overloaded},
    {"capacity", Errc::overloaded},         {"timeout", Errc::upstream_timeout},
    {"timed_out", Errc::upstream_timeout},  {"server_error", Errc::upstream_status},
    {"invalid_request", Errc::bad_request}, {"bad_request", Errc::bad_request},
    {"context_length", Errc::bad_request},  {"unsupported", Errc::bad_request},
    {"content_filter", Errc::bad_request},
}};

std::optional<Errc> code_of_words(std::string_view words) {
    std::string text = to_lower(words);
    std::ranges::replace(text, ' ', '_');
    for (const auto& [word, code] : kWords) {
        if (text.find(word) != std::string::npos) return code;
    }
    return std::nullopt;
}

std::optional<Errc> code_of_status(std::uint64_t status) {
    switch (status) {
        case 400:
        case 413:
        case 422: return Errc::bad_request;
        case 408:
        case 504: return Errc::upstream_timeout;
        case 429: return Errc::rate_limited;
        case 503:
        case 529: return Errc::overloaded;
        default: break;
    }
    return status >= 400 && status < 600 ? std::optional(Errc::upstream_status) : std::nullopt;
}

/// Of a `code`, `status` or `type`: a number, also in a string, or words.
std::optional<Errc> code_of(const json::Value& value) {
    const std::string text = json::to_string(value).value_or(std::string(value.raw));
    if (const auto status = json::to_uint64({.raw = text, .kind = json::Kind::number})) {
        return code_of_status(*status);
    }
    return code_of_words(text);
}

std::string bounded(std::string text) {
    if (text.size() <= kMaxErrorMessageBytes) return text;
    std::size_t end = kMaxErrorMessageBytes;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
    text.resize(end);
    return text + "...";
}

}  // namespace

Error read_error(const json::Value& error) {
    std::string message = json::to_string(error).value_or("");
    std::optional<Errc> by_code;
    std::optional<Errc> by_type;
    Walk walk(error.raw);
    if (walk.enter_object()) {
        while (walk.next_member()) {
            const json::Value value = walk.take();
            if (walk.key_is("message")) {
                message = json::to_string(value).value_or(std::string(value.raw));
            } else if (walk.key_is("code") || walk.key_is("status")) {
                if (!by_code) by_code = code_of(value);
            } else if (walk.key_is("type")) {
                by_type = code_of(value);
            }
        }
    }
    if (!by_code) by_code = by_type;
    if (!by_code) by_code = code_of_words(message);
    if (message.empty()) message = "the upstream reported an error";
    return Error(by_code.value_or(Errc::upstream_status), bounded(std::move(message)));
}

}  // namespace sluice::dialect::openai_chat
