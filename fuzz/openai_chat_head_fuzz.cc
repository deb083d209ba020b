/// Properties: a head is read only from what is JSON throughout; a patched body is JSON, has the
/// new model and asks for usage; patching it again changes nothing; what lies behind a padded body
/// makes no difference.

#include "dialect/openai_chat/head.h"

#include <cstdint>
#include <cstdlib>

namespace {

namespace chat = sluice::dialect::openai_chat;

void check(bool holds) {
    if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view body(reinterpret_cast<const char*>(data), size);
    static_cast<void>(chat::read_head(body, 0, chat::Shape::text));
    const auto head = chat::read_head(body);
    std::string padded(body);
    while (padded.size() < size + sluice::json::kPadding) padded += "]},";
    const auto same = chat::read_head({padded.data(), size}, padded.size() - size);
    check(same.has_value() == head.has_value());
    if (!head) return 0;
    check(!sluice::json::find_error(body));

    const std::string model = "new \"model\"";
    sluice::json::Splice splice(body);
    chat::patch_request(body, *head, model, true, splice);
    std::string patched;
    splice.append_to(patched);
    check(patched.size() == splice.size());

    const auto again = chat::read_head(patched);
    check(again.has_value());
    check(again->model == model);
    check(again->include_usage == (head->include_usage || head->stream));
    check(again->max_output_tokens == head->max_output_tokens);
    sluice::json::Splice none(patched);
    chat::patch_request(patched, *again, model, true, none);
    check(none.unchanged());
    return 0;
}
