#pragma once

/// A flight that never leaves the process: it is answered by the responder, at the pace asked for,
/// and by the wire faults where the configuration allows them.

#include "config/config.h"
#include "net/pause.h"
#include "net/worker.h"
#include "upstream/embedded/responder.h"
#include "upstream/flight.h"

#include <cstddef>
#include <memory>
#include <optional>
#include <string>

namespace sluice::upstream::embedded {

class FaultFlight;

class EmbeddedFlight final : public Flight {
public:
    /// The most that next() gives at once.
    static constexpr std::size_t kBatchBytes = 16UL * 1024;

    /// `worker` must outlive the flight; of the settings it keeps what it needs.
    EmbeddedFlight(net::Worker& worker, const config::Upstream& settings);
    ~EmbeddedFlight() override;

    net::Task<Result<void>> open(const Ask& ask) override;
    net::Task<Result<std::string_view>> next() override;
    [[nodiscard]] bool at_end() const override;
    /// There is no connection to save.
    net::Task<> settle() override { co_return; }
    void cancel() override;

private:
    net::Task<Result<void>> wait_until(net::Clock::time_point due);
    void fill_batch(Reply& reply);

    net::Worker& worker_;
    const config::Timeouts timeouts_;
    const config::Embedded settings_;
    net::Pause pause_;
    net::Clock::time_point begin_;
    std::optional<Reply> answer_;
    std::unique_ptr<FaultFlight> fault_;  // instead of answer_
    BodySource* source_ = nullptr;        // being read
    std::string batch_;
    bool begun_ = false;
    bool cancelled_ = false;
};

}  // namespace sluice::upstream::embedded
