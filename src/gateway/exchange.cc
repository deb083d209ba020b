#include "gateway/exchange.h"

#include <algorithm>
#include <utility>

namespace sluice::gateway {

Exchange::Exchange(Gateway& in, const EndpointTable& endpoints, net::Transaction& transaction)
    : gateway(in),
      table(endpoints),
      snapshot(in.snapshot()),
      client(transaction),
      request_id(in.request_ids().next()),
      keepalive(in.worker().deadlines(), *this) {}

Exchange::~Exchange() {
    client.watch_client(nullptr);
    for (Attempt* const left : attempts_) {
        if (left != nullptr) left->cancel();
    }
}

void Exchange::watch_client() {
    client.watch_client(this);
}

void Exchange::enlist(Attempt& under_way) {
    auto* const place = std::ranges::find(attempts_, nullptr);
    if (place != attempts_.end()) *place = &under_way;
    if (is_over()) under_way.cancel();
}

void Exchange::resign(Attempt& ended) noexcept {
    std::ranges::replace(attempts_, &ended, nullptr);
}

net::Task<net::Wake> Exchange::wait(net::Clock::duration time) {
    if (is_over()) co_return net::Wake::cancelled;
    pause_.emplace(gateway.worker());
    const net::Wake wake = co_await pause_->wait(time);
    pause_.reset();
    co_return wake;
}

void Exchange::wake() {
    if (pause_) pause_->cancel();
}

void Exchange::fly(std::unique_ptr<upstream::Flight> next) {
    flight_ = std::move(next);
    if (is_over()) flight_->cancel();
}

void Exchange::land() {
    flight_.reset();
}

void Exchange::on_server_stopping() {
    stopping = true;
    call_off();
}

void Exchange::on_client_gone() {
    client_gone = true;
    call_off();
}

void Exchange::call_off() {
    keepalive.end();
    if (flight_) flight_->leave();
    for (Attempt* const attempt_under_way : attempts_) {
        if (attempt_under_way != nullptr) attempt_under_way->cancel();
    }
    wake();
}

}  // namespace sluice::gateway
