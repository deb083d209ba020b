#pragma once

/// The one thread that writes a database, so that no worker ever waits for a disk. Jobs that come
/// while a transaction is being written share the next one (group commit).

#include "base/error.h"
#include "store/database.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace sluice::store {

struct WriteJob {
    /// Runs on the writer's thread within a transaction, once more for each time that this has to
    /// be repeated. Errc::internal: the job itself is wrong, and it alone fails. Any other error:
    /// the transaction of all its jobs is repeated later.
    std::move_only_function<Result<void>(Database&)> run;
    std::size_t bytes = 0;  ///< what the job keeps in memory, beside itself

    /// What may be lost is dropped, the oldest first, when the queue is full. What may not is never
    /// dropped for others, and is not made to wait for company either.
    enum class Loss : std::uint8_t { allowed, forbidden } loss = Loss::allowed;

    /// May be empty; otherwise called once, with nothing locked: with success when the transaction
    /// is committed, else with why it never will be (Errc::overloaded: no room, or not written in
    /// time; Errc::cancelled: the writer has stopped). On the writer's thread, or on that of
    /// whoever submitted the job that this one gave way to: hand it on, and be quick. After a
    /// failed commit a transaction may be in the file all the same, so what must not be there twice
    /// needs a key.
    std::move_only_function<void(const Result<void>&)> done;
};

/// Told to the owner for its log, at each change, on the writer's thread.
struct WriterReport {
    enum class Kind : std::uint8_t {
        failing,    ///< the file cannot be written; it is tried again and again
        recovered,  ///< it can be written again
        rejected,   ///< a job is wrong, or the file damaged: told at most once a minute
    };
    Kind kind = Kind::failing;
    Error error;  ///< as with Database, for the log only
};

struct WriterOptions {
    std::size_t max_jobs = 8192;                  ///< that wait
    std::size_t max_bytes = 16UL * 1024 * 1024;   ///< that they keep
    std::size_t batch_jobs = 256;                 ///< in one transaction
    std::size_t batch_bytes = 4UL * 1024 * 1024;  ///< in one transaction, but for its last job
    std::chrono::milliseconds linger{20};         ///< a job that may be lost waits for company
    std::chrono::milliseconds first_retry{50};    ///< doubled with each one that follows
    std::chrono::milliseconds longest_retry{1000};
    std::chrono::milliseconds retry_for{30000};       ///< then the transaction's jobs have failed
    std::chrono::milliseconds lock_timeout{250};      ///< for other processes, in each attempt
    std::function<void(const WriterReport&)> report;  ///< may be empty
    std::function<void()> tick;                       ///< may be empty; on the writer's thread
    std::chrono::milliseconds tick_every{60000};
};

struct WriterStats {
    std::size_t queued = 0;        ///< waiting now
    std::size_t queued_bytes = 0;  ///< kept by them
    std::uint64_t written = 0;     ///< jobs, as all below, since the start
    std::uint64_t dropped = 0;     ///< gave way, or came after stop()
    std::uint64_t refused = 0;     ///< submit() said no: full
    std::uint64_t failed = 0;      ///< wrong, or given up
    std::uint64_t commits = 0;     ///< transactions
    bool failing = false;          ///< the last transaction could not be written
};

/// Thread-safe but for construction, stop() and destruction, which are the owner's.
class WriterThread {
public:
    /// Throws std::system_error where no thread can be had: at start only.
    WriterThread(Database database, WriterOptions options);
    /// stop() within two seconds.
    ~WriterThread();

    WriterThread(const WriterThread&) = delete;
    WriterThread& operator=(const WriterThread&) = delete;

    /// Never waits for the disk. Errc::overloaded: full of jobs that may not be lost; cancelled:
    /// stopped. After an error the job is gone, and its `done` is not called.
    [[nodiscard]] Result<void> submit(WriteJob job);

    /// Waits until all that was submitted before is written, or has failed. False: not in time.
    [[nodiscard]] bool flush(std::chrono::milliseconds timeout);

    /// Takes nothing more, writes what waits, and drops what is left after `timeout`. Returns once
    /// the thread has ended and the file is closed: a transaction that has begun is waited for.
    void stop(std::chrono::milliseconds timeout);

    [[nodiscard]] WriterStats stats() const noexcept;

private:
    using Clock = std::chrono::steady_clock;
    struct Waiting {
        WriteJob job;
        std::uint64_t number = 0;  // in the order of submission
    };
    using Batch = std::vector<Waiting>;

    void work(Database database);
    [[nodiscard]] bool take(Batch& batch);
    [[nodiscard]] bool is_due(Clock::time_point now) const;
    void fill(Batch& batch);
    void make_room(std::size_t bytes, Batch& dropped);
    Waiting pop(std::deque<Waiting>& queue);
    [[nodiscard]] std::uint64_t first_unwritten() const;
    void write(Database& database, Batch& batch);
    [[nodiscard]] Result<void> attempt(Database& database, Batch& batch);
    [[nodiscard]] static Result<void> run_all(Database& database, Batch& batch,
                                              Batch::iterator& wrong);
    [[nodiscard]] bool wait_for_retry(std::chrono::milliseconds delay, Clock::time_point give_up);
    void finish(Batch& batch, const Result<void>& result);
    void discard(Batch& batch, const Error& why);
    void reject(const Error& error);
    void tell(WriterReport::Kind kind, const Error& error) const;
    void set_failing(const Error* error);
    void run_tick();

    const WriterOptions options_;

    mutable std::mutex mutex_;
    std::condition_variable wake_;  // for the thread
    std::condition_variable done_;  // for flush()
    // By mutex_, down to stop_at_:
    std::deque<Waiting> expendable_;
    std::deque<Waiting> required_;
    std::size_t required_bytes_ = 0;
    std::uint64_t last_number_ = 0;
    std::uint64_t written_from_ = 0;  // the first of the batch that is being written; 0: none is
    std::size_t flushing_ = 0;        // callers of flush()
    Clock::time_point due_;           // of expendable jobs
    bool stopping_ = false;
    Clock::time_point stop_at_;

    std::atomic<std::size_t> queued_ = 0;  // written by mutex_, read without
    std::atomic<std::size_t> queued_bytes_ = 0;
    std::atomic<std::uint64_t> written_ = 0;
    std::atomic<std::uint64_t> dropped_ = 0;
    std::atomic<std::uint64_t> refused_ = 0;
    std::atomic<std::uint64_t> failed_ = 0;
    std::atomic<std::uint64_t> commits_ = 0;
    std::atomic<bool> failing_ = false;

    // By the thread alone:
    Clock::time_point next_tick_;
    Clock::time_point next_rejection_report_;

    std::thread thread_;
};

}  // namespace sluice::store
