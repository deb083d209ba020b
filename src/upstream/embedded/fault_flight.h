#pragma once

/// A flight over a fault: its bytes go through the same reader as those of a socket, so the gateway
/// sees what it would see of an upstream with that fault.

#include "config/config.h"
#include "net/http1/response_reader.h"
#include "net/pause.h"
#include "net/worker.h"
#include "upstream/embedded/faults.h"
#include "upstream/flight.h"

#include <cstdint>
#include <optional>
#include <string>

namespace sluice::upstream::embedded {

class FaultFlight final : public Flight {
public:
    FaultFlight(net::Worker& worker, const config::Timeouts& timeouts, WireScript script);

    net::Task<Result<void>> open(const Ask& ask) override;
    net::Task<Result<std::string_view>> next() override;
    [[nodiscard]] bool at_end() const override { return reader_.body_done(); }
    /// There is no connection to save.
    net::Task<> settle() override { co_return; }
    void cancel() override;

private:
    /// What a read from the socket would have come to.
    enum class Event : std::uint8_t { bytes, end, broken, timed_out, cancelled };

    net::Task<Event> receive();
    net::Task<bool> pause_until(net::Clock::time_point when);
    Result<void> take_head();
    [[nodiscard]] bool take_body(std::string& out);

    net::Worker& worker_;
    const config::Timeouts timeouts_;
    const WireScript script_;
    net::Pause pause_;
    net::http1::ResponseReader reader_;
    std::size_t step_ = 0;
    std::uint64_t sent_ = 0;  // of the step's times
    std::string received_;    // not yet read
    std::string piece_;
    net::Clock::time_point deadline_;
    bool cancelled_ = false;
};

}  // namespace sluice::upstream::embedded
