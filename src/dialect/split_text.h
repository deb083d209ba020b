#pragma once

/// A text that a stream brings in pieces, each of them a JSON string. JSON's escapes are UTF-16,
/// and some upstreams cut between the halves of a surrogate pair.

#include "json/reader.h"

#include <string>
#include <string_view>

namespace sluice::dialect {

/// One for each text that is open at a time:
///
///     use(joiner.take(delta));  // piece by piece
///     use(joiner.flush());      // at the text's end
///
/// Views handed out live until the next call, and no longer than the value they came from.
class TextJoiner {
public:
    /// The text of a checked string, behind what was held back of the one before; empty for any
    /// other kind of value. Without escapes it is a view into the value. The first half of a
    /// surrogate pair at the end is held back until its second half comes.
    [[nodiscard]] std::string_view take(const json::Value& string);

    /// U+FFFD where a half is still held back, else nothing.
    [[nodiscard]] std::string_view flush() noexcept;

private:
    std::string text_;  // handed out
    std::string half_;  // an escape of six bytes, or nothing
};

}  // namespace sluice::dialect
