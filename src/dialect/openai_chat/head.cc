#include "dialect/openai_chat/head.h"

#include "dialect/request.h"
#include "json/writer.h"

#include <algorithm>
#include <array>
#include <utility>

namespace sluice::dialect::openai_chat {
namespace {

enum class Field : std::uint8_t {
    model,
    messages,
    stream,
    stream_options,
    max_tokens,
    max_completion_tokens,
    n,
    tools,
    prompt,
    suffix,
    best_of,
};

constexpr std::array<std::pair<std::string_view, Field>, 11> kFields{{
    {"model", Field::model},
    {"messages", Field::messages},
    {"stream", Field::stream},
    {"stream_options", Field::stream_options},
    {"max_tokens", Field::max_tokens},
    {"max_completion_tokens", Field::max_completion_tokens},
    {"n", Field::n},
    {"tools", Field::tools},
    {"prompt", Field::prompt},
    {"suffix", Field::suffix},
    {"best_of", Field::best_of},
}};

bool is_of(Field field, Shape shape) noexcept {
    switch (field) {
        case Field::messages:
        case Field::max_completion_tokens:
        case Field::tools: return shape == Shape::chat;
        case Field::model:
        case Field::stream:
        case Field::stream_options:
        case Field::max_tokens:
        case Field::n: return true;
        case Field::prompt:
        case Field::suffix:
        case Field::best_of: return shape == Shape::text;
    }
    return false;
}

constexpr std::size_t kUsualMembers = 16;

constexpr std::string_view name_of(Field field) {
    return kFields.at(std::to_underlying(field)).first;
}

/// Unrolled, so that each name is compared at a length that the compiler knows.
template <std::size_t... I>
std::optional<Field> field_named(std::string_view name, std::index_sequence<I...> /*all*/) {
    std::optional<Field> found;
    static_cast<void>(((name == kFields[I].first && (found = kFields[I].second, true)) || ...));
    return found;
}

std::optional<Field> field_of(const json::Reader& reader, Shape shape) {
    const std::string_view key = reader.raw_key();
    std::optional<Field> field;
    if (key.find('\\') == std::string_view::npos) {
        field = field_named(key, std::make_index_sequence<kFields.size()>());
    } else {
        const auto* const found = std::ranges::find_if(
            kFields, [&](const auto& named) { return reader.key_is(named.first); });
        if (found != kFields.end()) field = found->second;
    }
    return field && is_of(*field, shape) ? field : std::nullopt;
}

/// What the elements of a list are; nullopt where they differ or are no prompts. `fallback` for an
/// empty list.
std::optional<json::Kind> kind_of_elements(const json::Value& list, json::Kind fallback,
                                           std::uint64_t& count) {
    count = 0;
    json::Reader reader(list);
    json::Kind kind = fallback;
    while (reader.next()) {
        const json::Value& element = reader.value();
        if (count++ == 0) kind = element.kind;
        if (element.kind != kind) return std::nullopt;
        std::uint64_t tokens = 0;
        if (kind == json::Kind::array &&
            kind_of_elements(element, json::Kind::number, tokens) != json::Kind::number) {
            return std::nullopt;
        }
    }
    return kind;
}

/// One reading of a body.
class HeadReader {
public:
    HeadReader(std::string_view body, std::size_t padding, Shape shape)
        : body_(body),
          reader_(body, padding) {
        head_.shape = shape;
        head_.members.reserve(kUsualMembers);
    }

    Result<Head> read() {
        while (reader_.next()) {
            if (head_.members.size() == kMaxMembers) {
                return fail(Errc::bad_request, "the body has too many fields");
            }
            head_.members.push_back(json::member_at(reader_, body_));
            const auto field = field_of(reader_, head_.shape);
            if (!field) continue;
            const unsigned bit = 1U << std::to_underlying(*field);
            if ((seen_ & bit) != 0) return refuse_duplicate(name_of(*field));
            seen_ |= bit;
            if (auto ok = take(*field); !ok) return std::unexpected(std::move(ok.error()));
        }
        if (reader_.failed()) {
            return fail(Errc::bad_request, "the body is not valid JSON: " + reader_.failure());
        }
        if (!has(Field::model)) return refuse("model", "you must provide a model parameter");
        const Field asked = head_.shape == Shape::chat ? Field::messages : Field::prompt;
        if (!has(asked)) {
            const std::string_view name = name_of(asked);
            return refuse(name, "you must provide '" + std::string(name) + "'");
        }
        head_.max_output_tokens =
            max_completion_tokens_ ? max_completion_tokens_ : std::exchange(max_tokens_, {});
        return std::move(head_);
    }

private:
    [[nodiscard]] bool has(Field field) const {
        return (seen_ & (1U << std::to_underlying(field))) != 0;
    }

    Result<void> take(Field field) {
        const json::Value& value = reader_.value();
        switch (field) {
            case Field::model: return take_model(value);
            case Field::messages:
                if (!value.is(json::Kind::array)) return refuse_type("messages", "a list");
                return {};
            case Field::stream:
                if (!value.is(json::Kind::boolean) && !value.is(json::Kind::null)) {
                    return refuse_type("stream", "true or false");
                }
                head_.stream = value.is_true();
                return {};
            case Field::stream_options: return take_stream_options(value);
            case Field::max_tokens: return take_number(field, value, max_tokens_);
            case Field::max_completion_tokens:
                return take_number(field, value, max_completion_tokens_);
            case Field::n: return take_count(field, value, head_.choices);
            case Field::tools:
                head_.has_tools = value.is(json::Kind::array) && !json::is_empty(value);
                return {};
            case Field::prompt: return take_prompt(value);
            case Field::suffix:
                if (!value.is(json::Kind::string) && !value.is(json::Kind::null)) {
                    return refuse_type("suffix", "a string");
                }
                head_.has_suffix = value.is(json::Kind::string) && value.raw != R"("")";
                return {};
            case Field::best_of: return take_count(field, value, head_.best_of);
        }
        return {};
    }

    Result<void> take_prompt(const json::Value& value) {
        if (value.is(json::Kind::string)) return {};
        constexpr std::string_view kExpected =
            "a string, a list of strings, a list of tokens or a list of lists of tokens";
        if (!value.is(json::Kind::array)) return refuse_type("prompt", kExpected);
        std::uint64_t count = 0;
        const auto kind = kind_of_elements(value, json::Kind::string, count);
        if (!kind) return refuse_type("prompt", kExpected);
        switch (*kind) {
            case json::Kind::string:
            case json::Kind::array: head_.prompts = count; return {};
            case json::Kind::number: return {};
            case json::Kind::object:
            case json::Kind::boolean:
            case json::Kind::null: break;
        }
        return refuse_type("prompt", kExpected);
    }

    Result<void> take_model(const json::Value& value) {
        auto model = read_model(value);
        if (!model) return std::unexpected(std::move(model.error()));
        head_.model = std::move(*model);
        head_.model_value = reader_.span();
        return {};
    }

    Result<void> take_stream_options(const json::Value& value) {
        head_.stream_options = reader_.span();
        if (value.is(json::Kind::null)) return {};
        if (!value.is(json::Kind::object)) return refuse_type("stream_options", "an object");
        json::Reader options(value);
        while (options.next()) {
            if (!options.key_is("include_usage")) continue;
            constexpr std::string_view kParam = "stream_options.include_usage";
            if (!head_.include_usage_value.empty()) return refuse_duplicate(kParam);
            const json::Value& wanted = options.value();
            if (!wanted.is(json::Kind::boolean) && !wanted.is(json::Kind::null)) {
                return refuse_type(kParam, "true or false");
            }
            head_.include_usage = wanted.is_true();
            head_.include_usage_value = {
                .offset = head_.stream_options.offset + options.span().offset,
                .length = wanted.raw.size()};
        }
        return {};
    }

    /// A number that is none of ours to judge (1e3, 0.5, -1) is left to the upstream.
    static Result<void> take_number(Field field, const json::Value& value,
                                    std::optional<std::uint64_t>& number) {
        if (!value.is(json::Kind::number) && !value.is(json::Kind::null)) {
            return refuse_type(name_of(field), "an integer");
        }
        number = json::to_uint64(value);
        return {};
    }

    static Result<void> take_count(Field field, const json::Value& value, std::uint64_t& count) {
        std::optional<std::uint64_t> number;
        auto ok = take_number(field, value, number);
        if (ok) count = number.value_or(1);
        return ok;
    }

    std::string_view body_;
    json::Reader reader_;
    Head head_;
    std::optional<std::uint64_t> max_tokens_;
    std::optional<std::uint64_t> max_completion_tokens_;
    unsigned seen_ = 0;
};

void add_include_usage_to(json::Splice& splice, std::string_view body, const Head& head) {
    constexpr std::string_view kMember = "\"include_usage\":true";
    if (!head.include_usage_value.empty()) {
        splice.replace(head.include_usage_value, "true");
        return;
    }
    const std::string object = "{" + std::string(kMember) + "}";
    if (head.stream_options.empty()) {
        splice.insert(head.members_begin, "\"stream_options\":" + object + ",");
        return;
    }
    const std::string_view options = head.stream_options.in(body);
    const json::Value value = json::as_value(options);
    if (value.is(json::Kind::object) && !json::is_empty(value)) {
        splice.insert(head.stream_options.offset + 1, std::string(kMember) + ",");
    } else {
        splice.replace(head.stream_options, object);  // null or {}
    }
}

}  // namespace

Result<Head> read_head(std::string_view body, std::size_t padding, Shape shape) {
    const auto brace = find_object(body);
    if (!brace) return std::unexpected(brace.error());
    auto head = HeadReader(body, padding, shape).read();
    if (head) head->members_begin = *brace + 1;
    return head;
}

void patch_request(std::string_view body, const Head& head, std::string_view model,
                   bool add_include_usage, json::Splice& splice) {
    if (model != head.model) {
        std::string text;
        json::append_string(text, model);
        splice.replace(head.model_value, std::move(text));
    }
    if (add_include_usage && head.stream && !head.include_usage) {
        add_include_usage_to(splice, body, head);
    }
}

}  // namespace sluice::dialect::openai_chat
