#include "store/reasoning.h"

#include "store/reasoning_entry.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

namespace sluice::store {
namespace {

constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();
constexpr int kIdBitsBelowTime = 20;
constexpr std::size_t kExpiredPerPut = 8;
constexpr std::size_t kExpiredPerSweep = 100'000;

std::uint64_t bits_of(const Key& key, std::size_t from) noexcept {
    std::uint64_t bits = 0;
    std::memcpy(&bits, key.data() + from, sizeof bits);
    return bits;
}

}  // namespace

std::size_t ReasoningStore::KeyHash::operator()(const Key& key) const noexcept {
    return bits_of(key, 0);
}

ReasoningStore::ReasoningStore(ReasoningOptions options)
    : options_(std::move(options)),
      max_age_(std::chrono::milliseconds(options_.max_age).count()) {
    for (Shard& shard : shards_) shard.oldest = kNever;
}

ReasoningStore::~ReasoningStore() = default;

void ReasoningStore::put(std::span<const Key> keys, std::string_view text) {
    keys = keys.first(std::min(keys.size(), kMaxKeys));
    if (keys.empty() || text.empty()) return;
    if (Entry::bytes_of(keys.size(), text.size()) > options_.max_bytes / 8) {
        too_large_.fetch_add(1, std::memory_order_relaxed);
        return;
    }
    const std::int64_t time = now();
    if (is_known(keys, text, time)) return;

    const auto entry =
        std::make_shared<Entry>(next_id(time, keys.front()), time,
                                std::vector(keys.begin(), keys.end()), std::string(text));
    std::vector<std::int64_t> gone;
    if (insert(entry, true, gone)) write_entry(entry);
    for (std::size_t i = 0; i < kExpiredPerPut && expire_one(time, gone); ++i) {
    }
    while (bytes_.load() > options_.max_bytes && evict_one(gone)) {
    }
    write_deletions(std::move(gone));
}

std::optional<std::string> ReasoningStore::find(const Key& key) {
    const EntryPtr entry = look_up(key, true);
    if (!entry) return std::nullopt;
    const std::int64_t time = now();
    if (entry->used.load() < time - max_age_) {
        if (unlink(*entry)) {
            expired_.fetch_add(1, std::memory_order_relaxed);
            forget_keys(entry);
            write_deletions({entry->id});
        }
        return std::nullopt;
    }
    touch(entry, time);
    return entry->text;
}

void ReasoningStore::expire() {
    const std::int64_t time = now();
    std::vector<std::int64_t> gone;
    for (std::size_t i = 0; i < kExpiredPerSweep && expire_one(time, gone); ++i) {
    }
    write_deletions(std::move(gone));

    // Rows that nobody knows any more: of another process, or whose deletion was dropped. The file
    // learns of a use late, hence twice.
    if (time < next_sweep_.load()) return;
    const std::int64_t unknown_use = max_age_ / 24;
    next_sweep_ = time + unknown_use;
    write_deletions_up_to({.used = time - max_age_ - 2 * unknown_use, .id = kNever});
}

ReasoningStats ReasoningStore::stats() const {
    ReasoningStats stats{.texts = texts_.load(),
                         .bytes = bytes_.load(),
                         .evicted = evicted_.load(),
                         .expired = expired_.load(),
                         .too_large = too_large_.load()};
    for (const Shard& shard : shards_) {
        const std::lock_guard lock(shard.mutex);
        stats.hits += shard.hits;
        stats.misses += shard.misses;
    }
    return stats;
}

std::int64_t ReasoningStore::now() const {
    return std::chrono::duration_cast<std::chrono::milliseconds>(
               options_.clock().time_since_epoch())
        .count();
}

/// Ascending, so that rows are appended, and distinct in this process. Two processes of one file
/// may have the same idea within a millisecond; with bits of the key in it that costs next to never
/// a text.
std::int64_t ReasoningStore::next_id(std::int64_t time, const Key& key) {
    const auto low = static_cast<std::int64_t>(bits_of(key, 8) >> (64 - kIdBitsBelowTime));
    const std::int64_t wanted = (time << kIdBitsBelowTime) | low;
    std::int64_t last = last_id_.load();
    std::int64_t id = 0;
    do {
        id = std::max(wanted, last + 1);
    } while (!last_id_.compare_exchange_weak(last, id));
    return id;
}

ReasoningStore::Shard& ReasoningStore::shard_of(const Key& key) noexcept {
    return shards_[bits_of(key, 16) % kShards];
}

ReasoningStore::Shard& ReasoningStore::home_of(const Entry& entry) noexcept {
    return shards_[static_cast<std::uint64_t>(entry.id) % kShards];
}

ReasoningStore::EntryPtr ReasoningStore::look_up(const Key& key, bool is_counted) {
    Shard& shard = shard_of(key);
    const std::lock_guard lock(shard.mutex);
    const auto it = shard.keys.find(key);
    const bool is_hit = it != shard.keys.end();
    if (is_counted) ++(is_hit ? shard.hits : shard.misses);
    return is_hit ? it->second : nullptr;
}

/// The very same again, as when a client sends a turn back: only used once more.
bool ReasoningStore::is_known(std::span<const Key> keys, std::string_view text, std::int64_t time) {
    const EntryPtr entry = look_up(keys.front(), false);
    if (!entry || entry->text != text || !std::ranges::equal(entry->keys, keys) ||
        entry->keys_left.load() != keys.size() || entry->used.load() < time - max_age_) {
        return false;
    }
    touch(entry, time);
    return true;
}

/// False where all its keys lead to later texts. `gone` gains the rows of texts that have no key
/// left. Keys come first: a text that loses them all meanwhile is then never linked, and one that
/// is linked can be evicted with all its keys.
bool ReasoningStore::insert(const EntryPtr& entry, bool is_newest,
                            std::vector<std::int64_t>& gone) {
    for (const Key& key : entry->keys) lead_to(key, entry, is_newest, gone);

    Shard& home = home_of(*entry);
    const std::lock_guard lock(home.mutex);
    if (entry->keys_left.load() == 0) return false;
    entry->place = home.by_use.insert(is_newest ? home.by_use.begin() : home.by_use.end(), entry);
    entry->is_linked = true;
    home.oldest = home.by_use.back()->used.load();
    texts_.fetch_add(1);
    bytes_.fetch_add(entry->bytes());
    return true;
}

void ReasoningStore::lead_to(const Key& key, const EntryPtr& entry, bool is_newest,
                             std::vector<std::int64_t>& gone) {
    EntryPtr loser;
    {
        Shard& shard = shard_of(key);
        const std::lock_guard lock(shard.mutex);
        auto& holder = shard.keys[key];
        if (holder == entry || (holder && !is_newest && holder->id > entry->id)) {
            loser = entry;
        } else {
            loser = std::exchange(holder, entry);
        }
    }
    if (loser && loser->keys_left.fetch_sub(1) == 1 && unlink(*loser)) gone.push_back(loser->id);
}

void ReasoningStore::touch(const EntryPtr& entry, std::int64_t time) {
    {
        Shard& home = home_of(*entry);
        const std::lock_guard lock(home.mutex);
        if (!entry->is_linked.load()) return;
        entry->used = std::max(entry->used.load(), time);
        home.by_use.splice(home.by_use.begin(), home.by_use, entry->place);
        home.oldest = home.by_use.back()->used.load();
    }
    // Once in a while is enough for the order of days.
    if (time - entry->stored_use.load() > max_age_ / 24) write_use(*entry, time);
}

/// False: somebody else has.
bool ReasoningStore::unlink(Entry& entry) {
    Shard& home = home_of(entry);
    const std::lock_guard lock(home.mutex);
    if (!entry.is_linked.exchange(false)) return false;
    texts_.fetch_sub(1);
    bytes_.fetch_sub(entry.bytes());
    home.by_use.erase(entry.place);
    home.oldest = home.by_use.empty() ? kNever : home.by_use.back()->used.load();
    return true;
}

/// Unlinks what was used longest ago, where that is before `used_before`. Shards are looked at
/// without their locks, so under contention it may be the next one.
ReasoningStore::EntryPtr ReasoningStore::take_oldest(std::int64_t used_before) {
    const auto shard = std::ranges::min_element(
        shards_, {}, [](const Shard& each) { return each.oldest.load(std::memory_order_relaxed); });
    if (shard->oldest.load() >= used_before) return nullptr;
    EntryPtr entry;
    {
        const std::lock_guard lock(shard->mutex);
        if (shard->by_use.empty() || shard->by_use.back()->used.load() >= used_before)
            return nullptr;
        entry = shard->by_use.back();
    }
    return unlink(*entry) ? entry : nullptr;
}

void ReasoningStore::forget_keys(const EntryPtr& entry) {
    for (const Key& key : entry->keys) {
        Shard& shard = shard_of(key);
        const std::lock_guard lock(shard.mutex);
        const auto it = shard.keys.find(key);
        if (it != shard.keys.end() && it->second == entry) shard.keys.erase(it);
    }
}

bool ReasoningStore::evict_one(std::vector<std::int64_t>& gone) {
    const EntryPtr entry = take_oldest(kNever);
    if (!entry) return false;
    evicted_.fetch_add(1, std::memory_order_relaxed);
    forget_keys(entry);
    gone.push_back(entry->id);
    return true;
}

bool ReasoningStore::expire_one(std::int64_t time, std::vector<std::int64_t>& gone) {
    const EntryPtr entry = take_oldest(time - max_age_);
    if (!entry) return false;
    expired_.fetch_add(1, std::memory_order_relaxed);
    forget_keys(entry);
    gone.push_back(entry->id);
    return true;
}

}  // namespace sluice::store
