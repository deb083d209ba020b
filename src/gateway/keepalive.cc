#include "gateway/keepalive.h"

#include "gateway/exchange.h"
#include "gateway/respond.h"

#include <array>

namespace sluice::gateway {
namespace {

constexpr std::string_view kComment = ": keep-alive\n\n";
constexpr std::string_view kPing = "event: ping\ndata: {\"type\":\"ping\"}\n\n";

}  // namespace

/// A client that has not taken the last comment is not sent another.
void KeepAlive::on_expired() {
    if (!silence_ || exchange_.is_over()) return;
    note_bytes();
    if (unflushed_) return;
    if (!exchange_.client.started()) start_event_stream(exchange_, {});
    const bool pings = has_content_ && exchange_.dialect == Dialect::anthropic_messages;
    const std::array<std::string_view, 1> sign = {pings ? kPing : kComment};
    switch (exchange_.client.write(sign, false)) {
        case net::Sent::all: break;
        case net::Sent::pending: unflushed_ = true; break;
        case net::Sent::gone: return;
    }
    exchange_.gateway.shared().metrics.keepalive_comment();
}

}  // namespace sluice::gateway
