#pragma once

/// Deadlines of one worker: a timer wheel that makes setting a deadline nearly free. A connection
/// sets its deadline several times a request and hardly ever reaches one, so setting a later
/// deadline is a plain store; the wheel notices when it comes by. Precision: one tick.
/// Not thread-safe: everything here runs on the worker's thread.

#include "net/types.h"

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/intrusive/list.hpp>

#include <array>
#include <cstddef>
#include <cstdint>

namespace sluice::net {

class Deadlines;

/// One deadline that can be set, moved and cleared. Its owner derives from it. Clears itself when
/// destroyed; must not outlive the Deadlines it was made with.
class Deadline : public boost::intrusive::list_base_hook<
                     boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
public:
    explicit Deadline(Deadlines& wheel) noexcept : wheel_(wheel) {}
    Deadline(const Deadline&) = delete;
    Deadline& operator=(const Deadline&) = delete;
    virtual ~Deadline();

    void expire_at(Clock::time_point when);
    void expire_after(Clock::duration wait);
    void never() noexcept {
        when_ = Clock::time_point::max();
        expired_ = false;
    }
    /// Whether it has expired since it was last set or cleared.
    [[nodiscard]] bool expired() const noexcept { return expired_; }
    [[nodiscard]] Clock::time_point when() const noexcept { return when_; }

protected:
    /// Called once per expiry, from the worker's event loop. May destroy this object.
    virtual void on_expired() = 0;

private:
    friend class Deadlines;

    Deadlines& wheel_;
    Clock::time_point when_ = Clock::time_point::max();
    std::int64_t tick_ = 0;  // the tick at which the wheel looks at this; meaningful when linked
    bool expired_ = false;
};

class Deadlines {
public:
    static constexpr std::chrono::milliseconds kTick{10};

    explicit Deadlines(asio::io_context& io);
    Deadlines(const Deadlines&) = delete;
    Deadlines& operator=(const Deadlines&) = delete;

private:
    friend class Deadline;
    using Slot = boost::intrusive::list<Deadline, boost::intrusive::constant_time_size<false>>;
    using WheelTimer = asio::basic_waitable_timer<Clock, asio::wait_traits<Clock>, Executor>;

    static constexpr std::int64_t kSlots = 1024;  // a horizon of about ten seconds

    void schedule(Deadline& deadline);
    void forget(Deadline& deadline) noexcept;
    void arm_timer(std::int64_t tick);
    void on_timer();
    void expire_slot(std::int64_t tick, Clock::time_point now);
    [[nodiscard]] std::int64_t tick_of(Clock::time_point when) const noexcept;

    WheelTimer timer_;
    const Clock::time_point start_;
    std::int64_t current_ = 0;     // every tick up to here has been looked at
    std::int64_t armed_for_ = -1;  // the tick that the timer waits for; -1: not armed
    std::size_t linked_ = 0;       // deadlines in the slots
    bool working_ = false;         // slots are being worked through: the timer is set afterwards
    std::array<Slot, kSlots> slots_;
};

}  // namespace sluice::net
