#pragma once

/// A value that must not show. Printing it prints its mask; the value itself must be asked for.

#include <ostream>
#include <string>
#include <string_view>
#include <utility>

namespace sluice::config {

class Secret {
public:
    Secret() = default;
    explicit Secret(std::string value) : value_(std::move(value)) {}

    /// The value in clear: for a comparison or an upstream's header, never for text that people or
    /// logs get to see. Valid as long as the secret is.
    [[nodiscard]] const std::string& reveal() const noexcept { return value_; }

    /// Empty for an empty secret, else `***`, followed by the last four characters where so many
    /// others stay hidden that they give nothing away.
    [[nodiscard]] std::string masked() const {
        if (value_.empty()) return {};
        constexpr std::size_t kLong = 20;
        return value_.size() < kLong ? "***" : "***" + value_.substr(value_.size() - 4);
    }

    [[nodiscard]] bool empty() const noexcept { return value_.empty(); }

    friend bool operator==(const Secret&, const Secret&) = default;

    friend std::ostream& operator<<(std::ostream& out, const Secret& secret) {
        return out << secret.masked();
    }

    /// What fmt prints, without this header knowing fmt.
    friend std::string format_as(const Secret& secret) { return secret.masked(); }

private:
    std::string value_;
};

}  // namespace sluice::config
