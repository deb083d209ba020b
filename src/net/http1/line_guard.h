#pragma once

/// Cuts a growing head into lines. Lines end in CRLF and in nothing else, and a line that cannot
/// become legal any more is refused before its end has come: a parser that waits for the whole head
/// lets a peer hold a connection with bytes that were wrong from the start.

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sluice::net::http1 {

class LineGuard {
public:
    enum class Cut : std::uint8_t {
        line,
        need_more,
        bad,  ///< a bare CR, a bare LF or another control character
    };

    /// `buffered` starts at the message's first byte and only ever grows. Bytes once looked at are
    /// not looked at again. Within a whole line only its end is checked: the rest is up to the
    /// grammar of that line.
    [[nodiscard]] Cut next(std::string_view buffered, std::string_view& line) noexcept;

    /// The bytes of the lines handed out so far, their ends included.
    [[nodiscard]] std::size_t consumed() const noexcept { return line_begin_; }

    void reset() noexcept { line_begin_ = scanned_ = 0; }

private:
    std::size_t line_begin_ = 0;
    std::size_t scanned_ = 0;  // up to here there is no line end after line_begin_
};

}  // namespace sluice::net::http1
