#pragma once

/// A limit on requests under way at one upstream, over all workers, and the line of those who wait
/// for their turn.

#include "config/upstream.h"
#include "routing/gradient_limit.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>

namespace sluice::routing {

/// Thread-safe. Fixed, adaptive (the gradient between the usual and the present latency moves the
/// limit; failures by overload shrink it), or unlimited, which only counts.
class InFlight {
public:
    using TimePoint = std::chrono::steady_clock::time_point;

    /// Someone in line. Told once that a place has become free and is now his. Lives until
    /// on_admitted() has been called or abandon() has returned true.
    class Waiter {
    public:
        Waiter() = default;
        Waiter(const Waiter&) = delete;
        Waiter& operator=(const Waiter&) = delete;
        virtual ~Waiter() = default;

        /// Called on whichever thread gave the place back, with nothing locked: hand it on to the
        /// waiter's own thread.
        virtual void on_admitted() = 0;

    private:
        friend class InFlight;
        Waiter* next_ = nullptr;
        Waiter* previous_ = nullptr;
        bool waiting_ = false;
    };

    explicit InFlight(const config::Concurrency& settings);
    void configure(const config::Concurrency& settings);

    enum class Entry : std::uint8_t {
        admitted,  ///< to be followed by one leave()
        waiting,   ///< in line: on_admitted() comes, unless abandon() does before
        full,      ///< the line is full
    };
    [[nodiscard]] Entry enter(Waiter& waiter);

    /// Leaves the line. False where the place has been given already: then leave() is due, and
    /// on_admitted() has been or is being called.
    [[nodiscard]] bool abandon(Waiter& waiter);

    /// What a finished request tells the adaptive limit.
    enum class Outcome : std::uint8_t { ok, overloaded, unknown };
    /// `first_byte` counts for Outcome::ok only.
    void leave(Outcome outcome, std::chrono::nanoseconds first_byte, TimePoint now);

    [[nodiscard]] std::size_t active() const;
    [[nodiscard]] std::size_t waiting() const;
    [[nodiscard]] std::size_t limit() const;  ///< 0: unlimited

private:
    void append(Waiter& waiter);
    void remove(Waiter& waiter);
    [[nodiscard]] bool has_room() const;
    [[nodiscard]] Waiter* admit();
    static void tell(Waiter* admitted);

    mutable std::mutex mutex_;
    config::Concurrency settings_;  // this and all below by mutex_
    GradientLimit gradient_;        // kind adaptive only
    std::size_t limit_ = 0;         // 0: unlimited
    std::size_t active_ = 0;
    std::size_t waiting_ = 0;
    Waiter* first_ = nullptr;
    Waiter* last_ = nullptr;
};

}  // namespace sluice::routing
