#include "config/address.h"
#include "config/sections.h"

#include <algorithm>
#include <utility>

namespace sluice::config {
namespace {

constexpr std::size_t kMostRetries = 100;

std::optional<BaseUrl> read_base_url(const Reader& reader, const Variables& variables,
                                     std::vector<std::string>& warnings) {
    constexpr std::string_view kName = "OPENAI_BASE_URL";
    auto text = variables.find_nonempty(kName);
    if (!text) return std::nullopt;
    while (text->ends_with('/')) text->pop_back();
    if (is_placeholder(*text)) {
        warnings.emplace_back("OPENAI_BASE_URL is the placeholder " + *text +
                              " and counts as unset");
        return std::nullopt;
    }
    auto url = parse_base_url(*text);
    if (url) return *std::move(url);
    reader.report(variables.place(kName), wrong_value(kName, "", url.error().message, Quote::no));
    return std::nullopt;
}

std::optional<Secret> read_api_key(const Reader& reader, const Variables& variables,
                                   std::string_view name) {
    const auto text = variables.find_nonempty(name);
    if (!text) return std::nullopt;
    auto secret = parse_secret(*text);
    if (secret) return *std::move(secret);
    reader.report(variables.place(name), wrong_value(name, "", secret.error().message, Quote::no));
    return std::nullopt;
}

/// The value of a variable that is set and that `parse` takes; else nullopt, after a report.
template <class T, class Parse>
std::optional<T> read_variable(const Reader& reader, const Variables& variables,
                               std::string_view name, Parse parse) {
    const auto text = variables.find_nonempty(name);
    if (!text) return std::nullopt;
    const Result<T> value = parse(*text);
    if (value) return *value;
    reader.report(variables.place(name),
                  wrong_value(name, *text, value.error().message, Quote::yes));
    return std::nullopt;
}

Target as_asked(std::string upstream) {
    return {.upstream = std::move(upstream), .model = "*"};
}

void add_embedded(Config& config) {
    Upstream upstream;
    upstream.name = "embedded";
    upstream.kind = UpstreamKind::embedded;
    config.upstreams.emplace(upstream.name, std::move(upstream));
    for (const char* model : {"echo", "lorem"}) {
        config.routes.push_back({.model = std::string("embedded/") + model,
                                 .targets = {{.upstream = "embedded", .model = model}}});
    }
    config.default_route.targets = {{.upstream = "embedded", .model = "echo"}};
}

/// At an address of the user's own, or at that of the provider it is named after.
void add_provider(const Reader& reader, const std::string& name, const std::optional<BaseUrl>& url,
                  const std::optional<Secret>& key, Config& config) {
    Upstream upstream;
    if (!url || is_deepseek(*url)) {
        upstream = upstream_of_preset(reader, name, url ? "deepseek" : name);
    }
    upstream.name = name;
    if (url) upstream.base_url = *url;
    if (key) upstream.api_keys = {*key};
    config.upstreams.emplace(name, std::move(upstream));
}

}  // namespace

void add_default_upstreams(const Reader& reader, const Variables& variables, Config& config,
                           std::vector<std::string>& warnings) {
    auto url = read_base_url(reader, variables, warnings);
    const auto openai_key = read_api_key(reader, variables, "OPENAI_API_KEY");
    const auto deepseek_key = read_api_key(reader, variables, "DEEPSEEK_API_KEY");

    // DeepSeek's address beside DeepSeek's key is one provider, not two.
    const bool one_deepseek = url && is_deepseek(*url) && !openai_key && deepseek_key;
    if (!one_deepseek && (url || openai_key)) {
        add_provider(reader, "openai", url, openai_key, config);
        config.default_route.targets = {as_asked("openai")};
    }
    if (deepseek_key) {
        add_provider(reader, "deepseek", one_deepseek ? url : std::nullopt, deepseek_key, config);
        if (config.default_route.targets.empty()) {
            config.default_route.targets = {as_asked("deepseek")};
        } else {
            config.routes.push_back({.model = "deepseek-*", .targets = {as_asked("deepseek")}});
        }
    }
    if (config.upstreams.empty()) add_embedded(config);
}

void apply_timeout(const Reader& reader, const Variables& variables, Upstreams& upstreams) {
    const auto timeout = read_variable<Milliseconds>(
        reader, variables, "TIMEOUT",
        [](std::string_view text) { return parse_duration(text, Milliseconds(1)); });
    if (!timeout) return;
    for (auto& [name, upstream] : upstreams) {
        upstream.timeouts.first_byte = *timeout;
        upstream.timeouts.idle = *timeout;
    }
}

void apply_retry_variables(const Reader& reader, const Variables& variables, Upstreams& upstreams) {
    const auto duration = [](std::string_view text) {
        return parse_duration(text, Milliseconds(0));
    };
    const auto count = [](std::string_view text) { return parse_integer(text, 0, kMostRetries); };
    const auto retries = read_variable<std::uint64_t>(reader, variables, "MAX_RETRIES", count);
    const auto base = read_variable<Milliseconds>(reader, variables, "BASE_RETRY_DELAY", duration);
    const auto wait = read_variable<Milliseconds>(reader, variables, "RATE_LIMIT_WAIT", duration);
    for (auto& [name, upstream] : upstreams) {
        if (upstream.kind == UpstreamKind::embedded) continue;
        Retry& retry = upstream.retry;
        if (retries) retry.max_retries = *retries;
        if (wait) retry.rate_limit_wait = *wait;
        if (!base) continue;
        retry.base_delay = *base;
        retry.max_delay = std::max(retry.max_delay, *base);
    }
}

}  // namespace sluice::config
