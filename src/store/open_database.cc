#include "store/database.h"
#include "store/private_files.h"

#include <sqlite3.h>

#include <array>
#include <string>
#include <sys/stat.h>
#include <thread>
#include <utility>

namespace sluice::store {
namespace {

// Who only opens a file gives the lock back at once.
constexpr std::chrono::milliseconds kAloneTimeout{200};
constexpr int kMaxValueBytes = 64 * 1024 * 1024;

/// A pragma takes no bound values, so its number is put into the text.
std::string pragma(const char* name, std::int64_t value) {
    return std::string("PRAGMA ") + name + " = " + std::to_string(value);
}

bool is_empty_file(const std::string& path) {
    struct stat facts{};
    return ::stat(path.c_str(), &facts) == 0 && facts.st_size == 0;
}

}  // namespace

Result<Database> Database::open(const DatabaseOptions& options) {
    auto database = open_in_use(options);
    if (database || database.error().code != Errc::internal) return database;
    if (options.on_damage == OnDamage::refuse) {
        database.error().message += ". Restore it from a copy, or move it away to begin anew";
        return database;
    }
    return begin_anew(options);
}

Result<Database> Database::open_in_use(const DatabaseOptions& options) {
    if (auto made = make_private_folders(options.path); !made) {
        return std::unexpected(std::move(made.error()));
    }
    auto lock = UseLock::take(options.path, UseLock::Mode::shared, options.busy_timeout);
    if (!lock) return std::unexpected(std::move(lock.error()));
    return open_file(options, *std::move(lock));
}

Result<Database> Database::begin_anew(const DatabaseOptions& options) {
    auto lock = UseLock::take(options.path, UseLock::Mode::alone, kAloneTimeout);
    if (!lock) {
        // Whoever has it open may have replaced it already.
        auto shared = open_in_use(options);
        if (shared && shared->check_pages()) return shared;
        lock.error().message += " and damaged: stop that one, then start this one again";
        return std::unexpected(std::move(lock.error()));
    }
    // Another process may have replaced it, and ended.
    std::string damage;
    {
        auto database = open_file(options, UseLock());
        const auto checked =
            database ? database->check_pages() : Result<void>(std::unexpected(database.error()));
        if (checked) {
            lock->share();
            database->lock_ = *std::move(lock);
            return database;
        }
        if (checked.error().code != Errc::internal) return std::unexpected(checked.error());
        damage = checked.error().message;
    }
    const auto moved = set_aside(options.path);
    if (!moved) return std::unexpected(moved.error());
    damage += "; the damaged file is now " + *moved;
    lock->share();
    auto fresh = open_file(options, *std::move(lock));
    if (!fresh) return fail(fresh.error().code, damage + "; " + fresh.error().message);
    fresh->damage_ = std::move(damage);
    return fresh;
}

Result<Database> Database::open_file(const DatabaseOptions& options, UseLock lock) {
    if (auto made = make_private_file(options.path); !made) {
        return std::unexpected(std::move(made.error()));
    }
    sqlite3* raw = nullptr;
    const int code = sqlite3_open_v2(
        options.path.c_str(), &raw,
        SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nullptr);
    Database database(options.path, std::move(lock), std::unique_ptr<sqlite3, Close>(raw));
    if (raw == nullptr) return fail(Errc::overloaded, options.path + ": no memory to open it");
    if (code != SQLITE_OK) return std::unexpected(database.error(code));
    if (auto set = database.set_up(options); !set) return std::unexpected(std::move(set.error()));
    return database;
}

Result<void> Database::set_up(const DatabaseOptions& options) {
    set_busy_timeout(options.busy_timeout);
    sqlite3_db_config(handle_.get(), SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    sqlite3_db_config(handle_.get(), SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
    sqlite3_limit(handle_.get(), SQLITE_LIMIT_LENGTH, kMaxValueBytes);

    // What is deleted is overwritten; what is sorted never goes to a temporary file.
    auto set = execute(
        "PRAGMA cache_size = -1024; PRAGMA temp_store = MEMORY; PRAGMA secure_delete = ON;"
        "PRAGMA cell_size_check = ON; PRAGMA journal_size_limit = 16777216");
    // A file that is being made holds nothing yet, so waiting for the disk protects nothing: half a
    // first page is replaced at the next start. Who wants `power` has what follows protected too.
    if (set && options.durability == Durability::process && is_empty_file(options.path)) {
        set = execute("PRAGMA synchronous = OFF");
    }
    if (set) set = use_wal(options);
    if (set) set = migrate(options);
    if (set) set = set_durability(options.durability);
    return set;
}

Result<void> Database::use_wal(const DatabaseOptions& options) {
    // While another process switches, SQLite answers "locked" without waiting.
    const auto give_up = std::chrono::steady_clock::now() + options.busy_timeout;
    for (;;) {
        auto mode = query("PRAGMA journal_mode = WAL");
        if (!mode) return std::unexpected(std::move(mode.error()));
        const auto row = mode->next();
        if (row && *row && mode->text(0) == "wal") return {};
        if (row) {
            return fail(Errc::bad_request,
                        path_ +
                            " cannot have a write-ahead log: its file system must allow shared "
                            "memory, which those over a network do not. Choose a local data_dir");
        }
        if ((sqlite3_errcode(handle_.get()) & 0xff) != SQLITE_BUSY ||
            std::chrono::steady_clock::now() >= give_up) {
            return std::unexpected(row.error());
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
}

Result<void> Database::set_durability(Durability durability) {
    const bool to_power = durability == Durability::power;
    auto set =
        execute(to_power ? Sql("PRAGMA synchronous = FULL") : Sql("PRAGMA synchronous = NORMAL"));
    if (!set) return set;
    const auto level = read_number("PRAGMA synchronous");
    if (!level) return std::unexpected(level.error());
    if (*level == (to_power ? 2 : 1)) return {};
    return fail(Errc::bad_request, path_ + ": SQLite does not offer the durability asked for");
}

Result<void> Database::migrate(const DatabaseOptions& options) {
    const auto current = is_current(options);
    if (!current) return std::unexpected(current.error());
    if (*current) return {};

    auto transaction = Transaction::begin(*this);
    if (!transaction) return std::unexpected(std::move(transaction.error()));
    // Another process may have done it while this one waited for the lock.
    const auto now_current = is_current(options);
    if (!now_current) return std::unexpected(now_current.error());
    if (*now_current) return {};

    const auto version = read_number("PRAGMA user_version");
    if (!version) return std::unexpected(version.error());
    for (const Sql& step : options.migrations.subspan(static_cast<std::size_t>(*version))) {
        if (auto done = execute(step); !done) return done;
    }
    const auto target = static_cast<std::int64_t>(options.migrations.size());
    for (const std::string& text : std::array{pragma("application_id", options.application_id),
                                              pragma("user_version", target)}) {
        const int code = sqlite3_exec(handle_.get(), text.c_str(), nullptr, nullptr, nullptr);
        if (code != SQLITE_OK) return std::unexpected(error(code));
    }
    return transaction->commit();
}

/// Whether the file has our newest schema already. Fails where it must not be touched.
Result<bool> Database::is_current(const DatabaseOptions& options) {
    const auto id = read_number("PRAGMA application_id");
    if (!id) return std::unexpected(id.error());
    const auto version = read_number("PRAGMA user_version");
    if (!version) return std::unexpected(version.error());
    const auto tables = read_number("SELECT count(*) FROM sqlite_schema");
    if (!tables) return std::unexpected(tables.error());

    const bool is_new = *id == 0 && *version == 0 && *tables == 0;
    if (!is_new && *id != options.application_id) {
        return fail(Errc::bad_request, path_ + " is another program's database (application id " +
                                           std::to_string(*id) + " instead of " +
                                           std::to_string(options.application_id) +
                                           "). Move it away, or choose another data_dir");
    }
    const auto newest = static_cast<std::int64_t>(options.migrations.size());
    if (*version > newest) {
        return fail(Errc::bad_request,
                    path_ + " has schema version " + std::to_string(*version) +
                        ", and this sluice knows those up to " + std::to_string(newest) +
                        ": a newer one has written it. Start that one, or move the file away");
    }
    if (*version < 0) return fail(Errc::internal, path_ + " has a negative schema version");
    return *version == newest && *id == options.application_id;
}

Result<void> Database::check_pages() {
    auto query = this->query("PRAGMA quick_check(1)");
    if (!query) return std::unexpected(std::move(query.error()));
    const auto row = query->next();
    if (!row) return std::unexpected(row.error());
    if (*row && query->text(0) == "ok") return {};
    return fail(Errc::internal, path_ + " is damaged: " + std::string(query->text(0)));
}

Result<std::int64_t> Database::read_number(Sql sql) {
    auto query = this->query(sql);
    if (!query) return std::unexpected(std::move(query.error()));
    const auto row = query->next();
    if (!row) return std::unexpected(row.error());
    return *row ? query->integer(0) : 0;
}

}  // namespace sluice::store
