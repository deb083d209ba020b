#pragma once

/// What sluice is configured to do: plain structs with their defaults, filled by load() and never
/// changed afterwards. Nothing here reads a file, the environment or a clock.

#include "config/route.h"
#include "config/secret.h"
#include "config/upstream.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sluice::config {

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
enum class Scope : std::uint8_t { stats, metrics, pass_through };

/// A client's key.
struct Key {
    std::string name;  ///< how logs and the ledger call it; unique
    Secret secret;     ///< unique
    std::string group;
    std::vector<Scope> scopes;
    std::vector<std::string> models;  ///< names or globs that it may ask for; empty: any
};

struct Limits {
    std::size_t body_bytes = 32 * kMebibyte;     ///< of a request; more is a 413
    std::size_t head_bytes = 32 * kKibibyte;     ///< request line and headers; more is a 431
    std::size_t connections_per_address = 1024;  ///< loopback is exempt
    Milliseconds head_timeout{10'000};           ///< from a request's first byte to its last header
    Milliseconds idle_timeout{60'000};           ///< of a connection between two requests
    std::size_t body_min_rate = kKibibyte;       ///< bytes a second, or the client gets a 408
    Milliseconds drain_timeout{120'000};         ///< how long a stop waits for open replies
    std::optional<Milliseconds> keepalive_after{15'000};  ///< of silence in a stream: a comment
    std::optional<std::size_t> memory_bytes;  ///< what the process may take of RAM; unset: any
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

/// The reasoning of earlier turns, kept for clients that do not give it back.
struct ReasoningStore {
    bool enabled = true;
    std::size_t max_bytes = 32 * kMebibyte;  ///< in memory and on disk each
    Milliseconds max_age{86'400'000};
};

struct Debug {
    bool changes = false;  ///< replies tell in x-sluice-changes what translation changed
};

struct Config {
    std::vector<HostPort> listeners;  ///< never empty after load()
    Admin admin;
    std::string data_dir;   ///< state.db is there
    std::vector<Key> keys;  ///< empty: any credential or none is accepted
    Upstreams upstreams;    ///< never empty after load()
    std::vector<Route> routes;
    Route default_route;  ///< without targets: a model that no route names is not found
    FailureTable failures;
    PassThrough pass_through;
    Limits limits;
    Cors cors;
    Log log;
    unsigned workers = 0;       ///< threads; 0: one for each core
    std::string default_model;  ///< what a request without a model is for; empty: it is refused
    ReasoningStore reasoning_store;
    Debug debug;
};

/// Whether whoever calls brings a credential of the upstream's, so that nothing here can be misused
/// without a key of ours.
[[nodiscard]] bool clients_bring_credentials(const Upstreams& upstreams);

}  // namespace sluice::config
