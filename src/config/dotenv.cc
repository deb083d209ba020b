#include "config/dotenv.h"

#include "base/error.h"
#include "base/text.h"

#include <algorithm>
#include <functional>
#include <utility>

namespace sluice::config {
namespace {

bool is_name(std::string_view name) {
    const auto is_letter = [](char c) {
        return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
    };
    return !name.empty() && is_letter(name.front()) && std::ranges::all_of(name, [&](char c) {
        return is_letter(c) || (c >= '0' && c <= '9');
    });
}

char unescape(char c) {
    switch (c) {
        case 'n': return '\n';
        case 't': return '\t';
        case 'r': return '\r';
        default: return c;
    }
}

/// What follows the opening quote, up to the same quote; then at most a comment.
Result<std::string> read_quoted(std::string_view text, char quote) {
    std::string value;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == quote) {
            const std::string_view rest = trim(text.substr(i + 1));
            if (rest.empty() || rest.starts_with('#')) return value;
            return fail(Errc::bad_request,
                        "text after the closing quote, expected the end of the line");
        }
        const bool escaped = quote == '"' && text[i] == '\\' && i + 1 < text.size();
        value += escaped ? unescape(text[++i]) : text[i];
    }
    return fail(Errc::bad_request, "the quote is not closed, expected it on the same line");
}

Result<std::string> read_value(std::string_view text) {
    if (text.starts_with('"') || text.starts_with('\'')) {
        return read_quoted(text.substr(1), text.front());
    }
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool comment =
            text[i] == '#' && (i == 0 || text[i - 1] == ' ' || text[i - 1] == '\t');
        if (comment) return std::string(trim(text.substr(0, i)));
    }
    return std::string(trim(text));
}

Result<std::pair<std::string, std::string>> read_line(std::string_view line) {
    constexpr std::string_view kExport = "export ";
    if (line.starts_with(kExport)) line = trim(line.substr(kExport.size()));
    const auto equals = line.find('=');
    const std::string_view name = trim(line.substr(0, equals));
    if (equals == std::string_view::npos || !is_name(name)) {
        return fail(Errc::bad_request, "not an assignment, expected NAME=value");
    }
    auto value = read_value(trim(line.substr(equals + 1)));
    if (!value) return std::unexpected(value.error());
    if (value->contains('\0')) return fail(Errc::bad_request, "a NUL character, expected text");
    return std::pair(std::string(name), *std::move(value));
}

}  // namespace

DotEnv parse_dotenv(std::string_view text, const std::string& file,
                    std::vector<Problem>& problems) {
    constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
    if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
    DotEnv values;
    for (int number = 1; !text.empty(); ++number) {
        const auto end = text.find('\n');
        std::string_view line = text.substr(0, end);
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
        if (line.ends_with('\r')) line.remove_suffix(1);
        line = trim(line);
        if (line.empty() || line.starts_with('#')) continue;
        auto assignment = read_line(line);
        if (assignment) {
            values[assignment->first] = {.value = std::move(assignment->second), .line = number};
        } else {
            problems.push_back({file, number, assignment.error().message});
        }
    }
    return values;
}

}  // namespace sluice::config
