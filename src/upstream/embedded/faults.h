#pragma once

/// The faults that an upstream can have on the wire, as models named `fault-*`: each is the bytes
/// that such an upstream sends and what it does with its connection. No I/O and no time.

#include "upstream/embedded/chunk_writer.h"

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::upstream::embedded {

struct WireStep {
    enum class Act : std::uint8_t {
        send,
        close,
        reset,
        half_close,  ///< ends its own side and goes on reading
        hang,        ///< does nothing until the other side has gone
        close_idle,  ///< from now on closes when no request comes within `wait`
    };

    Act act = Act::send;
    std::string bytes;                  ///< to send
    std::uint64_t times = 1;            ///< how often
    std::chrono::milliseconds wait{0};  ///< before each time (of close_idle: see there)
};

/// What the upstream does, in order. The connection lives on after the last step unless a step
/// ended it.
using WireScript = std::vector<WireStep>;

/// `times` of a step that never ends by itself.
inline constexpr std::uint64_t kEndless = UINT64_MAX;

struct FaultRequest {
    bool stream = false;
    std::string_view authorization;  ///< as the upstream received it
    Identity identity;
};

struct Fault {
    constexpr Fault(std::string_view model, std::string_view tests, std::string_view does,
                    WireScript (*maker)(const FaultRequest&)) noexcept
        : name(model),
          requirement(tests),
          what(does),
          make(maker) {}

    std::string_view name;         ///< of the model
    std::string_view requirement;  ///< what it tests: UP-1 to UP-18
    std::string_view what;         ///< for the documentation
    WireScript (*make)(const FaultRequest&);
};

/// Answers before the body of the request has been read.
inline constexpr std::string_view kEarlyResponse = "fault-early-response";

/// All of them.
[[nodiscard]] std::span<const Fault> faults();

/// nullptr when there is none of that name.
[[nodiscard]] const Fault* find_fault(std::string_view name);

[[nodiscard]] constexpr bool is_fault_name(std::string_view model) noexcept {
    return model.starts_with("fault-");
}

}  // namespace sluice::upstream::embedded
