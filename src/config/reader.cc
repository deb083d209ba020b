#include "config/reader.h"

#include "base/text.h"

#include <algorithm>

namespace sluice::config {
namespace {

constexpr std::size_t kLongestQuote = 80;

bool is_name(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, [](char c) {
        return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
               c == '_';
    });
}

bool is_control(char c) {
    return (c >= 0 && c < ' ') || c == 0x7f;
}

/// The value of what stands between `${` and `}`; on failure the message.
std::expected<std::string, std::string> substitute(std::string_view reference,
                                                   const Variables& variables) {
    const auto separator = reference.find(":-");
    const std::string_view name = reference.substr(0, separator);
    if (!is_name(name))
        return std::unexpected("`${` without a name, expected ${NAME} or $$ for a $");
    auto value = variables.find(name);
    if (separator != std::string_view::npos) {
        return value && !value->empty() ? *value : std::string(reference.substr(separator + 2));
    }
    if (value) return *std::move(value);
    return std::unexpected("${" + std::string(name) +
                           "} is not set, expected an environment variable " + "or ${" +
                           std::string(name) + ":-default}");
}

std::expected<std::string, std::string> expand(std::string_view text, const Variables& variables) {
    std::string expanded;
    while (!text.empty()) {
        const auto dollar = text.find('$');
        expanded += text.substr(0, dollar);
        if (dollar == std::string_view::npos) break;
        text.remove_prefix(dollar + 1);
        if (text.starts_with('$')) {
            expanded += '$';
            text.remove_prefix(1);
        } else if (text.starts_with('{')) {
            const auto end = text.find('}');
            if (end == std::string_view::npos)
                return std::unexpected("`${` has no end, expected a `}`");
            auto value = substitute(text.substr(1, end - 1), variables);
            if (!value) return value;
            expanded += *value;
            text.remove_prefix(end + 1);
        } else {
            expanded += '$';
        }
    }
    return expanded;
}

std::string_view kind_name(Node::Kind kind) {
    switch (kind) {
        case Node::Kind::null: return "empty";
        case Node::Kind::scalar: return "a single value";
        case Node::Kind::list: return "a list";
        case Node::Kind::map: return "a map";
    }
    return "";
}

std::string quoted(std::string_view text) {
    return "`" + std::string(text) + "`";
}

}  // namespace

std::optional<std::string> Reader::text(const Node& node, std::string_view what) const {
    if (node.kind != Node::Kind::scalar) {
        report(node.place, quoted(what) + " is " + std::string(kind_name(node.kind)) +
                               ", expected a single value");
        return std::nullopt;
    }
    auto expanded = expand(node.text, variables_);
    if (expanded) return *std::move(expanded);
    report(node.place, quoted(what) + ": " + expanded.error());
    return std::nullopt;
}

std::vector<NodePtr> Reader::items(const NodePtr& node, std::string_view what) const {
    if (!node) return {};
    if (node->kind == Node::Kind::list) return node->items;
    if (node->kind == Node::Kind::scalar) return {node};
    report(node->place, quoted(what) + " is a map, expected a list");
    return {};
}

std::span<const Entry> Reader::entries(const NodePtr& node, std::string_view what) const {
    if (!node) return {};
    if (node->kind == Node::Kind::map) return node->entries;
    report(node->place, quoted(what) + " is " + std::string(kind_name(node->kind)) +
                            ", expected a map of `key: value`");
    return {};
}

Section::Section(const Reader& reader, NodePtr node, const Schema& schema, std::string path)
    : reader_(reader),
      node_(std::move(node)),
      path_(std::move(path)) {
    if (!node_ || node_->kind == Node::Kind::null) return;
    if (node_->kind != Node::Kind::map) {
        reader_.report(node_->place, quoted(path_) + " is " + std::string(kind_name(node_->kind)) +
                                         ", expected a map of keys");
        return;
    }
    for (const Entry& entry : node_->entries) {
        if (std::ranges::find(schema.keys, entry.key) != schema.keys.end()) continue;
        reader_.report(entry.place, "unknown key " + quoted(this->path(entry.key)) +
                                        did_you_mean(entry.key, schema.keys));
    }
}

NodePtr Section::find(std::string_view key) const {
    if (!node_) return nullptr;
    const auto found = std::ranges::find(node_->entries, key, &Entry::key);
    if (found == node_->entries.end() || found->value->kind == Node::Kind::null) return nullptr;
    return found->value;
}

Place Section::place(std::string_view key) const {
    if (const NodePtr value = find(key)) return value->place;
    return node_ ? node_->place : Place{};
}

std::string Section::path(std::string_view key) const {
    return path_.empty() ? std::string(key) : path_ + "." + std::string(key);
}

std::optional<std::string> Section::read_text(std::string_view key) const {
    const NodePtr value = find(key);
    return value ? reader_.text(*value, path(key)) : std::nullopt;
}

void Section::report_value(std::string_view key, std::string_view expected, Quote quote) const {
    // As it was written: an environment variable put in its place may be a secret.
    report(key, wrong_value(path(key), find(key)->text, expected, quote));
}

void Section::read(std::string_view key, std::string& out) const {
    read(key, out, parse_text);
}

void Section::read(std::string_view key, bool& out) const {
    read(key, out, parse_bool);
}

void Section::read(std::string_view key, Secret& out) const {
    read(key, out, parse_secret, Quote::no);
}

void Section::read_size(std::string_view key, std::size_t& out, std::size_t lowest,
                        std::size_t highest) const {
    read(key, out, [&](std::string_view text) { return parse_size(text, lowest, highest); });
}

void Section::read_integer(std::string_view key, std::size_t& out, std::size_t lowest,
                           std::size_t highest) const {
    read(key, out, [&](std::string_view text) { return parse_integer(text, lowest, highest); });
}

void Section::read_duration(std::string_view key, Milliseconds& out, Milliseconds shortest) const {
    read(key, out, [&](std::string_view text) { return parse_duration(text, shortest); });
}

std::string wrong_value(std::string_view path, std::string_view value, std::string_view expected,
                        Quote quote) {
    std::string shown(value.substr(0, kLongestQuote));
    std::ranges::replace_if(shown, is_control, '?');
    if (value.size() > kLongestQuote) shown += "...";
    return quoted(path) + (quote == Quote::yes ? " is " + quoted(shown) : " is not valid") +
           ", expected " + std::string(expected);
}

std::string did_you_mean(std::string_view word, std::span<const std::string_view> candidates) {
    if (const auto best = nearest(word, candidates))
        return ", expected " + quoted(*best) + " perhaps";
    std::string all;
    for (const std::string_view candidate : candidates) {
        all += (all.empty() ? "" : ", ") + quoted(candidate);
    }
    return all.empty() ? ", expected none" : ", expected one of " + all;
}

Result<std::string> parse_text(std::string_view text) {
    if (!text.empty() && std::ranges::none_of(text, is_control)) return std::string(text);
    return fail(Errc::bad_request, "a text that is not empty, without control characters");
}

Result<Secret> parse_secret(std::string_view text) {
    const bool visible = std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f; });
    if (!text.empty() && visible) return Secret(std::string(text));
    return fail(Errc::bad_request, text.empty()
                                       ? "a secret that is not empty"
                                       : "a secret of visible ASCII characters, without spaces");
}

}  // namespace sluice::config
