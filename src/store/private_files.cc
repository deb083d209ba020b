#include "store/private_files.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>
#include <utility>

namespace sluice::store {
namespace {

constexpr mode_t kOwnersFile = S_IRUSR | S_IWUSR;
constexpr mode_t kOwnersFolder = S_IRWXU;

std::unexpected<Error> failed(const std::string& what, int number) {
    const bool may_pass = number == ENOSPC || number == EDQUOT || number == EIO ||
                          number == EMFILE || number == ENFILE || number == ENOMEM;
    return fail(may_pass ? Errc::overloaded : Errc::bad_request,
                what + ": " + std::strerror(number));  // NOLINT(concurrency-mt-unsafe)
}

std::string folder_of(const std::string& path) {
    const auto slash = path.rfind('/');
    if (slash == std::string::npos) return ".";
    return slash == 0 ? "/" : path.substr(0, slash);
}

Result<void> take_from_others(const std::string& path) {
    struct stat facts{};
    if (::stat(path.c_str(), &facts) != 0) return failed("cannot look at " + path, errno);
    if ((facts.st_mode & (S_IRWXG | S_IRWXO)) == 0) return {};
    if (::chmod(path.c_str(), kOwnersFile) == 0) return {};
    return failed(path + " may be read by others, and its mode cannot be changed to 0600", errno);
}

}  // namespace

Result<void> make_private_folders(const std::string& path) {
    const std::string folder = folder_of(path);
    if (::access(folder.c_str(), F_OK) == 0) return {};
    for (std::size_t end = 0; end != std::string::npos;) {
        end = folder.find('/', end + 1);
        const std::string part = folder.substr(0, end);
        if (::mkdir(part.c_str(), kOwnersFolder) == 0 || errno == EEXIST) continue;
        const int number = errno;
        // One that is there may be in a folder where we may make none, even of the same name.
        if (::access(part.c_str(), F_OK) != 0) return failed("cannot make folder " + part, number);
    }
    return {};
}

Result<void> make_private_file(const std::string& path) {
    const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, kOwnersFile);
    // Closing a file that is there already would let go of this process's locks on it, so it is
    // neither opened nor closed here.
    if (fd < 0 && errno == EEXIST) return take_from_others(path);
    if (fd < 0) return failed("cannot make " + path, errno);
    ::close(fd);
    return {};
}

Result<std::string> set_aside(const std::string& path) {
    std::string target = path + ".damaged";
    const std::string wal = "-wal";
    ::unlink((target + wal).c_str());
    if (::rename((path + wal).c_str(), (target + wal).c_str()) != 0 && errno != ENOENT) {
        return failed("cannot rename the damaged " + path + wal, errno);
    }
    if (::rename(path.c_str(), target.c_str()) != 0 && errno != ENOENT) {
        return failed("cannot rename the damaged " + path, errno);
    }
    ::unlink((path + "-shm").c_str());
    return target;
}

Result<UseLock> UseLock::take(const std::string& path, Mode mode,
                              std::chrono::milliseconds timeout) {
    const std::string name = path + "-lock";
    const int fd = ::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, kOwnersFile);
    if (fd < 0) return failed("cannot open " + name, errno);
    UseLock lock(fd);
    const int operation = (mode == Mode::alone ? LOCK_EX : LOCK_SH) | LOCK_NB;
    const auto give_up = std::chrono::steady_clock::now() + timeout;
    while (::flock(fd, operation) != 0) {
        if (errno != EWOULDBLOCK && errno != EINTR) return failed("cannot lock " + name, errno);
        if (std::chrono::steady_clock::now() >= give_up) {
            return fail(Errc::overloaded, path + " is in use by another process");
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    return lock;
}

UseLock::UseLock(UseLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

UseLock& UseLock::operator=(UseLock&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
}

UseLock::~UseLock() {
    if (fd_ >= 0) ::close(fd_);
}

void UseLock::share() noexcept {
    ::flock(fd_, LOCK_SH | LOCK_NB);
}

}  // namespace sluice::store
