#include "shaping/adapt_steps.h"

#include <cstdlib>

namespace sluice::shaping {
namespace {

constexpr std::string_view kJsonObject = "Answer with a single JSON object and nothing else.";
constexpr std::string_view kJsonSchema = " It must satisfy this JSON Schema:\n";

/// At the end of the system text, so that what stands before it keeps its place in caches.
void add_to_system(chat::Request& request, std::string text) {
    request.system.emplace_back(chat::Text{std::move(text)});
}

void drop_number(Adaptation& adaptation, Rule rule, std::string& number, std::string_view name) {
    if (!std::exchange(number, {}).empty()) adaptation.notes.add(rule, std::string(name));
}

bool is_above(const std::string& number, double bound) {
    return !number.empty() && std::strtod(number.c_str(), nullptr) > bound;
}

/// Anthropic's API refuses both beside thinking.
bool thinks_with_fixed_sampling(const Adaptation& adaptation) {
    using Mode = chat::ThinkingMode::Kind;
    const Mode mode = adaptation.request.thinking.kind;
    return adaptation.to_anthropic() && adaptation.abilities.signatures &&
           !adaptation.same_family() && mode != Mode::unset && mode != Mode::disabled;
}

void adapt_stop(Adaptation& adaptation) {
    std::vector<std::string>& stop = adaptation.request.stop;
    std::size_t kept = 0;
    filter(stop, [&](const std::string& text, std::size_t i) {
        const bool useless = adaptation.to_anthropic() ? is_blank(text) : text.empty();
        if (!useless && kept < adaptation.abilities.max_stop) {
            ++kept;
            return true;
        }
        adaptation.notes.add("drop.stop", place("stop", i));
        return false;
    });
}

void adapt_service_tier(Adaptation& adaptation) {
    std::string& tier = adaptation.request.service_tier;
    if (tier.empty()) return;
    if (!adaptation.abilities.service_tier) {
        adaptation.notes.add("drop.service_tier", std::exchange(tier, {}));
        return;
    }
    if (adaptation.same_family() || tier == "auto") return;
    // Only "auto" and "the usual one" have a name on both sides.
    const std::string_view usual = adaptation.to_anthropic() ? "default" : "standard_only";
    if (tier == usual) {
        tier = adaptation.to_anthropic() ? "standard_only" : "default";
        return;
    }
    adaptation.notes.add("downgrade.service_tier", std::exchange(tier, "auto"));
}

void adapt_prefix(Adaptation& adaptation) {
    // Anthropic goes on with whatever assistant message comes last.
    if (adaptation.abilities.prefix || adaptation.to_anthropic()) return;
    for (std::size_t i = 0; i < adaptation.request.messages.size(); ++i) {
        if (!std::exchange(adaptation.request.messages[i].is_prefix, false)) continue;
        adaptation.notes.add("drop.prefix", place("messages", i));
    }
}

}  // namespace

void adapt_response_format(Adaptation& adaptation) {
    auto& format = adaptation.request.response_format;
    if (!format) return;
    switch (format->kind) {
        case chat::ResponseFormat::Kind::text:
            if (adaptation.to_anthropic()) format.reset();
            return;
        case chat::ResponseFormat::Kind::json_object:
            if (!adaptation.to_anthropic()) return;
            add_to_system(adaptation.request, std::string(kJsonObject));
            adaptation.notes.add("fold.json_object", "response_format");
            format.reset();
            return;
        case chat::ResponseFormat::Kind::json_schema: break;
    }
    if (adaptation.abilities.json_schema) return;
    std::string text(kJsonObject);
    if (!format->schema.empty()) text.append(kJsonSchema).append(format->schema);
    add_to_system(adaptation.request, std::move(text));
    adaptation.notes.add("fold.json_schema", "response_format");
    if (adaptation.to_anthropic()) {
        format.reset();
    } else {
        *format = {};
        format->kind = chat::ResponseFormat::Kind::json_object;
    }
}

void adapt_limits(Adaptation& adaptation) {
    auto& limit = adaptation.request.max_output_tokens;
    const chat::Abilities& abilities = adaptation.abilities;
    if (!limit && abilities.default_output_tokens) {
        limit = abilities.default_output_tokens;
        adaptation.notes.add("default.max_tokens", std::to_string(*limit));
    }
    if (limit && abilities.max_output_tokens && *limit > *abilities.max_output_tokens) {
        adaptation.notes.add("clamp.max_tokens", std::to_string(*limit));
        limit = abilities.max_output_tokens;
    }
    adapt_stop(adaptation);
}

void adapt_sampling(Adaptation& adaptation) {
    chat::Request& request = adaptation.request;
    if (!adaptation.abilities.sampling || thinks_with_fixed_sampling(adaptation)) {
        drop_number(adaptation, "drop.sampling", request.temperature, "temperature");
        drop_number(adaptation, "drop.sampling", request.top_p, "top_p");
        drop_number(adaptation, "drop.sampling", request.top_k, "top_k");
    }
    if (!adaptation.to_anthropic()) {
        drop_number(adaptation, "drop.top_k", request.top_k, "top_k");
    } else if (is_above(request.temperature, 1)) {
        adaptation.notes.add("clamp.temperature", std::exchange(request.temperature, "1"));
    }
}

void adapt_labels(Adaptation& adaptation) {
    chat::Request& request = adaptation.request;
    if (adaptation.abilities.user_field.empty() && !std::exchange(request.user, {}).empty()) {
        adaptation.notes.add("drop.user", "user");
    }
    adapt_service_tier(adaptation);
    adapt_prefix(adaptation);
    if (adaptation.same_family()) return;
    for (chat::Field& field : request.others) {
        adaptation.notes.add("drop.field", std::move(field.name));
    }
    request.others.clear();
}

}  // namespace sluice::shaping
