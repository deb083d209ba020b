#include "json/members.h"

#include <algorithm>
#include <string>

namespace sluice::json {
namespace {

/// A byte of a name is written with six at most: `\u0061`.
constexpr std::size_t kLongestEscape = 6;

}  // namespace

bool is_named(const Member& member, std::string_view document, std::string_view name) {
    const std::string_view key = member.key.in(document);
    const std::string_view raw = key.substr(1, key.size() - 2);
    if (raw.size() < name.size() || raw.size() > name.size() * kLongestEscape) return false;
    if (raw.find('\\') == std::string_view::npos) return raw == name;
    return to_string({.raw = key, .kind = Kind::string}) == name;
}

const Member* find_member(std::span<const Member> members, std::string_view document,
                          std::string_view name) {
    const auto found = std::ranges::find_if(
        members, [&](const Member& member) { return is_named(member, document, name); });
    return found == members.end() ? nullptr : &*found;
}

void read_members(std::string_view document, Span object, std::vector<Member>& members) {
    members.clear();
    const Value value = as_value(object.in(document));
    if (!value.is(Kind::object)) return;
    const auto begin = static_cast<std::size_t>(value.raw.data() - document.data());
    Reader reader(value);
    while (reader.next()) {
        Member member = member_at(reader, value.raw);
        member.key.offset += begin;
        member.value.offset += begin;
        members.push_back(member);
    }
}

}  // namespace sluice::json
