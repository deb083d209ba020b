#include "base/text.h"
#include "config/upstream_sections.h"

#include <algorithm>

namespace sluice::config {
namespace {

constexpr std::uint64_t kMostTokens = 100'000'000;
constexpr std::size_t kMostStops = 1024;
constexpr std::size_t kMostTools = 100'000;

Result<chat::ThinkingControl> parse_thinking(std::string_view text) {
    using Control = chat::ThinkingControl;
    if (text == "none") return Control::none;
    if (text == "effort") return Control::effort;
    if (text == "deepseek") return Control::deepseek;
    if (text == "anthropic") return Control::anthropic;
    return fail(Errc::bad_request, "none, effort, deepseek or anthropic");
}

Result<chat::ReasoningHistory> parse_history(std::string_view text) {
    using History = chat::ReasoningHistory;
    if (text == "drop") return History::drop;
    if (text == "reasoning_content") return History::reasoning_content;
    if (text == "reasoning") return History::reasoning;
    if (text == "blocks") return History::blocks;
    return fail(Errc::bad_request, "drop, reasoning_content, reasoning or blocks");
}

Result<std::optional<std::uint64_t>> parse_tokens(std::string_view text) {
    if (text == "none") return std::nullopt;
    const auto tokens = parse_integer(text, 1, kMostTokens);
    if (tokens) return *tokens;
    return fail(Errc::bad_request, "none, or " + tokens.error().message);
}

Result<std::string> parse_limit_field(std::string_view text) {
    if (text == "max_tokens" || text == "max_completion_tokens") return std::string(text);
    return fail(Errc::bad_request, "max_tokens or max_completion_tokens");
}

Result<std::string> parse_system_role(std::string_view text) {
    if (text == "system" || text == "developer") return std::string(text);
    return fail(Errc::bad_request, "system or developer");
}

bool is_name(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '_';
    });
}

Result<std::string> parse_user_field(std::string_view text) {
    if (text == "none") return std::string();
    if (is_name(text)) return std::string(text);
    return fail(Errc::bad_request, "none, or the name of a field");
}

chat::Abilities abilities_of_anthropic() {
    chat::Abilities abilities;
    abilities.thinking = chat::ThinkingControl::anthropic;
    abilities.reasoning_history = chat::ReasoningHistory::blocks;
    abilities.forced_tools_when_thinking = false;
    abilities.default_output_tokens = 8192;
    abilities.max_stop = kMostStops;
    abilities.documents = true;
    abilities.user_field = "user_id";
    abilities.service_tier = true;
    abilities.signatures = true;
    abilities.server_tools = true;
    abilities.count_tokens = true;
    abilities.family = chat::Family::anthropic;
    abilities.deferred_tools = true;
    abilities.billing_header = true;
    return abilities;
}

}  // namespace

chat::Abilities default_abilities(UpstreamKind kind) {
    switch (kind) {
        case UpstreamKind::openai:
        case UpstreamKind::embedded: return {};
        case UpstreamKind::anthropic: return abilities_of_anthropic();
    }
    return {};
}

void read_abilities(const Reader& reader, const Section& upstream, chat::Abilities& abilities) {
    const Section section(reader, upstream.find("abilities"), kAbilitiesSchema,
                          upstream.path("abilities"));
    section.read("thinking", abilities.thinking, parse_thinking);
    section.read("reasoning_history", abilities.reasoning_history, parse_history);
    section.read("output_limit_field", abilities.output_limit_field, parse_limit_field);
    section.read("max_output_tokens", abilities.max_output_tokens, parse_tokens);
    section.read("default_output_tokens", abilities.default_output_tokens, parse_tokens);
    section.read_integer("max_stop", abilities.max_stop, 0, kMostStops);
    section.read_integer("max_tools", abilities.max_tools, 0, kMostTools);
    section.read("system_role", abilities.system_role, parse_system_role);
    section.read("user_field", abilities.user_field, parse_user_field);
    section.read("reasoning_required", abilities.reasoning_required);
    section.read("forced_tools_when_thinking", abilities.forced_tools_when_thinking);
    section.read("images", abilities.images);
    section.read("documents", abilities.documents);
    section.read("json_schema", abilities.json_schema);
    section.read("mid_system", abilities.mid_system);
    section.read("parallel_tool_calls", abilities.parallel_tool_calls);
    section.read("strict_tools", abilities.strict_tools);
    section.read("sampling", abilities.sampling);
    section.read("service_tier", abilities.service_tier);
    section.read("signatures", abilities.signatures);
    section.read("server_tools", abilities.server_tools);
    section.read("count_tokens", abilities.count_tokens);
    section.read("deferred_tools", abilities.deferred_tools);
    section.read("billing_header", abilities.billing_header);
    section.read("custom_tools", abilities.custom_tools);
    section.read("prefix", abilities.prefix);
}

chat::Abilities abilities_of(const Upstream& upstream, std::string_view model) {
    chat::Abilities abilities = upstream.abilities;
    const bool text_only =
        std::ranges::any_of(upstream.text_models,
                            [&](const std::string& pattern) { return glob_match(pattern, model); });
    if (text_only) abilities.images = false;
    return abilities;
}

}  // namespace sluice::config
