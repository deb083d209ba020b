#include "shaping/messages.h"

#include "json/members.h"
#include "json/writer.h"
#include "shaping/object_edit.h"

#include <algorithm>
#include <utility>

namespace sluice::shaping {
namespace {

/// More are not worth a piece each: the messages are then written anew.
constexpr std::size_t kMaxEdits = 64;

bool is_plain(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
}

/// A quick look: false only where `name` stands nowhere, not even written with escapes.
bool may_hold(std::string_view json, std::string_view name) {
    if (!std::ranges::all_of(name, is_plain)) return true;
    return json.find(name) != std::string_view::npos ||
           json.find("\\u00") != std::string_view::npos;
}

std::optional<std::string_view> message_field(std::string_view field) {
    if (!field.starts_with(kMessageField)) return std::nullopt;
    return field.substr(kMessageField.size());
}

class MessageShaper {
public:
    MessageShaper(std::string_view messages, const config::Transforms& transforms)
        : text_(messages),
          transforms_(transforms),
          splice_(messages) {}

    [[nodiscard]] bool has_work() const {
        const auto role = [&](const config::Renaming& r) { return may_hold(text_, r.from); };
        const auto field = [&](const std::string& path) {
            const auto name = message_field(path);
            return name && may_hold(text_, *name);
        };
        return std::ranges::any_of(transforms_.roles, role) ||
               std::ranges::any_of(transforms_.drop, field);
    }

    void run() {
        json::Reader reader(json::as_value(text_));
        while (reader.next()) {
            if (reader.value().is(json::Kind::object)) shape(reader.span());
        }
    }

    [[nodiscard]] json::Splice& splice() noexcept { return splice_; }
    [[nodiscard]] bool roles_changed() const noexcept { return roles_changed_; }
    [[nodiscard]] bool fields_changed() const noexcept { return fields_changed_; }
    [[nodiscard]] const std::vector<std::string>& dropped() const noexcept { return dropped_; }

private:
    void shape(json::Span message) {
        json::read_members(text_, message, members_);
        ObjectEdit edit(text_, message.offset + 1, members_);
        rename_role(edit);
        for (const std::string& path : transforms_.drop) {
            if (const auto name = message_field(path)) fields_changed_ |= edit.drop(*name);
        }
        for (const std::string& name : edit.dropped()) {
            std::string path = std::string(kMessageField) + name;
            if (std::ranges::find(dropped_, path) == dropped_.end()) {
                dropped_.push_back(std::move(path));
            }
        }
        edit.apply(splice_);
    }

    void rename_role(ObjectEdit& edit) {
        if (transforms_.roles.empty()) return;
        const json::Member* const member = json::find_member(members_, text_, "role");
        if (member == nullptr) return;
        const auto role = json::to_string(json::as_value(member->value.in(text_)));
        if (!role) return;
        const auto found = std::ranges::find(transforms_.roles, *role, &config::Renaming::from);
        if (found == transforms_.roles.end() || found->from == found->to) return;
        std::string to;
        json::append_string(to, found->to);
        roles_changed_ |= edit.set("role", to);
    }

    std::string_view text_;
    const config::Transforms& transforms_;
    json::Splice splice_;
    std::vector<json::Member> members_;
    std::vector<std::string> dropped_;
    bool roles_changed_ = false;
    bool fields_changed_ = false;
};

}  // namespace

void shape_messages(std::string_view body, json::Span messages,
                    const config::Transforms& transforms, Changes& changes, json::Splice& splice) {
    const std::string_view text = messages.in(body);
    if (!json::as_value(text).is(json::Kind::array)) return;
    MessageShaper shaper(text, transforms);
    if (!shaper.has_work()) return;
    shaper.run();
    if (shaper.roles_changed()) changes.rules.emplace_back("transforms.roles");
    constexpr std::string_view kDropRule = "transforms.drop";
    const bool noted = std::ranges::find(changes.rules, kDropRule) != changes.rules.end();
    if (shaper.fields_changed() && !noted) {
        changes.rules.push_back(kDropRule);
    }
    changes.dropped.insert(changes.dropped.end(), shaper.dropped().begin(), shaper.dropped().end());
    if (shaper.splice().edit_count() <= kMaxEdits) {
        splice.take(std::move(shaper.splice()), messages.offset);
        return;
    }
    std::string anew;
    shaper.splice().append_to(anew);
    splice.replace(messages, std::move(anew));
}

}  // namespace sluice::shaping
