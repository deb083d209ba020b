#pragma once

/// How many connections each client address may hold at a time.

#include <cstddef>
#include <mutex>
#include <string>
#include <unordered_map>

namespace sluice::net {

/// Thread-safe. Holds one entry for each address that has a connection, so the number of open
/// connections bounds it.
class AddressLimit {
public:
    /// False when `address` holds `most` connections already; else it holds one more from now on.
    [[nodiscard]] bool enter(const std::string& address, std::size_t most);

    /// To be called once for each enter() that was true.
    void leave(const std::string& address);

private:
    std::mutex mutex_;
    std::unordered_map<std::string, std::size_t> held_;  // by mutex_
};

}  // namespace sluice::net
