/// Properties of whole messages: what can be read into events can be folded and holds what the
/// facts say; nothing that is read is more than there was.

#include "chat/reply.h"
#include "dialect/anthropic_messages/read_stream.h"
#include "dialect/anthropic_messages/stream_filter.h"

#include <cstdint>
#include <cstdlib>

namespace {

void check(bool holds) {
    if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    namespace messages = sluice::dialect::anthropic_messages;
    const std::string body(reinterpret_cast<const char*>(data), size);
    const auto facts = messages::read_reply(body);
    sluice::chat::Fold fold(1UL << 20U);
    const bool read = messages::read_events(body, fold).has_value();
    if (!read) return 0;
    check(facts.has_value() && !facts->is_error);
    const sluice::chat::Reply& reply = fold.reply();
    check(reply.is_whole && reply.finish_reason && !reply.error);
    check(reply.usage == facts->usage && reply.model == facts->model);
    if (facts->finish_reason) check(reply.finish_reason == facts->finish_reason);
    check(reply.parts.size() <= size);
    return 0;
}
