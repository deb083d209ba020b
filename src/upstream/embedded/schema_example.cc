#include "upstream/embedded/schema_example.h"

#include "json/reader.h"
#include "json/writer.h"

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

namespace sluice::upstream::embedded {
namespace {

using json::Kind;
using json::Value;

constexpr unsigned kMaxDepth = 8;
constexpr std::size_t kMaxBytes = 16UL * 1024;
constexpr std::size_t kMaxProperties = 64;
constexpr std::uint64_t kMaxItems = 4;

class ExampleWriter {
public:
    ExampleWriter(std::string_view root, std::string& out)
        : root_(json::as_value(root)),
          out_(out),
          json_(out) {}

    void write(const Value& schema, std::string_view name, unsigned depth) {
        if (depth > kMaxDepth || out_.size() > kMaxBytes) {
            json_.null();
            return;
        }
        if (const auto given = given_value(schema)) {
            json_.raw(given->raw);
        } else if (const auto other = elsewhere(schema)) {
            write(*other, name, depth + 1);
        } else {
            write_type(schema, name, depth);
        }
    }

    void write_object(const Value& schema, unsigned depth) {
        json_.begin_object();
        const auto properties = json::find(schema, "properties");
        if (properties && properties->is(Kind::object)) {
            const auto required = read_required(schema);
            json::Reader reader(properties->raw);
            std::size_t written = 0;
            while (reader.next() && written < kMaxProperties && out_.size() < kMaxBytes) {
                const bool wanted = required.empty() ||
                                    std::ranges::find(required, reader.raw_key()) != required.end();
                if (!wanted) continue;
                const std::string key = unescaped(reader.raw_key());
                json_.key(key);
                write(reader.value(), key, depth + 1);
                ++written;
            }
        }
        json_.end_object();
    }

private:
    static std::string unescaped(std::string_view raw_key) {
        const std::string quoted = "\"" + std::string(raw_key) + "\"";
        return json::to_string(json::as_value(quoted)).value_or("");
    }

    /// The names between their quotes, as they are written.
    static std::vector<std::string_view> read_required(const Value& schema) {
        std::vector<std::string_view> names;
        const auto list = json::find(schema, "required");
        if (!list || !list->is(Kind::array)) return names;
        json::Reader reader(list->raw);
        while (reader.next() && names.size() < kMaxProperties) {
            const Value& name = reader.value();
            if (name.is(Kind::string)) names.push_back(name.raw.substr(1, name.raw.size() - 2));
        }
        return names;
    }

    static std::optional<Value> first_of(const Value& schema, std::string_view key) {
        const auto list = json::find(schema, key);
        if (!list || !list->is(Kind::array)) return std::nullopt;
        json::Reader reader(list->raw);
        if (!reader.next()) return std::nullopt;
        return reader.value();
    }

    static std::optional<Value> given_value(const Value& schema) {
        for (const std::string_view key : {"const", "default"}) {
            if (auto value = json::find(schema, key)) return value;
        }
        for (const std::string_view key : {"enum", "examples"}) {
            if (auto value = first_of(schema, key)) return value;
        }
        return std::nullopt;
    }

    /// The schema that this one stands for.
    [[nodiscard]] std::optional<Value> elsewhere(const Value& schema) const {
        if (const auto ref = json::find(schema, "$ref")) return resolve(*ref);
        for (const std::string_view key : {"anyOf", "oneOf", "allOf"}) {
            if (auto value = first_of(schema, key)) return value;
        }
        return std::nullopt;
    }

    [[nodiscard]] std::optional<Value> resolve(const Value& ref) const {
        const auto path = json::to_string(ref);
        if (!path || !path->starts_with("#/")) return std::nullopt;
        std::string_view rest = std::string_view(*path).substr(2);
        std::optional<Value> at = root_;
        while (at && !rest.empty()) {
            const std::size_t slash = std::min(rest.find('/'), rest.size());
            at = json::find(*at, rest.substr(0, slash));
            rest.remove_prefix(std::min(slash + 1, rest.size()));
        }
        return at;
    }

    static std::string type_of(const Value& schema) {
        const auto type = json::find(schema, "type");
        if (!type) return json::find(schema, "properties") ? "object" : "string";
        if (auto word = json::to_string(*type)) return *word;
        json::Reader reader(type->raw);
        while (reader.next()) {
            auto word = json::to_string(reader.value());
            if (word && *word != "null") return *word;
        }
        return "null";
    }

    void write_type(const Value& schema, std::string_view name, unsigned depth) {
        const std::string type = type_of(schema);
        if (type == "object") {
            write_object(schema, depth);
        } else if (type == "array") {
            write_array(schema, name, depth);
        } else if (type == "boolean") {
            json_.boolean(true);
        } else if (type == "integer" || type == "number") {
            const auto minimum = json::find(schema, "minimum");
            json_.raw(minimum && minimum->is(Kind::number) ? minimum->raw : "1");
        } else if (type == "null") {
            json_.null();
        } else {
            json_.string(name.empty() ? "text" : name);
        }
    }

    void write_array(const Value& schema, std::string_view name, unsigned depth) {
        json_.begin_array();
        const auto items = json::find(schema, "items");
        const auto least = json::find(schema, "minItems");
        const auto count = std::clamp<std::uint64_t>(
            least ? json::to_uint64(*least).value_or(1) : 1, 1, kMaxItems);
        for (std::uint64_t i = 0; items && i < count; ++i) write(*items, name, depth + 1);
        json_.end_array();
    }

    Value root_;
    std::string& out_;
    json::Writer json_;
};

}  // namespace

std::string write_example_arguments(std::string_view schema) {
    if (schema.empty()) return "{}";
    std::string out;
    ExampleWriter(schema, out).write_object(json::as_value(schema), 0);
    return out;
}

}  // namespace sluice::upstream::embedded
