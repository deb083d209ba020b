#include "json/splice.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace sluice::json {

void Splice::replace(Span span, std::string text) {
    if (count_ == kMaxEdits) throw std::length_error("too many edits");
    if (span.offset > original_.size() || span.length > original_.size() - span.offset) {
        throw std::out_of_range("edit outside the document");
    }
    const auto begin = edits_.begin();
    const auto end = begin + static_cast<std::ptrdiff_t>(count_);
    const auto place = std::upper_bound(
        begin, end, span.offset,
        [](std::size_t offset, const Edit& edit) { return offset < edit.span.offset; });
    *end = {.span = span, .text = std::move(text)};
    std::rotate(place, end, end + 1);
    ++count_;
}

std::size_t Splice::size() const noexcept {
    std::size_t size = original_.size();
    for (const Edit& edit : edits()) size += edit.text.size() - edit.span.length;
    return size;
}

Splice::Pieces Splice::pieces() const {
    Pieces pieces;
    std::size_t done = 0;
    for (const Edit& edit : edits()) {
        pieces.add(original_.substr(done, edit.span.offset - done));
        pieces.add(edit.text);
        done = edit.span.end();
    }
    pieces.add(original_.substr(done));
    return pieces;
}

void Splice::append_to(std::string& out) const {
    out.reserve(out.size() + size());
    for (const std::string_view piece : pieces()) out.append(piece);
}

}  // namespace sluice::json
