#include "upstream/embedded/token_text.h"

#include <algorithm>
#include <array>
#include <utility>

namespace sluice::upstream::embedded {
namespace {

constexpr std::size_t kMaxPieceBytes = 24;

constexpr std::array<std::string_view, 32> kLorem{
    "lorem",   " ipsum",   " dolor",  " sit",     " amet",         " consectetur", " adipiscing",
    " elit",   " sed",     " do",     " eiusmod", " tempor",       " incididunt",  " ut",
    " labore", " et",      " dolore", " magna",   " aliqua",       " enim",        " ad",
    " minim",  " veniam",  " quis",   " nostrud", " exercitation", " ullamco",     " laboris",
    " nisi",   " aliquip", " ex",     " ea",
};

constexpr bool is_blank(char c) noexcept {
    return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

constexpr bool is_continuation(char c) noexcept {
    return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
}

/// Blanks, then what follows up to the next blank.
std::size_t piece_end(std::string_view text, std::size_t begin) noexcept {
    std::size_t end = begin;
    while (end < text.size() && is_blank(text[end])) ++end;
    while (end < text.size() && !is_blank(text[end])) ++end;
    return begin + utf8_prefix(text.substr(begin, end - begin), kMaxPieceBytes).size();
}

}  // namespace

std::string_view utf8_prefix(std::string_view text, std::size_t bytes) noexcept {
    if (text.size() <= bytes) return text;
    std::size_t end = bytes;
    while (end > 0 && bytes - end < 3 && is_continuation(text[end])) --end;
    return text.substr(0, end);
}

TokenText TokenText::of(std::string text) {
    TokenText tokens;
    tokens.text_ = std::move(text);
    for (std::size_t at = 0; at < tokens.text_.size();) {
        at = piece_end(tokens.text_, at);
        tokens.ends_.push_back(static_cast<std::uint32_t>(at));
    }
    tokens.size_ = tokens.ends_.size();
    return tokens;
}

TokenText TokenText::lorem(std::size_t tokens) {
    TokenText text;
    text.size_ = tokens;
    return text;
}

std::string_view TokenText::piece(std::size_t index) const {
    if (ends_.empty()) {
        // The text's very first word is the only one that may stand without a blank.
        return index > 0 && index % kLorem.size() == 0 ? " lorem" : kLorem[index % kLorem.size()];
    }
    const std::size_t begin = index == 0 ? 0 : ends_[index - 1];
    return std::string_view(text_).substr(begin, ends_[index] - begin);
}

std::string TokenText::whole() const {
    std::string text;
    for (std::size_t i = 0; i < size_; ++i) text += piece(i);
    return text;
}

void TokenText::truncate(std::size_t tokens) noexcept {
    size_ = std::min(size_, tokens);
}

}  // namespace sluice::upstream::embedded
