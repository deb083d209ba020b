#include "dialect/upstream_error.h"

#include "base/text.h"
#include "json/reader.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

namespace sluice::dialect {
namespace {

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

/// Of bounded length, cut between code points.
std::string bound(std::string text) {
    if (text.size() <= kMaxErrorMessageBytes) return text;
    std::size_t end = kMaxErrorMessageBytes;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
    text.resize(end);
    return text + "...";
}

/// One trimmed line.
std::string clean(std::string text) {
    std::ranges::replace_if(
        text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }, ' ');
    return bound(std::string(trim(text)));
}

/// nullopt where the document is none.
std::optional<Complaint> read_envelope(const json::Value& document,
                                       std::span<const std::string_view> secrets) {
    const auto error = json::find(document, "error");
    if (!error) return std::nullopt;
    const auto message = json::find(*error, "message");
    if (!message || !message->is(json::Kind::string)) return std::nullopt;
    Complaint complaint;
    complaint.type = clean(redact(text_in(*error, "type").value_or(""), secrets));
    const bool is_anthropic = text_in(document, "type") == "error" && !complaint.type.empty();
    complaint.envelope =
        is_anthropic ? Complaint::Envelope::anthropic : Complaint::Envelope::openai;
    complaint.message = bound(redact(json::to_string(*message).value_or(""), secrets));
    complaint.param = clean(redact(text_in(*error, "param").value_or(""), secrets));
    return complaint;
}

}  // namespace

Complaint read_complaint(std::string_view body, std::span<const std::string_view> secrets) {
    Complaint complaint;
    if (!json::find_error(body)) {
        const json::Value document = json::as_value(body);
        if (auto envelope = read_envelope(document, secrets)) return *std::move(envelope);
        complaint = complaint_in(document);
    }
    if (complaint.message.empty()) complaint.message = body;
    complaint.message = clean(redact(complaint.message, secrets));
    complaint.param = clean(redact(complaint.param, secrets));
    if (looks_like_html(complaint.message)) complaint = {};
    return complaint;
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

}  // namespace sluice::dialect
