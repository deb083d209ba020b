#include "dialect/anthropic_messages/head.h"

#include "base/text.h"
#include "dialect/request.h"
#include "json/writer.h"

#include <algorithm>
#include <array>
#include <utility>

namespace sluice::dialect::anthropic_messages {
namespace {

enum class Field : std::uint8_t { model, messages, stream, max_tokens, tools };

constexpr std::array<std::string_view, 5> kFields{"model", "messages", "stream", "max_tokens",
                                                  "tools"};
constexpr std::size_t kUsualMembers = 16;
constexpr std::string_view kWindowMark = "[1m]";

std::optional<Field> field_of(const json::Reader& reader) {
    const auto* const found =
        std::ranges::find_if(kFields, [&](std::string_view name) { return reader.key_is(name); });
    if (found == kFields.end()) return std::nullopt;
    return static_cast<Field>(found - kFields.begin());
}

std::unexpected<Error> refuse_value(Field field, std::string_view fault) {
    const std::string_view name = kFields.at(std::to_underlying(field));
    return refuse(name, std::string(name).append(": ").append(fault));
}

/// One reading of a body.
class HeadReader {
public:
    HeadReader(std::string_view body, std::size_t padding) : body_(body), reader_(body, padding) {
        head_.members.reserve(kUsualMembers);
    }

    Result<Head> read() {
        while (reader_.next()) {
            if (head_.members.size() == kMaxMembers) {
                return fail(Errc::bad_request, "the body has too many fields");
            }
            head_.members.push_back(json::member_at(reader_, body_));
            const auto field = field_of(reader_);
            if (!field) continue;
            const unsigned bit = 1U << std::to_underlying(*field);
            if ((seen_ & bit) != 0) return refuse_duplicate(kFields.at(std::to_underlying(*field)));
            seen_ |= bit;
            if (auto ok = take(*field); !ok) return std::unexpected(std::move(ok.error()));
        }
        if (reader_.failed()) {
            return fail(Errc::bad_request, "the body is not valid JSON: " + reader_.failure());
        }
        if ((seen_ & (1U << std::to_underlying(Field::messages))) == 0) {
            return refuse_value(Field::messages, "Field required");
        }
        return std::move(head_);
    }

private:
    Result<void> take(Field field) {
        const json::Value& value = reader_.value();
        const bool is_null = value.is(json::Kind::null);
        switch (field) {
            case Field::model: return take_model(value);
            case Field::messages:
                if (!value.is(json::Kind::array)) {
                    return refuse_value(field, "Input should be a valid list");
                }
                return {};
            case Field::stream:
                if (!value.is(json::Kind::boolean) && !is_null) {
                    return refuse_value(field, "Input should be a valid boolean");
                }
                head_.stream = value.is_true();
                return {};
            case Field::max_tokens:
                if (!value.is(json::Kind::number) && !is_null) {
                    return refuse_value(field, "Input should be a valid integer");
                }
                // One that is none of ours to judge (1e3, -1) is left to the upstream.
                head_.max_output_tokens = json::to_uint64(value);
                return {};
            case Field::tools:
                if (!value.is(json::Kind::array) && !is_null) {
                    return refuse_value(field, "Input should be a valid list");
                }
                head_.has_tools = !is_null && !json::is_empty(value);
                return {};
        }
        return {};
    }

    Result<void> take_model(const json::Value& value) {
        head_.model_value = reader_.span();
        if (value.is(json::Kind::null)) return {};
        const auto model = json::to_string(value);
        if (!model) return refuse_value(Field::model, "Input should be a valid string");
        head_.model = without_window_mark(*model);
        head_.has_window_mark = head_.model.size() != model->size();
        return {};
    }

    std::string_view body_;
    json::Reader reader_;
    Head head_;
    unsigned seen_ = 0;
};

}  // namespace

std::string_view without_window_mark(std::string_view model) noexcept {
    const std::size_t length = model.size() - std::min(model.size(), kWindowMark.size());
    return iequals(model.substr(length), kWindowMark) ? model.substr(0, length) : model;
}

Result<Head> read_head(std::string_view body, std::size_t padding) {
    const auto brace = find_object(body);
    if (!brace) return std::unexpected(brace.error());
    auto head = HeadReader(body, padding).read();
    if (head) head->members_begin = *brace + 1;
    return head;
}

void patch_request(const Head& head, std::string_view model, json::Splice& splice) {
    if (model.empty() || (model == head.model && !head.has_window_mark)) return;
    std::string text;
    json::append_string(text, model);
    if (!head.model_value.empty()) {
        splice.replace(head.model_value, std::move(text));
    } else {
        splice.insert(head.members_begin, "\"model\":" + text + ",");
    }
}

}  // namespace sluice::dialect::anthropic_messages
