#include "json/splice.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace sluice::json {
namespace {

constexpr std::size_t kFirstCapacity = 4;

bool comes_before(const Span& a, const Span& b) noexcept {
    if (a.offset != b.offset) return a.offset < b.offset;
    return a.empty() && !b.empty();
}

}  // namespace

void Splice::replace(Span span, std::string text) {
    if (span.offset > original_.size() || span.length > original_.size() - span.offset) {
        throw std::out_of_range("edit outside the document");
    }
    if (edits_.capacity() == 0) edits_.reserve(kFirstCapacity);
    const auto place = std::ranges::upper_bound(edits_, span, comes_before, &Edit::span);
    edits_.insert(place, Edit{.span = span, .text = std::move(text)});
}

void Splice::take(Splice part, std::size_t offset) {
    for (Edit& edit : part.edits_) {
        edit.span.offset += offset;
        replace(edit.span, std::move(edit.text));
    }
}

std::size_t Splice::size() const noexcept {
    std::size_t size = original_.size();
    for (const Edit& edit : edits_) size += edit.text.size() - edit.span.length;
    return size;
}

Splice::Pieces Splice::pieces() const {
    Pieces pieces(2 * edits_.size() + 1);
    std::size_t done = 0;
    for (const Edit& edit : edits_) {
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
