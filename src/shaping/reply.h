#pragma once

/// Replies changed for the client, as a route's rules say.

#include "config/transforms.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::shaping {

/// Made once for a reply, applied to the whole body or to each chunk of a stream.
class ReplyRewriter {
public:
    /// `rules` must outlive it. `requested_model` is what the client asked for.
    ReplyRewriter(const config::ReplyRules& rules, std::string_view requested_model);

    /// Whether there is anything to do at all to bodies.
    [[nodiscard]] bool active() const noexcept { return !edits_.empty(); }

    /// The document `json` (checked before) with the rules applied, in `out`; false, and `out`
    /// untouched, where nothing had to be changed. In a path `message` also matches `delta`, and
    /// each name is that of the upstream's document. Fields are dropped, then renamed, then set;
    /// of a renamed field and one that has the new name already the latter stays. A field is set
    /// only where its parents are; the model is put in place only where there is one.
    [[nodiscard]] bool rewrite(std::string_view json, std::string& out) const;

    /// The header lines ("name: value\r\n" each) that go to the client, in place of `fields`.
    [[nodiscard]] std::string rewrite_fields(std::string_view fields) const;

private:
    friend class ReplyWalk;

    enum class Action : std::uint8_t { drop, rename, set_model, set };
    struct Step {
        std::string_view name;
        unsigned lists = 0;  ///< how many `[]` follow the name
    };
    struct Edit {
        Action action;
        std::vector<Step> path;
        std::string_view text;  ///< the new name or value; lives in the rules
    };

    void add(Action action, std::string_view path, std::string_view text);

    const config::ReplyRules& rules_;
    std::string requested_model_;  // as JSON
    std::vector<Edit> edits_;      // in the order in which they are applied
};

}  // namespace sluice::shaping
