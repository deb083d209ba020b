#pragma once

/// A cheap look at a streamed chunk: does it hold anything that is worth reading it as JSON?
/// Nearly all chunks carry a piece of text and nothing else. Internal to StreamFilter.

#include <string_view>

namespace sluice::dialect::openai_chat {

struct Sightings {
    bool usage = false;          ///< an object
    bool finish_reason = false;  ///< a string
    bool tool_calls = false;     ///< a list that is not empty
    bool error = false;          ///< anything but null and false

    [[nodiscard]] bool worth_reading() const noexcept { return usage || finish_reason || error; }
};

/// Finds members of these names at any depth. Exact for keys written without escapes: inside a
/// string every quote has a backslash before it, so no text can look like a key.
[[nodiscard]] Sightings scan_chunk(std::string_view chunk) noexcept;

}  // namespace sluice::dialect::openai_chat
