#include "config/address.h"
#include "config/upstream_sections.h"

#include <array>

namespace sluice::config {
namespace {

constexpr std::string_view kAnthropicVersion = "2023-06-01";

Result<std::string> parse_endpoint(std::string_view text) {
    return parse_path(text);
}

Result<std::string> parse_endpoint_or_none(std::string_view text) {
    if (text == "none") return std::string();
    auto path = parse_path(text);
    if (path) return path;
    return fail(Errc::bad_request, "none, or " + path.error().message);
}

}  // namespace

void refuse_keys(const Section& upstream, std::span<const std::string_view> keys,
                 const std::string& kind) {
    for (const std::string_view key : keys) {
        if (!upstream.find(key)) continue;
        upstream.report(key, "`" + upstream.path(key) + "` means nothing to an upstream of kind " +
                                 kind + ", expected it to be left out");
    }
}

void read_protocol(const Section& section, Upstream& upstream) {
    if (upstream.kind == UpstreamKind::anthropic) {
        upstream.auth_header = AuthHeader::x_api_key;
        upstream.version = kAnthropicVersion;
        section.read("version", upstream.version);
    } else {
        constexpr std::array<std::string_view, 1> kForeign{"version"};
        refuse_keys(section, kForeign, "openai");
    }
    section.read("auth_header", upstream.auth_header,
                 [](std::string_view text) -> Result<AuthHeader> {
                     if (text == "bearer") return AuthHeader::bearer;
                     if (text == "x_api_key") return AuthHeader::x_api_key;
                     return fail(Errc::bad_request, "bearer or x_api_key");
                 });
}

void read_paths(const Reader& reader, const Section& upstream, UpstreamKind kind, Paths& paths) {
    constexpr auto kOfMessages = names("messages", "count_tokens");
    constexpr auto kOfChats = names("chat", "completions", "embeddings");
    const Section section(reader, upstream.find("paths"), kPathsSchema, upstream.path("paths"));
    if (kind == UpstreamKind::anthropic) {
        paths = {.chat = "",
                 .completions = "",
                 .embeddings = "",
                 .models = "/v1/models",
                 .messages = "/v1/messages",
                 .count_tokens = "/v1/messages/count_tokens"};
        refuse_keys(section, kOfChats, "anthropic");
    } else {
        refuse_keys(section, kOfMessages, "openai");
    }
    section.read("chat", paths.chat, parse_endpoint);
    section.read("completions", paths.completions, parse_endpoint_or_none);
    section.read("embeddings", paths.embeddings, parse_endpoint);
    section.read("models", paths.models, parse_endpoint);
    section.read("messages", paths.messages, parse_endpoint);
    section.read("count_tokens", paths.count_tokens, parse_endpoint_or_none);
}

}  // namespace sluice::config
