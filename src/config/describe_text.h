#pragma once

/// The YAML that describe() is made of.

#include "config/config.h"

#include <iosfwd>
#include <string>
#include <string_view>

namespace sluice::config {

/// A double-quoted scalar that load() reads back as it is: `$` is doubled.
[[nodiscard]] std::string quote(std::string_view text);
[[nodiscard]] std::string quote(const Secret& secret);

/// A key, in which `$` means nothing.
[[nodiscard]] std::string quote_key(std::string_view text);

/// JSON text, as to_json() makes it, as YAML that is read back as the same.
[[nodiscard]] std::string json_as_yaml(std::string_view json);

/// `[a, b]` of what `text` makes of each.
template <class Range, class Text>
std::string list(const Range& range, Text text, std::string_view brackets = "[]") {
    std::string items;
    for (const auto& item : range) items += (items.empty() ? "" : ", ") + text(item);
    return brackets.front() + items + brackets.back();
}

/// The same of texts.
template <class Range>
std::string quoted_list(const Range& range) {
    return list(range, [](const std::string& text) { return quote(text); });
}

/// `{a: b}` of what `text` makes of each.
template <class Range, class Text>
std::string map(const Range& range, Text text) {
    return list(range, text, "{}");
}

[[nodiscard]] std::string map_of(const std::vector<Renaming>& renamings);
[[nodiscard]] std::string map_of(const std::vector<Assignment>& assignments);

[[nodiscard]] std::string_view truth(bool value);

/// A duration, or `without` where there is none.
[[nodiscard]] std::string optional_duration(const std::optional<Milliseconds>& duration,
                                            std::string_view without);

void write_abilities(std::ostream& out, const chat::Abilities& abilities);

void write_upstreams(std::ostream& out, const Upstreams& upstreams);

/// `routes`, `default_route`, `failures` and `pass_through`.
void write_routes(std::ostream& out, const Config& config);

}  // namespace sluice::config
