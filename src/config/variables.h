#pragma once

/// The environment as the configuration sees it: the process's own variables, then those of `.env`.

#include "config/dotenv.h"
#include "config/load.h"

#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace sluice::config {

class Variables {
public:
    /// `environment` must outlive this.
    Variables(const Environment& environment, DotEnv dotenv)
        : environment_(environment),
          dotenv_(std::move(dotenv)) {}

    /// The value, which may be empty; nullopt where the variable is not set.
    [[nodiscard]] std::optional<std::string> find(std::string_view name) const {
        if (auto value = environment_(name)) return value;
        const auto known = dotenv_.find(name);
        return known == dotenv_.end() ? std::nullopt : std::optional(known->second.value);
    }

    /// The value if it is set and not empty: an empty line in `.env` says nothing.
    [[nodiscard]] std::optional<std::string> find_nonempty(std::string_view name) const {
        auto value = find(name);
        return value && !value->empty() ? value : std::nullopt;
    }

    /// Where the value was written.
    [[nodiscard]] Place place(std::string_view name) const {
        const auto known = dotenv_.find(name);
        const bool from_process = environment_(name).has_value() || known == dotenv_.end();
        return from_process ? Place{.file = "environment"}
                            : Place{.file = ".env", .line = known->second.line};
    }

private:
    const Environment& environment_;
    DotEnv dotenv_;
};

}  // namespace sluice::config
