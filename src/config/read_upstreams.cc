#include "config/address.h"
#include "config/presets.h"
#include "config/sections.h"
#include "config/upstream_sections.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <utility>

namespace sluice::config {
namespace {

constexpr Milliseconds kQueueingFirstByte{600'000};
constexpr double kFastestTokens = 1'000'000;
constexpr std::size_t kMostTokens = 1'000'000;
constexpr std::size_t kMostConnections = 1'000'000;

Result<UpstreamKind> parse_kind(std::string_view text) {
    if (text == "openai") return UpstreamKind::openai;
    if (text == "anthropic") return UpstreamKind::anthropic;
    if (text == "embedded") return UpstreamKind::embedded;
    return fail(Errc::bad_request, "openai, anthropic or embedded");
}

bool is_upstream_name(std::string_view name) {
    constexpr std::size_t kLongest = 64;
    return !name.empty() && name.size() <= kLongest && std::ranges::all_of(name, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '-' || c == '_' || c == '.';
    });
}

void read_text_models(const Section& section, std::vector<std::string>& models) {
    section.read_list("text_models", models, parse_text);
}

Result<Tokenizer> parse_tokenizer(std::string_view text) {
    if (text == "auto") return Tokenizer::automatic;
    if (text == "deepseek") return Tokenizer::deepseek;
    if (text == "o200k") return Tokenizer::o200k;
    if (text == "cl100k") return Tokenizer::cl100k;
    return fail(Errc::bad_request, "auto, deepseek, o200k or cl100k");
}

void read_timeouts(const Reader& reader, const Section& upstream, Timeouts& timeouts) {
    const Section section(reader, upstream.find("timeouts"), kTimeoutsSchema,
                          upstream.path("timeouts"));
    section.read_duration("connect", timeouts.connect);
    section.read_duration("first_byte", timeouts.first_byte);
    section.read_duration("idle", timeouts.idle);
    section.read("idle_counts_data_only", timeouts.idle_counts_data_only);
    section.read("total", timeouts.total,
                 [](std::string_view text) -> Result<std::optional<Milliseconds>> {
                     if (text == "none") return std::nullopt;
                     auto total = parse_duration(text, Milliseconds(1));
                     if (total) return *total;
                     return fail(Errc::bad_request, "none, or " + total.error().message);
                 });
}

void read_pool(const Reader& reader, const Section& upstream, Pool& pool) {
    const Section section(reader, upstream.find("pool"), kPoolSchema, upstream.path("pool"));
    section.read_integer("max_idle_per_worker", pool.max_idle_per_worker, 0, kMostConnections);
    section.read_duration("idle_timeout", pool.idle_timeout);
    section.read_integer("max_connections", pool.max_connections, 1, kMostConnections);
}

void read_embedded(const Reader& reader, const Section& upstream, Embedded& embedded) {
    const Section section(reader, upstream.find("embedded"), kEmbeddedSchema,
                          upstream.path("embedded"));
    section.read("tokens_per_second", embedded.tokens_per_second,
                 [](std::string_view text) { return parse_number(text, kFastestTokens); });
    section.read_integer("tokens", embedded.tokens, 1, kMostTokens);
    section.read("faults", embedded.faults);
}

/// Appends the secret of `node`. `${NAME:-}` that comes out empty is as if it were left out.
void read_secret(const Reader& reader, const Node& node, const std::string& path,
                 std::vector<Secret>& secrets) {
    const auto text = reader.text(node, path);
    if (!text || (text->empty() && !node.text.empty())) return;
    auto secret = parse_secret(*text);
    if (secret) {
        secrets.push_back(*std::move(secret));
    } else {
        reader.report(node.place, wrong_value(path, "", secret.error().message, Quote::no));
    }
}

void read_api_keys(const Reader& reader, const Section& section, std::vector<Secret>& secrets) {
    const NodePtr one = section.find("api_key");
    const NodePtr several = section.find("api_keys");
    if (one && several) {
        section.report("api_keys", "`" + section.path("api_key") + "` and `" +
                                       section.path("api_keys") + "`, expected one of the two");
    }
    if (one) read_secret(reader, *one, section.path("api_key"), secrets);
    for (const NodePtr& item : reader.items(several, section.path("api_keys"))) {
        read_secret(reader, *item, section.path("api_keys"), secrets);
    }
}

/// `auto` is for presets: the client's credential as long as it is not one of our own keys.
void read_auth(const Section& section, HasKeys has_keys, Auth& auth) {
    const bool keys = has_keys == HasKeys::yes;
    section.read("auth", auth, [&](std::string_view text) -> Result<Auth> {
        if (text == "own_key") return Auth::own_key;
        if (text == "auto") return keys ? Auth::own_key : Auth::passthrough;
        if (text != "passthrough") {
            return fail(Errc::bad_request, "own_key, passthrough or auto");
        }
        if (!keys) return Auth::passthrough;
        return fail(Errc::bad_request,
                    "own_key or auto: with client keys configured, clients would send those to the "
                    "upstream");
    });
}

void read_ca_file(const Section& section, std::string& ca_file) {
    section.read("ca_file", ca_file);
    if (ca_file.empty() || std::ifstream(ca_file)) return;
    section.report("ca_file", "`" + section.path("ca_file") + "` is `" +
                                  section.find("ca_file")->text +
                                  "`, which cannot be read, expected a file of PEM certificates");
}

Result<BaseUrl> parse_address(std::string_view text) {
    if (is_placeholder(text)) {
        return fail(Errc::bad_request,
                    "the address of a server: this one is the placeholder of a documentation "
                    "(OPENAI_BASE_URL)");
    }
    return parse_base_url(text);
}

/// One at DeepSeek's address is DeepSeek, whether or not its preset is named.
void apply_deepseek(const Reader& reader, Upstream& upstream) {
    upstream.timeouts.first_byte = kQueueingFirstByte;
    if (!upstream.preset.empty()) return;
    const bool anthropic = upstream.kind == UpstreamKind::anthropic;
    const Preset* preset =
        find_preset(upstream_presets(), anthropic ? "deepseek-anthropic" : "deepseek");
    if (preset == nullptr) return;
    const NodePtr known = parse_yaml(preset->text, std::string(preset->file), reader.problems());
    const Section section(reader, known, kUpstreamSchema, "upstreams." + upstream.name);
    read_abilities(reader, section, upstream.abilities);
    read_text_models(section, upstream.text_models);
}

void read_provider(const Reader& reader, const Section& section, HasKeys has_keys,
                   Upstream& upstream) {
    constexpr std::array<std::string_view, 1> kForeign{"embedded"};
    refuse_keys(section, kForeign,
                upstream.kind == UpstreamKind::anthropic ? "anthropic" : "openai");
    section.read("base_url", upstream.base_url, parse_address, Quote::no);
    if (!section.find("base_url")) {
        section.report("base_url",
                       "`" + section.path("base_url") +
                           "` is missing, expected http(s)://HOST[:PORT][/PATH] or a preset (" +
                           preset_names(upstream_presets()) + ")");
    }
    read_api_keys(reader, section, upstream.api_keys);
    read_auth(section, has_keys, upstream.auth);
    read_ca_file(section, upstream.ca_file);
    read_protocol(section, upstream);
    read_paths(reader, section, upstream.kind, upstream.paths);
    if (is_deepseek(upstream.base_url)) apply_deepseek(reader, upstream);
    read_timeouts(reader, section, upstream.timeouts);
    read_pool(reader, section, upstream.pool);
    if (upstream.kind == UpstreamKind::anthropic) upstream.health_check.path = "/v1/models";
    read_health_check(reader, section, upstream.health_check);
}

/// What every kind has.
void read_common(const Reader& reader, const Section& section, Upstream& upstream) {
    read_retry(reader, section, upstream.retry);
    read_breaker(reader, section, upstream.breaker);
    read_concurrency(reader, section, upstream.concurrency);
    read_transforms(reader, section, upstream.transforms);
    read_embeddings(reader, section, upstream.embeddings);
    read_abilities(reader, section, upstream.abilities);
    read_text_models(section, upstream.text_models);
    section.read("default_thinking", upstream.default_thinking,
                 [](std::string_view text) -> Result<std::optional<bool>> {
                     if (text == "none") return std::nullopt;
                     const auto value = parse_bool(text);
                     if (value) return *value;
                     return fail(Errc::bad_request, "none, or " + value.error().message);
                 });
    section.read("tokenizer", upstream.tokenizer, parse_tokenizer);
}

/// The node with the preset that it names laid under it.
NodePtr with_preset(const Reader& reader, const NodePtr& node, const std::string& path,
                    std::string& preset_name) {
    const auto stated = std::ranges::find(node->entries, "preset", &Entry::key);
    if (stated == node->entries.end() || stated->value->kind == Node::Kind::null) return node;
    auto name = reader.text(*stated->value, path + ".preset");
    if (!name) return node;
    const Preset* preset = find_preset(upstream_presets(), *name);
    if (preset == nullptr) {
        reader.report(stated->value->place,
                      wrong_value(path + ".preset", stated->value->text,
                                  preset_names(upstream_presets()), Quote::yes));
        return node;
    }
    preset_name = *std::move(name);
    return merge(parse_yaml(preset->text, std::string(preset->file), reader.problems()), node);
}

Upstream read_upstream(const Reader& reader, std::string name, const NodePtr& stated,
                       HasKeys has_keys) {
    const std::string path = "upstreams." + name;
    Upstream upstream;
    upstream.name = std::move(name);
    const NodePtr node = with_preset(reader, stated, path, upstream.preset);
    const Section section(reader, node, kUpstreamSchema, path);
    if (node->kind == Node::Kind::null)
        reader.report(node->place, "`" + path + "` is empty, expected a map of keys");
    if (node->kind != Node::Kind::map) return upstream;
    section.read("kind", upstream.kind, parse_kind);
    upstream.abilities = default_abilities(upstream.kind);
    switch (upstream.kind) {
        case UpstreamKind::openai:
        case UpstreamKind::anthropic: read_provider(reader, section, has_keys, upstream); break;
        case UpstreamKind::embedded: {
            constexpr std::array<std::string_view, 12> kForeign{
                "preset", "base_url", "api_key", "api_keys",     "auth",        "ca_file",
                "paths",  "timeouts", "pool",    "health_check", "auth_header", "version"};
            refuse_keys(section, kForeign, "embedded");
            read_embedded(reader, section, upstream.embedded);
            break;
        }
    }
    read_common(reader, section, upstream);
    return upstream;
}

}  // namespace

void read_upstreams(const Reader& reader, const NodePtr& node, HasKeys has_keys,
                    Upstreams& upstreams) {
    if (!node) return;
    if (node->kind != Node::Kind::map) {
        reader.report(node->place, "`upstreams` is not a map, expected NAME: {base_url: ...}");
        return;
    }
    for (const Entry& entry : node->entries) {
        if (!is_upstream_name(entry.key)) {
            reader.report(entry.place,
                          "an upstream is called `" + entry.key +
                              "`, expected up to 64 letters, digits, `-`, `_` and `.`");
        }
        upstreams.emplace(entry.key, read_upstream(reader, entry.key, entry.value, has_keys));
    }
}

Upstream upstream_of_preset(const Reader& reader, std::string name, const std::string& preset) {
    auto scalar = std::make_shared<Node>();
    scalar->kind = Node::Kind::scalar;
    scalar->text = preset;
    auto map = std::make_shared<Node>();
    map->kind = Node::Kind::map;
    map->entries.push_back({.key = "preset", .place = {}, .value = std::move(scalar)});
    return read_upstream(reader, std::move(name), map, HasKeys::no);
}

}  // namespace sluice::config
