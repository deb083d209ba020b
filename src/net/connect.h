#pragma once

/// Opening a connection: name, address, TCP, TLS, all under one deadline.

#include "base/error.h"
#include "net/stream.h"
#include "net/tls.h"
#include "net/worker.h"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace sluice::net {

/// Where to connect to. Comes from the operator's configuration only. A constructor for the sake of
/// g++ 12.2 (docs/pitfalls.md, rule 3).
struct Endpoint {
    Endpoint() = default;
    Endpoint(std::string name, std::uint16_t number,
             std::shared_ptr<const TlsContext> context = nullptr)
        : host(std::move(name)),
          port(number),
          tls(std::move(context)) {}

    std::string host;  ///< a name or an IP address, without brackets
    std::uint16_t port = 0;
    std::shared_ptr<const TlsContext> tls;  ///< nullptr: plain TCP
};

/// A connect() under way, for the one who may want to end it.
class Connecting {
public:
    /// The attempt under way, and every later one, ends with Errc::cancelled; a name that is being
    /// looked up is waited for all the same.
    void cancel() {
        cancelled_ = true;
        if (stream_ != nullptr) stream_->cancel();
    }

private:
    friend class Connector;

    /// Lets `stream` be the one that is cancelled, as long as this lives.
    class Guard {
    public:
        Guard(Connecting& connecting, Stream& stream) : connecting_(connecting) {
            connecting.stream_ = &stream;
            if (connecting.cancelled_) stream.cancel();
        }
        Guard(const Guard&) = delete;
        Guard& operator=(const Guard&) = delete;
        ~Guard() { connecting_.stream_ = nullptr; }

    private:
        Connecting& connecting_;
    };

    Stream* stream_ = nullptr;
    bool cancelled_ = false;
};

/// Opens connections for one worker and remembers resolved names for half a minute.
class Connector {
public:
    explicit Connector(Worker& worker) : worker_(worker) {}

    /// A connected stream, TLS shaken and verified where asked for, or why not. Addresses are tried
    /// one after another, each with its share of the time. `connecting` must outlive the task.
    Task<Result<Stream>> connect(Endpoint endpoint, Clock::duration timeout,
                                 Connecting& connecting);
    Task<Result<Stream>> connect(Endpoint endpoint, Clock::duration timeout);

private:
    struct Resolved {
        std::vector<tcp::endpoint> addresses;
        Clock::time_point good_until;
    };

    Task<Result<Stream>> connect_tcp(const Endpoint& endpoint, tcp::endpoint address,
                                     Clock::time_point deadline, Connecting& connecting);
    Task<Result<std::vector<tcp::endpoint>>> resolve(const Endpoint& endpoint,
                                                     Clock::time_point deadline);

    Worker& worker_;
    std::map<std::string, Resolved, std::less<>> names_;  // as many as the configuration has hosts
};

}  // namespace sluice::net
