#include "gateway/forwarded_fields.h"

#include "base/text.h"
#include "net/transaction.h"

#include <algorithm>
#include <array>
#include <span>
#include <vector>

namespace sluice::gateway {
namespace {

constexpr auto kForwarded = std::to_array<std::string_view>(
    {"accept", "accept-encoding", "accept-language", "content-disposition", "content-encoding",
     "content-language", "content-type", "idempotency-key", "range"});
constexpr auto kForwardedPrefixes =
    std::to_array<std::string_view>({"anthropic-", "if-", "openai-", "x-stainless-"});
/// They choose who pays: only whoever owns the key may.
constexpr auto kOfAccount =
    std::to_array<std::string_view>({"openai-organization", "openai-project"});
constexpr std::string_view kKeySuffix = "-api-key";

bool is_in(std::span<const std::string_view> list, std::string_view name) {
    return std::ranges::any_of(list, [&](auto known) { return iequals(name, known); });
}

bool is_forwarded(std::string_view name, Account account) {
    if (account == Account::ours && is_in(kOfAccount, name)) return false;
    const std::size_t front = name.size() - std::min(name.size(), kKeySuffix.size());
    if (iequals(name.substr(front), kKeySuffix)) return false;
    return is_in(kForwarded, name) || std::ranges::any_of(kForwardedPrefixes, [&](auto prefix) {
               return iequals(name.substr(0, prefix.size()), prefix);
           });
}

/// What the client's Connection fields name.
std::vector<std::string_view> named_by_connection(const net::http1::RequestHead& head) {
    std::vector<std::string_view> names;
    for (const auto& [name, value] : head.fields) {
        if (!iequals(name, "connection")) continue;
        for (std::string_view rest = value; !rest.empty();) {
            const std::size_t comma = std::min(rest.find(','), rest.size());
            names.push_back(trim(rest.substr(0, comma)));
            rest.remove_prefix(std::min(comma + 1, rest.size()));
        }
    }
    return names;
}

/// `.` or `..`, each dot possibly written as %2E.
bool is_dot_segment(std::string_view segment) {
    std::size_t dots = 0;
    while (!segment.empty()) {
        const bool escaped = iequals(segment.substr(0, 3), "%2e");
        if (!escaped && segment.front() != '.') return false;
        segment.remove_prefix(escaped ? 3 : 1);
        ++dots;
    }
    return dots == 1 || dots == 2;
}

/// The next segment, whatever servers take for the end of one.
std::string_view take_segment(std::string_view& path) {
    std::size_t end = 0;
    std::size_t width = 0;
    for (; end < path.size() && width == 0; ++end) {
        if (path[end] == '/' || path[end] == '\\') width = 1;
        const std::string_view three = path.substr(end, 3);
        if (iequals(three, "%2f") || iequals(three, "%5c")) width = 3;
    }
    const std::size_t size = width == 0 ? end : end - 1;
    const std::string_view segment = path.substr(0, size);
    path.remove_prefix(size + width);
    return segment;
}

}  // namespace

std::string forwarded_fields(const net::http1::RequestHead& head, Account account) {
    const auto named = named_by_connection(head);
    std::string fields;
    for (const auto& [name, value] : head.fields) {
        if (!is_forwarded(name, account) || is_in(named, name)) continue;
        net::append_field(fields, to_lower(name), value);
    }
    return fields;
}

std::optional<std::string> forwarded_target(std::string_view path, std::string_view query) {
    for (std::string_view rest = path; !rest.empty();) {
        if (is_dot_segment(take_segment(rest))) return std::nullopt;
    }
    std::string target(path);
    if (!query.empty()) target.append("?").append(query);
    return target;
}

}  // namespace sluice::gateway
