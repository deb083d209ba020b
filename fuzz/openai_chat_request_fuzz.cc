/// Properties: whatever is accepted is written as JSON, the same each time; what is written is
/// accepted and written as it is from then on; more messages leave the bytes before alone. The
/// first byte chooses the shape and what the upstream can express.

#include "dialect/openai_chat/read_request.h"
#include "dialect/openai_chat/write_request.h"
#include "json/reader.h"

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

namespace {

namespace chat = sluice::chat;
namespace openai_chat = sluice::dialect::openai_chat;

void check(bool holds) {
    if (!holds) std::abort();
}

chat::Abilities abilities_of(unsigned flags) {
    chat::Abilities abilities;
    abilities.reasoning_history = chat::ReasoningHistory::reasoning_content;
    abilities.custom_tools = true;
    abilities.service_tier = true;
    abilities.prefix = true;
    if ((flags & 0x02U) != 0) {
        abilities.thinking = chat::ThinkingControl::deepseek;
        abilities.reasoning_required = true;
        abilities.output_limit_field = "max_completion_tokens";
    }
    return abilities;
}

std::string write(const chat::Request& request, const chat::Abilities& abilities) {
    chat::Changes changes;
    std::string out = openai_chat::write_request(request, abilities, changes);
    check(!sluice::json::find_error(out));
    return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::string body(reinterpret_cast<const char*>(data) + 1, size - 1);
    const auto shape = (data[0] & 0x01U) != 0 ? openai_chat::Shape::text : openai_chat::Shape::chat;
    const chat::Abilities abilities = abilities_of(data[0]);
    auto request = openai_chat::read_request(body, shape);
    if (!request) {
        check(request.error().code == sluice::Errc::bad_request);
        return 0;
    }
    std::string whole = write(*request, abilities);
    check(write(*request, abilities) == whole);
    // Duplicate members are the head's to refuse, and a model's name is asked for there.
    if (const auto again = openai_chat::read_request(whole)) {
        const std::string once = write(*again, abilities);
        const auto twice = openai_chat::read_request(once);
        check(twice.has_value() && write(*twice, abilities) == once);
    }
    whole.resize(whole.size() - 2);
    while (!request->messages.empty()) {
        request->messages.pop_back();
        std::string shorter = write(*request, abilities);
        shorter.resize(shorter.size() - 2);
        check(whole.starts_with(shorter));
        whole = std::move(shorter);
    }
    return 0;
}
