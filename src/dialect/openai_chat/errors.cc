#include "dialect/openai_chat/errors.h"

#include "base/text.h"
#include "json/reader.h"
#include "json/writer.h"

#include <algorithm>
#include <charconv>
#include <optional>

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

std::optional<std::string> text_in(const json::Value& object, std::string_view name) {
    const auto member = json::find(object, name);
    if (!member) return std::nullopt;
    auto text = json::to_string(*member);
    return text && !text->empty() ? text : std::nullopt;
}

/// What is said of a request's fields, one after the other: `max_tokens: too large; n: unknown`.
class FieldFaults {
public:
    void add(std::string_view field, std::string_view fault) {
        if (fault.empty() || text_.size() > kMaxErrorMessageBytes) return;
        if (param_.empty()) param_ = field;
        if (!text_.empty()) text_ += "; ";
        if (!field.empty()) text_.append(field).append(": ");
        text_ += fault;
    }

    /// `[{"path":["messages",0],"message":"..."}]`
    void add_issues(const json::Value& issues) {
        if (!issues.is(json::Kind::array)) return;
        json::Reader reader(issues);
        while (reader.next()) {
            const json::Value& issue = reader.value();
            const auto path = json::find(issue, "path");
            add(path ? join(*path) : std::string(), text_in(issue, "message").value_or(""));
        }
    }

    /// `{"max_tokens":{"_errors":["..."]}}`, or a text.
    void add_details(const json::Value& details) {
        if (const auto text = json::to_string(details)) return add({}, *text);
        if (!details.is(json::Kind::object)) return;
        json::Reader reader(details);
        while (reader.next()) {
            const json::Value key{
                .raw = std::string_view(reader.raw_key().data() - 1, reader.raw_key().size() + 2),
                .kind = json::Kind::string};
            const auto errors = json::find(reader.value(), "_errors");
            if (!errors || !errors->is(json::Kind::array)) continue;
            json::Reader texts(*errors);
            while (texts.next()) {
                add(json::to_string(key).value_or(""), json::to_string(texts.value()).value_or(""));
            }
        }
    }

    [[nodiscard]] const std::string& text() const noexcept { return text_; }
    [[nodiscard]] const std::string& param() const noexcept { return param_; }

private:
    static std::string join(const json::Value& path) {
        if (!path.is(json::Kind::array)) return json::to_string(path).value_or("");
        std::string text;
        json::Reader reader(path);
        while (reader.next()) {
            if (!text.empty()) text += '.';
            text += json::to_string(reader.value()).value_or(std::string(reader.value().raw));
        }
        return text;
    }

    std::string text_;
    std::string param_;  // the first field
};

struct Complaint {
    std::string message;
    std::string param;
};

/// What a body that is JSON but no envelope says in words: {"error":"..."} and its relatives.
Complaint complaint_in(const json::Value& document) {
    Complaint complaint;
    for (const std::string_view name : {"error", "message", "detail"}) {
        const auto text = text_in(document, name);
        if (!text) continue;
        complaint.message = *text;
        break;
    }
    FieldFaults faults;
    if (const auto issues = json::find(document, "issues")) faults.add_issues(*issues);
    const auto details = json::find(document, "details");
    if (details && faults.text().empty()) faults.add_details(*details);
    if (faults.text().empty()) return complaint;
    if (!complaint.message.empty()) complaint.message += ": ";
    complaint.message += faults.text();
    complaint.param = faults.param();
    return complaint;
}

bool looks_like_html(std::string_view text) {
    return text.starts_with('<');
}

struct Character {
    char value = '\0';
    std::size_t length = 0;
};

/// The ASCII character that an escape at the start of `text` means; length 0 where there is none.
Character unescape(std::string_view text) {
    if (text.size() >= 2 && (text[1] == '/' || text[1] == '"' || text[1] == '\\')) {
        return {.value = text[1], .length = 2};
    }
    if (text.size() < 6 || text[1] != 'u') return {};
    unsigned code = 0;
    const char* const end = text.data() + 6;
    if (std::from_chars(text.data() + 2, end, code, 16).ptr != end || code >= 0x80) return {};
    return {.value = static_cast<char>(code), .length = 6};
}

/// How long the secret is that `text` begins with, as it is written there; 0 when it does not.
std::size_t length_of_secret(std::string_view text, std::string_view secret) {
    std::size_t length = 0;
    for (const char expected : secret) {
        const std::string_view rest = text.substr(length);
        if (rest.empty()) return 0;
        Character found{.value = rest[0], .length = 1};
        if (rest[0] != expected && rest[0] == '\\') found = unescape(rest);
        if (found.length == 0 || found.value != expected) return 0;
        length += found.length;
    }
    return length;
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
    Complaint complaint;
    if (!json::find_error(body)) {
        const json::Value document = json::as_value(body);
        if (is_envelope(document)) return redact(body, secrets);
        complaint = complaint_in(document);
    }
    const std::string_view message = complaint.message.empty() ? body : complaint.message;
    const std::string text = clean(redact(message, secrets));
    const std::string param = clean(redact(complaint.param, secrets));
    if (!text.empty() && !looks_like_html(text)) {
        return write_envelope(text, label_of_status(status), param);
    }
    return write_envelope("the upstream answered with status " + std::to_string(status),
                          label_of_status(status), {});
}

std::string redact(std::string_view text, std::span<const std::string_view> secrets) {
    constexpr std::string_view kRedacted = "[redacted]";
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        std::size_t length = 0;
        for (const std::string_view secret : secrets) {
            length = std::max(length, length_of_secret(text, secret));
        }
        out.append(length == 0 ? text.substr(0, 1) : kRedacted);
        text.remove_prefix(std::max<std::size_t>(length, 1));
    }
    return out;
}

}  // namespace sluice::dialect::openai_chat
