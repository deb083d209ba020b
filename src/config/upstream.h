#pragma once

/// What the configuration says of one upstream.

#include "chat/abilities.h"
#include "config/secret.h"
#include "config/transforms.h"

#include <bitset>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::config {

using Milliseconds = std::chrono::milliseconds;

struct BaseUrl {
    bool tls = false;
    std::string host;  ///< in lower case; an IPv6 address without its brackets
    std::uint16_t port = 0;
    std::string path;  ///< empty, or with a leading and without a trailing slash

    friend bool operator==(const BaseUrl&, const BaseUrl&) = default;
};

/// `scheme://host[:port][path]`; the port is left out where it is the scheme's own.
[[nodiscard]] std::string to_string(const BaseUrl& url);

struct Timeouts {
    Milliseconds connect{5'000};         ///< name, TCP and TLS together
    Milliseconds first_byte{300'000};    ///< from the request sent to the reply's first byte
    Milliseconds idle{60'000};           ///< between two reads of a reply that has begun
    std::optional<Milliseconds> total;   ///< the whole exchange; unset: no limit
    bool idle_counts_data_only = false;  ///< an upstream's comments do not count as progress
};

/// A set of HTTP statuses, as `429` and `5xx` name them.
struct StatusSet {
    std::bitset<600> statuses;

    [[nodiscard]] bool has(int status) const noexcept {
        return status >= 0 && status < 600 && statuses.test(static_cast<std::size_t>(status));
    }
    friend bool operator==(const StatusSet&, const StatusSet&) = default;
};

/// 408, 409, 429 and 5xx.
[[nodiscard]] StatusSet default_retry_statuses();

/// How a failed attempt is repeated at the same upstream.
struct Retry {
    std::size_t max_retries = 5;           ///< further attempts at one candidate
    Milliseconds base_delay{1'000};        ///< before the first retry, at most; doubles each time
    Milliseconds max_delay{30'000};        ///< what the doubling ends at
    Milliseconds rate_limit_wait{30'000};  ///< after a 429 that names no reset
    Milliseconds max_wait{120'000};        ///< a longer one is not waited for but told the client
    StatusSet on = default_retry_statuses();
    double budget = 0.2;            ///< retries for each request over ten seconds, at most
    std::size_t budget_floor = 10;  ///< retries a second that the budget always allows
};

/// When an upstream that fails is left alone for a while.
struct Breaker {
    bool enabled = true;
    std::size_t consecutive_failures = 10;
    double error_rate = 0.5;        ///< of the requests within the window
    std::size_t min_requests = 20;  ///< within the window, for the rate to count
    Milliseconds window{10'000};
    Milliseconds open_for{5'000};  ///< until it is probed again
    std::size_t probes = 1;        ///< requests let through at once while it is half open
};

/// How many requests may be under way at an upstream, and how many may wait for their turn.
struct Concurrency {
    enum class Kind : std::uint8_t { unlimited, fixed, adaptive };
    Kind kind = Kind::unlimited;
    std::size_t limit = 0;           ///< fixed: the limit; adaptive: what it starts with
    std::size_t max_limit = 1024;    ///< adaptive: what it may grow to
    std::size_t queue = 256;         ///< requests waiting, at most
    Milliseconds queue_time{1'000};  ///< a request that waited longer is refused
};

/// Asked regularly whether it answers, also when nobody else asks.
struct HealthCheck {
    bool enabled = false;
    std::string path = "/models";
    Milliseconds interval{10'000};
    Milliseconds timeout{2'000};
};

/// Whose credential an upstream is shown.
enum class Auth : std::uint8_t {
    own_key,      ///< the one configured for it
    passthrough,  ///< the client's; its own only where a client on this machine shows none
};

/// The header line that a configured key is shown in.
enum class AuthHeader : std::uint8_t {
    bearer,     ///< authorization: Bearer KEY
    x_api_key,  ///< x-api-key: KEY
};

/// Where an upstream has its endpoints, below the base URL. Empty: it has none.
struct Paths {
    std::string chat = "/chat/completions";
    std::string completions = "/completions";  ///< none: asked for as chats
    std::string embeddings = "/embeddings";
    std::string models = "/models";
    std::string messages;      ///< kind anthropic only, and there always
    std::string count_tokens;  ///< kind anthropic only; none: counted here
};

/// What an upstream can do with embeddings.
struct Embeddings {
    enum class TokenArrays : std::uint8_t { pass, refuse };
    enum class Encoding : std::uint8_t { as_asked, number_lists };
    std::size_t max_batch = 2048;  ///< inputs in one request; more are asked for in parts
    TokenArrays token_arrays = TokenArrays::pass;
    Encoding encoding = Encoding::as_asked;  ///< what the upstream is asked for
};

/// Connections kept for the next request, in each worker.
struct Pool {
    std::size_t max_idle_per_worker = 64;
    Milliseconds idle_timeout{30'000};   ///< an idle connection is closed after this
    std::size_t max_connections = 4096;  ///< open at once in a worker, idle ones included
};

/// How the responder inside the process answers.
struct Embedded {
    double tokens_per_second = 0;  ///< 0: as fast as it can be read
    std::size_t tokens = 64;       ///< how many `lorem` writes where the request names none
    bool faults = false;           ///< whether the models `fault-*` exist
};

enum class UpstreamKind : std::uint8_t { openai, embedded, anthropic };

/// Whose tokens are counted.
enum class Tokenizer : std::uint8_t { automatic, deepseek, o200k, cl100k };

struct Upstream {
    std::string name;
    UpstreamKind kind = UpstreamKind::openai;
    std::string preset;  ///< the preset that filled in what the file left out; may be empty
    BaseUrl base_url;    ///< not kind embedded
    std::vector<Secret> api_keys;  ///< taken in turn; empty: no credential is sent
    Auth auth = Auth::own_key;
    std::string ca_file;  ///< trusted in addition to the system's store; may be empty
    Paths paths;
    Timeouts timeouts;
    Pool pool;
    Retry retry;
    Breaker breaker;
    Concurrency concurrency;
    HealthCheck health_check;
    Transforms transforms;
    Embeddings embeddings;
    Embedded embedded;  ///< kind embedded only
    chat::Abilities abilities;
    std::vector<std::string> text_models;  ///< names or globs of models that take no images
    AuthHeader auth_header = AuthHeader::bearer;
    std::string version;                         ///< anthropic-version for clients that name none
    std::optional<bool> default_thinking;        ///< unset: as the client's dialect has it
    Tokenizer tokenizer = Tokenizer::automatic;  ///< automatic: by the name of the model
};

/// What an upstream can express with one of its models.
[[nodiscard]] chat::Abilities abilities_of(const Upstream& upstream, std::string_view model);

/// Name to upstream, found by string_view.
using Upstreams = std::map<std::string, Upstream, std::less<>>;

}  // namespace sluice::config
