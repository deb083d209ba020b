#pragma once

/// Opening a connection: name, address, TCP, TLS, all under one deadline.

#include "base/error.h"
#include "net/stream.h"
#include "net/tls.h"
#include "net/worker.h"

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace sluice::net {

/// Where to connect to. Comes from the operator's configuration only. A constructor for the sake of
/// g++ 12.2 (docs/pitfalls.md, rule 3).
struct Endpoint {
    Endpoint() = default;
    Endpoint(std::string name, std::uint16_t number, const TlsContext* context = nullptr)
        : host(std::move(name)),
          port(number),
          tls(context) {}

    std::string host;  ///< a name or an IP address, without brackets
    std::uint16_t port = 0;
    const TlsContext* tls = nullptr;  ///< nullptr: plain TCP; must outlive the connections
};

/// Opens connections for one worker and remembers resolved names for half a minute.
class Connector {
public:
    explicit Connector(Worker& worker) : worker_(worker) {}

    /// A connected stream, TLS shaken and verified where asked for, or why not.
    Task<Result<Stream>> connect(Endpoint endpoint, Clock::duration timeout);

private:
    struct Resolved {
        std::vector<tcp::endpoint> addresses;
        Clock::time_point good_until;
    };

    Task<Result<std::vector<tcp::endpoint>>> resolve(const Endpoint& endpoint,
                                                     Clock::time_point deadline);

    Worker& worker_;
    std::map<std::string, Resolved, std::less<>> names_;  // as many as the configuration has hosts
};

}  // namespace sluice::net
