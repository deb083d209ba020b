#pragma once

/// What can be asked of a listener: paths, methods, who may, and the function that answers.

#include "base/error.h"
#include "gateway/exchange.h"
#include "net/types.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace sluice::gateway {

enum class Access : std::uint8_t {
    everyone,      ///< no key asked for
    key,           ///< any valid key
    metrics,       ///< a key with the scope `metrics`
    pass_through,  ///< a key with the scope `pass_through`
};

struct Endpoint {
    std::string_view path;
    bool takes_argument = false;  ///< what follows the path, which then ends in '/', is an argument
    bool is_api = false;          ///< answers with and without /v1 in front, and with it twice
    std::string_view methods;     ///< as the Allow header names them: "GET, HEAD"
    Access access = Access::key;
    net::Task<Result<void>> (*answer)(Exchange& exchange) = nullptr;
    std::optional<Dialect> dialect;  ///< the client's; unset where clients of several ask
};

/// The endpoints of one listener, and whose key opens them.
class EndpointTable {
public:
    enum class Keys : std::uint8_t { clients, admin };

    constexpr EndpointTable(std::span<const Endpoint> endpoints, Keys keys)
        : endpoints_(endpoints),
          keys_(keys) {}

    /// Sets `exchange.endpoint` and its argument; not_found or method_not_allowed.
    [[nodiscard]] Result<void> find(Exchange& exchange) const;

    [[nodiscard]] Keys keys() const noexcept { return keys_; }
    [[nodiscard]] std::span<const Endpoint> endpoints() const noexcept { return endpoints_; }

private:
    [[nodiscard]] bool find_at(std::string_view path, bool api_only, Exchange& exchange) const;
    [[nodiscard]] bool find_anywhere(Exchange& exchange) const;

    std::span<const Endpoint> endpoints_;
    Keys keys_;
};

/// What clients reach: the API and the public pages.
[[nodiscard]] const EndpointTable& client_endpoints();
/// What the admin listener offers.
[[nodiscard]] const EndpointTable& admin_endpoints();

}  // namespace sluice::gateway
