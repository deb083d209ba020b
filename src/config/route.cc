#include "config/route.h"

namespace sluice::config {

StatusSet default_retry_statuses() {
    StatusSet set;
    for (const std::size_t status : {408UL, 409UL, 429UL}) set.statuses.set(status);
    for (std::size_t status = 500; status < 600; ++status) set.statuses.set(status);
    return set;
}

std::string_view to_string(FailureKind kind) noexcept {
    switch (kind) {
        case FailureKind::connect: return "connect";
        case FailureKind::broken: return "broken";
        case FailureKind::timeout: return "timeout";
        case FailureKind::conflict: return "conflict";
        case FailureKind::rate_limited: return "rate_limited";
        case FailureKind::overloaded: return "overloaded";
        case FailureKind::server_error: return "server_error";
        case FailureKind::unauthorized: return "unauthorized";
        case FailureKind::no_credit: return "no_credit";
        case FailureKind::forbidden: return "forbidden";
        case FailureKind::not_found: return "not_found";
        case FailureKind::too_long: return "too_long";
        case FailureKind::invalid_reply: return "invalid_reply";
        case FailureKind::bad_request: return "bad_request";
    }
    return "broken";
}

FailureTable::FailureTable() {
    const auto set = [this](FailureKind kind, bool retry, bool fall_back) {
        rules.at(static_cast<std::size_t>(kind)) = {.retry = retry, .fall_back = fall_back};
    };
    set(FailureKind::connect, true, true);
    set(FailureKind::broken, true, true);
    set(FailureKind::timeout, false, true);
    set(FailureKind::conflict, true, true);
    set(FailureKind::rate_limited, true, true);
    set(FailureKind::overloaded, true, true);
    set(FailureKind::server_error, true, true);
    set(FailureKind::unauthorized, false, true);
    set(FailureKind::no_credit, false, true);
    set(FailureKind::forbidden, false, true);
    set(FailureKind::not_found, false, true);
    set(FailureKind::too_long, false, true);
    set(FailureKind::invalid_reply, false, true);
    set(FailureKind::bad_request, false, false);
}

}  // namespace sluice::config
