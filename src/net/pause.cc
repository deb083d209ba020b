#include "net/pause.h"

#include <boost/asio/async_result.hpp>

#include <utility>

namespace sluice::net {

Task<Wake> Pause::wait(Clock::duration wait) {
    if (cancelled_) co_return Wake::cancelled;
    expire_after(wait);
    co_return co_await asio::async_initiate<const asio::use_awaitable_t<Executor>, void(Wake)>(
        [this](auto handler) { waiter_ = std::move(handler); }, use_task);
}

/// The waiter goes on from the event loop, not from inside the caller, whose own frame it may end.
void Pause::cancel() {
    cancelled_ = true;
    never();
    if (!waiter_) return;
    worker_.post([woken = std::exchange(waiter_, nullptr)]() mutable { woken(Wake::cancelled); });
}

void Pause::on_expired() {
    if (waiter_) std::exchange(waiter_, nullptr)(Wake::ready);
}

}  // namespace sluice::net
