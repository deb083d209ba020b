#pragma once

/// A SQLite file in WAL mode, opened with care: its owner's alone, of a known schema, and never
/// taken for empty when it is damaged. Knows nothing of what is kept in it.
///
/// Errors say by their code what is to be done: Errc::overloaded, that it may work later (the disk
/// is full or fails, another process holds the lock); Errc::bad_request, that the operator must act
/// (rights, a newer schema, another program's file); Errc::internal, that the file is damaged or
/// the statement wrong. Their messages name the file and are meant for the log, not for clients.

#include "base/error.h"
#include "store/private_files.h"

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

struct sqlite3;
struct sqlite3_stmt;

namespace sluice::store {

/// The text of a statement. It must be known when the program is compiled, so nothing from outside
/// can ever become SQL; values are bound.
class Sql {
public:
    // NOLINTNEXTLINE(google-explicit-constructor): a literal is meant to be one
    consteval Sql(const char* text) : text_(text) {}
    [[nodiscard]] constexpr const char* text() const noexcept { return text_; }

private:
    const char* text_;
};

/// What is meant to survive: `process` keeps every commit through a crash of sluice, but may lose
/// the last ones when the machine loses power; `power` waits for the disk at each commit.
enum class Durability : std::uint8_t { process, power };

enum class OnDamage : std::uint8_t {
    refuse,     ///< open() fails
    set_aside,  ///< for what can be done without: renamed to PATH.damaged, and a new file begun
};

struct DatabaseOptions {
    std::string path;                 ///< folders that are missing are made, for the owner only
    std::int32_t application_id = 0;  ///< marks the file as ours
    std::span<const Sql>
        migrations;  ///< the n-th leads from version n to n + 1; only ever appended
    Durability durability = Durability::process;
    OnDamage on_damage = OnDamage::refuse;
    std::chrono::milliseconds busy_timeout{2000};  ///< for what another process has locked
};

class Database;

/// One use of a prepared statement. Places are counted from 1, columns from 0, as SQLite does.
class Query {
public:
    Query(Query&& other) noexcept;
    Query& operator=(Query&&) = delete;
    ~Query();

    /// Texts and blobs are not copied: they live until the query has run. What goes wrong here is
    /// told by next().
    Query& bind(int place, std::int64_t value);
    Query& bind_text(int place, std::string_view value);
    Query& bind_blob(int place, std::span<const std::uint8_t> value);
    Query& bind_null(int place);

    /// True: the next row is there to be read. False: there are no more.
    [[nodiscard]] Result<bool> next();

    /// To the end, whatever rows there are.
    [[nodiscard]] Result<void> run();

    [[nodiscard]] std::int64_t integer(int column) const;
    /// Valid until next() or the end of the query.
    [[nodiscard]] std::string_view text(int column) const;
    [[nodiscard]] std::span<const std::uint8_t> blob(int column) const;

private:
    friend class Database;
    Query(const Database& database, sqlite3_stmt* statement, bool& in_use);
    void note(int code);

    const Database* database_;
    sqlite3_stmt* statement_;
    bool* in_use_;
    int bind_code_ = 0;
};

/// Used by one thread at a time, and stays where it is while a Query of it lives. Several processes
/// may have the same file open: SQLite lets one write after another.
class Database {
public:
    [[nodiscard]] static Result<Database> open(const DatabaseOptions& options);

    /// For damage that shows only later: the file is checked from end to end and, where it really
    /// is damaged, set aside for a new one. Fails while anybody, in whatever process, has it open.
    [[nodiscard]] static Result<Database> begin_anew(const DatabaseOptions& options);

    Database(Database&&) noexcept = default;
    Database& operator=(Database&&) = delete;
    ~Database() = default;

    /// Prepared once and kept. A statement has one Query at a time.
    [[nodiscard]] Result<Query> query(Sql sql);
    /// Statements that return nothing, one or several.
    [[nodiscard]] Result<void> execute(Sql sql);

    /// Takes the lock for writing at once, so that a transaction never fails half-way for it.
    [[nodiscard]] Result<void> begin();
    /// After a failure it is not known whether the transaction is in the file.
    [[nodiscard]] Result<void> commit();
    /// Does nothing outside of a transaction.
    void rollback() noexcept;

    void set_busy_timeout(std::chrono::milliseconds timeout) noexcept;

    [[nodiscard]] const std::string& path() const noexcept { return path_; }
    /// What was wrong with a file that was set aside, and where it is; empty where none was.
    [[nodiscard]] const std::string& damage() const noexcept { return damage_; }

private:
    friend class Query;
    struct Close {
        void operator()(sqlite3* handle) const noexcept;
    };
    struct Finalize {
        void operator()(sqlite3_stmt* statement) const noexcept;
    };
    struct Prepared {
        std::unique_ptr<sqlite3_stmt, Finalize> statement;
        bool in_use = false;
    };

    Database(std::string path, UseLock lock, std::unique_ptr<sqlite3, Close> handle);
    [[nodiscard]] static Result<Database> open_in_use(const DatabaseOptions& options);
    [[nodiscard]] static Result<Database> open_file(const DatabaseOptions& options, UseLock lock);
    [[nodiscard]] Result<void> set_up(const DatabaseOptions& options);
    [[nodiscard]] Result<void> use_wal(const DatabaseOptions& options);
    [[nodiscard]] Result<void> set_durability(Durability durability);
    [[nodiscard]] Result<void> migrate(const DatabaseOptions& options);
    [[nodiscard]] Result<bool> is_current(const DatabaseOptions& options);
    [[nodiscard]] Result<void> check_pages();
    [[nodiscard]] Result<std::int64_t> read_number(Sql sql);
    [[nodiscard]] Result<void> check(int code) const;
    [[nodiscard]] Error error(int code) const;

    std::string path_;
    std::string damage_;
    UseLock lock_;  // outlives handle_
    std::unique_ptr<sqlite3, Close> handle_;
    std::unordered_map<const char*, Prepared>
        prepared_;  // by the literal's address; ends before handle_
};

/// Ends in a rollback unless commit() was called.
class Transaction {
public:
    [[nodiscard]] static Result<Transaction> begin(Database& database);
    Transaction(Transaction&& other) noexcept
        : database_(std::exchange(other.database_, nullptr)) {}
    Transaction& operator=(Transaction&&) = delete;
    ~Transaction();

    [[nodiscard]] Result<void> commit();

private:
    explicit Transaction(Database& database) : database_(&database) {}

    Database* database_;
};

}  // namespace sluice::store
