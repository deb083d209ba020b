#pragma once

/// The bytes of one request, from its first byte on, and whatever the client sent behind it.
/// Head and body lie in one block when they arrive together, else the body gets a block of its own.
/// Blocks never move while a view into them is in use.

#include "net/transaction.h"

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

namespace sluice::net::http1 {

/// Uninitialised memory that grows by doubling.
class Block {
public:
    [[nodiscard]] std::string_view view() const noexcept { return {data_.get(), size_}; }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }
    [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
    /// Room behind the bytes, less the padding that a body needs.
    [[nodiscard]] std::span<char> room() noexcept {
        const std::size_t usable = capacity_ > Body::kPadding ? capacity_ - Body::kPadding : 0;
        return {data_.get() + size_, usable > size_ ? usable - size_ : 0};
    }
    void commit(std::size_t bytes) noexcept { size_ += bytes; }
    void append(std::string_view bytes);
    /// Makes room for `bytes` in all. Moves the block: views into it end.
    void reserve(std::size_t bytes);
    void clear() noexcept {
        data_.reset();
        size_ = capacity_ = 0;
    }

private:
    std::unique_ptr<char[]> data_;  // NOLINT(*-avoid-c-arrays): uninitialised on purpose
    std::size_t size_ = 0;
    std::size_t capacity_ = 0;
};

class RequestBuffer {
public:
    static constexpr std::size_t kFirstBlock = 4096;

    [[nodiscard]] Block& head() noexcept { return head_; }
    [[nodiscard]] Block& body() noexcept { return body_; }

    /// What the client sent behind the present request: the next one, or its start.
    [[nodiscard]] std::string_view behind() const noexcept { return behind_; }
    /// It is a part of what behind() was, or of the head block.
    void behind_is(std::string_view part) noexcept { behind_ = part; }
    /// It lies elsewhere and is copied.
    void keep_behind(std::string_view bytes);

    /// Lets go of the request, but not of what is behind it.
    void release_request();

    /// What is behind the request becomes the start of the head block.
    void next_request();

    void clear() noexcept { *this = RequestBuffer(); }

private:
    Block head_;
    Block body_;
    Block next_;
    std::string_view behind_;  // in head_ or in next_
};

}  // namespace sluice::net::http1
