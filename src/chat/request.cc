#include "chat/request.h"

#include <array>

namespace sluice::chat {
namespace {

constexpr std::array<Effort, 7> kEfforts = {Effort::none,   Effort::minimal, Effort::low,
                                            Effort::medium, Effort::high,    Effort::xhigh,
                                            Effort::max};

}  // namespace

std::string_view to_string(Effort effort) noexcept {
    switch (effort) {
        case Effort::none: return "none";
        case Effort::minimal: return "minimal";
        case Effort::low: return "low";
        case Effort::medium: return "medium";
        case Effort::high: return "high";
        case Effort::xhigh: return "xhigh";
        case Effort::max: return "max";
    }
    return "medium";
}

std::optional<Effort> read_effort(std::string_view word) noexcept {
    for (const Effort effort : kEfforts) {
        if (to_string(effort) == word) return effort;
    }
    return std::nullopt;
}

std::string text_of(const std::vector<Part>& parts, std::string_view separator) {
    std::string joined;
    bool first = true;
    for (const Part& part : parts) {
        const Text* const text = part.as<Text>();
        if (text == nullptr) continue;
        if (!first) joined += separator;
        joined += text->text;
        first = false;
    }
    return joined;
}

}  // namespace sluice::chat
