#pragma once

/// What is known of each upstream's state, from the attempts made and from probes.

#include "base/error.h"
#include "net/types.h"

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

namespace sluice::gateway {

enum class UpstreamState : std::uint8_t {
    unknown,  ///< nothing tried of late
    up,
    down,  ///< the last attempt could not reach it, or was not answered
};

[[nodiscard]] std::string_view to_string(UpstreamState state) noexcept;

/// Thread-safe. Keyed by upstream name, so that it outlives reloads.
class HealthBoard {
public:
    struct Entry {
        UpstreamState state = UpstreamState::unknown;
        net::Clock::time_point since;  ///< of the last report
        std::string reason;            ///< why it is down; empty otherwise
    };

    void report_up(std::string_view upstream, net::Clock::time_point now);
    /// Down is what cannot be reached or does not answer; whatever else is wrong with an answer, it
    /// is one. Errors of the client or of our own say nothing of the upstream.
    void report_error(std::string_view upstream, const Error& error, net::Clock::time_point now);

    [[nodiscard]] Entry of(std::string_view upstream) const;

private:
    mutable std::mutex mutex_;
    std::map<std::string, Entry, std::less<>> entries_;  // by mutex_; one per configured upstream
};

}  // namespace sluice::gateway
