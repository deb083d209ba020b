#include "gateway/exchange.h"

#include <utility>

namespace sluice::gateway {

Exchange::Exchange(Gateway& in, const EndpointTable& endpoints, net::Transaction& transaction)
    : gateway(in),
      table(endpoints),
      snapshot(in.snapshot()),
      client(transaction),
      request_id(in.request_ids().next()) {}

Exchange::~Exchange() {
    client.watch_client(nullptr);
}

void Exchange::watch_client() {
    client.watch_client(this);
}

void Exchange::fly(std::unique_ptr<upstream::Flight> next) {
    flight_ = std::move(next);
    if (client_gone || stopping) flight_->cancel();
}

void Exchange::land() {
    flight_.reset();
}

void Exchange::on_server_stopping() {
    stopping = true;
    if (flight_) flight_->leave();
}

void Exchange::on_client_gone() {
    client_gone = true;
    if (flight_) flight_->leave();
}

}  // namespace sluice::gateway
