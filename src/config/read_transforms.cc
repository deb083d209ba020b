#include "base/text.h"
#include "config/upstream_sections.h"
#include "config/yaml_json.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace sluice::config {
namespace {

constexpr double kLargestBound = 1e9;
constexpr std::size_t kMostInputs = 1'000'000;
constexpr std::string_view kOfEachMessage = "messages[].";

/// What sluice itself reads and writes in every request.
constexpr std::array<std::string_view, 4> kKept{"model", "messages", "stream", "stream_options"};

bool is_printable(std::string_view text) {
    return !text.empty() &&
           std::ranges::none_of(text, [](char c) { return (c >= 0 && c <= ' ') || c == 0x7f; });
}

std::string check_field(std::string_view field) {
    if (std::ranges::find(kKept, field) != kKept.end()) {
        return "is set by sluice itself, expected a field other than model, messages, stream and "
               "stream_options";
    }
    if (is_printable(field) && field.find_first_of(".[]") == std::string_view::npos) return {};
    return "is no name of a top-level field, expected one such as logit_bias";
}

std::string check_drop(std::string_view field) {
    if (!field.starts_with(kOfEachMessage)) return check_field(field);
    const std::string_view name = field.substr(kOfEachMessage.size());
    if (name == "role" || name == "content") {
        return "is what makes a message, expected another field of messages";
    }
    if (is_printable(name) && name.find_first_of(".[]") == std::string_view::npos) return {};
    return "is no field of messages, expected one such as messages[].name";
}

std::string check_name(std::string_view name) {
    return is_printable(name) ? "" : "is no name, expected one without spaces";
}

void read_fields(const Section& section, std::string_view key,
                 std::string (*check)(std::string_view), std::vector<std::string>& fields) {
    section.read_list(key, fields, [&](std::string_view text) -> Result<std::string> {
        if (const std::string wrong = check(text); !wrong.empty()) {
            return fail(Errc::bad_request, "another: it " + wrong);
        }
        return std::string(text);
    });
}

/// A bound may be negative, which no other number of the file may.
Result<std::optional<double>> parse_bound(std::string_view text) {
    double value = 0;
    const char* const last = text.data() + text.size();
    const auto [end, error] = std::from_chars(text.data(), last, value);
    if (error == std::errc{} && end == last && std::abs(value) <= kLargestBound) return value;
    return fail(Errc::bad_request, "a number from -1e9 to 1e9, or ~ for no bound");
}

std::optional<double> read_bound(const Reader& reader, const Node& node, const std::string& path) {
    if (node.kind == Node::Kind::null) return std::nullopt;
    const auto text = reader.text(node, path);
    if (!text) return std::nullopt;
    const auto bound = parse_bound(*text);
    if (bound) return *bound;
    reader.report(node.place, wrong_value(path, node.text, bound.error().message, Quote::yes));
    return std::nullopt;
}

void read_clamp(const Reader& reader, const Section& section, std::vector<Clamp>& clamps) {
    const std::string path = section.path("clamp");
    for (const Entry& entry : reader.entries(section.find("clamp"), path)) {
        const std::string name = path + "." + entry.key;
        if (const std::string wrong = check_field(entry.key); !wrong.empty()) {
            reader.report(entry.place, "`" + name + "` " + wrong);
        }
        if (entry.value->kind != Node::Kind::list || entry.value->items.size() != 2) {
            reader.report(entry.place, "`" + name + "` is not a pair, expected [LOWEST, HIGHEST]");
            continue;
        }
        Clamp clamp{.field = entry.key,
                    .lowest = read_bound(reader, *entry.value->items[0], name),
                    .highest = read_bound(reader, *entry.value->items[1], name)};
        if (clamp.lowest && clamp.highest && *clamp.lowest > *clamp.highest) {
            reader.report(entry.place, "`" + name +
                                           "` is the wrong way round, expected [LOWEST, "
                                           "HIGHEST]");
        }
        clamps.push_back(std::move(clamp));
    }
}

Result<std::string> parse_model(std::string_view text) {
    if (is_printable(text) && !text.contains('*')) return std::string(text);
    return fail(Errc::bad_request, "a model name without `*`");
}

void read_alias(const Reader& reader, const Entry& entry, const std::string& path,
                std::vector<ModelAlias>& aliases) {
    ModelAlias alias;
    alias.name = entry.key;
    if (auto name = parse_model(entry.key); !name) {
        reader.report(entry.place, wrong_value(path, entry.key, name.error().message, Quote::yes));
    }
    const Section section(reader, entry.value, kModelAliasSchema, path);
    section.read("model", alias.model, parse_model);
    if (!section.find("model")) {
        reader.report(entry.place, "`" + path + ".model` is missing, expected a model name");
    }
    read_assignments(reader, section.find("default"), section.path("default"), check_field,
                     alias.defaults);
    read_assignments(reader, section.find("force"), section.path("force"), check_field,
                     alias.force);
    aliases.push_back(std::move(alias));
}

}  // namespace

void read_assignments(const Reader& reader, const NodePtr& node, const std::string& path,
                      std::string (*check)(std::string_view field),
                      std::vector<Assignment>& assignments) {
    for (const Entry& entry : reader.entries(node, path)) {
        const std::string name = path + "." + entry.key;
        if (const std::string wrong = check(entry.key); !wrong.empty()) {
            reader.report(entry.place, "`" + name + "` " + wrong);
            continue;
        }
        auto json = to_json(reader, *entry.value, name);
        if (json) assignments.push_back({.field = entry.key, .json = *std::move(json)});
    }
}

void read_renamings(const Reader& reader, const NodePtr& node, const std::string& path,
                    std::string (*check_from)(std::string_view name),
                    std::string (*check_to)(std::string_view name),
                    std::vector<Renaming>& renamings) {
    for (const Entry& entry : reader.entries(node, path)) {
        const std::string name = path + "." + entry.key;
        auto to = reader.text(*entry.value, name);
        if (!to) continue;
        std::string wrong = check_from(entry.key);
        if (!wrong.empty()) {
            reader.report(entry.place, "`" + name + "` " + wrong);
            continue;
        }
        wrong = *to == entry.key ? "is the old name, expected another" : check_to(*to);
        if (!wrong.empty()) {
            reader.report(entry.value->place,
                          "`" + name + "`: `" + entry.value->text + "` " + wrong);
            continue;
        }
        renamings.push_back({.from = entry.key, .to = *std::move(to)});
    }
}

void read_transforms(const Reader& reader, const Section& upstream, Transforms& transforms) {
    const Section section(reader, upstream.find("transforms"), kTransformsSchema,
                          upstream.path("transforms"));
    read_fields(section, "reject", check_field, transforms.reject);
    read_renamings(reader, section.find("rename"), section.path("rename"), check_field, check_field,
                   transforms.rename);
    read_renamings(reader, section.find("roles"), section.path("roles"), check_name, check_name,
                   transforms.roles);
    read_fields(section, "drop", check_drop, transforms.drop);
    read_assignments(reader, section.find("default"), section.path("default"), check_field,
                     transforms.defaults);
    read_assignments(reader, section.find("force"), section.path("force"), check_field,
                     transforms.force);
    read_clamp(reader, section, transforms.clamp);
    const std::string models = section.path("models");
    for (const Entry& entry : reader.entries(section.find("models"), models)) {
        read_alias(reader, entry, models + "." + entry.key, transforms.models);
    }
}

void read_embeddings(const Reader& reader, const Section& upstream, Embeddings& embeddings) {
    using TokenArrays = Embeddings::TokenArrays;
    using Encoding = Embeddings::Encoding;
    const Section section(reader, upstream.find("embeddings"), kEmbeddingsSchema,
                          upstream.path("embeddings"));
    section.read_integer("max_batch", embeddings.max_batch, 1, kMostInputs);
    section.read("token_arrays", embeddings.token_arrays,
                 [](std::string_view text) -> Result<TokenArrays> {
                     if (text == "pass") return TokenArrays::pass;
                     if (text == "refuse") return TokenArrays::refuse;
                     return fail(Errc::bad_request, "pass or refuse");
                 });
    section.read("encoding", embeddings.encoding, [](std::string_view text) -> Result<Encoding> {
        if (text == "as_asked") return Encoding::as_asked;
        if (text == "float") return Encoding::number_lists;
        return fail(Errc::bad_request, "as_asked or float");
    });
}

}  // namespace sluice::config
