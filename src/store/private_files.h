#pragma once

/// Files and folders that only their owner may read: what is stored is as private as the prompts.

#include "base/error.h"

#include <chrono>
#include <string>

namespace sluice::store {

/// Makes `path`, an empty file of mode 0600, where there is none, and the folders to it, of mode
/// 0700. A file that others may read is taken from them. Folders that are there stay as they are.
[[nodiscard]] Result<void> make_private_file(const std::string& path);

/// Renames the database `path` and its log to `path`.damaged, which replaces an earlier one.
/// Returns the new name.
[[nodiscard]] Result<std::string> set_aside(const std::string& path);

/// Held by one process at a time for the folder of a file, and let go when a process ends.
class FolderLock {
public:
    [[nodiscard]] static Result<FolderLock> take(const std::string& path,
                                                 std::chrono::milliseconds timeout);
    FolderLock(FolderLock&& other) noexcept;
    FolderLock& operator=(FolderLock&&) = delete;
    ~FolderLock();

private:
    explicit FolderLock(int fd) : fd_(fd) {}

    int fd_;
};

}  // namespace sluice::store
