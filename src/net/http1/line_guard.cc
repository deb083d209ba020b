#include "net/http1/line_guard.h"

#include "net/http1/chars.h"

namespace sluice::net::http1 {

LineGuard::Cut LineGuard::next(std::string_view buffered, std::string_view& line) noexcept {
    const std::size_t end = buffered.find('\n', scanned_);
    if (end != std::string_view::npos) {
        if (end == line_begin_ || buffered[end - 1] != '\r') return Cut::bad;
        line = buffered.substr(line_begin_, end - 1 - line_begin_);
        line_begin_ = scanned_ = end + 1;
        return Cut::line;
    }
    std::string_view fresh = buffered.substr(scanned_);
    // A CR may still get its LF; it is looked at again with the byte after it.
    if (fresh.ends_with('\r')) fresh.remove_suffix(1);
    if (has_control(fresh)) return Cut::bad;
    scanned_ += fresh.size();
    return Cut::need_more;
}

}  // namespace sluice::net::http1
