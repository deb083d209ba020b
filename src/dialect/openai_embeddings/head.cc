#include "dialect/openai_embeddings/head.h"

#include "dialect/request.h"
#include "json/writer.h"

#include <algorithm>
#include <array>
#include <utility>

namespace sluice::dialect::openai_embeddings {
namespace {

enum class Field : std::uint8_t { model, input, encoding_format, dimensions };

constexpr std::array<std::string_view, 4> kFields = {"model", "input", "encoding_format",
                                                     "dimensions"};

constexpr std::string_view kInputKinds =
    "a string, a list of strings, a list of tokens or a list of token lists";

constexpr std::string_view name_of(Field field) {
    return kFields.at(std::to_underlying(field));
}

std::optional<Field> field_of(const json::Reader& reader) {
    for (std::size_t i = 0; i < kFields.size(); ++i) {
        if (reader.key_is(kFields.at(i))) return static_cast<Field>(i);
    }
    return std::nullopt;
}

/// Whether a checked list holds nothing but integers that are not negative.
bool is_token_list(std::string_view list) {
    return std::ranges::all_of(list.substr(1, list.size() - 2), [](char c) {
        return (c >= '0' && c <= '9') || c == ',' || c == ' ' || c == '\n' || c == '\r' ||
               c == '\t';
    });
}

/// One reading of a body.
class HeadReader {
public:
    HeadReader(std::string_view body, std::size_t padding) : body_(body), reader_(body, padding) {}

    Result<Head> read() {
        while (reader_.next()) {
            head_.members.push_back({.key = key_span(), .value = reader_.span()});
            const auto field = field_of(reader_);
            if (!field) continue;
            const unsigned bit = 1U << std::to_underlying(*field);
            if ((seen_ & bit) != 0) {
                const std::string_view name = name_of(*field);
                return refuse_duplicate(name);
            }
            seen_ |= bit;
            if (auto ok = take(*field); !ok) return std::unexpected(std::move(ok.error()));
        }
        if (reader_.failed()) {
            return fail(Errc::bad_request, "the body is not valid JSON: " + reader_.failure());
        }
        if (!has(Field::model)) return refuse("model", "you must provide a model parameter");
        if (!has(Field::input)) return refuse("input", "you must provide 'input'");
        return std::move(head_);
    }

private:
    [[nodiscard]] bool has(Field field) const {
        return (seen_ & (1U << std::to_underlying(field))) != 0;
    }

    [[nodiscard]] json::Span key_span() const {
        const std::string_view key = reader_.raw_key();
        return {.offset = static_cast<std::size_t>(key.data() - body_.data()) - 1,
                .length = key.size() + 2};
    }

    Result<void> take(Field field) {
        const json::Value& value = reader_.value();
        switch (field) {
            case Field::model: return take_model(value);
            case Field::input: return take_input(value);
            case Field::encoding_format: return take_encoding_format(value);
            case Field::dimensions:
                // A number that is none of ours to judge (0, 1e3) is left to the upstream.
                if (!value.is(json::Kind::number) && !value.is(json::Kind::null)) {
                    return refuse_type("dimensions", "an integer");
                }
                head_.dimensions = json::to_uint64(value);
                return {};
        }
        return {};
    }

    Result<void> take_model(const json::Value& value) {
        auto model = read_model(value);
        if (!model) return std::unexpected(std::move(model.error()));
        head_.model = std::move(*model);
        head_.model_value = reader_.span();
        return {};
    }

    Result<void> take_encoding_format(const json::Value& value) {
        if (value.is(json::Kind::null)) return {};
        const auto format = json::to_string(value);
        if (format == "base64") {
            head_.format = Format::base64;
        } else if (format != "float") {
            return refuse_type("encoding_format", "'float' or 'base64'");
        }
        head_.encoding_format_value = reader_.span();
        return {};
    }

    Result<void> take_input(const json::Value& value) {
        head_.input_value = reader_.span();
        if (value.is(json::Kind::string)) return {};
        if (!value.is(json::Kind::array)) return refuse_type("input", kInputKinds);
        if (json::is_empty(value)) return refuse("input", "'input' must not be an empty list");
        if (is_token_list(value.raw)) {
            head_.input_kind = InputKind::tokens;
            return {};
        }
        return take_inputs(value);
    }

    Result<void> take_inputs(const json::Value& list) {
        head_.inputs = 0;
        json::Reader inputs(list);
        json::Kind kind = json::Kind::null;
        while (inputs.next()) {
            const json::Value& input = inputs.value();
            if (head_.inputs++ == 0) kind = input.kind;
            const bool is_text = kind == json::Kind::string;
            if (!input.is(kind) || (!is_text && !is_list_of_tokens(input))) {
                return refuse_type("input", kInputKinds);
            }
            if (head_.inputs > kMaxInputs) {
                return refuse("input",
                              "'input' holds more than " + std::to_string(kMaxInputs) + " inputs");
            }
        }
        head_.input_kind = kind == json::Kind::string ? InputKind::texts : InputKind::token_lists;
        return {};
    }

    static bool is_list_of_tokens(const json::Value& value) {
        return value.is(json::Kind::array) && is_token_list(value.raw);
    }

    std::string_view body_;
    json::Reader reader_;
    Head head_;
    unsigned seen_ = 0;
};

}  // namespace

Result<Head> read_head(std::string_view body, std::size_t padding) {
    if (body.size() > kMaxRequestBytes) {
        return fail(Errc::payload_too_large, "an embeddings request may have at most " +
                                                 std::to_string(kMaxRequestBytes) + " bytes");
    }
    const auto brace = find_object(body);
    if (!brace) return std::unexpected(brace.error());
    return HeadReader(body, padding).read();
}

void patch_request(const Head& head, std::string_view model, bool numbers_only,
                   json::Splice& splice) {
    if (model != head.model) {
        std::string text;
        json::append_string(text, model);
        splice.replace(head.model_value, std::move(text));
    }
    if (numbers_only && head.format == Format::base64) {
        splice.replace(head.encoding_format_value, "\"float\"");
    }
}

std::vector<Part> split_inputs(std::string_view body, const Head& head, std::size_t max_inputs) {
    if (head.inputs <= max_inputs) {
        return {{.elements = head.input_value, .inputs = head.inputs}};
    }
    std::vector<Part> parts;
    json::Reader inputs(json::as_value(head.input_value.in(body)));
    while (inputs.next()) {
        const json::Span input = inputs.span();
        const std::size_t begin = head.input_value.offset + input.offset;
        if (parts.empty() || parts.back().inputs >= max_inputs) {
            parts.push_back({.elements = {.offset = begin, .length = 0}, .inputs = 0});
        }
        Part& part = parts.back();
        part.elements.length = begin + input.length - part.elements.offset;
        ++part.inputs;
    }
    return parts;
}

void keep_inputs(const Head& head, const Part& part, json::Splice& splice) {
    if (part.inputs == head.inputs) return;
    const std::size_t first = head.input_value.offset + 1;
    const std::size_t bracket = head.input_value.end() - 1;
    const std::size_t end = part.elements.end();
    splice.replace({.offset = first, .length = part.elements.offset - first}, {});
    splice.replace({.offset = end, .length = bracket - end}, {});
}

}  // namespace sluice::dialect::openai_embeddings
