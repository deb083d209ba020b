#pragma once

/// Which conversations a rule of the script is for.

#include "app/deepseek_request.h"
#include "base/error.h"
#include "json/reader.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::app {

class ConversationMatch {
public:
    /// Takes over a key of `match`; false where it is none of these.
    [[nodiscard]] Result<bool> read(std::string_view key, const json::Value& value);

    /// Whether a conversation must be looked at at all.
    [[nodiscard]] bool any() const noexcept { return stated_; }

    [[nodiscard]] bool fits(const DeepSeekRequest& request) const;

private:
    bool stated_ = false;
    std::optional<std::uint64_t> assistant_turns_;
    std::optional<std::uint64_t> tool_results_;
    std::string system_;  // these are within; empty: any
    std::string first_user_;
    std::string last_user_;
    std::string last_result_;
    std::string tool_;  // is offered
};

}  // namespace sluice::app
