#include "dialect/openai_embeddings/reply.h"

#include "dialect/openai_chat/reply.h"
#include "dialect/openai_embeddings/vector.h"

#include <optional>
#include <utility>

namespace sluice::dialect::openai_embeddings {
namespace {

std::unexpected<Error> refuse(std::string_view why) {
    return fail(Errc::upstream_invalid_response,
                "the upstream's reply to an embeddings request is wrong: " + std::string(why));
}

json::Span moved(json::Span span, std::size_t offset) {
    return {.offset = span.offset + offset, .length = span.length};
}

/// One reading of a body.
class ReplyReader {
public:
    ReplyReader(std::string_view body, std::size_t inputs, std::size_t padding)
        : reader_(body, padding),
          inputs_(inputs) {}

    Result<Reply> read() {
        if (!reader_.failed() && reader_.kind() != json::Kind::object) {
            return refuse("it is no object");
        }
        std::optional<json::Value> data;
        while (reader_.next()) {
            const json::Value& value = reader_.value();
            if (reader_.key_is("data")) {
                if (data) return refuse("'data' is given more than once");
                data = value;
                reply_.data = reader_.span();
            } else if (reader_.key_is("usage")) {
                reply_.usage = openai_chat::read_usage(value);
                reply_.usage_value = reader_.span();
            } else if (reader_.key_is("model")) {
                reply_.model = json::to_string(value).value_or("");
            } else if (reader_.key_is("object") && json::to_string(value) != "list") {
                return refuse("'object' is not \"list\"");
            }
        }
        if (reader_.failed()) return refuse(reader_.failure());
        if (!data || !data->is(json::Kind::array)) return refuse("it has no 'data'");
        if (auto ok = read_data(*data); !ok) return std::unexpected(std::move(ok.error()));
        return std::move(reply_);
    }

private:
    Result<void> read_data(const json::Value& data) {
        reply_.embeddings.resize(inputs_);
        std::size_t place = 0;
        json::Reader elements(data);
        while (elements.next()) {
            if (place == inputs_) return refuse_count();
            const std::size_t offset = reply_.data.offset + elements.span().offset;
            auto ok = read_element(elements.value(), offset, place++);
            if (!ok) return ok;
        }
        if (place != inputs_) return refuse_count();
        return {};
    }

    [[nodiscard]] std::unexpected<Error> refuse_count() const {
        return refuse("there are not " + std::to_string(inputs_) + " embeddings in it");
    }

    /// `offset` is where the element stands in the body, `place` where in the list.
    Result<void> read_element(const json::Value& element, std::size_t offset, std::size_t place) {
        if (!element.is(json::Kind::object)) return refuse("an element of 'data' is no object");
        Embedding embedding;
        embedding.element = {.offset = offset, .length = element.raw.size()};
        std::size_t index = place;
        json::Reader members(element);
        while (members.next()) {
            const json::Value& value = members.value();
            if (members.key_is("embedding")) {
                if (!embedding.vector.empty()) return refuse("an element has two vectors");
                if (auto ok = take_vector(value, embedding); !ok) return ok;
                embedding.vector = moved(members.span(), offset);
            } else if (members.key_is("index")) {
                if (!embedding.index.empty()) return refuse("an element has two indices");
                index = json::to_uint64(value).value_or(inputs_);
                embedding.index = moved(members.span(), offset);
            }
        }
        if (embedding.vector.empty()) return refuse("an element has no vector");
        if (index >= inputs_) return refuse("an index is out of range");
        if (!reply_.embeddings[index].element.empty()) return refuse("an index is there twice");
        reply_.embeddings[index] = embedding;
        return {};
    }

    Result<void> take_vector(const json::Value& value, Embedding& embedding) {
        const auto count = count_numbers(value);
        if (!count) return refuse("an embedding is neither a list of numbers nor base64 of them");
        if (reply_.dimensions == 0) reply_.dimensions = *count;
        if (*count != reply_.dimensions) return refuse("the vectors differ in length");
        embedding.format = value.is(json::Kind::string) ? Format::base64 : Format::numbers;
        return {};
    }

    json::Reader reader_;
    std::size_t inputs_;
    Reply reply_;
};

}  // namespace

Result<Reply> read_reply(std::string_view body, std::size_t inputs, std::size_t padding) {
    return ReplyReader(body, inputs, padding).read();
}

}  // namespace sluice::dialect::openai_embeddings
