#include "shaping/request.h"

#include "shaping/messages.h"
#include "shaping/object_edit.h"

#include <algorithm>
#include <array>
#include <utility>

namespace sluice::shaping {
namespace {

constexpr std::string_view kMessages = "messages";
constexpr std::array<std::string_view, 4> kKept{"model", kMessages, "stream", "stream_options"};
constexpr std::string_view kAliasRule = "transforms.models";

bool is_kept(std::string_view field) {
    return std::ranges::find(kKept, field) != kKept.end();
}

void note(Changes& changes, std::string_view rule) {
    if (std::ranges::find(changes.rules, rule) == changes.rules.end()) {
        changes.rules.push_back(rule);
    }
}

/// What the client left out. The alias comes first: what it has set is not set again.
void add_defaults(ObjectEdit& edit, const std::vector<config::Assignment>& assignments,
                  std::string_view rule, Changes& changes) {
    for (const auto& [field, json] : assignments) {
        if (is_kept(field) || edit.is_given(field)) continue;
        if (edit.set(field, json)) note(changes, rule);
    }
}

void force(ObjectEdit& edit, const std::vector<config::Assignment>& assignments,
           std::string_view rule, Changes& changes) {
    for (const auto& [field, json] : assignments) {
        if (!is_kept(field) && edit.set(field, json)) note(changes, rule);
    }
}

void shape_fields(ObjectEdit& edit, const config::Transforms& transforms,
                  const config::ModelAlias* alias, Changes& changes) {
    for (const auto& [from, to] : transforms.rename) {
        if (is_kept(from) || is_kept(to)) continue;
        if (edit.rename(from, to)) note(changes, "transforms.rename");
    }
    for (const std::string& field : transforms.drop) {
        if (!is_kept(field) && edit.drop(field)) note(changes, "transforms.drop");
    }
    if (alias != nullptr) add_defaults(edit, alias->defaults, kAliasRule, changes);
    add_defaults(edit, transforms.defaults, "transforms.default", changes);
    force(edit, transforms.force, "transforms.force", changes);
    if (alias != nullptr) force(edit, alias->force, kAliasRule, changes);
    for (const auto& [field, lowest, highest] : transforms.clamp) {
        if (is_kept(field)) continue;
        if (edit.clamp(field, lowest, highest)) note(changes, "transforms.clamp");
    }
}

}  // namespace

const config::ModelAlias* find_alias(const config::Transforms& transforms, std::string_view model) {
    const auto found = std::ranges::find(transforms.models, model, &config::ModelAlias::name);
    return found == transforms.models.end() ? nullptr : &*found;
}

Result<Changes> shape(std::string_view body, std::span<const json::Member> members,
                      const config::Transforms& transforms, const config::ModelAlias* alias,
                      json::Splice& splice) {
    Changes changes;
    if (transforms.empty() && alias == nullptr) return changes;
    ObjectEdit edit(body, body.find('{') + 1, members);
    for (const std::string& field : transforms.reject) {
        if (!edit.is_given(field)) continue;
        Error error(Errc::bad_request, "this model's provider does not support '" + field + "'");
        error.param = field;
        return std::unexpected(std::move(error));
    }
    shape_fields(edit, transforms, alias, changes);
    changes.dropped = edit.dropped();
    edit.apply(splice);
    if (const json::Member* const messages = json::find_member(members, body, kMessages)) {
        shape_messages(body, messages->value, transforms, changes, splice);
    }
    return changes;
}

}  // namespace sluice::shaping
