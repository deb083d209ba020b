#pragma once

/// What is changed about requests on their way to an upstream, and about replies on their way back:
/// data, not code. shaping/ carries it out.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sluice::config {

/// A field of the request, by its top-level name, and a value as JSON.
struct Assignment {
    std::string field;
    std::string json;
    friend bool operator==(const Assignment&, const Assignment&) = default;
};

struct Renaming {
    std::string from;
    std::string to;
    friend bool operator==(const Renaming&, const Renaming&) = default;
};

/// A number is moved into these bounds; a value that is no number is left alone.
struct Clamp {
    std::string field;
    std::optional<double> lowest;
    std::optional<double> highest;
};

/// A model name that the upstream no longer has, and what stands for it.
struct ModelAlias {
    std::string name;
    std::string model;
    std::vector<Assignment> defaults;  ///< for what the client left out
    std::vector<Assignment> force;
};

/// What is changed about requests for one upstream. Applied in this order: reject, rename, drop,
/// default, force, clamp. Names are those of top-level fields; `messages[].NAME` is a field of each
/// message (drop only).
struct Transforms {
    std::vector<std::string> reject;
    std::vector<Renaming> rename;  ///< where both are given, `to` stays and `from` goes
    std::vector<Renaming> roles;   ///< of messages: developer to system
    std::vector<std::string> drop;
    std::vector<Assignment> defaults;
    std::vector<Assignment> force;
    std::vector<Clamp> clamp;
    std::vector<ModelAlias> models;

    [[nodiscard]] bool empty() const noexcept {
        return reject.empty() && rename.empty() && roles.empty() && drop.empty() &&
               defaults.empty() && force.empty() && clamp.empty();
    }
};

/// What is changed about replies. A field is a path: `usage.cost`, `choices[].message.reasoning`;
/// `message` stands for `delta` in streams.
struct ReplyRules {
    enum class Model : std::uint8_t { as_answered, as_requested };
    Model model = Model::as_answered;
    std::vector<std::string> drop;
    std::vector<Renaming> rename;  ///< `to` is a name beside the old one
    std::vector<Assignment> set;
    std::vector<std::string> drop_headers;  ///< of those that are passed on from upstreams
    std::vector<std::pair<std::string, std::string>> set_headers;

    [[nodiscard]] bool changes_body() const noexcept {
        return model == Model::as_requested || !drop.empty() || !rename.empty() || !set.empty();
    }
};

}  // namespace sluice::config
