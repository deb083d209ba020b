#include "upstream/reply_fields.h"

#include "base/text.h"
#include "net/transaction.h"

#include <algorithm>
#include <array>

namespace sluice::upstream {
namespace {

constexpr auto kAlways = std::to_array<std::string_view>(
    {"retry-after", "retry-after-ms", "openai-processing-ms", "openai-version", "x-should-retry"});
constexpr auto kAlwaysPrefixes =
    std::to_array<std::string_view>({"x-ratelimit-", "anthropic-ratelimit-", "x-venice-"});
/// openai-organization and openai-project are whose key it is: not the client's business.
constexpr auto kRaw = std::to_array<std::string_view>(
    {"accept-ranges", "allow", "cache-control", "content-disposition", "content-encoding",
     "content-language", "content-range", "content-type", "etag", "expires", "last-modified",
     "openai-model", "vary"});
constexpr std::string_view kKeySuffix = "-api-key";

bool is_in(std::span<const std::string_view> list, std::string_view name) {
    return std::ranges::any_of(list, [&](auto known) { return iequals(name, known); });
}

bool is_passed_on(std::string_view name, bool raw) {
    if (name.size() >= kKeySuffix.size() &&
        iequals(name.substr(name.size() - kKeySuffix.size()), kKeySuffix)) {
        return false;
    }
    return is_in(kAlways, name) || (raw && is_in(kRaw, name)) ||
           std::ranges::any_of(kAlwaysPrefixes, [&](auto prefix) {
               return iequals(name.substr(0, prefix.size()), prefix);
           });
}

}  // namespace

std::vector<std::string_view> secrets_of(std::span<const config::Secret> keys,
                                         std::string_view credential) {
    std::vector<std::string_view> secrets;
    for (const config::Secret& key : keys) {
        if (!key.reveal().empty()) secrets.push_back(key.reveal());
    }
    while (!credential.empty()) {
        const std::string_view line = credential.substr(0, credential.find("\r\n"));
        credential.remove_prefix(std::min(line.size() + 2, credential.size()));
        std::string_view value = trim(line.substr(std::min(line.find(':') + 1, line.size())));
        value.remove_prefix(value.rfind(' ') + 1);
        if (!value.empty()) secrets.push_back(value);
    }
    return secrets;
}

bool repeats_any(std::string_view value, std::span<const std::string_view> secrets) {
    return std::ranges::any_of(secrets, [&](auto secret) { return value.contains(secret); });
}

std::string passed_on_fields(const net::http1::ResponseHead& head, bool raw,
                             std::span<const std::string_view> secrets) {
    std::string fields;
    for (const auto& [name, value] : head.fields) {
        if (!is_passed_on(name, raw) || repeats_any(value, secrets)) continue;
        net::append_field(fields, to_lower(name), value);
    }
    return fields;
}

}  // namespace sluice::upstream
