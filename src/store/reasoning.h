#pragma once

/// What models thought, kept for clients that do not send it back: a provider may want to see the
/// reasoning of every earlier turn again. A cache: whoever misses a text can go on without.
///
/// The store knows neither tenants nor conversations. Its keys are digests that the caller makes of
/// all that a text belongs to, so that nobody finds what is not his.

#include "store/database.h"
#include "store/writer_thread.h"

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace sluice::store {

/// As net::sha256() gives it.
using Key = std::array<std::uint8_t, 32>;

struct ReasoningOptions {
    std::size_t max_bytes =
        32UL * 1024 * 1024;  ///< in memory, keys and all; about the same on disk
    std::chrono::seconds max_age = std::chrono::hours(24);  ///< since it was last used
    /// Thread-safe. Wall-clock time, since it outlives the process.
    std::function<std::chrono::system_clock::time_point()> clock = std::chrono::system_clock::now;
};

struct ReasoningStats {
    std::size_t texts = 0;
    std::size_t bytes = 0;
    std::uint64_t hits = 0;
    std::uint64_t misses = 0;
    std::uint64_t evicted = 0;  ///< for want of room
    std::uint64_t expired = 0;
    std::uint64_t too_large = 0;  ///< not taken: more than an eighth of max_bytes
};

/// Thread-safe but for load() and persist(). Locks are held for a look-up or a change of links, two
/// never at once; the file is touched by the writer alone. The text that goes first is the one used
/// longest ago, over all shards.
class ReasoningStore {
public:
    static constexpr std::size_t kMaxKeys = 256;  ///< of one text; more are ignored

    explicit ReasoningStore(ReasoningOptions options = {});
    ~ReasoningStore();

    ReasoningStore(const ReasoningStore&) = delete;
    ReasoningStore& operator=(const ReasoningStore&) = delete;

    /// The schema that load() and persist() want.
    [[nodiscard]] static std::span<const Sql> migrations() noexcept;

    /// What an earlier run has kept, the last used first, up to the bounds. On an error what was
    /// read so far stays. Before threads share the store.
    [[nodiscard]] Result<void> load(Database& database);

    /// From now on changes go to the file too. `writer` outlives the last call of put(), find() and
    /// expire(). Before threads share the store.
    void persist(WriterThread& writer);

    /// The same text under each of the keys; a key that is there already leads to the new text. An
    /// empty text is not kept.
    void put(std::span<const Key> keys, std::string_view text);

    /// From memory alone. Counts as a use.
    [[nodiscard]] std::optional<std::string> find(const Key& key);

    /// Forgets what has not been used for too long. find() never gives that anyway; this frees it.
    void expire();

    [[nodiscard]] ReasoningStats stats() const;

private:
    struct Entry;
    using EntryPtr = std::shared_ptr<Entry>;
    struct KeyHash {
        std::size_t operator()(const Key& key) const noexcept;
    };
    // Keys are where their own bytes say; a text is in the order of the shard that its id says.
    struct Shard {
        mutable std::mutex mutex;
        std::unordered_map<Key, EntryPtr, KeyHash> keys;  // by mutex, as all below
        std::list<EntryPtr> by_use;                       // the last used first
        std::uint64_t hits = 0;
        std::uint64_t misses = 0;
        std::atomic<std::int64_t> oldest;  // when the last in by_use was used; read without mutex
    };
    static constexpr std::size_t kShards = 16;

    /// A row by its place in the order of use.
    struct RowPlace {
        std::int64_t used = 0;
        std::int64_t id = 0;
    };

    [[nodiscard]] std::int64_t now() const;
    [[nodiscard]] std::int64_t next_id(std::int64_t time, const Key& key);
    Shard& shard_of(const Key& key) noexcept;
    Shard& home_of(const Entry& entry) noexcept;
    [[nodiscard]] EntryPtr look_up(const Key& key, bool is_counted);
    [[nodiscard]] bool is_known(std::span<const Key> keys, std::string_view text,
                                std::int64_t time);
    [[nodiscard]] bool insert(const EntryPtr& entry, bool is_newest,
                              std::vector<std::int64_t>& gone);
    void lead_to(const Key& key, const EntryPtr& entry, bool is_newest,
                 std::vector<std::int64_t>& gone);
    void touch(const EntryPtr& entry, std::int64_t time);
    bool unlink(Entry& entry);
    [[nodiscard]] EntryPtr take_oldest(std::int64_t used_before);
    void forget_keys(const EntryPtr& entry);
    [[nodiscard]] bool evict_one(std::vector<std::int64_t>& gone);
    [[nodiscard]] bool expire_one(std::int64_t time, std::vector<std::int64_t>& gone);
    [[nodiscard]] EntryPtr read_row(const Query& row, std::int64_t time) const;

    void write_entry(const EntryPtr& entry);
    void write_use(Entry& entry, std::int64_t time);
    void write_deletions(std::vector<std::int64_t> ids);
    void write_deletions_up_to(RowPlace last);
    void write(WriteJob job);

    const ReasoningOptions options_;
    const std::int64_t max_age_;  // milliseconds
    WriterThread* writer_ = nullptr;
    std::optional<RowPlace> left_out_from_;  // load() has read the rows down to here
    std::vector<std::int64_t> unusable_;     // rows that load() has found
    std::atomic<std::int64_t> next_sweep_ = 0;
    std::array<Shard, kShards> shards_;
    std::atomic<std::int64_t> last_id_ = 0;
    std::atomic<std::size_t> texts_ = 0;
    std::atomic<std::size_t> bytes_ = 0;
    std::atomic<std::uint64_t> evicted_ = 0;
    std::atomic<std::uint64_t> expired_ = 0;
    std::atomic<std::uint64_t> too_large_ = 0;
};

}  // namespace sluice::store
