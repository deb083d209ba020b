#pragma once

/// Files and folders that only their owner may read: what is stored is as private as the prompts.

#include "base/error.h"

#include <chrono>
#include <cstdint>
#include <string>

namespace sluice::store {

/// Makes the folders to `path` that are missing, of mode 0700. Those that are there stay as they
/// are.
[[nodiscard]] Result<void> make_private_folders(const std::string& path);

/// Makes `path`, an empty file of mode 0600, where there is none. One that others may read is taken
/// from them.
[[nodiscard]] Result<void> make_private_file(const std::string& path);

/// Renames the database `path` and its log to `path`.damaged, which replaces an earlier one.
/// Returns the new name. With the file's lock had alone.
[[nodiscard]] Result<std::string> set_aside(const std::string& path);

/// Says that a database is in use: shared by all who have it open, had alone by who replaces it. In
/// a file of its own, `path`-lock, which stays. Without it a process that opens the database may
/// get some of SQLite's three files from the old and some from the new one, and one that closes the
/// old one deletes the new one's log.
class UseLock {
public:
    enum class Mode : std::uint8_t { shared, alone };

    [[nodiscard]] static Result<UseLock> take(const std::string& path, Mode mode,
                                              std::chrono::milliseconds timeout);
    UseLock() = default;  ///< holds nothing
    UseLock(UseLock&& other) noexcept;
    UseLock& operator=(UseLock&& other) noexcept;
    ~UseLock();

    /// From alone to shared.
    void share() noexcept;

private:
    explicit UseLock(int fd) : fd_(fd) {}

    int fd_ = -1;
};

}  // namespace sluice::store
