#include "arguments.h"

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <span>

namespace sluice::bench {

void fail(std::string_view message) {
    std::fputs((std::string(message) + '\n').c_str(), stderr);
    std::exit(2);
}

Arguments::Arguments(int count, const char* const* values) {
    const std::span<const char* const> all(values, static_cast<std::size_t>(count));
    for (std::size_t i = 1; i < all.size(); i += 2) {
        const std::string_view name = all[i];
        if (!name.starts_with("--") || i + 1 == all.size()) {
            fail("expected --name value, got " + std::string(name));
        }
        values_.emplace(name.substr(2), all[i + 1]);
    }
}

std::string Arguments::text(std::string_view name, std::string_view otherwise) const {
    const auto found = values_.find(name);
    return found == values_.end() ? std::string(otherwise) : found->second;
}

std::int64_t Arguments::number(std::string_view name, std::int64_t otherwise) const {
    const auto found = values_.find(name);
    if (found == values_.end()) return otherwise;
    const std::string& value = found->second;
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
    if (error != std::errc() || end != value.data() + value.size()) {
        fail("--" + std::string(name) + " wants a number, got " + value);
    }
    return number;
}

}  // namespace sluice::bench
