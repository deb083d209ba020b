/// Properties of requests: a head is read only from what is JSON throughout; a patched body is
/// JSON with the new model and asks for numbers; the parts of one hold all of its inputs. Of
/// replies: whatever is accepted is written as JSON that is accepted again, in the format asked
/// for, with the same vectors; joined with itself it has twice as many. What lies behind a padded
/// body makes no difference.

#include "dialect/openai_embeddings/head.h"
#include "dialect/openai_embeddings/joiner.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>

namespace {

namespace embeddings = sluice::dialect::openai_embeddings;
using embeddings::Format;

void check(bool holds) {
    if (!holds) std::abort();
}

std::string text_of(const sluice::json::Splice& splice) {
    std::string out;
    splice.append_to(out);
    return out;
}

void check_request(std::string_view body) {
    const auto head = embeddings::read_head(body);
    std::string padded(body);
    while (padded.size() < body.size() + sluice::json::kPadding) padded += "]},";
    const auto same =
        embeddings::read_head({padded.data(), body.size()}, padded.size() - body.size());
    check(same.has_value() == head.has_value());
    if (!head) return;
    check(!sluice::json::find_error(body));

    std::size_t inputs = 0;
    for (const auto& part : embeddings::split_inputs(body, *head, 2)) {
        sluice::json::Splice splice(body);
        embeddings::patch_request(*head, "new \"model\"", true, splice);
        embeddings::keep_inputs(*head, part, splice);
        const auto again = embeddings::read_head(text_of(splice));
        check(again.has_value());
        check(again->model == "new \"model\"");
        check(again->format == Format::numbers);
        check(again->inputs == part.inputs && part.inputs <= 2);
        check(again->dimensions == head->dimensions);
        inputs += part.inputs;
    }
    check(inputs == head->inputs);
}

void check_reply(std::string_view body, std::size_t inputs, Format asked) {
    embeddings::Joiner joiner(asked);
    if (!joiner.add(std::string(body), inputs)) return;
    check(!sluice::json::find_error(body));
    const std::size_t dimensions = joiner.dimensions();
    const std::string out = joiner.finish();
    const auto reply = embeddings::read_reply(out, inputs);
    check(reply.has_value());
    check(reply->dimensions == dimensions);
    check(std::ranges::all_of(reply->embeddings,
                              [asked](const auto& e) { return e.format == asked; }));

    embeddings::Joiner twice(asked);
    check(twice.add(out, inputs).has_value());
    check(twice.add(std::string(body), inputs).has_value());
    const std::string both = twice.finish();
    const auto doubled = embeddings::read_reply(both, 2 * inputs);
    check(doubled.has_value());
    for (std::size_t i = 0; i < inputs; ++i) {
        const auto& [element, index, vector, format] = doubled->embeddings[inputs + i];
        check(format == asked && doubled->embeddings[i].format == asked);
        check(reply->embeddings[i].vector.in(out) == doubled->embeddings[i].vector.in(both));
        check(vector.in(both).size() > 2);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view body(reinterpret_cast<const char*>(data), size);
    check_request(body);
    for (const std::size_t inputs : {1UL, 2UL, 3UL}) {
        check_reply(body, inputs, Format::numbers);
        check_reply(body, inputs, Format::base64);
    }
    return 0;
}
