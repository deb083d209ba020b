#pragma once

/// The steps of adapt(), in their order. Internal to shaping/.

#include "chat/abilities.h"
#include "chat/change.h"
#include "chat/request.h"
#include "shaping/adapt.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice::shaping {

/// One of kChangeRules; any other name does not compile.
class Rule {
public:
    // NOLINTNEXTLINE(*-explicit-*): a rule is written as its name
    consteval Rule(const char* name) : index_(find(name)) {}

    [[nodiscard]] constexpr std::size_t index() const noexcept { return index_; }

private:
    static consteval std::size_t find(std::string_view name) {
        const auto* const found = std::ranges::find(kChangeRules, name);
        if (found == kChangeRules.end()) throw "no such rule";
        return static_cast<std::size_t>(found - kChangeRules.begin());
    }

    std::size_t index_;
};

/// Notes each change, as long as a rule's places are few; then it counts.
class Notes {
public:
    explicit Notes(chat::Changes& changes) noexcept : changes_(changes) {}

    void add(Rule rule, std::string what);
    /// Tells how many were not named. Last.
    void finish();

private:
    chat::Changes& changes_;
    std::array<std::size_t, kChangeRules.size()> seen_{};
};

struct Adaptation {
    chat::Request& request;
    const chat::Abilities& abilities;
    Notes notes;

    [[nodiscard]] bool to_anthropic() const noexcept {
        return abilities.family == chat::Family::anthropic;
    }
    [[nodiscard]] bool same_family() const noexcept { return request.family == abilities.family; }
};

// adapt_system.cc
void drop_billing_header(Adaptation& adaptation);
/// Once results stand beside their calls.
void place_system_messages(Adaptation& adaptation);

// adapt_tools.cc
void load_deferred_tools(Adaptation& adaptation);
void adapt_tools(Adaptation& adaptation);

// adapt_thinking.cc
/// Knows the tool choice as it stays.
void adapt_thinking(Adaptation& adaptation);

// adapt_parts.cc
void adapt_parts(Adaptation& adaptation);
void drop_empty_messages(Adaptation& adaptation);
/// An empty block where the upstream wants one with each reply. Its like beside `content` is the
/// writer's to add.
void add_missing_thinking(Adaptation& adaptation);
void drop_cache_marks(Adaptation& adaptation);

// adapt_results.cc
void pair_results(Adaptation& adaptation);
void lift_result_media(Adaptation& adaptation);

// adapt_parameters.cc
void adapt_response_format(Adaptation& adaptation);
void adapt_limits(Adaptation& adaptation);
/// Knows whether there will be thinking.
void adapt_sampling(Adaptation& adaptation);
void adapt_labels(Adaptation& adaptation);

// adapt_native.cc
/// The tool that a block of the type tool_addition or tool_removal names.
[[nodiscard]] std::optional<std::string> changed_tool(const chat::Native& native);
/// What a reader gets out of a block that only Anthropic has; nullopt where that is nothing.
[[nodiscard]] std::optional<std::string> native_text(const chat::Native& native);

/// "messages[4].content[1]".
[[nodiscard]] std::string place(std::size_t message, std::size_t part);
[[nodiscard]] std::string place(std::string_view list, std::size_t index);

/// What tells the model that a deferred tool is there.
[[nodiscard]] std::string loaded_text(std::string_view tool);

/// A custom tool's free text as the arguments of the function that stands in for it.
[[nodiscard]] std::string input_arguments(std::string_view text);

/// Spaces, line ends and tabs only, or nothing.
[[nodiscard]] bool is_blank(std::string_view text) noexcept;

/// Keeps the items for which `keep(item, its old index)` says so; it may change what it keeps.
template <typename T, typename Keep>
void filter(std::vector<T>& items, Keep keep) {
    std::size_t kept = 0;
    for (std::size_t i = 0; i < items.size(); ++i) {
        if (!keep(items[i], i)) continue;
        if (kept != i) items[kept] = std::move(items[i]);
        ++kept;
    }
    items.erase(items.begin() + static_cast<std::ptrdiff_t>(kept), items.end());
}

}  // namespace sluice::shaping
