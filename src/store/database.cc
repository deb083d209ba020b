#include "store/database.h"

#include <sqlite3.h>

#include <cstring>
#include <utility>

namespace sluice::store {
namespace {

Errc kind_of(int code) noexcept {
    switch (code & 0xff) {  // the extended codes keep the primary one in their low byte
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
        case SQLITE_FULL:
        case SQLITE_IOERR:
        case SQLITE_PROTOCOL:
        case SQLITE_NOMEM: return Errc::overloaded;
        case SQLITE_CANTOPEN:
        case SQLITE_PERM:
        case SQLITE_AUTH:
        case SQLITE_READONLY:
        case SQLITE_NOLFS: return Errc::bad_request;
        default: return Errc::internal;
    }
}

}  // namespace

Query::Query(const Database& database, sqlite3_stmt* statement, bool& in_use)
    : database_(&database),
      statement_(statement),
      in_use_(&in_use) {
    in_use = true;
}

Query::Query(Query&& other) noexcept
    : database_(other.database_),
      statement_(std::exchange(other.statement_, nullptr)),
      in_use_(other.in_use_),
      bind_code_(other.bind_code_) {}

Query::~Query() {
    if (statement_ == nullptr) return;
    sqlite3_reset(statement_);
    sqlite3_clear_bindings(statement_);
    *in_use_ = false;
}

void Query::note(int code) {
    if (bind_code_ == SQLITE_OK) bind_code_ = code;
}

Query& Query::bind(int place, std::int64_t value) {
    note(sqlite3_bind_int64(statement_, place, value));
    return *this;
}

Query& Query::bind_text(int place, std::string_view value) {
    // A null pointer would be NULL; an empty text is not.
    const char* const bytes = value.data() == nullptr ? "" : value.data();
    note(sqlite3_bind_text64(statement_, place, bytes, value.size(), SQLITE_STATIC, SQLITE_UTF8));
    return *this;
}

Query& Query::bind_blob(int place, std::span<const std::uint8_t> value) {
    const void* const bytes = value.empty() ? "" : static_cast<const void*>(value.data());
    note(sqlite3_bind_blob64(statement_, place, bytes, value.size(), SQLITE_STATIC));
    return *this;
}

Query& Query::bind_null(int place) {
    note(sqlite3_bind_null(statement_, place));
    return *this;
}

Result<bool> Query::next() {
    if (bind_code_ != SQLITE_OK) return std::unexpected(database_->error(bind_code_));
    const int code = sqlite3_step(statement_);
    if (code == SQLITE_ROW) return true;
    if (code == SQLITE_DONE) return false;
    return std::unexpected(database_->error(code));
}

Result<void> Query::run() {
    for (;;) {
        const auto row = next();
        if (!row) return std::unexpected(row.error());
        if (!*row) return {};
    }
}

std::int64_t Query::integer(int column) const {
    return sqlite3_column_int64(statement_, column);
}

std::string_view Query::text(int column) const {
    const auto* const bytes = sqlite3_column_text(statement_, column);
    if (bytes == nullptr) return {};
    return {reinterpret_cast<const char*>(bytes),
            static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

std::span<const std::uint8_t> Query::blob(int column) const {
    const void* const bytes = sqlite3_column_blob(statement_, column);
    if (bytes == nullptr) return {};
    return {static_cast<const std::uint8_t*>(bytes),
            static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

void Database::Close::operator()(sqlite3* handle) const noexcept {
    sqlite3_close(handle);
}

void Database::Finalize::operator()(sqlite3_stmt* statement) const noexcept {
    sqlite3_finalize(statement);
}

Database::Database(std::string path, UseLock lock, std::unique_ptr<sqlite3, Close> handle)
    : path_(std::move(path)),
      lock_(std::move(lock)),
      handle_(std::move(handle)) {}

Result<Query> Database::query(Sql sql) {
    auto& prepared = prepared_[sql.text()];
    if (prepared.in_use) return fail(Errc::internal, path_ + ": a statement is used twice at once");
    if (!prepared.statement) {
        sqlite3_stmt* statement = nullptr;
        const int code = sqlite3_prepare_v3(handle_.get(), sql.text(), -1,
                                            SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
        prepared.statement.reset(statement);
        if (code != SQLITE_OK) return std::unexpected(error(code));
    }
    return Query(*this, prepared.statement.get(), prepared.in_use);
}

Result<void> Database::execute(Sql sql) {
    return check(sqlite3_exec(handle_.get(), sql.text(), nullptr, nullptr, nullptr));
}

Result<void> Database::begin() {
    auto query = this->query("BEGIN IMMEDIATE");
    if (!query) return std::unexpected(std::move(query.error()));
    return query->run();
}

Result<void> Database::commit() {
    auto query = this->query("COMMIT");
    if (!query) return std::unexpected(std::move(query.error()));
    return query->run();
}

void Database::rollback() noexcept {
    // SQLite itself has rolled back after some errors, such as a full disk.
    if (sqlite3_get_autocommit(handle_.get()) != 0) return;
    sqlite3_exec(handle_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
}

void Database::set_busy_timeout(std::chrono::milliseconds timeout) noexcept {
    sqlite3_busy_timeout(handle_.get(), static_cast<int>(timeout.count()));
}

Result<void> Database::check(int code) const {
    if (code == SQLITE_OK) return {};
    return std::unexpected(error(code));
}

Error Database::error(int code) const {
    std::string message = path_ + ": " + sqlite3_errmsg(handle_.get());
    const int primary = code & 0xff;
    const int system = sqlite3_system_errno(handle_.get());
    if (system != 0 && (primary == SQLITE_IOERR || primary == SQLITE_CANTOPEN)) {
        message += ": ";
        message += std::strerror(system);  // NOLINT(concurrency-mt-unsafe)
    }
    message += " (SQLite " + std::to_string(code) + ")";
    return Error(kind_of(code), std::move(message));
}

Result<Transaction> Transaction::begin(Database& database) {
    if (auto begun = database.begin(); !begun) return std::unexpected(std::move(begun.error()));
    return Transaction(database);
}

Transaction::~Transaction() {
    if (database_ != nullptr) database_->rollback();
}

Result<void> Transaction::commit() {
    auto committed = database_->commit();
    if (committed) database_ = nullptr;
    return committed;
}

}  // namespace sluice::store
