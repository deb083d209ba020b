#pragma once

/// What the stand-alone upstream has seen, one JSON object a line, so that tests can look at what
/// was really sent to it. Holds everything, credentials included: it is a test tool.

#include "app/prompt_cache.h"
#include "base/error.h"

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice::app {

/// A request as it came.
struct ReceivedRequest {
    std::string method;
    std::string target;
    std::vector<std::pair<std::string, std::string>> fields;
    std::string body;
    std::uint64_t connection = 0;  ///< counted from 1
    std::uint64_t number = 0;      ///< on its connection, from 1
};

class UpstreamJournal {
public:
    /// Writes nothing.
    UpstreamJournal() = default;

    /// Replaces the file.
    [[nodiscard]] static Result<UpstreamJournal> open(const std::string& path);

    void write_request(const ReceivedRequest& request);
    /// The client closed before its reply was complete, so long after the request.
    void write_client_gone(const ReceivedRequest& request, std::chrono::milliseconds after);
    /// The request was refused for what the provider's rules say.
    void write_violation(const ReceivedRequest& request, const DeepSeekViolation& violation);
    /// A turn is told: what is known of its prompt, and what of the request means nothing there.
    void write_turn(const ReceivedRequest& request, const PromptUsage& prompt,
                    std::span<const std::string> ignored);

private:
    struct Close {
        void operator()(std::FILE* file) const noexcept { (void)std::fclose(file); }
    };
    void write_line(std::string line);

    std::unique_ptr<std::FILE, Close> file_;
};

}  // namespace sluice::app
