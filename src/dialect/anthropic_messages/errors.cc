#include "dialect/anthropic_messages/errors.h"

#include "dialect/upstream_error.h"
#include "json/writer.h"

namespace sluice::dialect::anthropic_messages {
namespace {

std::string write_envelope(std::string_view type, std::string_view message,
                           std::string_view request_id) {
    std::string out;
    json::Writer json(out);
    json.begin_object().key("type").string("error");
    json.key("error").begin_object();
    json.key("type").string(type).key("message").string(message).end_object();
    if (!request_id.empty()) json.key("request_id").string(request_id);
    json.end_object();
    return out;
}

}  // namespace

std::string_view error_type(int status) noexcept {
    switch (status) {
        case 401: return "authentication_error";
        case 402: return "billing_error";
        case 403: return "permission_error";
        case 404: return "not_found_error";
        case 409: return "conflict_error";
        case 413: return "request_too_large";
        case 429: return "rate_limit_error";
        case 503:
        case 529: return "overloaded_error";
        case 504: return "timeout_error";
        default: return status < 500 ? "invalid_request_error" : "api_error";
    }
}

int client_status(int status) noexcept {
    return status == 503 ? 529 : status;
}

std::string write_error(const Error& error, std::string_view request_id) {
    const std::string_view message =
        error.message.empty() ? to_string(error.code) : std::string_view(error.message);
    return write_envelope(error_type(http_status(error.code)), message, request_id);
}

std::string write_stream_error(const Error& error, std::string_view request_id) {
    return "event: error\ndata: " + write_error(error, request_id) + "\n\n";
}

std::string normalize_upstream_error(int status, std::string_view body,
                                     std::span<const std::string_view> secrets,
                                     std::string_view request_id) {
    const Complaint complaint = read_complaint(body, secrets);
    if (complaint.envelope == Complaint::Envelope::anthropic) return redact(body, secrets);
    const std::string_view type = error_type(status);
    if (!complaint.message.empty()) return write_envelope(type, complaint.message, request_id);
    return write_envelope(type, "the upstream answered with status " + std::to_string(status),
                          request_id);
}

}  // namespace sluice::dialect::anthropic_messages
