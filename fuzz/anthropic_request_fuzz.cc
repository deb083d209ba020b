/// Properties: a head and a request are read only from what is JSON throughout; what is kept as
/// JSON is JSON; a refusal names its field; a patched body has the new model, and patching it again
/// changes nothing. The other readers of the client's side and of error bodies get the same bytes:
/// an error body is always well-formed and holds no secret.

#include "dialect/anthropic_messages/errors.h"
#include "dialect/anthropic_messages/head.h"
#include "dialect/anthropic_messages/models.h"
#include "dialect/anthropic_messages/read_request.h"
#include "dialect/openai_chat/errors.h"

#include <array>
#include <cstdint>
#include <cstdlib>

namespace {

namespace anthropic = sluice::dialect::anthropic_messages;
namespace chat = sluice::chat;
namespace json = sluice::json;

void check(bool holds) {
    if (!holds) std::abort();
}

void check_json(std::string_view text) {
    check(!json::find_error(text));
}

void check_parts(const std::vector<chat::Part>& parts) {
    for (const chat::Part& part : parts) {
        if (!part.cache_control.empty()) check_json(part.cache_control);
        if (const auto* const native = part.as<chat::Native>()) check_json(native->json);
        if (const auto* const result = part.as<chat::ToolResult>()) {
            check_parts(result->content);
            for (const chat::Part& inner : result->content) {
                check(inner.as<chat::ToolResult>() == nullptr);
            }
        }
    }
}

void check_request(std::string_view body) {
    const auto request = anthropic::read_request(body);
    if (!request) {
        check(!request.error().param.empty());
        check(request.error().message.starts_with(request.error().param + ": "));
        return;
    }
    for (const chat::Part& part : request->system) check(part.as<chat::Text>() != nullptr);
    check_parts(request->system);
    for (const chat::Message& message : request->messages) check_parts(message.parts);
    for (const chat::Tool& tool : request->tools) {
        if (!tool.schema.empty()) check_json(tool.schema);
        check(tool.json.empty() == (tool.kind == chat::Tool::Kind::function));
        if (!tool.json.empty()) check_json(tool.json);
    }
    for (const chat::Field& other : request->others) check_json(other.json);
    if (!request->temperature.empty()) check_json(request->temperature);
    const auto& format = request->response_format;
    if (format) check_json(format->schema);
}

void check_head(std::string_view body) {
    const auto head = anthropic::read_head(body);
    std::string padded(body);
    while (padded.size() < body.size() + json::kPadding) padded += "]},";
    const auto same =
        anthropic::read_head({padded.data(), body.size()}, padded.size() - body.size());
    check(same.has_value() == head.has_value());
    if (!head) return;
    check_json(body);
    check_request(body);

    const std::string model = "new \"model\"";
    json::Splice splice(body);
    anthropic::patch_request(*head, model, splice);
    std::string patched;
    splice.append_to(patched);
    const auto again = anthropic::read_head(patched);
    check(again.has_value());
    check(again->model == model);
    check(again->max_output_tokens == head->max_output_tokens);
    json::Splice none(patched);
    anthropic::patch_request(*again, model, none);
    check(none.unchanged());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view body(reinterpret_cast<const char*>(data), size);
    check_head(body);
    const auto models = anthropic::read_models(body, 100);
    if (models) check_json(anthropic::write_models(*models, {}));
    const auto page = anthropic::read_page(body);
    if (page) check_json(anthropic::write_models({}, *page));

    constexpr std::array<std::string_view, 1> kSecrets{"sk-secret"};
    const std::string own = anthropic::normalize_upstream_error(429, body, kSecrets, "req_1");
    check_json(own);
    check(own.find("sk-secret") == std::string::npos);
    const std::string other =
        sluice::dialect::openai_chat::normalize_upstream_error(529, body, kSecrets);
    check_json(other);
    check(other.find("sk-secret") == std::string::npos);
    return 0;
}
