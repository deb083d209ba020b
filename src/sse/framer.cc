#include "sse/framer.h"

#include <algorithm>

namespace sluice::sse {
namespace {

constexpr std::size_t kMaxKeptCapacity = 16UL * 1024;  // of a buffer that is done with

void release(std::string& buffer) {
    if (buffer.capacity() > kMaxKeptCapacity) buffer = std::string();
    buffer.clear();
}

}  // namespace

void Framer::feed(std::string_view bytes) {
    if (failed_) return;
    release(joined_);
    input_ = bytes;
    has_cr_ = bytes.find('\r') != std::string_view::npos;
}

std::optional<std::string_view> Framer::next() {
    if (failed_) return std::nullopt;
    const auto end = find_end();
    const std::size_t taken = end.value_or(input_.size());
    if (partial_.size() + taken > max_event_bytes_) {
        failed_ = true;
        input_ = {};
        return std::nullopt;
    }
    const std::string_view piece = input_.substr(0, taken);
    input_.remove_prefix(taken);
    if (end && partial_.empty()) return piece;  // the common case: nothing is copied
    partial_.append(piece);
    if (!end) return std::nullopt;
    joined_.swap(partial_);
    partial_.clear();
    return joined_;
}

/// The length of the input up to the end of the event, which may be 0 when the last byte needed
/// came before; nullopt, with the place in the grammar kept, when it is not there yet.
std::optional<std::size_t> Framer::find_end() {
    std::size_t i = 0;
    while (i < input_.size()) {
        switch (at_) {
            case At::line_start:
                if (input_[i] == '\n') return i + 1;
                if (input_[i] == '\r') {
                    ++i;
                    // A lone CR ends the event here and now: to wait for an LF that may follow
                    // would hold back every event of a stream that uses CR alone.
                    if (!crlf_) return i;
                    at_ = At::after_blank_cr;
                } else {
                    at_ = At::in_line;
                }
                break;
            case At::in_line: {
                const std::string_view rest = input_.substr(i);
                std::size_t length = rest.find('\n');
                if (has_cr_) length = std::min(length, rest.substr(0, length).find('\r'));
                if (length == std::string_view::npos) return std::nullopt;
                i += length + 1;
                crlf_ = false;
                at_ = rest[length] == '\r' ? At::after_cr : At::line_start;
                break;
            }
            case At::after_cr:
                crlf_ = input_[i] == '\n';
                if (crlf_) ++i;
                at_ = At::line_start;
                break;
            case At::after_blank_cr: at_ = At::line_start; return input_[i] == '\n' ? i + 1 : i;
        }
    }
    return std::nullopt;
}

}  // namespace sluice::sse
