#pragma once

/// A document with a few places changed, held as the pieces of the original between the new texts.
/// The original's bytes are not copied: send the pieces by a gathering write.

#include "json/reader.h"

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice::json {

class Splice {
public:
    /// The pieces in order, none of them empty. The views live as long as the original and the
    /// Splice that they came from, which must not be moved meanwhile.
    class Pieces {
    public:
        [[nodiscard]] const std::string_view* begin() const noexcept {
            return more_.empty() ? few_.data() : more_.data();
        }
        [[nodiscard]] const std::string_view* end() const noexcept { return begin() + size(); }
        [[nodiscard]] std::size_t size() const noexcept {
            return more_.empty() ? count_ : more_.size();
        }

    private:
        friend class Splice;
        static constexpr std::size_t kInline = 33;

        explicit Pieces(std::size_t most) {
            if (most > kInline) more_.reserve(most);
        }
        void add(std::string_view piece) {
            if (piece.empty()) return;
            if (more_.capacity() != 0) {
                more_.push_back(piece);
            } else {
                few_[count_++] = piece;
            }
        }

        std::array<std::string_view, kInline> few_;
        std::size_t count_ = 0;
        std::vector<std::string_view> more_;  // instead, when there may be more than few_ has room
    };

    explicit Splice(std::string_view original) noexcept : original_(original) {}

    /// Puts `text` in the place of `span`; an empty span inserts. Spans must not overlap; an
    /// insertion may stand where another span begins, and comes before it. Of two insertions in one
    /// place the later call comes after. Throws std::out_of_range outside the original: that is the
    /// caller's bug.
    void replace(Span span, std::string text);
    void insert(std::size_t offset, std::string text) {
        replace({.offset = offset, .length = 0}, std::move(text));
    }

    /// The edits of `part`, whose original begins at `offset` of this one's.
    void take(Splice part, std::size_t offset);

    [[nodiscard]] bool unchanged() const noexcept { return edits_.empty(); }
    [[nodiscard]] std::size_t edit_count() const noexcept { return edits_.size(); }
    [[nodiscard]] std::size_t size() const noexcept;
    [[nodiscard]] Pieces pieces() const;
    void append_to(std::string& out) const;

private:
    struct Edit {
        Span span;
        std::string text;
    };

    std::string_view original_;
    std::vector<Edit> edits_;  // in the order of their places
};

}  // namespace sluice::json
