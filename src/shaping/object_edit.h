#pragma once

/// One JSON object under change: members dropped, renamed and set, one step after the other, and
/// the edits of the original's bytes that come of it. Internal to shaping/.

#include "json/members.h"
#include "json/splice.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::shaping {

/// Nothing is allocated before the first change. A member that is null counts as not given; of
/// several with one name each is meant, and it is given where one of them is.
class ObjectEdit {
public:
    /// Of the object in `document` whose members are `members` and whose opening brace stands
    /// before `inside`. Both must outlive it.
    ObjectEdit(std::string_view document, std::size_t inside, std::span<const json::Member> members)
        : document_(document),
          inside_(inside),
          members_(members) {}

    [[nodiscard]] bool has(std::string_view name) const;
    [[nodiscard]] bool is_given(std::string_view name) const;

    // Each tells whether it has changed anything.
    bool drop(std::string_view name);
    /// Where both are given, `to` stays and `from` goes.
    bool rename(std::string_view from, std::string_view to);
    /// In the place of what is there, else as a new member.
    bool set(std::string_view name, std::string_view json);
    /// A number below or above is replaced by the bound.
    bool clamp(std::string_view name, std::optional<double> lowest, std::optional<double> highest);

    /// Whether the value of the original's member is still in its place.
    [[nodiscard]] bool keeps_value(std::size_t member) const;

    /// The original's names of the members that were given and are gone, each once.
    [[nodiscard]] std::vector<std::string> dropped() const;

    void apply(json::Splice& splice) const;

private:
    enum class Fate : std::uint8_t { stays, dropped, replaced };
    struct Entry {
        const json::Member* member = nullptr;  ///< null for a new one
        std::optional<std::string> name;       ///< unless the member's own
        std::optional<std::string> value;
        Fate fate = Fate::stays;
    };

    [[nodiscard]] std::size_t count() const noexcept;
    [[nodiscard]] bool is_at(std::size_t i, std::string_view name) const;
    [[nodiscard]] std::string_view value(std::size_t i) const;
    Entry& change(std::size_t i);
    void begin_changes();
    bool remove(std::string_view name, Fate fate);
    [[nodiscard]] std::string additions() const;
    void apply_removals(json::Splice& splice) const;

    std::string_view document_;
    std::size_t inside_;
    std::span<const json::Member> members_;
    std::vector<Entry> entries_;  // empty while nothing is changed; new ones come last
};

}  // namespace sluice::shaping
