#include "dialect/openai_chat/reply.h"

#include <array>
#include <utility>

namespace sluice::dialect::openai_chat {
namespace {

constexpr std::string_view kOutOfResources = R"("insufficient_system_resource")";

ChoiceFacts first_choice(const json::Value& choices) {
    if (!choices.is(json::Kind::array)) return {};
    json::Reader reader(choices);
    if (!reader.next()) return {};
    const ChoiceFacts choice = read_choice(reader.value(), false);
    return choice.out_of_resources ? read_choice(reader.value(), true) : choice;
}

bool is_nothing(const json::Value& value) {
    switch (value.kind) {
        case json::Kind::null: return true;
        case json::Kind::string: return value.raw == R"("")";
        case json::Kind::object:
        case json::Kind::array: return json::is_empty(value);
        case json::Kind::number:
        case json::Kind::boolean: return false;
    }
    return false;
}

/// Of a message or a delta: whatever is in it beside the role.
bool has_content_in(const json::Value& message) {
    if (!message.is(json::Kind::object)) return false;
    json::Reader reader(message);
    while (reader.next()) {
        if (!reader.key_is("role") && !is_nothing(reader.value())) return true;
    }
    return false;
}

/// One member of an object within the usage object.
std::optional<std::uint64_t> count_in(const json::Value& details, std::string_view name) {
    const auto count = json::find(details, name);
    return count ? json::to_uint64(*count) : std::nullopt;
}

}  // namespace

chat::Usage read_usage(const json::Value& usage) {
    if (!usage.is(json::Kind::object)) return {};
    std::optional<std::uint64_t> input;
    std::optional<std::uint64_t> output;
    std::optional<std::uint64_t> total;
    std::optional<std::uint64_t> cached;
    std::optional<std::uint64_t> written;
    std::optional<std::uint64_t> cache_hits;  // DeepSeek's name for the same
    std::optional<std::uint64_t> reasoning;
    json::Reader reader(usage);
    while (reader.next()) {
        const json::Value& value = reader.value();
        if (reader.key_is("prompt_tokens")) {
            input = json::to_uint64(value);
        } else if (reader.key_is("completion_tokens")) {
            output = json::to_uint64(value);
        } else if (reader.key_is("total_tokens")) {
            total = json::to_uint64(value);
        } else if (reader.key_is("prompt_cache_hit_tokens")) {
            cache_hits = json::to_uint64(value);
        } else if (reader.key_is("prompt_tokens_details")) {
            cached = count_in(value, "cached_tokens");
            written = count_in(value, "cache_write_tokens");
        } else if (reader.key_is("completion_tokens_details")) {
            reasoning = count_in(value, "reasoning_tokens");
        }
    }
    if (!input && !output && !total) return {};
    if (!cached) cached = cache_hits;
    return {
        .known = true,
        .input = input.value_or(0),
        .cached_input = cached.value_or(0),
        .output = output.value_or(0),
        .reasoning = reasoning.value_or(0),
        .total = total.value_or(input.value_or(0) + output.value_or(0)),
        .cache_write = written.value_or(0),
    };
}

std::optional<chat::FinishReason> read_finish_reason(const json::Value& value) {
    using enum chat::FinishReason;
    static constexpr std::array<std::pair<std::string_view, chat::FinishReason>, 5> kWords{{
        {"\"stop\"", stop},
        {"\"length\"", length},
        {"\"tool_calls\"", tool_calls},
        {"\"function_call\"", tool_calls},
        {"\"content_filter\"", content_filter},
    }};
    if (!value.is(json::Kind::string)) return std::nullopt;
    for (const auto& [word, reason] : kWords) {
        if (value.raw == word) return reason;
    }
    return other;
}

ChoiceFacts read_choice(const json::Value& choice, bool seek_content) {
    ChoiceFacts facts;
    if (!choice.is(json::Kind::object)) return facts;
    json::Reader reader(choice);
    while (reader.next()) {
        const json::Value& value = reader.value();
        if (reader.key_is("finish_reason")) {
            facts.finish_reason = read_finish_reason(value);
            facts.out_of_resources = value.raw == kOutOfResources;
        } else if (!seek_content) {
            continue;
        } else if (reader.key_is("delta") || reader.key_is("message")) {
            facts.has_content |= has_content_in(value);
        } else if (reader.key_is("text")) {
            facts.has_content |= !is_nothing(value);
        }
    }
    return facts;
}

Result<ReplyFacts> read_reply(std::string_view body) {
    const auto refuse = [](std::string_view why) {
        return fail(Errc::upstream_invalid_response,
                    "the upstream's reply is not a JSON object: " + std::string(why));
    };

    ReplyFacts facts;
    bool has_error = false;
    bool has_choices = false;
    json::Reader reader(body);
    if (!reader.failed() && reader.kind() != json::Kind::object) return refuse("it is a list");
    while (reader.next()) {
        const json::Value& value = reader.value();
        if (reader.key_is("usage")) {
            facts.usage = read_usage(value);
        } else if (reader.key_is("choices")) {
            has_choices = true;
            const ChoiceFacts choice = first_choice(value);
            facts.finish_reason = choice.finish_reason;
            facts.out_of_resources = choice.out_of_resources;
            if (choice.out_of_resources) facts.has_content = choice.has_content;
        } else if (reader.key_is("model")) {
            facts.model = json::to_string(value).value_or("");
        } else if (reader.key_is("error")) {
            has_error = !value.is(json::Kind::null);
        }
    }
    if (reader.failed()) return refuse(reader.failure());
    facts.is_error = has_error && !has_choices;
    return facts;
}

}  // namespace sluice::dialect::openai_chat
