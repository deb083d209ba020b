/// Properties: a shaped request is JSON, whatever the transforms and however the fields are
/// written; what was to go is gone, what was forced is there, and the caller's own fields and edits
/// stand. A rewritten reply is JSON. The bytes before the first brace choose the transforms, two
/// for each step.

#include "dialect/openai_chat/head.h"
#include "shaping/reply.h"
#include "shaping/request.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>

namespace {

namespace chat = sluice::dialect::openai_chat;
namespace config = sluice::config;
namespace json = sluice::json;
namespace shaping = sluice::shaping;

constexpr std::array<const char*, 8> kNames{"a",    "b",        "c\"/", "",
                                            "user", "messages", "n",    "\xC3\xA4"};
constexpr std::array<const char*, 4> kValues{"null", "1", R"({"a":[1]})", R"("x")"};

void check(bool holds) {
    if (!holds) std::abort();
}

std::string name(unsigned char byte) {
    return kNames.at(byte % kNames.size());
}

std::string value(unsigned char byte) {
    return kValues.at((byte >> 4U) % kValues.size());
}

void add(config::Transforms& transforms, config::ReplyRules& rules, unsigned char step,
         unsigned char what) {
    switch (step % 8) {
        case 0: transforms.rename.push_back({name(what), name(what >> 4U)}); break;
        case 1: transforms.drop.push_back(name(what)); break;
        case 2: transforms.drop.push_back("messages[]." + name(what)); break;
        case 3: transforms.defaults.push_back({name(what), value(what)}); break;
        case 4: transforms.force.push_back({name(what), value(what)}); break;
        case 5: transforms.clamp.push_back({.field = name(what), .lowest = 2, .highest = 3}); break;
        case 6: transforms.roles.push_back({name(what), name(what >> 4U)}); break;
        case 7:
            rules.drop.push_back(name(what) + "[]." + name(what >> 4U));
            rules.rename.push_back({name(what), name(what >> 4U)});
            rules.set.push_back({"messages[]." + name(what), value(what)});
            rules.model = config::ReplyRules::Model::as_requested;
            break;
    }
}

void check_forced(std::string_view body, const chat::Head& head,
                  const config::Transforms& transforms) {
    for (const config::Assignment& forced : transforms.force) {
        if (forced.field == "messages") continue;
        const auto* last = &forced;
        for (const auto& other : transforms.force) {
            if (other.field == forced.field) last = &other;
        }
        const auto* const member = json::find_member(head.members, body, forced.field);
        check(member != nullptr && member->value.in(body) == last->json);
    }
}

void check_dropped(std::string_view body, const chat::Head& head,
                   const config::Transforms& transforms) {
    for (const std::string& dropped : transforms.drop) {
        if (dropped == "messages") continue;
        bool set = false;
        for (const auto* list : {&transforms.defaults, &transforms.force}) {
            for (const auto& assignment : *list) set |= assignment.field == dropped;
        }
        check(set || json::find_member(head.members, body, dropped) == nullptr);
    }
}

void check_request(std::string_view body, const config::Transforms& transforms) {
    const auto head = chat::read_head(body);
    if (!head) return;
    json::Splice splice(body);
    chat::patch_request(body, *head, "new", true, splice);
    const auto changes = shaping::shape(body, head->members, transforms, nullptr, splice);
    check(changes.has_value());
    std::string text;
    splice.append_to(text);
    check(text.size() == splice.size());
    check(!json::find_error(text));
    const auto again = chat::read_head(text);
    if (!again) return;  // a field that is read there was set to what it cannot be
    check(again->model == "new");
    check(again->stream == head->stream);
    check(again->include_usage == (head->include_usage || head->stream));
    if (transforms.clamp.empty()) check_forced(text, *again, transforms);
    check_dropped(text, *again, transforms);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view input(reinterpret_cast<const char*>(data), size);
    const std::size_t brace = input.find('{');
    if (brace == std::string_view::npos) return 0;
    config::Transforms transforms;
    config::ReplyRules rules;
    for (std::size_t i = 0; i + 1 < std::min<std::size_t>(brace, 24); i += 2) {
        add(transforms, rules, data[i], data[i + 1]);
    }
    const std::string body(input.substr(brace));
    check_request(body, transforms);

    if (json::find_error(body)) return 0;
    const shaping::ReplyRewriter rewriter(rules, "asked");
    std::string out;
    if (rewriter.rewrite(body, out)) check(!json::find_error(out));
    return 0;
}
