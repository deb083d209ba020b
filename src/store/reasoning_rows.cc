#include "store/reasoning.h"
#include "store/reasoning_entry.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <utility>

namespace sluice::store {
namespace {

// All keys of a text stand in one value, one after another: they are looked up in memory only.
constexpr std::array kMigrations{
    Sql("CREATE TABLE reasoning ("
        "  id INTEGER PRIMARY KEY,"  // ascending with time
        "  used INTEGER NOT NULL,"   // milliseconds since 1970, late by an hour at most
        "  keys BLOB NOT NULL,"      // 32 bytes each
        "  text BLOB NOT NULL"
        ") STRICT;"
        "CREATE INDEX reasoning_by_use ON reasoning (used, id)"),
};

std::vector<Key> read_keys(std::span<const std::uint8_t> bytes) {
    std::vector<Key> keys(bytes.size() / sizeof(Key));
    if (!keys.empty()) std::memcpy(keys.data(), bytes.data(), keys.size() * sizeof(Key));
    return keys;
}

std::span<const std::uint8_t> bytes_of(std::string_view text) {
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

Result<void> insert_row(Database& database, std::int64_t id, std::int64_t used,
                        std::span<const Key> keys, std::string_view text) {
    auto query = database.query(
        "INSERT OR REPLACE INTO reasoning (id, used, keys, text) VALUES (?, ?, ?, ?)");
    if (!query) return std::unexpected(std::move(query.error()));
    query->bind(1, id).bind(2, used);
    query->bind_blob(3, {keys.front().data(), keys.size_bytes()}).bind_blob(4, bytes_of(text));
    return query->run();
}

Result<void> update_use(Database& database, std::int64_t id, std::int64_t used) {
    auto query = database.query("UPDATE reasoning SET used = ? WHERE id = ?");
    if (!query) return std::unexpected(std::move(query.error()));
    query->bind(1, used).bind(2, id);
    return query->run();
}

Result<void> delete_rows(Database& database, std::span<const std::int64_t> ids) {
    for (const std::int64_t id : ids) {
        auto query = database.query("DELETE FROM reasoning WHERE id = ?");
        if (!query) return std::unexpected(std::move(query.error()));
        query->bind(1, id);
        if (auto done = query->run(); !done) return done;
    }
    return {};
}

Result<void> delete_rows_up_to(Database& database, std::int64_t used, std::int64_t id) {
    auto query = database.query("DELETE FROM reasoning WHERE (used, id) <= (?, ?)");
    if (!query) return std::unexpected(std::move(query.error()));
    query->bind(1, used).bind(2, id);
    return query->run();
}

}  // namespace

std::span<const Sql> ReasoningStore::migrations() noexcept {
    return kMigrations;
}

Result<void> ReasoningStore::load(Database& database) {
    {
        auto newest = database.query("SELECT max(id) FROM reasoning");
        if (!newest) return std::unexpected(std::move(newest.error()));
        const auto row = newest->next();
        if (!row) return std::unexpected(row.error());
        if (*row) last_id_ = newest->integer(0);
    }
    auto rows =
        database.query("SELECT id, used, keys, text FROM reasoning ORDER BY used DESC, id DESC");
    if (!rows) return std::unexpected(std::move(rows.error()));
    const std::int64_t time = now();
    for (;;) {
        const auto row = rows->next();
        if (!row) return std::unexpected(row.error());
        if (!*row) return {};

        const RowPlace place{.used = rows->integer(1), .id = rows->integer(0)};
        const auto entry = read_row(*rows, time);
        if (!entry) {
            unusable_.push_back(place.id);
            continue;
        }
        if (place.used < time - max_age_ || bytes_.load() + entry->bytes() > options_.max_bytes) {
            left_out_from_ = place;
            return {};
        }
        if (!insert(entry, false, unusable_)) unusable_.push_back(place.id);
    }
}

/// Null where the row makes no sense, or is larger than what is taken.
ReasoningStore::EntryPtr ReasoningStore::read_row(const Query& row, std::int64_t time) const {
    const auto keys = row.blob(2);
    const auto text = row.blob(3);
    if (keys.empty() || keys.size() % sizeof(Key) != 0 || keys.size() / sizeof(Key) > kMaxKeys ||
        text.empty() ||
        Entry::bytes_of(keys.size() / sizeof(Key), text.size()) > options_.max_bytes / 8) {
        return nullptr;
    }
    // After the clock has been set back, nothing has been used in the future.
    return std::make_shared<Entry>(
        row.integer(0), std::min(row.integer(1), time), read_keys(keys),
        std::string(reinterpret_cast<const char*>(text.data()), text.size()));
}

void ReasoningStore::persist(WriterThread& writer) {
    writer_ = &writer;
    write_deletions(std::exchange(unusable_, {}));
    if (left_out_from_) write_deletions_up_to(*left_out_from_);
    left_out_from_.reset();
}

void ReasoningStore::write_entry(const EntryPtr& entry) {
    write({.run = [entry](Database& database) -> Result<void> {
               // Gone before it was written: its deletion may have been written already.
               if (!entry->is_linked.load()) return {};
               return insert_row(database, entry->id, entry->stored_use.load(), entry->keys,
                                 entry->text);
           },
           .bytes = entry->bytes()});
}

void ReasoningStore::write_use(Entry& entry, std::int64_t time) {
    entry.stored_use = time;
    write({.run = [id = entry.id, time](Database& database) {
        return update_use(database, id, time);
    }});
}

void ReasoningStore::write_deletions(std::vector<std::int64_t> ids) {
    if (ids.empty()) return;
    const std::size_t bytes = ids.size() * sizeof(std::int64_t);
    write(
        {.run = [gone = std::move(ids)](Database& database) { return delete_rows(database, gone); },
         .bytes = bytes});
}

void ReasoningStore::write_deletions_up_to(RowPlace last) {
    write({.run = [last](Database& database) {
        return delete_rows_up_to(database, last.used, last.id);
    }});
}

/// Counted by the writer where it has no room; what is lost is in memory all the same.
void ReasoningStore::write(WriteJob job) {
    if (writer_ == nullptr) return;
    if (const auto taken = writer_->submit(std::move(job)); !taken) return;
}

}  // namespace sluice::store
