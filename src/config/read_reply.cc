#include "base/text.h"
#include "config/upstream_sections.h"

#include <algorithm>
#include <array>

namespace sluice::config {
namespace {

/// What frames a message or belongs to one connection: not for a rule to change.
constexpr std::array<std::string_view, 8> kFraming{
    "connection", "content-encoding", "content-length",    "keep-alive",
    "te",         "trailer",          "transfer-encoding", "upgrade"};

bool is_token_char(char c) {
    constexpr std::string_view kOthers = "!#$%&'*+-.^_`|~";
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || kOthers.contains(c);
}

bool is_member_name(std::string_view name) {
    return !name.empty() && name.find_first_of("[] \t\r\n\"") == std::string_view::npos;
}

/// `usage.cost`, `choices[].message.reasoning`.
bool is_reply_path(std::string_view path) {
    for (;;) {
        const auto dot = path.find('.');
        std::string_view segment = path.substr(0, dot);
        if (segment.ends_with("[]")) segment.remove_suffix(2);
        if (!is_member_name(segment)) return false;
        if (dot == std::string_view::npos) return true;
        path.remove_prefix(dot + 1);
    }
}

std::string check_path(std::string_view path) {
    if (is_reply_path(path) && !path.ends_with("[]")) return {};
    return "is no path to a field, expected one such as choices[].message.reasoning";
}

std::string check_member(std::string_view name) {
    if (is_member_name(name) && !name.contains('.')) return {};
    return "is no name of a field, expected one beside the old name, such as reasoning_content";
}

/// Names are compared in lower case.
Result<std::string> parse_header_name(std::string_view text) {
    std::string name = to_lower(text);
    if (std::ranges::find(kFraming, name) != kFraming.end()) {
        return fail(Errc::bad_request, "a header that does not frame the message");
    }
    if (!name.empty() && std::ranges::all_of(name, is_token_char)) return name;
    return fail(Errc::bad_request, "the name of a header");
}

void read_set_headers(const Reader& reader, const Section& section, ReplyRules& reply) {
    const std::string path = section.path("set_headers");
    for (const Entry& entry : reader.entries(section.find("set_headers"), path)) {
        auto name = parse_header_name(entry.key);
        if (!name) {
            reader.report(entry.place,
                          wrong_value(path, entry.key, name.error().message, Quote::yes));
            continue;
        }
        const std::string what = path + "." + entry.key;
        const auto text = reader.text(*entry.value, what);
        if (!text) continue;
        auto value = parse_text(*text);
        if (value && trim(*value) == *value) {
            reply.set_headers.emplace_back(*std::move(name), *std::move(value));
        } else {
            reader.report(entry.value->place,
                          wrong_value(what, "", "a text without control characters", Quote::no));
        }
    }
}

}  // namespace

void read_reply(const Reader& reader, const Section& route, ReplyRules& reply) {
    using Model = ReplyRules::Model;
    const Section section(reader, route.find("reply"), kReplySchema, route.path("reply"));
    section.read("model", reply.model, [](std::string_view text) -> Result<Model> {
        if (text == "as_answered") return Model::as_answered;
        if (text == "as_requested") return Model::as_requested;
        return fail(Errc::bad_request, "as_answered or as_requested");
    });
    section.read_list("drop", reply.drop, [](std::string_view text) -> Result<std::string> {
        if (check_path(text).empty()) return std::string(text);
        return fail(Errc::bad_request, "a path such as usage.cost");
    });
    read_renamings(reader, section.find("rename"), section.path("rename"), check_path, check_member,
                   reply.rename);
    read_assignments(reader, section.find("set"), section.path("set"), check_path, reply.set);
    section.read_list("drop_headers", reply.drop_headers, parse_header_name);
    read_set_headers(reader, section, reply);
}

}  // namespace sluice::config
