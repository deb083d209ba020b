#pragma once

/// Replies changed for the client, as a route's rules say.

#include "config/transforms.h"

#include <string>
#include <string_view>

namespace sluice::shaping {

/// Made once for a reply, applied to the whole body or to each chunk of a stream.
class ReplyRewriter {
public:
    /// `rules` must outlive it. `requested_model` is what the client asked for.
    ReplyRewriter(const config::ReplyRules& rules, std::string_view requested_model);

    /// Whether there is anything to do at all.
    [[nodiscard]] bool active() const noexcept;

    /// The document `json` (checked before) with the rules applied, in `out`; false, and `out`
    /// untouched, where nothing had to be changed. In a path `message` also matches `delta`.
    [[nodiscard]] bool rewrite(std::string_view json, std::string& out) const;

    /// The header lines ("name: value\r\n" each) that go to the client, in place of `fields`.
    [[nodiscard]] std::string rewrite_fields(std::string_view fields) const;

private:
    const config::ReplyRules& rules_;
    std::string requested_model_;
};

}  // namespace sluice::shaping
