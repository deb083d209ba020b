#pragma once

/// Requests and replies in full, for debugging: the one place where prompts are ever written, and
/// only where the operator named a file for them.

#include "base/error.h"

#include <memory>
#include <string>
#include <string_view>

namespace sluice::observe {

/// Thread-safe. A thread of its own writes, behind a bounded queue whose oldest entries give way.
class PromptFile {
public:
    static constexpr std::size_t kMaxTextBytes = 1024UL * 1024;  ///< of a request, and of a reply

    /// Appends to `path`; a file that is created is readable by its owner only.
    [[nodiscard]] static Result<std::unique_ptr<PromptFile>> open(const std::string& path);
    ~PromptFile();

    PromptFile(const PromptFile&) = delete;
    PromptFile& operator=(const PromptFile&) = delete;

    /// One line of JSON: {"request_id","request","reply"}, the latter two as strings.
    void write(std::string_view request_id, std::string_view request, std::string_view reply);

private:
    struct State;
    explicit PromptFile(std::unique_ptr<State> state);

    std::unique_ptr<State> state_;
};

}  // namespace sluice::observe
