#include "config/describe_text.h"

#include "config/units.h"
#include "config/yaml_json.h"

namespace sluice::config {

std::string quote(std::string_view text) {
    return json_as_yaml(json_string(text));
}

std::string quote(const Secret& secret) {
    return quote(secret.masked());
}

std::string quote_key(std::string_view text) {
    return json_string(text);
}

std::string json_as_yaml(std::string_view json) {
    std::string yaml;
    for (std::size_t at = 0; at < json.size();) {
        if (json[at] != '"') {
            yaml += json[at++];
            continue;
        }
        std::size_t end = at + 1;
        while (json[end] != '"') end += json[end] == '\\' ? 2 : 1;
        ++end;
        const bool is_key = end < json.size() && json[end] == ':';
        for (; at < end; ++at) {
            yaml += json[at];
            if (json[at] == '$' && !is_key) yaml += '$';
        }
        if (is_key) {
            yaml += ": ";
            ++at;
        }
    }
    return yaml;
}

std::string map_of(const std::vector<Renaming>& renamings) {
    return map(renamings, [](const Renaming& renaming) {
        return quote_key(renaming.from) + ": " + quote(renaming.to);
    });
}

std::string map_of(const std::vector<Assignment>& assignments) {
    return map(assignments, [](const Assignment& assignment) {
        return quote_key(assignment.field) + ": " + json_as_yaml(assignment.json);
    });
}

std::string_view truth(bool value) {
    return value ? "true" : "false";
}

std::string optional_duration(const std::optional<Milliseconds>& duration,
                              std::string_view without) {
    return duration ? format_duration(*duration) : std::string(without);
}

}  // namespace sluice::config
