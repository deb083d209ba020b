#include "app/deserializer.h"

#include "json/writer.h"

#include <algorithm>

namespace sluice::app {
namespace {

std::string_view name_of(json::Kind kind) {
    switch (kind) {
        case json::Kind::object: return "map";
        case json::Kind::array: return "sequence";
        case json::Kind::string: return "string";
        case json::Kind::number: return "number";
        case json::Kind::boolean: return "boolean";
        case json::Kind::null: return "null";
    }
    return "";
}

std::string one_of(std::initializer_list<std::string_view> words) {
    std::string text = words.size() > 2 ? "one of " : "";
    std::size_t index = 0;
    for (const std::string_view word : words) {
        if (index++ > 0) text += words.size() > 2 ? ", " : " or ";
        text.append("`").append(word).append("`");
    }
    return text;
}

}  // namespace

std::string member_path(const std::string& outer, std::string_view inner) {
    return outer.empty() ? std::string(inner) : outer + "." + std::string(inner);
}

std::string element_path(const std::string& list, std::size_t index) {
    return list + "[" + std::to_string(index) + "]";
}

std::optional<json::Value> find_value(const json::Value& object, std::string_view name) {
    auto value = json::find(object, name);
    if (value && value->is(json::Kind::null)) return std::nullopt;
    return value;
}

std::unexpected<DeepSeekViolation> Deserializer::fail(const std::string& path,
                                                      const std::string& reason,
                                                      const json::Value& value) const {
    const auto end = static_cast<std::size_t>(value.raw.data() - body_.data()) + value.raw.size();
    const std::string_view before = body_.substr(0, end);
    const auto line = std::ranges::count(before, '\n') + 1;
    const std::size_t column = end - (line == 1 ? 0 : before.rfind('\n') + 1);
    return std::unexpected(
        DeepSeekViolation{.rule = "deserialize",
                          .message = "Failed to deserialize the JSON body into the target type: " +
                                     (path.empty() ? "" : path + ": ") + reason + " at line " +
                                     std::to_string(line) + " column " + std::to_string(column)});
}

std::unexpected<DeepSeekViolation> Deserializer::missing(const std::string& path,
                                                         const std::string& field,
                                                         const json::Value& object) const {
    return fail(path, "missing field `" + field + "`", object);
}

std::unexpected<DeepSeekViolation> Deserializer::wrong_type(const std::string& path,
                                                            const std::string& expected,
                                                            const json::Value& value) const {
    return fail(path,
                "invalid type: " + std::string(name_of(value.kind)) + ", expected " + expected,
                value);
}

Deserializer::Read<std::string> Deserializer::string(const json::Value& object,
                                                     const std::string& path,
                                                     std::string_view name) const {
    const auto value = json::find(object, name);
    if (!value) return missing(path, std::string(name), object);
    auto text = json::to_string(*value);
    if (!text) return wrong_type(member_path(path, name), "a string", *value);
    return *std::move(text);
}

Deserializer::Read<std::string> Deserializer::word(
    const json::Value& object, const std::string& path, std::string_view name,
    std::initializer_list<std::string_view> words) const {
    const auto value = find_value(object, name);
    if (!value) return std::string();
    auto text = json::to_string(*value);
    if (!text) return wrong_type(member_path(path, name), "a string", *value);
    if (std::ranges::find(words, *text) != words.end()) return *std::move(text);
    return fail(member_path(path, name),
                "unknown variant `" + *text + "`, expected " + one_of(words), *value);
}

void append_canonical(std::string& out, const json::Value& value) {
    if (const auto text = json::to_string(value)) {
        json::append_string(out, *text);
        return;
    }
    const bool object = value.is(json::Kind::object);
    if (!object && !value.is(json::Kind::array)) {
        out += value.raw;
        return;
    }
    out += object ? '{' : '[';
    bool first = true;
    json::Reader reader(value);
    while (reader.next()) {
        if (!first) out += ',';
        first = false;
        if (object) {
            std::string key;
            json::append_text(key, reader.raw_key());
            json::append_string(out, key);
            out += ':';
        }
        append_canonical(out, reader.value());
    }
    out += object ? '}' : ']';
}

}  // namespace sluice::app
