#pragma once

/// What one exchange consumed, in tokens, as the provider reported it. Nothing here is an estimate.

#include <cstdint>

namespace sluice::chat {

struct Usage {
    bool known = false;       ///< false: the provider has said nothing, which is not zero
    std::uint64_t input = 0;  ///< the whole prompt, the cached part included
    std::uint64_t cached_input =
        0;                          ///< the part of `input` served from the provider's prefix cache
    std::uint64_t output = 0;       ///< everything generated, reasoning included
    std::uint64_t reasoning = 0;    ///< the part of `output` that was reasoning
    std::uint64_t total = 0;        ///< as reported, else input + output
    std::uint64_t cache_write = 0;  ///< the part of `input` that was written to the prefix cache

    friend bool operator==(const Usage&, const Usage&) = default;
};

}  // namespace sluice::chat
