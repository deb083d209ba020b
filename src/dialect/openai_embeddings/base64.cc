#include "dialect/openai_embeddings/base64.h"

#include <array>
#include <cstdint>

namespace sluice::dialect::openai_embeddings {
namespace {

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Two characters for each twelve bits.
constexpr auto kPairs = [] {
    std::array<std::array<char, 2>, 4096> pairs{};
    for (std::size_t i = 0; i < pairs.size(); ++i) {
        pairs[i] = {kAlphabet[i >> 6U], kAlphabet[i & 63U]};
    }
    return pairs;
}();

constexpr std::uint32_t kBad = 0x8000'0000U;

constexpr auto kValues = [] {
    std::array<std::uint32_t, 256> values{};
    values.fill(kBad);
    for (std::size_t i = 0; i < kAlphabet.size(); ++i) {
        values[static_cast<unsigned char>(kAlphabet[i])] = static_cast<std::uint32_t>(i);
    }
    return values;
}();

std::uint32_t value_of(char c) noexcept {
    return kValues[static_cast<unsigned char>(c)];
}

std::uint32_t bits_of(std::byte byte) noexcept {
    return std::to_integer<std::uint32_t>(byte);
}

std::byte low_byte(std::uint32_t bits) noexcept {
    return static_cast<std::byte>(bits & 0xFFU);
}

/// Four characters as 24 bits, or more where one of them is none of the alphabet.
std::uint32_t decode_four(const char* text) noexcept {
    const std::uint32_t a = value_of(text[0]);
    const std::uint32_t b = value_of(text[1]);
    const std::uint32_t c = value_of(text[2]);
    const std::uint32_t d = value_of(text[3]);
    return (a << 18U) | (b << 12U) | (c << 6U) | d | ((a | b | c | d) & kBad);
}

/// The last four characters where they end in `padding` times '='.
bool decode_tail(const char* text, std::size_t padding, std::byte* out) noexcept {
    const std::array<char, 4> filled = {text[0], text[1], padding == 2 ? 'A' : text[2], 'A'};
    const std::uint32_t bits = decode_four(filled.data());
    const std::uint32_t unused = padding == 2 ? 0xFFFFU : 0xFFU;
    if ((bits & (kBad | unused)) != 0) return false;
    out[0] = low_byte(bits >> 16U);
    if (padding == 1) out[1] = low_byte(bits >> 8U);
    return true;
}

}  // namespace

void append_base64(std::string& out, std::span<const std::byte> bytes) {
    const std::size_t begin = out.size();
    out.resize(begin + (bytes.size() + 2) / 3 * 4);
    char* to = out.data() + begin;
    std::size_t at = 0;
    for (; at + 3 <= bytes.size(); at += 3) {
        const std::uint32_t bits =
            (bits_of(bytes[at]) << 16U) | (bits_of(bytes[at + 1]) << 8U) | bits_of(bytes[at + 2]);
        const auto& high = kPairs[bits >> 12U];
        const auto& low = kPairs[bits & 0xFFFU];
        *to++ = high[0];
        *to++ = high[1];
        *to++ = low[0];
        *to++ = low[1];
    }
    const std::size_t left = bytes.size() - at;
    if (left == 0) return;
    const std::uint32_t bits =
        (bits_of(bytes[at]) << 16U) | (left == 2 ? bits_of(bytes[at + 1]) << 8U : 0U);
    *to++ = kAlphabet[bits >> 18U];
    *to++ = kAlphabet[(bits >> 12U) & 63U];
    *to++ = left == 2 ? kAlphabet[(bits >> 6U) & 63U] : '=';
    *to = '=';
}

bool decode_base64(std::string_view text, std::vector<std::byte>& bytes) {
    bytes.clear();
    if (text.size() % 4 != 0) return false;
    if (text.empty()) return true;
    const std::size_t padding = text.ends_with("==") ? 2 : (text.ends_with('=') ? 1 : 0);
    const std::size_t whole = padding == 0 ? text.size() : text.size() - 4;
    bytes.resize(text.size() / 4 * 3 - padding);
    std::byte* to = bytes.data();
    std::uint32_t seen = 0;
    for (std::size_t at = 0; at < whole; at += 4) {
        const std::uint32_t bits = decode_four(text.data() + at);
        seen |= bits;
        *to++ = low_byte(bits >> 16U);
        *to++ = low_byte(bits >> 8U);
        *to++ = low_byte(bits);
    }
    if ((seen & kBad) != 0) return false;
    return padding == 0 || decode_tail(text.data() + whole, padding, to);
}

}  // namespace sluice::dialect::openai_embeddings
