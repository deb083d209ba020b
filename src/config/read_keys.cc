#include "base/text.h"
#include "config/sections.h"

#include <algorithm>
#include <utility>

namespace sluice::config {
namespace {

Result<Scope> parse_scope(std::string_view text) {
    if (text == "stats") return Scope::stats;
    if (text == "metrics") return Scope::metrics;
    if (text == "pass_through") return Scope::pass_through;
    return fail(Errc::bad_request, "stats, metrics or pass_through (every key allows inference)");
}

void read_scopes(const Section& section, Key& key) {
    std::vector<Scope> scopes;
    section.read_list("scopes", scopes, parse_scope);
    for (const Scope scope : scopes) {
        if (std::ranges::find(key.scopes, scope) == key.scopes.end()) key.scopes.push_back(scope);
    }
}

/// Refuses what would make two keys one.
void add_key(const Reader& reader, const Place& place, Key key, std::vector<Key>& keys) {
    for (const Key& other : keys) {
        if (other.name == key.name) {
            reader.report(place,
                          "a second key is called `" + key.name + "`, expected another name");
            return;
        }
        if (other.secret == key.secret) {
            reader.report(place, "key `" + key.name + "` has the secret of key `" + other.name +
                                     "`, expected another secret");
            return;
        }
    }
    keys.push_back(std::move(key));
}

void read_key(const Reader& reader, const NodePtr& node, std::size_t number,
              std::vector<Key>& keys) {
    const Section section(reader, node, kKeySchema, "keys[" + std::to_string(number) + "]");
    if (node->kind == Node::Kind::null) {
        reader.report(node->place, "a key is empty, expected `name` and `secret`");
    }
    if (node->kind != Node::Kind::map) return;
    Key key;
    section.read("name", key.name);
    section.read("secret", key.secret);
    section.read("group", key.group);
    read_scopes(section, key);
    section.read_list("models", key.models, parse_text);
    for (const std::string_view required : {"name", "secret"}) {
        if (!section.find(required)) {
            reader.report(node->place,
                          "`" + section.path(required) + "` is missing, expected a text");
        }
    }
    if (!key.name.empty() && !key.secret.empty()) {
        add_key(reader, node->place, std::move(key), keys);
    }
}

void read_allowed_keys(const Reader& reader, const Variables& variables, std::vector<Key>& keys) {
    constexpr std::string_view kName = "ALLOWED_API_KEYS";
    const auto list = variables.find_nonempty(kName);
    if (!list) return;
    const Place place = variables.place(kName);
    std::size_t number = 0;
    for (std::string_view rest = *list; !rest.empty();) {
        const auto comma = rest.find(',');
        const std::string_view text = trim(rest.substr(0, comma));
        rest.remove_prefix(comma == std::string_view::npos ? rest.size() : comma + 1);
        if (text.empty()) continue;
        ++number;
        auto secret = parse_secret(text);
        if (!secret) {
            reader.report(place, wrong_value(kName, "", secret.error().message, Quote::no));
            continue;
        }
        add_key(reader, place,
                Key{.name = "env-" + std::to_string(number),
                    .secret = *std::move(secret),
                    .group = {},
                    .scopes = {Scope::stats, Scope::metrics, Scope::pass_through},
                    .models = {}},
                keys);
    }
    if (number == 0) {
        reader.report(place,
                      "`ALLOWED_API_KEYS` names no key, expected a list such as sk-one,sk-two");
    }
}

}  // namespace

void read_keys(const Reader& reader, const NodePtr& node, const Variables& variables,
               std::vector<Key>& keys) {
    if (node && node->kind == Node::Kind::scalar) {
        reader.report(node->place, "`keys` is a single value, expected a list of maps");
    } else {
        std::size_t number = 0;
        for (const NodePtr& item : reader.items(node, "keys")) {
            read_key(reader, item, ++number, keys);
        }
    }
    read_allowed_keys(reader, variables, keys);
}

}  // namespace sluice::config
