#include "net/http1/request_buffer.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace sluice::net::http1 {

void Block::reserve(std::size_t bytes) {
    const std::size_t needed = bytes + Body::kPadding;
    if (needed <= capacity_) return;
    auto larger = std::make_unique_for_overwrite<char[]>(needed);  // NOLINT(*-avoid-c-arrays)
    if (size_ > 0) std::memcpy(larger.get(), data_.get(), size_);
    data_ = std::move(larger);
    capacity_ = needed;
}

void Block::append(std::string_view bytes) {
    if (bytes.empty()) return;  // memcpy() takes no null pointer, not even for nothing
    if (room().size() < bytes.size()) reserve(std::max(size_ + bytes.size(), capacity_ * 2));
    std::memcpy(data_.get() + size_, bytes.data(), bytes.size());
    size_ += bytes.size();
}

void RequestBuffer::keep_behind(std::string_view bytes) {
    Block copy;
    if (!bytes.empty()) {
        copy.reserve(std::max(bytes.size(), kFirstBlock));
        copy.append(bytes);
    }
    next_ = std::move(copy);
    behind_ = next_.view();
}

void RequestBuffer::release_request() {
    // Equal sizes: nothing is behind, or it lies in next_ from its first byte on.
    if (next_.size() != behind_.size()) keep_behind(behind_);
    head_.clear();
    body_.clear();
}

void RequestBuffer::next_request() {
    release_request();
    head_ = std::exchange(next_, Block());
    behind_ = {};
}

}  // namespace sluice::net::http1
