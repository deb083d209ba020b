#include "routing/failure.h"

#include "base/text.h"

#include <algorithm>
#include <array>
#include <string>

namespace sluice::routing {
namespace {

using config::FailureKind;

constexpr std::size_t kMostRead = 16UL * 1024;  // of an error text

/// How servers say that a prompt is longer than the model's context, in lower case.
constexpr std::array<std::string_view, 15> kTooLong = {
    "context_length_exceeded",
    "exceed_context_size",  // llama.cpp's type
    "context size",         // llama.cpp: exceeds the available context size
    "context length",       // OpenAI, DeepSeek, vLLM, Mistral, Ollama: maximum context length
    "context window",       // exceeds the context window
    "context limit",        // Anthropic: input length and `max_tokens` exceed context limit
    "too many tokens",
    "too many input tokens",
    "prompt is too long",        // Anthropic
    "prompt too long",           // Ollama
    "maximum prompt length",     // xAI
    "maximum model length",      // vLLM: the decoder prompt is longer than the maximum model length
    "max_model_len",             // vLLM
    "reduce the length of the",  // messages, prompt, input
    "range of input length",     // DashScope
};

bool is_too_long(std::string_view body) {
    const std::string text = to_lower(body.substr(0, kMostRead));
    return std::ranges::any_of(kTooLong,
                               [&](std::string_view words) { return text.contains(words); });
}

bool lacks_resources(std::string_view body) {
    return body.substr(0, kMostRead).contains("insufficient_system_resource");
}

FailureKind classify_code(Errc code) {
    switch (code) {
        case Errc::upstream_unreachable: return FailureKind::connect;
        case Errc::upstream_truncated:
        case Errc::upstream_protocol: return FailureKind::broken;
        case Errc::upstream_timeout: return FailureKind::timeout;
        case Errc::upstream_status:
        case Errc::upstream_invalid_response: return FailureKind::invalid_reply;
        case Errc::overloaded: return FailureKind::overloaded;
        case Errc::rate_limited: return FailureKind::rate_limited;
        case Errc::model_not_found: return FailureKind::not_found;
        // What another attempt would not change, and no upstream did.
        case Errc::bad_request:
        case Errc::unauthorized:
        case Errc::forbidden:
        case Errc::not_found:
        case Errc::method_not_allowed:
        case Errc::request_timeout:
        case Errc::payload_too_large:
        case Errc::uri_too_long:
        case Errc::unsupported_media_type:
        case Errc::expectation_failed:
        case Errc::head_too_large:
        case Errc::not_implemented:
        case Errc::http_version:
        case Errc::client_gone:
        case Errc::cancelled:
        case Errc::internal: return FailureKind::bad_request;
    }
    return FailureKind::bad_request;
}

FailureKind classify_status(int status, std::string_view body) {
    switch (status) {
        case 401: return FailureKind::unauthorized;
        case 402: return FailureKind::no_credit;
        case 403: return FailureKind::forbidden;
        case 404: return FailureKind::not_found;
        case 408:
        case 409: return FailureKind::conflict;
        case 429: return FailureKind::rate_limited;
        case 503:
        case 529: return FailureKind::overloaded;
        case 400:
        case 413:
        case 422: return is_too_long(body) ? FailureKind::too_long : FailureKind::bad_request;
        default: break;
    }
    if (status >= 500) {
        return lacks_resources(body) ? FailureKind::overloaded : FailureKind::server_error;
    }
    return status >= 400 ? FailureKind::bad_request : FailureKind::invalid_reply;
}

}  // namespace

config::FailureKind classify(const Error& error, int status, std::string_view body) {
    if (status >= 200 && status < 300) {
        return lacks_resources(body) ? FailureKind::overloaded : classify_code(error.code);
    }
    return status == 0 ? classify_code(error.code) : classify_status(status, body);
}

bool is_upstream_fault(config::FailureKind kind) noexcept {
    switch (kind) {
        case FailureKind::connect:
        case FailureKind::broken:
        case FailureKind::timeout:
        case FailureKind::overloaded:
        case FailureKind::server_error:
        case FailureKind::invalid_reply: return true;
        case FailureKind::conflict:
        case FailureKind::rate_limited:
        case FailureKind::unauthorized:
        case FailureKind::no_credit:
        case FailureKind::forbidden:
        case FailureKind::not_found:
        case FailureKind::too_long:
        case FailureKind::bad_request: return false;
    }
    return false;
}

bool is_key_fault(config::FailureKind kind) noexcept {
    switch (kind) {
        case FailureKind::unauthorized:
        case FailureKind::no_credit:
        case FailureKind::forbidden:
        case FailureKind::rate_limited: return true;
        case FailureKind::connect:
        case FailureKind::broken:
        case FailureKind::timeout:
        case FailureKind::conflict:
        case FailureKind::overloaded:
        case FailureKind::server_error:
        case FailureKind::not_found:
        case FailureKind::too_long:
        case FailureKind::invalid_reply:
        case FailureKind::bad_request: return false;
    }
    return false;
}

}  // namespace sluice::routing
