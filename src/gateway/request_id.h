#pragma once

/// Ids of requests: unguessable enough to be unique, and cheap.

#include <cstdint>
#include <string>

namespace sluice::gateway {

/// Not thread-safe: one per worker.
class RequestIds {
public:
    RequestIds();

    /// "req_" and 32 hexadecimal digits.
    [[nodiscard]] std::string next();

private:
    std::uint64_t prefix_ = 0;   // random, the same for all of this object's ids
    std::uint64_t counter_ = 0;  // starts at random
};

}  // namespace sluice::gateway
