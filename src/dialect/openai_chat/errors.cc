#include "dialect/openai_chat/errors.h"

#include "base/text.h"
#include "json/reader.h"
#include "json/writer.h"

#include <algorithm>

namespace sluice::dialect::openai_chat {
namespace {

struct Label {
    constexpr Label(std::string_view t, std::string_view c) noexcept : type(t), code(c) {}

    std::string_view type;
    std::string_view code;  ///< null in the envelope when empty
};

constexpr std::string_view kInvalidRequest = "invalid_request_error";
constexpr std::string_view kUpstreamError = "upstream_error";
constexpr std::string_view kUnavailable = "service_unavailable_error";

Label label_of(Errc code) noexcept {
    switch (code) {
        case Errc::bad_request: return {kInvalidRequest, {}};
        case Errc::unauthorized: return {kInvalidRequest, "invalid_api_key"};
        case Errc::forbidden: return {kInvalidRequest, "insufficient_permissions"};
        case Errc::not_found: return {kInvalidRequest, "unknown_url"};
        case Errc::model_not_found: return {kInvalidRequest, "model_not_found"};
        case Errc::method_not_allowed:
        case Errc::request_timeout:
        case Errc::payload_too_large:
        case Errc::uri_too_long:
        case Errc::unsupported_media_type:
        case Errc::expectation_failed:
        case Errc::head_too_large:
        case Errc::not_implemented:
        case Errc::http_version: return {kInvalidRequest, to_string(code)};
        case Errc::rate_limited: return {"rate_limit_error", "rate_limit_exceeded"};
        case Errc::overloaded: return {kUnavailable, "server_is_overloaded"};
        case Errc::upstream_unreachable:
        case Errc::upstream_timeout:
        case Errc::upstream_status:
        case Errc::upstream_protocol:
        case Errc::upstream_truncated: return {kUpstreamError, to_string(code)};
        case Errc::upstream_invalid_response: return {to_string(code), to_string(code)};
        case Errc::client_gone:
        case Errc::cancelled: return {kUnavailable, to_string(code)};
        case Errc::internal: return {"server_error", "internal_error"};
    }
    return {"server_error", {}};
}

std::string write_envelope(std::string_view message, const Label& label, std::string_view param) {
    std::string out;
    json::Writer json(out);
    json.begin_object().key("error").begin_object();
    json.key("message").string(message);
    json.key("type").string(label.type);
    json.key("param").string_or_null(param);
    json.key("code").string_or_null(label.code);
    json.end_object().end_object();
    return out;
}

std::string_view message_of(const Error& error) {
    return error.message.empty() ? to_string(error.code) : std::string_view(error.message);
}

Label label_of_status(int status) noexcept {
    if (status == 429) return {"rate_limit_error", "rate_limit_exceeded"};
    if (status >= 400 && status < 500) return {kInvalidRequest, to_string(Errc::upstream_status)};
    return {kUpstreamError, to_string(Errc::upstream_status)};
}

bool is_envelope(const json::Value& document) {
    const auto error = json::find(document, "error");
    if (!error) return false;
    const auto message = json::find(*error, "message");
    return message && message->is(json::Kind::string);
}

/// What a body that is JSON but no envelope says in words: {"error":"..."} and its relatives.
std::optional<std::string> message_in(const json::Value& document) {
    for (const std::string_view name : {"error", "message", "detail"}) {
        const auto member = json::find(document, name);
        if (!member) continue;
        if (auto text = json::to_string(*member); text && !text->empty()) return text;
    }
    return std::nullopt;
}

bool looks_like_html(std::string_view text) {
    return text.starts_with('<');
}

/// One trimmed line of bounded length, cut between code points.
std::string clean(std::string text) {
    std::ranges::replace_if(
        text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }, ' ');
    text = std::string(trim(text));
    if (text.size() <= kMaxErrorMessageBytes) return text;
    std::size_t end = kMaxErrorMessageBytes;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
    text.resize(end);
    return text + "...";
}

}  // namespace

std::string write_error(const Error& error) {
    return write_envelope(message_of(error), label_of(error.code), error.param);
}

std::string write_stream_error(const Error& error) {
    return "data: " + write_error(error) + "\n\n";
}

std::string normalize_upstream_error(int status, std::string_view body,
                                     std::span<const std::string_view> secrets) {
    std::optional<std::string> message;
    if (!json::find_error(body)) {
        const json::Value document = json::as_value(body);
        if (is_envelope(document)) return redact(body, secrets);
        message = message_in(document);
    }
    const std::string text = clean(redact(message ? std::string_view(*message) : body, secrets));
    if (!text.empty() && !looks_like_html(text)) {
        return write_envelope(text, label_of_status(status), {});
    }
    return write_envelope("the upstream answered with status " + std::to_string(status),
                          label_of_status(status), {});
}

std::string redact(std::string_view text, std::span<const std::string_view> secrets) {
    constexpr std::string_view kRedacted = "[redacted]";
    std::string out(text);
    for (const std::string_view secret : secrets) {
        if (secret.empty() || out.find(secret) == std::string::npos) continue;
        std::string next;
        std::string_view rest = out;
        for (auto at = rest.find(secret); at != std::string_view::npos; at = rest.find(secret)) {
            next.append(rest.substr(0, at)).append(kRedacted);
            rest.remove_prefix(at + secret.size());
        }
        next.append(rest);
        out = std::move(next);
    }
    return out;
}

}  // namespace sluice::dialect::openai_chat
