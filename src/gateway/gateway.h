#pragma once

/// One worker's gateway: what the exchanges of that worker share, and the process-wide things that
/// they report to. Everything but Shared belongs to the worker's thread.

#include "config/config.h"
#include "context/estimate.h"
#include "dialect/openai_chat/models.h"
#include "gateway/memory_watch.h"
#include "gateway/request_id.h"
#include "gateway/snapshot.h"
#include "net/connect.h"
#include "net/worker.h"
#include "observe/access_log.h"
#include "observe/metrics.h"
#include "observe/prompt_file.h"
#include "routing/board.h"
#include "store/state.h"
#include "upstream/origin.h"

#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace sluice::gateway {

/// What all workers share. Thread-safe.
struct Shared {
    observe::Metrics metrics;
    routing::Board board;
    std::unique_ptr<observe::PromptFile> prompts;  ///< set before the workers start, or never
    std::unique_ptr<store::State> state;           ///< likewise
    context::Calibration calibration;
    std::atomic<bool> counts_tokens = false;  ///< someone has asked for counts
    const std::chrono::steady_clock::time_point started = std::chrono::steady_clock::now();
    std::atomic<bool> draining = false;
    std::atomic<Pressure> pressure = Pressure::none;
};

class Gateway final : private upstream::OriginObserver {
public:
    /// `worker` and `shared` must outlive the gateway.
    Gateway(net::Worker& worker, Shared& shared);

    /// Serves new requests by `snapshot`; those under way go on with theirs. On failure (a CA file
    /// that cannot be read) the old one stays.
    [[nodiscard]] Result<void> use(std::shared_ptr<const Snapshot> snapshot);

    [[nodiscard]] const std::shared_ptr<const Snapshot>& snapshot() const noexcept {
        return snapshot_;
    }
    [[nodiscard]] net::Worker& worker() noexcept { return worker_; }
    [[nodiscard]] Shared& shared() noexcept { return shared_; }
    /// nullptr where none is kept.
    [[nodiscard]] store::ReasoningStore* reasoning() noexcept {
        return shared_.state ? &shared_.state->reasoning() : nullptr;
    }
    /// Writes an access line; it leaves the worker within a fifth of a second.
    void log(const observe::AccessRecord& record) { access_log_.record(record); }
    /// Ends what the gateway does by itself. To be called before the worker stops, which should go
    /// on for as long as is_busy().
    void wind_down() { health_checks_.end(); }
    [[nodiscard]] bool is_busy() const noexcept { return health_checks_.any_under_way(); }

    /// To be called after each exchange: what is only gathered then is seen to soon.
    void expect_housekeeping();
    void flush_log() { access_log_.flush(); }
    [[nodiscard]] RequestIds& request_ids() noexcept { return request_ids_; }
    /// Chance for balancing and back-off; not for secrets.
    [[nodiscard]] std::uint64_t random() noexcept { return chance_(); }
    /// From [0, 1).
    [[nodiscard]] double random_share() {
        return std::uniform_real_distribution<double>(0, 1)(chance_);
    }

    /// Whether it is time to see what an estimate is worth: true once in ten seconds.
    [[nodiscard]] bool take_sample();

    /// A breaker has changed: logged and counted.
    void note_breaker(std::string_view upstream, routing::BreakerState state);

    /// The way to a configured upstream.
    [[nodiscard]] upstream::Origin& origin(const config::Upstream& upstream);

    /// An upstream's own list of models, as it was asked for at most a minute ago.
    struct ModelList {
        std::vector<dialect::openai_chat::Model> models;
        net::Clock::time_point good_until;
    };
    [[nodiscard]] std::map<std::string, ModelList, std::less<>>& model_lists() noexcept {
        return model_lists_;
    }

private:
    /// Comes by shortly after an exchange, and every second as long as connections are kept.
    class Housekeeping final : public net::Deadline {
    public:
        Housekeeping(net::Deadlines& deadlines, Gateway& gateway)
            : Deadline(deadlines),
              gateway_(gateway) {}

    private:
        void on_expired() override { gateway_.keep_house(); }
        Gateway& gateway_;
    };

    /// Asks upstreams with a health check regularly. The first worker does so for all.
    class HealthChecks final : public net::Deadline {
    public:
        HealthChecks(net::Deadlines& deadlines, Gateway& gateway)
            : Deadline(deadlines),
              gateway_(gateway) {}

        /// The upstreams of the present configuration, from now on.
        void begin();
        /// Calls off those under way, which then end on the event loop.
        void end();
        [[nodiscard]] bool any_under_way() const noexcept { return !flights_.empty(); }

    private:
        void on_expired() override;
        net::Task<> check(std::shared_ptr<const Snapshot> snapshot,
                          const config::Upstream& upstream);

        Gateway& gateway_;
        std::map<std::string, net::Clock::time_point, std::less<>> due_;
        std::set<upstream::Flight*> flights_;
    };

    /// An upstream, and how many connections to it were last reported.
    struct Way {
        std::unique_ptr<upstream::Origin> origin;
        int idle = 0;
        int active = 0;
    };

    void keep_house();
    void report_places();
    void report_connections(const std::string& name, Way& way);

    void on_reuse_race() override { shared_.metrics.upstream_reuse_race(); }

    net::Worker& worker_;
    Shared& shared_;
    net::Connector connector_;
    std::shared_ptr<const Snapshot> snapshot_;
    // An upstream that has left the configuration stays here: flights may still be under way.
    std::map<std::string, Way, std::less<>> ways_;
    std::map<std::string, ModelList, std::less<>> model_lists_;  // one per configured upstream
    observe::AccessLog access_log_;
    Housekeeping housekeeping_;
    HealthChecks health_checks_;
    MemoryWatch memory_watch_;
    RequestIds request_ids_;
    std::mt19937_64 chance_;
    net::Clock::time_point next_sample_;
};

}  // namespace sluice::gateway
