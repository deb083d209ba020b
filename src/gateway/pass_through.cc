#include "gateway/pass_through.h"
namespace sluice::gateway {
net::Task<Result<void>> pass_through(Exchange&) {
    co_return fail(Errc::not_implemented);
}
}  // namespace sluice::gateway
