#include "gateway/frontend.h"

#include "gateway/handle.h"
#include "gateway/respond.h"
#include "observe/log.h"

#include <exception>
#include <string>
#include <utility>

namespace sluice::gateway {
namespace {

/// Nothing here throws in the course of things: what does is a mistake of ours, or no memory. It
/// costs this request, not the process.
void end_after_bug(Exchange& exchange, const std::exception_ptr& bug) {
    std::string what = "unknown exception";
    try {
        std::rethrow_exception(bug);
    } catch (const std::exception& error) {
        what = error.what();
    } catch (...) {  // NOLINT(bugprone-empty-catch): what stays as it is
    }
    observe::log_error("a request ended in an exception",
                       {{"request_id", exchange.request_id}, {"what", what}});
    respond_error(exchange, Error(Errc::internal, "the gateway failed to handle this request"));
    if (exchange.client.started() && exchange.attempt) exchange.client.abort();
    conclude(exchange);
}

}  // namespace

net::Task<> Frontend::handle(net::Transaction& transaction) {
    gateway_.shared().metrics.request_started();
    Exchange exchange(gateway_, table_, transaction);
    const net::http1::RequestHead& head = transaction.head();
    exchange.method = head.method;
    exchange.path = head.path;
    if (!exchange.snapshot->config.cors.allow_origins.empty()) {
        exchange.origin = head.find("origin").value_or("");
    }
    std::exception_ptr bug;
    try {
        co_await gateway::handle(exchange);
    } catch (...) {
        bug = std::current_exception();
    }
    if (bug) end_after_bug(exchange, bug);
}

net::Task<> Frontend::refuse(net::Transaction& transaction, Error why) {
    gateway_.shared().metrics.request_started();
    gateway_.shared().metrics.http_refused(to_string(why.code));
    Exchange exchange(gateway_, table_, transaction);
    respond_error(exchange, std::move(why));
    conclude(exchange);
    co_return;
}

}  // namespace sluice::gateway
