#include "store/writer_thread.h"

#include <algorithm>
#include <exception>
#include <utility>

namespace sluice::store {
namespace {

constexpr std::chrono::seconds kStopTimeout{2};
constexpr std::chrono::minutes kRejectionReportEvery{1};
constexpr auto kRelaxed = std::memory_order_relaxed;

/// Nothing that a job throws ends the thread.
Result<void> run(WriteJob& job, Database& database) {
    try {
        return job.run(database);
    } catch (const std::exception& thrown) {
        return fail(Errc::internal, database.path() + ": a job threw: " + thrown.what());
    }
}

void tell_done(WriteJob& job, const Result<void>& result) {
    if (job.done) job.done(result);
}

}  // namespace

WriterThread::WriterThread(Database database, WriterOptions options)
    : options_(std::move(options)),
      next_tick_(Clock::now() + options_.tick_every) {
    database.set_busy_timeout(options_.lock_timeout);
    thread_ = std::thread([this, mine = std::move(database)]() mutable { work(std::move(mine)); });
}

WriterThread::~WriterThread() {
    stop(kStopTimeout);
}

Result<void> WriterThread::submit(WriteJob job) {
    Batch dropped;
    bool is_news = false;
    {
        const std::lock_guard lock(mutex_);
        if (stopping_) {
            dropped_.fetch_add(1, kRelaxed);
            return fail(Errc::cancelled, "the writer has stopped");
        }
        if (required_.size() >= options_.max_jobs ||
            required_bytes_ + job.bytes > options_.max_bytes) {
            refused_.fetch_add(1, kRelaxed);
            return fail(Errc::overloaded, "too much waits to be written");
        }
        make_room(job.bytes, dropped);
        const bool is_required = job.loss == WriteJob::Loss::forbidden;
        auto& queue = is_required ? required_ : expendable_;
        if (is_required) required_bytes_ += job.bytes;
        if (!is_required && queue.empty()) due_ = Clock::now() + options_.linger;
        // While others wait already, the thread is awake or will be in time, until a batch is full.
        is_news = queue.empty() || queued_.load(kRelaxed) + 1 == options_.batch_jobs ||
                  queued_bytes_.load(kRelaxed) + job.bytes >= options_.batch_bytes;
        queued_.fetch_add(1, kRelaxed);
        queued_bytes_.fetch_add(job.bytes, kRelaxed);
        queue.push_back(Waiting{.job = std::move(job), .number = ++last_number_});
    }
    if (is_news) wake_.notify_one();
    if (!dropped.empty()) {
        discard(dropped, Error(Errc::overloaded, "gave way to others that wait to be written"));
    }
    return {};
}

/// Moves out the oldest of those that may be lost, until one more of `bytes` has its place.
void WriterThread::make_room(std::size_t bytes, Batch& dropped) {
    while (!expendable_.empty() && (queued_.load(kRelaxed) >= options_.max_jobs ||
                                    queued_bytes_.load(kRelaxed) + bytes > options_.max_bytes)) {
        dropped.push_back(pop(expendable_));
    }
}

WriterThread::Waiting WriterThread::pop(std::deque<Waiting>& queue) {
    Waiting waiting = std::move(queue.front());
    queue.pop_front();
    if (waiting.job.loss == WriteJob::Loss::forbidden) required_bytes_ -= waiting.job.bytes;
    queued_.fetch_sub(1, kRelaxed);
    queued_bytes_.fetch_sub(waiting.job.bytes, kRelaxed);
    return waiting;
}

bool WriterThread::flush(std::chrono::milliseconds timeout) {
    std::unique_lock lock(mutex_);
    const std::uint64_t last = last_number_;
    ++flushing_;
    wake_.notify_one();
    const bool is_written = done_.wait_for(lock, timeout, [&] { return first_unwritten() > last; });
    --flushing_;
    return is_written;
}

std::uint64_t WriterThread::first_unwritten() const {
    std::uint64_t first = last_number_ + 1;
    if (!expendable_.empty()) first = std::min(first, expendable_.front().number);
    if (!required_.empty()) first = std::min(first, required_.front().number);
    if (written_from_ != 0) first = std::min(first, written_from_);
    return first;
}

void WriterThread::stop(std::chrono::milliseconds timeout) {
    if (!thread_.joinable()) return;
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
        stop_at_ = Clock::now() + timeout;
    }
    wake_.notify_all();
    thread_.join();
}

WriterStats WriterThread::stats() const noexcept {
    return {.queued = queued_.load(kRelaxed),
            .queued_bytes = queued_bytes_.load(kRelaxed),
            .written = written_.load(kRelaxed),
            .dropped = dropped_.load(kRelaxed),
            .refused = refused_.load(kRelaxed),
            .failed = failed_.load(kRelaxed),
            .commits = commits_.load(kRelaxed),
            .failing = failing_.load(kRelaxed)};
}

void WriterThread::work(Database database) {
    Batch batch;
    while (take(batch)) write(database, batch);
    discard(batch, Error(Errc::cancelled, "stopped before it was written"));
}

/// Waits for something to do. False: stopped, and `batch` is what is left.
bool WriterThread::take(Batch& batch) {
    std::unique_lock lock(mutex_);
    for (;;) {
        const auto now = Clock::now();
        const bool is_empty = expendable_.empty() && required_.empty();
        if (stopping_ && (is_empty || now >= stop_at_)) {
            while (!required_.empty()) batch.push_back(pop(required_));
            while (!expendable_.empty()) batch.push_back(pop(expendable_));
            return false;
        }
        if (options_.tick && now >= next_tick_ && !stopping_) {
            next_tick_ = now + options_.tick_every;
            lock.unlock();
            run_tick();
            lock.lock();
            continue;
        }
        if (is_due(now)) {
            fill(batch);
            return true;
        }

        auto until = Clock::time_point::max();
        if (options_.tick) until = next_tick_;
        if (!expendable_.empty()) until = std::min(until, due_);
        if (until == Clock::time_point::max()) {
            wake_.wait(lock);
        } else {
            wake_.wait_until(lock, until);
        }
    }
}

bool WriterThread::is_due(Clock::time_point now) const {
    if (!required_.empty()) return true;
    if (expendable_.empty()) return false;
    return now >= due_ || stopping_ || flushing_ > 0 || expendable_.size() >= options_.batch_jobs ||
           queued_bytes_.load(kRelaxed) >= options_.batch_bytes;
}

void WriterThread::fill(Batch& batch) {
    std::size_t bytes = 0;
    while (batch.size() < options_.batch_jobs && bytes < options_.batch_bytes) {
        const bool is_required =
            !required_.empty() &&
            (expendable_.empty() || required_.front().number < expendable_.front().number);
        auto& queue = is_required ? required_ : expendable_;
        if (queue.empty()) break;
        batch.push_back(pop(queue));
        bytes += batch.back().job.bytes;
    }
    written_from_ = batch.front().number;
}

void WriterThread::write(Database& database, Batch& batch) {
    const auto give_up = Clock::now() + options_.retry_for;
    auto delay = options_.first_retry;
    for (;;) {
        const auto result = attempt(database, batch);
        if (result) {
            if (!batch.empty()) set_failing(nullptr);
            finish(batch, result);
            return;
        }
        if (result.error().code == Errc::internal) {
            reject(result.error());
            finish(batch, result);
            return;
        }
        set_failing(&result.error());
        if (!wait_for_retry(delay, give_up)) {
            finish(batch, result);
            return;
        }
        delay = std::min(delay * 2, options_.longest_retry);
    }
}

/// One transaction of all jobs. Those that are wrong leave the batch, and the rest begins anew.
Result<void> WriterThread::attempt(Database& database, Batch& batch) {
    while (!batch.empty()) {
        auto wrong = batch.end();
        auto result = run_all(database, batch, wrong);
        if (wrong == batch.end()) {
            if (result) commits_.fetch_add(1, kRelaxed);
            return result;
        }
        failed_.fetch_add(1, kRelaxed);
        reject(result.error());
        tell_done(wrong->job, result);
        batch.erase(wrong);
    }
    return {};
}

Result<void> WriterThread::run_all(Database& database, Batch& batch, Batch::iterator& wrong) {
    auto transaction = Transaction::begin(database);
    if (!transaction) return std::unexpected(std::move(transaction.error()));
    for (auto it = batch.begin(); it != batch.end(); ++it) {
        auto result = run(it->job, database);
        if (result) continue;
        if (result.error().code == Errc::internal) wrong = it;
        return result;
    }
    return transaction->commit();
}

/// False: it is time to give up.
bool WriterThread::wait_for_retry(std::chrono::milliseconds delay, Clock::time_point give_up) {
    std::unique_lock lock(mutex_);
    const bool was_stopping = stopping_;
    const auto end = was_stopping ? std::min(give_up, stop_at_) : give_up;
    const auto now = Clock::now();
    if (now >= end) return false;
    wake_.wait_until(lock, std::min(now + delay, end), [&] { return stopping_ != was_stopping; });
    return true;
}

void WriterThread::finish(Batch& batch, const Result<void>& result) {
    (result ? written_ : failed_).fetch_add(batch.size(), kRelaxed);
    for (Waiting& waiting : batch) tell_done(waiting.job, result);
    batch.clear();
    {
        const std::lock_guard lock(mutex_);
        written_from_ = 0;
    }
    done_.notify_all();
}

void WriterThread::discard(Batch& batch, const Error& why) {
    dropped_.fetch_add(batch.size(), kRelaxed);
    const Result<void> result = std::unexpected(why);
    for (Waiting& waiting : batch) tell_done(waiting.job, result);
    batch.clear();
    done_.notify_all();
}

void WriterThread::reject(const Error& error) {
    const auto now = Clock::now();
    if (now < next_rejection_report_) return;
    next_rejection_report_ = now + kRejectionReportEvery;
    tell(WriterReport::Kind::rejected, error);
}

void WriterThread::tell(WriterReport::Kind kind, const Error& error) const {
    if (options_.report) options_.report(WriterReport{.kind = kind, .error = error});
}

void WriterThread::set_failing(const Error* error) {
    const bool is_failing = error != nullptr;
    if (failing_.exchange(is_failing, kRelaxed) == is_failing) return;
    if (is_failing) {
        tell(WriterReport::Kind::failing, *error);
    } else {
        tell(WriterReport::Kind::recovered, Error());
    }
}

void WriterThread::run_tick() {
    try {
        options_.tick();
    } catch (const std::exception& thrown) {
        reject(Error(Errc::internal, std::string("the writer's tick threw: ") + thrown.what()));
    }
}

}  // namespace sluice::store
