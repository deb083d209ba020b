#include "gateway/deadline.h"

#include <algorithm>
#include <charconv>
#include <optional>

namespace sluice::gateway {
namespace {

constexpr unsigned kLongestSeconds = 7 * 24 * 3600;

std::optional<net::Clock::duration> stated_timeout(const net::http1::RequestHead& head) {
    const auto text = head.find("x-stainless-timeout");
    if (!text) return std::nullopt;
    unsigned seconds = 0;
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), seconds);
    const bool whole = error == std::errc() && (end == text->data() + text->size() || *end == '.');
    if (!whole || seconds == 0 || seconds > kLongestSeconds) return std::nullopt;
    return std::chrono::seconds(seconds);
}

}  // namespace

net::Clock::time_point deadline_of(const Exchange& exchange, const config::Upstream& upstream) {
    auto deadline = net::Clock::time_point::max();
    if (!exchange.client.started()) {
        if (const auto stated = stated_timeout(exchange.client.head())) {
            deadline = exchange.started + *stated;
        }
    }
    if (upstream.timeouts.total) {
        deadline = std::min(deadline, exchange.started + *upstream.timeouts.total);
    }
    return deadline;
}

}  // namespace sluice::gateway
