#include "shaping/object_edit.h"

#include "json/writer.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>

namespace sluice::shaping {
namespace {

constexpr std::string_view kNull = "null";

/// nullopt for what is no number. One beyond a double's range is infinite, or zero.
std::optional<double> to_double(std::string_view json) {
    if (!json::as_value(json).is(json::Kind::number)) return std::nullopt;
    double number = 0;
    const auto [end, error] = std::from_chars(json.data(), json.data() + json.size(), number);
    if (error == std::errc::result_out_of_range) {
        return std::strtod(std::string(json).c_str(), nullptr);
    }
    if (error != std::errc{} || end != json.data() + json.size()) return std::nullopt;
    return number;
}

/// A whole number without a fraction: an integer field takes no other.
std::string write_number(double number) {
    constexpr double kExact = 9'007'199'254'740'992.0;
    if (std::abs(number) <= kExact && std::trunc(number) == number) {
        return std::to_string(static_cast<std::int64_t>(number));
    }
    std::string text;
    json::Writer(text).number(number);
    return text;
}

}  // namespace

std::size_t ObjectEdit::count() const noexcept {
    return entries_.empty() ? members_.size() : entries_.size();
}

bool ObjectEdit::is_at(std::size_t i, std::string_view name) const {
    if (entries_.empty()) return json::is_named(members_[i], document_, name);
    const Entry& entry = entries_[i];
    if (entry.fate != Fate::stays) return false;
    return entry.name ? *entry.name == name : json::is_named(*entry.member, document_, name);
}

std::string_view ObjectEdit::value(std::size_t i) const {
    if (entries_.empty()) return members_[i].value.in(document_);
    const Entry& entry = entries_[i];
    return entry.value ? std::string_view(*entry.value) : entry.member->value.in(document_);
}

void ObjectEdit::begin_changes() {
    if (!entries_.empty()) return;
    entries_.reserve(members_.size() + 1);
    for (const json::Member& member : members_) entries_.emplace_back().member = &member;
}

ObjectEdit::Entry& ObjectEdit::change(std::size_t i) {
    begin_changes();
    return entries_[i];
}

bool ObjectEdit::has(std::string_view name) const {
    for (std::size_t i = 0; i < count(); ++i) {
        if (is_at(i, name)) return true;
    }
    return false;
}

bool ObjectEdit::is_given(std::string_view name) const {
    for (std::size_t i = 0; i < count(); ++i) {
        if (is_at(i, name) && value(i) != kNull) return true;
    }
    return false;
}

bool ObjectEdit::remove(std::string_view name, Fate fate) {
    bool removed = false;
    for (std::size_t i = 0; i < count(); ++i) {
        if (!is_at(i, name)) continue;
        change(i).fate = fate;
        removed = true;
    }
    return removed;
}

bool ObjectEdit::drop(std::string_view name) {
    return remove(name, Fate::dropped);
}

bool ObjectEdit::rename(std::string_view from, std::string_view to) {
    if (from == to || !has(from)) return false;
    if (is_given(to) || (has(to) && !is_given(from))) return drop(from);
    remove(to, Fate::replaced);
    for (std::size_t i = 0; i < count(); ++i) {
        if (is_at(i, from)) change(i).name = to;
    }
    return true;
}

bool ObjectEdit::set(std::string_view name, std::string_view json) {
    std::optional<std::size_t> last;
    std::size_t found = 0;
    for (std::size_t i = 0; i < count(); ++i) {
        if (!is_at(i, name)) continue;
        last = i;
        ++found;
    }
    if (!last) {
        begin_changes();
        Entry& added = entries_.emplace_back();
        added.name = name;
        added.value = json;
        return true;
    }
    if (found == 1 && value(*last) == json) return false;
    for (std::size_t i = 0; i < *last; ++i) {
        if (is_at(i, name)) change(i).fate = Fate::replaced;
    }
    change(*last).value = json;
    return true;
}

bool ObjectEdit::clamp(std::string_view name, std::optional<double> lowest,
                       std::optional<double> highest) {
    bool changed = false;
    for (std::size_t i = 0; i < count(); ++i) {
        if (!is_at(i, name)) continue;
        const auto number = to_double(value(i));
        if (!number) continue;
        double bounded = *number;
        if (lowest && bounded < *lowest) bounded = *lowest;
        if (highest && bounded > *highest) bounded = *highest;
        if (bounded == *number) continue;
        change(i).value = write_number(bounded);
        changed = true;
    }
    return changed;
}

bool ObjectEdit::keeps_value(std::size_t member) const {
    if (entries_.empty()) return true;
    return entries_[member].fate == Fate::stays && !entries_[member].value;
}

std::vector<std::string> ObjectEdit::dropped() const {
    std::vector<std::string> names;
    for (const Entry& entry : entries_) {
        if (entry.fate != Fate::dropped || entry.member == nullptr) continue;
        if (entry.member->value.in(document_) == kNull) continue;
        auto name = json::to_string(json::as_value(entry.member->key.in(document_))).value_or("");
        if (std::ranges::find(names, name) == names.end()) names.push_back(std::move(name));
    }
    return names;
}

std::string ObjectEdit::additions() const {
    std::string text;
    for (const Entry& entry : entries_) {
        if (entry.member != nullptr || entry.fate != Fate::stays) continue;
        if (!entry.name || !entry.value) continue;  // a new one has both
        if (!text.empty()) text += ',';
        json::append_string(text, *entry.name);
        text += ':';
        text += *entry.value;
    }
    return text;
}

void ObjectEdit::apply(json::Splice& splice) const {
    if (entries_.empty()) return;
    std::string added = additions();
    const auto stays = [](const Entry& entry) {
        return entry.member != nullptr && entry.fate == Fate::stays;
    };
    if (std::ranges::none_of(entries_, stays)) {
        const std::size_t begin = members_.empty() ? inside_ : members_.front().key.offset;
        const std::size_t end = members_.empty() ? inside_ : members_.back().value.end();
        splice.replace({.offset = begin, .length = end - begin}, std::move(added));
        return;
    }
    if (!added.empty()) splice.insert(members_.front().key.offset, std::move(added) + ',');
    apply_removals(splice);
    for (const Entry& entry : entries_) {
        if (!stays(entry)) continue;
        if (entry.name) {
            std::string key;
            json::append_string(key, *entry.name);
            splice.replace(entry.member->key, std::move(key));
        }
        if (entry.value) splice.replace(entry.member->value, *entry.value);
    }
}

/// A run of members goes with the comma behind it or, at the object's end, with the one before it.
void ObjectEdit::apply_removals(json::Splice& splice) const {
    for (std::size_t i = 0; i < members_.size(); ++i) {
        if (entries_[i].fate == Fate::stays) continue;
        std::size_t last = i;
        while (last + 1 < members_.size() && entries_[last + 1].fate != Fate::stays) ++last;
        const bool at_end = last + 1 == members_.size();
        const std::size_t begin = at_end ? members_[i - 1].value.end() : members_[i].key.offset;
        const std::size_t end = at_end ? members_[last].value.end() : members_[last + 1].key.offset;
        splice.replace({.offset = begin, .length = end - begin}, {});
        i = last;
    }
}

}  // namespace sluice::shaping
