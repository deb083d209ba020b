#include "dialect/openai_chat/errors.h"

#include "json/writer.h"

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

/// What OpenAI's clients know an error of Anthropic's by.
Label label_of_type(std::string_view type, std::string_view message, int status) noexcept {
    if (type == "invalid_request_error") {
        // Agents go by the code to compact a conversation.
        const bool too_long = message.starts_with("prompt is too long");
        return {kInvalidRequest, too_long ? "context_length_exceeded" : std::string_view()};
    }
    if (type == "authentication_error") return {kInvalidRequest, "invalid_api_key"};
    if (type == "permission_error") return {kInvalidRequest, "insufficient_permissions"};
    if (type == "not_found_error") return {kInvalidRequest, "model_not_found"};
    if (type == "request_too_large") return {kInvalidRequest, to_string(Errc::payload_too_large)};
    if (type == "billing_error") return {"insufficient_quota", "insufficient_quota"};
    if (type == "rate_limit_error") return {"rate_limit_error", "rate_limit_exceeded"};
    if (type == "overloaded_error") return {kUnavailable, "server_is_overloaded"};
    if (type == "timeout_error") return {kUpstreamError, to_string(Errc::upstream_timeout)};
    if (type == "api_error") return {"server_error", {}};
    return label_of_status(status);
}

}  // namespace

std::string write_error(const Error& error) {
    return write_envelope(message_of(error), label_of(error.code), error.param);
}

std::string write_stream_error(const Error& error) {
    return "data: " + write_error(error) + "\n\n";
}

int client_status(int status) noexcept {
    return status == 529 ? 503 : status;
}

std::string normalize_upstream_error(int status, std::string_view body,
                                     std::span<const std::string_view> secrets) {
    const Complaint complaint = read_complaint(body, secrets);
    if (complaint.envelope == Complaint::Envelope::openai) return redact(body, secrets);
    const Label label = complaint.envelope == Complaint::Envelope::anthropic
                            ? label_of_type(complaint.type, complaint.message, status)
                            : label_of_status(status);
    if (!complaint.message.empty()) {
        return write_envelope(complaint.message, label, complaint.param);
    }
    return write_envelope("the upstream answered with status " + std::to_string(status), label, {});
}

}  // namespace sluice::dialect::openai_chat
