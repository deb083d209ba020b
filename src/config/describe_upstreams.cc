#include "config/describe_text.h"
#include "config/units.h"

#include <array>
#include <charconv>
#include <ostream>

namespace sluice::config {
namespace {

std::string_view word(Auth auth) {
    switch (auth) {
        case Auth::own_key: return "own_key";
        case Auth::passthrough: return "passthrough";
    }
    return "";
}

std::string_view word(AuthHeader header) {
    switch (header) {
        case AuthHeader::bearer: return "bearer";
        case AuthHeader::x_api_key: return "x_api_key";
    }
    return "";
}

std::string_view word(Tokenizer tokenizer) {
    switch (tokenizer) {
        case Tokenizer::automatic: return "auto";
        case Tokenizer::deepseek: return "deepseek";
        case Tokenizer::o200k: return "o200k";
        case Tokenizer::cl100k: return "cl100k";
    }
    return "";
}

std::string_view word(Embeddings::TokenArrays arrays) {
    switch (arrays) {
        case Embeddings::TokenArrays::pass: return "pass";
        case Embeddings::TokenArrays::refuse: return "refuse";
    }
    return "";
}

std::string_view word(Embeddings::Encoding encoding) {
    switch (encoding) {
        case Embeddings::Encoding::as_asked: return "as_asked";
        case Embeddings::Encoding::number_lists: return "float";
    }
    return "";
}

/// Whole hundreds as `5xx`, others one by one.
std::string statuses(const StatusSet& set) {
    std::vector<std::string> parts;
    for (int hundred = 4; hundred <= 5; ++hundred) {
        std::vector<std::string> single;
        for (int status = hundred * 100; status < (hundred + 1) * 100; ++status) {
            if (set.has(status)) single.push_back(std::to_string(status));
        }
        if (single.size() == 100) single = {std::to_string(hundred) + "xx"};
        parts.insert(parts.end(), single.begin(), single.end());
    }
    return list(parts, [](const std::string& part) { return part; });
}

std::string path_or_none(const std::string& path) {
    return path.empty() ? "none" : quote(path);
}

void write_paths(std::ostream& out, UpstreamKind kind, const Paths& paths) {
    out << "    paths:\n      models: " << quote(paths.models) << '\n';
    if (kind == UpstreamKind::anthropic) {
        out << "      messages: " << quote(paths.messages) << '\n'
            << "      count_tokens: " << path_or_none(paths.count_tokens) << '\n';
    } else {
        out << "      chat: " << quote(paths.chat) << '\n'
            << "      completions: " << path_or_none(paths.completions) << '\n'
            << "      embeddings: " << quote(paths.embeddings) << '\n';
    }
}

void write_provider(std::ostream& out, const Upstream& upstream) {
    const bool anthropic = upstream.kind == UpstreamKind::anthropic;
    out << "    kind: " << (anthropic ? "anthropic" : "openai") << '\n';
    if (!upstream.preset.empty()) out << "    preset: " << quote(upstream.preset) << '\n';
    out << "    base_url: " << quote(to_string(upstream.base_url)) << '\n';
    if (upstream.api_keys.size() == 1) {
        out << "    api_key: " << quote(upstream.api_keys.front()) << '\n';
    } else if (!upstream.api_keys.empty()) {
        out << "    api_keys: "
            << list(upstream.api_keys, [](const Secret& key) { return quote(key); }) << '\n';
    }
    out << "    auth: " << word(upstream.auth) << '\n';
    if (!upstream.ca_file.empty()) out << "    ca_file: " << quote(upstream.ca_file) << '\n';
    out << "    auth_header: " << word(upstream.auth_header) << '\n';
    if (anthropic) out << "    version: " << quote(upstream.version) << '\n';
    write_paths(out, upstream.kind, upstream.paths);
}

void write_connections(std::ostream& out, const Timeouts& timeouts, const Pool& pool) {
    out << "    timeouts:\n"
        << "      connect: " << format_duration(timeouts.connect) << '\n'
        << "      first_byte: " << format_duration(timeouts.first_byte) << '\n'
        << "      idle: " << format_duration(timeouts.idle) << '\n'
        << "      total: " << optional_duration(timeouts.total, "none") << '\n'
        << "      idle_counts_data_only: " << truth(timeouts.idle_counts_data_only) << '\n'
        << "    pool:\n"
        << "      max_idle_per_worker: " << pool.max_idle_per_worker << '\n'
        << "      idle_timeout: " << format_duration(pool.idle_timeout) << '\n'
        << "      max_connections: " << pool.max_connections << '\n';
}

void write_health_check(std::ostream& out, const HealthCheck& check) {
    out << "    health_check:\n"
        << "      enabled: " << truth(check.enabled) << '\n'
        << "      path: " << quote(check.path) << '\n'
        << "      interval: " << format_duration(check.interval) << '\n'
        << "      timeout: " << format_duration(check.timeout) << '\n';
}

void write_retry(std::ostream& out, const Retry& retry) {
    out << "    retry:\n"
        << "      max_retries: " << retry.max_retries << '\n'
        << "      base_delay: " << format_duration(retry.base_delay) << '\n'
        << "      max_delay: " << format_duration(retry.max_delay) << '\n'
        << "      rate_limit_wait: " << format_duration(retry.rate_limit_wait) << '\n'
        << "      max_wait: " << format_duration(retry.max_wait) << '\n'
        << "      on: " << statuses(retry.on) << '\n'
        << "      budget: " << format_number(retry.budget) << '\n'
        << "      budget_floor: " << retry.budget_floor << '\n';
}

void write_breaker(std::ostream& out, const Breaker& breaker) {
    out << "    breaker:\n"
        << "      enabled: " << truth(breaker.enabled) << '\n'
        << "      consecutive_failures: " << breaker.consecutive_failures << '\n'
        << "      error_rate: " << format_number(breaker.error_rate) << '\n'
        << "      min_requests: " << breaker.min_requests << '\n'
        << "      window: " << format_duration(breaker.window) << '\n'
        << "      open_for: " << format_duration(breaker.open_for) << '\n'
        << "      probes: " << breaker.probes << '\n';
}

void write_concurrency(std::ostream& out, const Concurrency& concurrency) {
    out << "    concurrency:\n      limit: ";
    switch (concurrency.kind) {
        case Concurrency::Kind::unlimited: out << "none\n"; break;
        case Concurrency::Kind::fixed: out << concurrency.limit << '\n'; break;
        case Concurrency::Kind::adaptive:
            out << "adaptive\n      start: " << concurrency.limit
                << "\n      max_limit: " << concurrency.max_limit << '\n';
            break;
    }
    out << "      queue: " << concurrency.queue << '\n'
        << "      queue_time: " << format_duration(concurrency.queue_time) << '\n';
}

std::string bound(const std::optional<double>& value) {
    if (!value) return "~";
    std::array<char, 32> text{};
    const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), *value);
    return error == std::errc{} ? std::string(text.data(), end) : "~";
}

std::string alias(const ModelAlias& alias) {
    return quote_key(alias.name) + ": {model: " + quote(alias.model) +
           ", default: " + map_of(alias.defaults) + ", force: " + map_of(alias.force) + "}";
}

void write_transforms(std::ostream& out, const Transforms& transforms) {
    out << "    transforms:\n"
        << "      reject: " << quoted_list(transforms.reject) << '\n'
        << "      rename: " << map_of(transforms.rename) << '\n'
        << "      roles: " << map_of(transforms.roles) << '\n'
        << "      drop: " << quoted_list(transforms.drop) << '\n'
        << "      default: " << map_of(transforms.defaults) << '\n'
        << "      force: " << map_of(transforms.force) << '\n'
        << "      clamp: "
        << map(transforms.clamp,
               [](const Clamp& clamp) {
                   return quote_key(clamp.field) + ": [" + bound(clamp.lowest) + ", " +
                          bound(clamp.highest) + "]";
               })
        << '\n'
        << "      models: " << map(transforms.models, alias) << '\n';
}

void write_embeddings(std::ostream& out, const Embeddings& embeddings) {
    out << "    embeddings:\n"
        << "      max_batch: " << embeddings.max_batch << '\n'
        << "      token_arrays: " << word(embeddings.token_arrays) << '\n'
        << "      encoding: " << word(embeddings.encoding) << '\n';
}

void write_embedded(std::ostream& out, const Embedded& embedded) {
    out << "    kind: embedded\n    embedded:\n"
        << "      tokens_per_second: " << format_number(embedded.tokens_per_second) << '\n'
        << "      tokens: " << embedded.tokens << '\n'
        << "      faults: " << truth(embedded.faults) << '\n';
}

void write_chat(std::ostream& out, const Upstream& upstream) {
    write_abilities(out, upstream.abilities);
    out << "    text_models: " << quoted_list(upstream.text_models) << '\n';
    const auto& thinking = upstream.default_thinking;
    out << "    default_thinking: " << (thinking ? truth(*thinking) : "none") << '\n'
        << "    tokenizer: " << word(upstream.tokenizer) << '\n';
}

}  // namespace

void write_upstreams(std::ostream& out, const Upstreams& upstreams) {
    out << "upstreams:\n";
    for (const auto& [name, upstream] : upstreams) {
        out << "  " << quote(name) << ":\n";
        switch (upstream.kind) {
            case UpstreamKind::openai:
            case UpstreamKind::anthropic:
                write_provider(out, upstream);
                write_connections(out, upstream.timeouts, upstream.pool);
                write_health_check(out, upstream.health_check);
                break;
            case UpstreamKind::embedded: write_embedded(out, upstream.embedded); break;
        }
        write_retry(out, upstream.retry);
        write_breaker(out, upstream.breaker);
        write_concurrency(out, upstream.concurrency);
        write_transforms(out, upstream.transforms);
        write_embeddings(out, upstream.embeddings);
        write_chat(out, upstream);
    }
}

}  // namespace sluice::config
