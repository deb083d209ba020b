#include "context/vocabulary.h"

#include "base/text.h"

#include <array>
#include <string>

namespace sluice::context {
namespace {

/// "gpt-4" and "gpt-4-turbo", but not "gpt-4o" or "gpt-4.1".
bool is_name_or_variant(std::string_view name, std::string_view model) {
    return name.starts_with(model) && (name.size() == model.size() || name[model.size()] == '-');
}

}  // namespace

Vocabulary vocabulary_of(std::string_view model) {
    const std::string lower = to_lower(model);
    if (lower.contains("deepseek") && !lower.contains("distill")) return Vocabulary::deepseek;

    std::string_view name = lower;
    name.remove_prefix(name.find_last_of('/') + 1);
    if (name.starts_with("ft:")) name = name.substr(3, name.find(':', 3) - 3);
    constexpr std::array<std::string_view, 3> kCl100k{"gpt-3.5", "gpt-35", "text-embedding-"};
    for (const std::string_view prefix : kCl100k) {
        if (name.starts_with(prefix)) return Vocabulary::cl100k;
    }
    return is_name_or_variant(name, "gpt-4") ? Vocabulary::cl100k : Vocabulary::o200k;
}

}  // namespace sluice::context
