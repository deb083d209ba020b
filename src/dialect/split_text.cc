#include "dialect/split_text.h"

#include <cstddef>

namespace sluice::dialect {
namespace {

constexpr std::size_t kEscapeBytes = 6;

/// Whether `text`, from between a checked string's quotes, ends with the escape of a high
/// surrogate: \uD800 to \uDBFF.
bool ends_in_half(std::string_view text) noexcept {
    if (text.size() < kEscapeBytes) return false;
    const std::string_view escape = text.substr(text.size() - kEscapeBytes);
    if (escape[0] != '\\' || escape[1] != 'u' || (escape[2] != 'D' && escape[2] != 'd') ||
        std::string_view("89abAB").find(escape[3]) == std::string_view::npos) {
        return false;
    }
    // After an odd number of backslashes this one is a backslash that was escaped.
    text.remove_suffix(kEscapeBytes);
    const std::size_t last = text.find_last_not_of('\\');
    const std::size_t backslashes =
        last == std::string_view::npos ? text.size() : text.size() - last - 1;
    return backslashes % 2 == 0;
}

}  // namespace

std::string_view TextJoiner::take(const json::Value& string) {
    if (!string.is(json::Kind::string) || string.raw.size() < 2) return {};
    std::string_view inner = string.raw.substr(1, string.raw.size() - 2);
    if (inner.empty()) return {};
    if (half_.empty() && inner.find('\\') == std::string_view::npos) return inner;

    std::string joined;
    if (!half_.empty()) {
        joined = half_;
        joined += inner;
        inner = joined;
        half_.clear();
    }
    if (ends_in_half(inner)) {
        half_ = inner.substr(inner.size() - kEscapeBytes);
        inner.remove_suffix(kEscapeBytes);
    }
    text_.clear();
    json::append_text(text_, inner);
    return text_;
}

std::string_view TextJoiner::flush() noexcept {
    if (half_.empty()) return {};
    half_.clear();
    return "\xEF\xBF\xBD";
}

}  // namespace sluice::dialect
