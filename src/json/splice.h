#pragma once

/// A document with a few places changed, held as the pieces of the original between the new texts.
/// The original's bytes are not copied: send the pieces by a gathering write.

#include "json/reader.h"

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace sluice::json {

class Splice {
public:
    static constexpr std::size_t kMaxEdits = 16;

    /// The pieces in order, none of them empty. The views live as long as the original and the
    /// Splice that they came from, which must not be moved meanwhile.
    class Pieces {
    public:
        [[nodiscard]] const std::string_view* begin() const noexcept { return items_.data(); }
        [[nodiscard]] const std::string_view* end() const noexcept { return begin() + count_; }
        [[nodiscard]] std::size_t size() const noexcept { return count_; }

    private:
        friend class Splice;
        void add(std::string_view piece) {
            if (!piece.empty()) items_[count_++] = piece;
        }
        std::array<std::string_view, 2 * kMaxEdits + 1> items_;
        std::size_t count_ = 0;
    };

    explicit Splice(std::string_view original) noexcept : original_(original) {}

    /// Puts `text` in the place of `span`; an empty span inserts. Spans must not overlap; of two
    /// insertions in one place the later call comes after. Throws std::length_error beyond
    /// kMaxEdits and std::out_of_range outside the original: both are the caller's bugs.
    void replace(Span span, std::string text);
    void insert(std::size_t offset, std::string text) {
        replace({.offset = offset, .length = 0}, std::move(text));
    }

    [[nodiscard]] bool unchanged() const noexcept { return count_ == 0; }
    [[nodiscard]] std::size_t size() const noexcept;
    [[nodiscard]] Pieces pieces() const;
    void append_to(std::string& out) const;

private:
    struct Edit {
        Span span;
        std::string text;
    };
    [[nodiscard]] std::span<const Edit> edits() const noexcept { return {edits_.data(), count_}; }

    std::string_view original_;
    std::array<Edit, kMaxEdits> edits_;  // by offset
    std::size_t count_ = 0;
};

}  // namespace sluice::json
