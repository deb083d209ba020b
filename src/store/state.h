#pragma once

/// What a gateway keeps between its runs in state.db, in its data_dir: all of it can be done
/// without, so the gateway starts whatever has become of the file. What may not be lost (keys, the
/// ledger) belongs in files of its own, opened with OnDamage::refuse.

#include "store/reasoning.h"
#include "store/writer_thread.h"

#include <chrono>
#include <memory>
#include <optional>
#include <string>

namespace sluice::store {

struct StateOptions {
    std::string data_dir;  ///< empty: nothing is kept
    ReasoningOptions reasoning;
    WriterOptions writer;  ///< its tick is the state's own
};

/// Thread-safe after open(). Outlives all who use what is in it.
class State {
public:
    /// Never fails: where the file cannot be had, everything is in memory only, and notice() says
    /// why. Reads what is there, so before the first request is taken.
    [[nodiscard]] static std::unique_ptr<State> open(StateOptions options);

    State(const State&) = delete;
    State& operator=(const State&) = delete;
    ~State() = default;

    [[nodiscard]] ReasoningStore& reasoning() noexcept { return reasoning_; }

    /// What the operator should know: that a damaged file was set aside, or that nothing is kept
    /// and why. Empty: all is well.
    [[nodiscard]] const std::string& notice() const noexcept { return notice_; }

    /// False: in memory only.
    [[nodiscard]] bool is_persistent() const noexcept { return writer_ != nullptr; }
    /// Zeros where nothing is kept.
    [[nodiscard]] WriterStats writer_stats() const noexcept;

    /// Writes what waits, for `timeout` at most. What comes later is kept in memory only.
    void stop(std::chrono::milliseconds timeout);

private:
    explicit State(ReasoningOptions options) : reasoning_(std::move(options)) {}
    [[nodiscard]] Result<Database> open_database(const std::string& data_dir);

    ReasoningStore reasoning_;
    std::string notice_;
    std::unique_ptr<WriterThread> writer_;  // ends before what its tick uses
};

}  // namespace sluice::store
