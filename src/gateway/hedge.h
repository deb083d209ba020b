#pragma once

/// Two attempts at once: the second is asked when the first takes long, and whoever has content
/// first is taken.

#include "gateway/attempt.h"
#include "net/types.h"

#include <memory>

namespace sluice::gateway {

class Exchange;  // NOLINT(cppcoreguidelines-virtual-class-destructor): it is final

/// After how long a rival of this attempt is to be asked; nullopt where its route does not hedge,
/// its cost is too high, or too little is known of the upstream's usual time.
[[nodiscard]] std::optional<net::Clock::duration> hedge_delay(const Exchange& exchange,
                                                              const Attempt& first);

/// One side of the race, and what it asks.
struct Runner {
    std::shared_ptr<Attempt> attempt;
    Question question;
};

/// Runs the attempt beside the caller, who is woken (Exchange::wake) when it ends. The exchange may
/// end before, if it has called the attempt off.
void start(Exchange& exchange, Runner runner);

}  // namespace sluice::gateway
