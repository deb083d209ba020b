#include "dialect/openai_embeddings/joiner.h"

#include "dialect/openai_embeddings/vector.h"
#include "json/splice.h"
#include "json/writer.h"

#include <algorithm>
#include <utility>

namespace sluice::dialect::openai_embeddings {
namespace {

std::unexpected<Error> refuse(std::string message) {
    return fail(Errc::upstream_invalid_response, std::move(message));
}

}  // namespace

Result<void> Joiner::add(std::string body, std::size_t inputs) {
    const std::size_t size = body.size();
    body.append(json::kPadding, ' ');
    auto reply = read_reply({body.data(), size}, inputs, json::kPadding);
    body.resize(size);
    if (!reply) return std::unexpected(std::move(reply.error()));
    add_usage(reply->usage);
    if (parts_++ == 0) {
        frame_ = std::move(body);
        first_ = *std::move(reply);
        if (frame_.size() > max_bytes_) return refuse("the upstream's embeddings are too long");
        const bool as_asked = std::ranges::all_of(
            first_.embeddings, [this](const Embedding& e) { return e.format == asked_; });
        return as_asked ? Result<void>() : append(frame_, first_);
    }
    if (reply->dimensions != first_.dimensions) {
        return refuse("the upstream's embeddings differ in length");
    }
    if (elements_.empty()) {
        if (auto ok = append(frame_, first_); !ok) return ok;
    }
    return append(body, *reply);
}

Result<void> Joiner::append(std::string_view body, const Reply& reply) {
    for (const Embedding& embedding : reply.embeddings) {
        if (!elements_.empty()) elements_.push_back(',');
        if (!append_element(body, embedding)) {
            return refuse("a number in the upstream's embeddings cannot be written");
        }
        if (elements_.size() > max_bytes_) return refuse("the upstream's embeddings are too long");
    }
    return {};
}

/// The element as it stands, but for its index and its vector.
bool Joiner::append_element(std::string_view body, const Embedding& embedding) {
    const auto& [element, own_index, vector, format] = embedding;
    const std::string number = std::to_string(embeddings_++);
    const bool has_index = !own_index.empty();
    const json::Span index =
        has_index ? own_index : json::Span{.offset = element.offset + 1, .length = 0};
    const std::string index_text = has_index ? number : "\"index\":" + number + ",";
    const auto copy = [&](std::size_t begin, std::size_t end) {
        elements_.append(body.substr(begin, end - begin));
    };
    bool written = false;
    if (index.offset < vector.offset) {
        copy(element.offset, index.offset);
        elements_.append(index_text);
        copy(index.end(), vector.offset);
        written = append_vector(vector.in(body), format);
        copy(vector.end(), element.end());
    } else {
        copy(element.offset, vector.offset);
        written = append_vector(vector.in(body), format);
        copy(vector.end(), index.offset);
        elements_.append(index_text);
        copy(index.end(), element.end());
    }
    return written;
}

bool Joiner::append_vector(std::string_view value, Format format) {
    if (format == asked_) {
        elements_.append(value);
        return true;
    }
    if (!read_numbers(json::as_value(value), numbers_)) return false;
    switch (asked_) {
        case Format::numbers: return append_numbers(elements_, numbers_);
        case Format::base64: append_base64_string(elements_, numbers_); return true;
    }
    return false;
}

void Joiner::add_usage(const chat::Usage& usage) {
    usage_.known = usage.known && (usage_.known || parts_ == 0);
    usage_.input += usage.input;
    usage_.total += usage.total;
}

std::string Joiner::usage_text() const {
    std::string text;
    json::Writer json(text);
    if (!usage_.known) {
        json.null();
    } else {
        json.begin_object().key("prompt_tokens").number(usage_.input);
        json.key("total_tokens").number(usage_.total).end_object();
    }
    return text;
}

std::string Joiner::finish() {
    if (elements_.empty()) return std::move(frame_);
    json::Splice splice(frame_);
    if (parts_ > 1 && !first_.usage_value.empty()) {
        splice.replace(first_.usage_value, usage_text());
    }
    const std::size_t inside = first_.data.offset + 1;
    splice.replace({.offset = inside, .length = first_.data.length - 2}, std::move(elements_));
    std::string out;
    splice.append_to(out);
    return out;
}

}  // namespace sluice::dialect::openai_embeddings
