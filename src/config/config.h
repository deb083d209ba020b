#pragma once

/// What sluice is configured to do: plain structs with their defaults, filled by load() and never
/// changed afterwards. Nothing here reads a file, the environment or a clock.

#include "config/secret.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace sluice::config {

using Milliseconds = std::chrono::milliseconds;

inline constexpr std::size_t kKibibyte = 1024;
inline constexpr std::size_t kMebibyte = 1024 * kKibibyte;

/// An address to listen on. An IPv6 host stands here without its brackets.
struct HostPort {
    std::string host;
    std::uint16_t port = 0;  ///< 0: any free port

    friend bool operator==(const HostPort&, const HostPort&) = default;
};

/// 127.0.0.0/8, ::1 and localhost: reachable from this machine only.
[[nodiscard]] bool is_loopback(const HostPort& address);

/// `host:port`, or `[host]:port` for an IPv6 address.
[[nodiscard]] std::string to_string(const HostPort& address);

struct Admin {
    std::optional<HostPort> listen;  ///< unset: there is no admin listener
    Secret key;                      ///< what callers of the admin listener must show
};

/// What a key allows beyond inference, which every key allows.
enum class Scope : std::uint8_t { stats, metrics };

/// A client's key.
struct Key {
    std::string name;  ///< how logs and the ledger call it; unique
    Secret secret;     ///< unique
    std::string group;
    std::vector<Scope> scopes;
};

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
    Milliseconds connect{5'000};        ///< name, TCP and TLS together
    Milliseconds first_byte{300'000};   ///< from the request sent to the reply's first byte
    Milliseconds idle{60'000};          ///< between two reads of a reply that has begun
    std::optional<Milliseconds> total;  ///< the whole exchange; unset: no limit
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

enum class UpstreamKind : std::uint8_t { openai, embedded };

struct Upstream {
    std::string name;
    UpstreamKind kind = UpstreamKind::openai;
    std::string preset;   ///< the preset that filled in what the file left out; may be empty
    BaseUrl base_url;     ///< kind openai only
    Secret api_key;       ///< empty: no credential is sent
    std::string ca_file;  ///< trusted in addition to the system's store; may be empty
    Timeouts timeouts;
    Pool pool;
    Embedded embedded;  ///< kind embedded only
};

/// One place a request may go: `upstream/model` in the file.
struct Target {
    std::string upstream;
    std::string model;  ///< `*`: as the client named it

    friend bool operator==(const Target&, const Target&) = default;
};

struct Route {
    std::string model;            ///< a name or, with `*` in it, a glob (base/text.h)
    std::vector<Target> targets;  ///< in order of preference; never empty
};

struct Limits {
    std::size_t body_bytes = 32 * kMebibyte;     ///< of a request; more is a 413
    std::size_t head_bytes = 32 * kKibibyte;     ///< request line and headers; more is a 431
    std::size_t connections_per_address = 1024;  ///< loopback is exempt
    Milliseconds head_timeout{10'000};           ///< from a request's first byte to its last header
    Milliseconds idle_timeout{60'000};           ///< of a connection between two requests
    std::size_t body_min_rate = kKibibyte;       ///< bytes a second, or the client gets a 408
    Milliseconds drain_timeout{120'000};         ///< how long a stop waits for open replies
};

struct Cors {
    std::vector<std::string> allow_origins;  ///< exact origins or `*`; empty: no CORS headers
};

enum class LogLevel : std::uint8_t { trace, debug, info, warn, error, off };
enum class LogFormat : std::uint8_t { automatic, json, text };  ///< automatic: text on a terminal

struct Log {
    LogLevel level = LogLevel::info;
    LogFormat format = LogFormat::automatic;
    bool access = true;        ///< one line for every request
    std::string prompts_file;  ///< where prompts and replies go; empty: nowhere
};

/// Name to upstream, found by string_view.
using Upstreams = std::map<std::string, Upstream, std::less<>>;

struct Config {
    std::vector<HostPort> listeners;  ///< never empty after load()
    Admin admin;
    std::string data_dir;
    std::vector<Key> keys;  ///< empty: any credential or none is accepted
    Upstreams upstreams;    ///< never empty after load()
    std::vector<Route> routes;
    std::vector<Target> default_route;  ///< empty: a model that no route names is not found
    Limits limits;
    Cors cors;
    Log log;
    unsigned workers = 0;  ///< threads; 0: one for each core
};

}  // namespace sluice::config
