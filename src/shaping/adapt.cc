#include "shaping/adapt.h"

#include "json/writer.h"
#include "shaping/adapt_steps.h"

namespace sluice::shaping {
namespace {

/// A rule's places are named up to here.
constexpr std::size_t kNamedPlaces = 8;

}  // namespace

void Notes::add(Rule rule, std::string what) {
    if (seen_[rule.index()]++ >= kNamedPlaces) return;
    changes_.push_back({.rule = kChangeRules[rule.index()], .what = std::move(what)});
}

void Notes::finish() {
    for (std::size_t i = 0; i < seen_.size(); ++i) {
        if (seen_[i] <= kNamedPlaces) continue;
        changes_.push_back(
            {.rule = kChangeRules[i], .what = std::to_string(seen_[i] - kNamedPlaces) + " more"});
    }
}

std::string place(std::string_view list, std::size_t index) {
    return std::string(list) + '[' + std::to_string(index) + ']';
}

std::string place(std::size_t message, std::size_t part) {
    return place("messages", message) + place(".content", part);
}

std::string loaded_text(std::string_view tool) {
    return "Tool " + std::string(tool) + " loaded.";
}

std::string input_arguments(std::string_view text) {
    std::string arguments;
    json::Writer(arguments).begin_object().key("input").string(text).end_object();
    return arguments;
}

bool is_blank(std::string_view text) noexcept {
    return text.find_first_not_of(" \n\r\t") == std::string_view::npos;
}

Result<void> adapt(chat::Request& request, const chat::Abilities& abilities,
                   chat::Changes& changes) {
    Adaptation adaptation{.request = request, .abilities = abilities, .notes = Notes(changes)};
    if (adaptation.to_anthropic() && request.choices > 1) {
        Error error(Errc::bad_request, "n: this model's provider gives one choice only");
        error.param = "n";
        return std::unexpected(std::move(error));
    }
    drop_billing_header(adaptation);
    load_deferred_tools(adaptation);
    adapt_tools(adaptation);
    adapt_thinking(adaptation);
    adapt_parts(adaptation);
    pair_results(adaptation);
    lift_result_media(adaptation);
    place_system_messages(adaptation);
    drop_empty_messages(adaptation);
    add_missing_thinking(adaptation);
    drop_cache_marks(adaptation);
    adapt_response_format(adaptation);
    adapt_limits(adaptation);
    adapt_sampling(adaptation);
    adapt_labels(adaptation);
    adaptation.notes.finish();
    return {};
}

}  // namespace sluice::shaping
