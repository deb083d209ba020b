#pragma once

/// A wait that someone else can end: for a pace, a back-off, a place in a queue.

#include "net/deadlines.h"
#include "net/stream.h"
#include "net/types.h"
#include "net/worker.h"

#include <functional>

namespace sluice::net {

/// Not thread-safe; one wait at a time; must outlive it.
class Pause final : public Deadline {
public:
    explicit Pause(Worker& worker) : Deadline(worker.deadlines()), worker_(worker) {}

    /// Wake::ready after `wait`, Wake::cancelled after cancel() or when that came before.
    Task<Wake> wait(Clock::duration wait);

    /// Ends the wait under way and every later one.
    void cancel();

private:
    void on_expired() override;

    Worker& worker_;
    std::move_only_function<void(Wake)> waiter_;
    bool cancelled_ = false;
};

}  // namespace sluice::net
