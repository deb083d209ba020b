#pragma once

/// The parts of one upstream, each read into its struct. `upstream` is the map that holds them.

#include "config/reader.h"

#include <span>

namespace sluice::config {

/// Reads `auth_header` and `version`: how the kind's protocol wants to be spoken to.
void read_protocol(const Section& section, Upstream& upstream);

/// Reports each of `keys` that is stated though it means nothing to a kind of upstream.
void refuse_keys(const Section& section, std::span<const std::string_view> keys,
                 const std::string& kind);

/// Reads `paths` over those that the kind has.
void read_paths(const Reader& reader, const Section& upstream, UpstreamKind kind, Paths& paths);
void read_retry(const Reader& reader, const Section& upstream, Retry& retry);
void read_breaker(const Reader& reader, const Section& upstream, Breaker& breaker);
void read_concurrency(const Reader& reader, const Section& upstream, Concurrency& concurrency);
void read_health_check(const Reader& reader, const Section& upstream, HealthCheck& check);
void read_transforms(const Reader& reader, const Section& upstream, Transforms& transforms);
void read_embeddings(const Reader& reader, const Section& upstream, Embeddings& embeddings);
void read_abilities(const Reader& reader, const Section& upstream, chat::Abilities& abilities);

/// What is known of an upstream by its kind alone.
[[nodiscard]] chat::Abilities default_abilities(UpstreamKind kind);

/// What a route says of replies.
void read_reply(const Reader& reader, const Section& route, ReplyRules& reply);

/// A map that may be `on` or `off` instead, and may say `enabled`. With `map_enables`, being there
/// is saying so. Errors are reported; `enabled` is the default before.
[[nodiscard]] Section open_switched(const Reader& reader, const Section& parent,
                                    std::string_view key, const Schema& schema, bool& enabled,
                                    bool map_enables);

/// Values as JSON by the names of their fields: `FIELD: VALUE`. `check` says what is wrong with a
/// name, or nothing.
void read_assignments(const Reader& reader, const NodePtr& node, const std::string& path,
                      std::string (*check)(std::string_view field),
                      std::vector<Assignment>& assignments);

/// `FROM: TO` with what `check_from` and `check_to` say of the names.
void read_renamings(const Reader& reader, const NodePtr& node, const std::string& path,
                    std::string (*check_from)(std::string_view name),
                    std::string (*check_to)(std::string_view name),
                    std::vector<Renaming>& renamings);

}  // namespace sluice::config
