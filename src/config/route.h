#pragma once

/// What the configuration says of routes: where a model's requests go, how one of several equals is
/// chosen, and what follows a failure.

#include "config/transforms.h"
#include "config/upstream.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::config {

/// Why an attempt failed, as far as it decides what is done next.
enum class FailureKind : std::uint8_t {
    connect,        ///< not resolved, not connected, TLS not trusted
    broken,         ///< reset, cut or no HTTP before the first content
    timeout,        ///< no first byte in time
    conflict,       ///< 408, 409
    rate_limited,   ///< 429
    overloaded,     ///< 503, 529, insufficient_system_resource
    server_error,   ///< any other 5xx
    unauthorized,   ///< 401
    no_credit,      ///< 402
    forbidden,      ///< 403
    not_found,      ///< 404: the upstream does not have the model
    too_long,       ///< the context is longer than the model's
    invalid_reply,  ///< HTTP was right, the content was not
    bad_request,    ///< any other 4xx: the client's own mistake
};
inline constexpr std::size_t kFailureKinds = 14;

/// As the file spells it: `rate_limited`.
[[nodiscard]] std::string_view to_string(FailureKind kind) noexcept;

struct FailureRule {
    bool retry = false;      ///< the same candidate may be asked again
    bool fall_back = false;  ///< the next candidate may be asked
    friend bool operator==(const FailureRule&, const FailureRule&) = default;
};

/// What follows each kind of failure. docs/reliability.md shows the defaults.
struct FailureTable {
    FailureTable();

    [[nodiscard]] const FailureRule& operator[](FailureKind kind) const {
        return rules.at(static_cast<std::size_t>(kind));
    }
    std::array<FailureRule, kFailureKinds> rules;
};

/// One place a request may go: `upstream/model` in the file.
struct Target {
    std::string upstream;
    std::string model;       ///< `*`: as the client named it
    std::size_t tier = 0;    ///< targets of one tier are equals; a lower one is asked first
    std::size_t weight = 1;  ///< its share among equals; 0: only when the others fail
    std::string variant;     ///< how a split calls it; empty: `upstream/model`

    friend bool operator==(const Target&, const Target&) = default;
};

/// How one of several equals is chosen.
enum class Balance : std::uint8_t {
    round_robin,        ///< in turn, by weight
    least_outstanding,  ///< who has the fewest requests under way, by weight
    peak_ewma,          ///< of two at random, the one that promises the shorter wait
    split,              ///< by weight, the same one for the same session or key
};

/// Asks a second candidate when the first takes long, and takes whoever answers first.
struct Hedge {
    bool enabled = false;
    std::optional<Milliseconds> after;  ///< unset: the p95 of the upstream's first-byte times
    double share = 0.05;                ///< of the route's requests, at most
    std::size_t max_tokens = 16'000;    ///< input (estimated) and allowed output; above: never
};

struct Route {
    std::string model;            ///< a name or, with `*` in it, a glob (base/text.h)
    std::vector<Target> targets;  ///< by tier; never empty
    Balance balance = Balance::round_robin;
    Hedge hedge;
    ReplyRules reply;
};

/// Requests that are handed on as they are.
struct PassThrough {
    std::string upstream;        ///< empty: there is none
    std::string prefix = "/v1";  ///< with a leading and without a trailing slash; may be empty
    bool retry = false;          ///< repeat also what is not idempotent
};

}  // namespace sluice::config
