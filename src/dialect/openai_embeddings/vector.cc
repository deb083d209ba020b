#include "dialect/openai_embeddings/vector.h"

#include "dialect/openai_embeddings/base64.h"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string_view>

namespace sluice::dialect::openai_embeddings {
namespace {

static_assert(std::endian::native == std::endian::little, "the bytes are copied as they lie");

/// The longest that a float32 is written.
constexpr std::size_t kMaxNumberBytes = 16;

constexpr std::array<double, 23> kPowersOfTen = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                                 1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                                 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

constexpr bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}

/// Whether a checked list has neither containers, nor strings, nor words in it: those have one of
/// these characters, and numbers have none. Without branches, for the sake of the vector units.
bool is_flat(std::string_view inside) noexcept {
    unsigned char found = 0;
    for (const char c : inside) {
        found |= static_cast<unsigned char>((c == '"') | (c == '[') | (c == '{') | (c == 'u') |
                                            (c == 'l'));
    }
    return found == 0;
}

std::string_view inside_of(const json::Value& value) {
    return value.raw.substr(1, value.raw.size() - 2);
}

bool is_number_list(const json::Value& value) {
    return value.is(json::Kind::array) && !json::is_empty(value) && is_flat(inside_of(value));
}

bool decode(const json::Value& value, std::vector<std::byte>& bytes) {
    const std::string_view text = inside_of(value);
    bool decoded = false;
    if (text.find('\\') == std::string_view::npos) {
        decoded = decode_base64(text, bytes);
    } else if (const auto unescaped = json::to_string(value)) {  // some write "\/"
        decoded = decode_base64(*unescaped, bytes);
    }
    return decoded && !bytes.empty() && bytes.size() % sizeof(float) == 0;
}

/// A number in its parts: digits * 10^exponent.
struct Decimal {
    bool negative = false;
    std::uint64_t digits = 0;
    int count = 0;  ///< of digits, without leading zeros
    int exponent = 0;
};

const char* take_digits(const char* at, Decimal& decimal) noexcept {
    for (; is_digit(*at); ++at) {
        decimal.digits = decimal.digits * 10 + static_cast<std::uint64_t>(*at - '0');
        if (decimal.count != 0 || *at != '0') ++decimal.count;
    }
    return at;
}

/// `at` is the start of a number that is checked and not the last thing in its text.
const char* take_decimal(const char* at, Decimal& decimal) noexcept {
    decimal.negative = *at == '-';
    if (decimal.negative) ++at;
    at = take_digits(at, decimal);
    if (*at == '.') {
        const char* const point = at + 1;
        at = take_digits(point, decimal);
        decimal.exponent = -static_cast<int>(std::min<std::ptrdiff_t>(at - point, 1000));
    }
    if (*at != 'e' && *at != 'E') return at;
    ++at;
    const bool negative = *at == '-';
    if (negative || *at == '+') ++at;
    int exponent = 0;
    for (; is_digit(*at); ++at) exponent = std::min(exponent * 10 + (*at - '0'), 10'000);
    decimal.exponent += negative ? -exponent : exponent;
    return at;
}

/// The nearest float32, where two roundings in double lead there for certain: they are wrong by
/// less than four units in the double's last place, which matters only that near to the middle
/// between two float32s.
std::optional<float> nearest(const Decimal& decimal) noexcept {
    constexpr int kMostDigits = 19;  // fit into 64 bits
    constexpr std::uint64_t kDroppedBits = (1ULL << 29U) - 1;
    constexpr std::uint64_t kMiddle = 1ULL << 28U;
    if (decimal.count > kMostDigits) return std::nullopt;
    if (decimal.digits == 0) return decimal.negative ? -0.0F : 0.0F;
    if (decimal.exponent < -22 || decimal.exponent > 22) return std::nullopt;
    auto number = static_cast<double>(decimal.digits);
    if (decimal.exponent < 0) {
        number /= kPowersOfTen[static_cast<std::size_t>(-decimal.exponent)];
    } else {
        number *= kPowersOfTen[static_cast<std::size_t>(decimal.exponent)];
    }
    if (number > 1e38 || number < std::numeric_limits<float>::min()) return std::nullopt;
    const std::uint64_t dropped = std::bit_cast<std::uint64_t>(number) & kDroppedBits;
    if (dropped + 4 >= kMiddle && dropped <= kMiddle + 4) return std::nullopt;
    const auto rounded = static_cast<float>(number);
    return decimal.negative ? -rounded : rounded;
}

/// The slow way, for what nearest() leaves.
std::optional<float> parse(const char* begin, const char* end) noexcept {
    float number = 0;
    if (std::from_chars(begin, end, number).ec == std::errc{}) return number;
    double wide = 0;
    const bool parsed = std::from_chars(begin, end, wide).ec == std::errc{};
    if (!parsed || std::abs(wide) > 1) return std::nullopt;
    return static_cast<float>(wide);  // too small for a float32
}

bool parse_list(const json::Value& list, std::vector<float>& numbers) {
    numbers.clear();
    const char* at = list.raw.data() + 1;
    const char* const end = list.raw.data() + list.raw.size() - 1;  // at the bracket
    while (true) {
        while (at != end && !is_digit(*at) && *at != '-') ++at;
        if (at == end) return true;
        Decimal decimal;
        const char* const begin = at;
        at = take_decimal(begin, decimal);
        auto number = nearest(decimal);
        if (!number) number = parse(begin, at);
        if (!number) return false;
        numbers.push_back(*number);
    }
}

}  // namespace

std::optional<std::size_t> count_numbers(const json::Value& value) {
    if (is_number_list(value)) {
        return static_cast<std::size_t>(std::ranges::count(value.raw, ',')) + 1;
    }
    std::vector<std::byte> bytes;
    if (!value.is(json::Kind::string) || !decode(value, bytes)) return std::nullopt;
    return bytes.size() / sizeof(float);
}

bool read_numbers(const json::Value& value, std::vector<float>& numbers) {
    if (is_number_list(value)) return parse_list(value, numbers);
    std::vector<std::byte> bytes;
    if (!value.is(json::Kind::string) || !decode(value, bytes)) return false;
    numbers.resize(bytes.size() / sizeof(float));
    std::memcpy(numbers.data(), bytes.data(), bytes.size());
    return true;
}

bool append_numbers(std::string& out, std::span<const float> numbers) {
    const std::size_t begin = out.size();
    out.resize(begin + numbers.size() * (kMaxNumberBytes + 1) + 2);
    char* to = out.data() + begin;
    *to++ = '[';
    for (const float number : numbers) {
        if (!std::isfinite(number)) return false;
        if (to[-1] != '[') *to++ = ',';
        to = std::to_chars(to, to + kMaxNumberBytes, number).ptr;
    }
    *to++ = ']';
    out.resize(static_cast<std::size_t>(to - out.data()));
    return true;
}

void append_base64_string(std::string& out, std::span<const float> numbers) {
    out.push_back('"');
    append_base64(out, std::as_bytes(numbers));
    out.push_back('"');
}

}  // namespace sluice::dialect::openai_embeddings
