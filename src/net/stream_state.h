#pragma once

/// The inside of net::Stream, apart so that stream.cc (waiting) and stream_io.cc (bytes) share it.

#include "net/stream.h"

#include <boost/smart_ptr/intrusive_ref_counter.hpp>

#include <functional>
#include <optional>

namespace sluice::net {

/// Counted, because a wait that Asio still holds may outlive the Stream.
struct Stream::State final
    : Deadline,
      boost::intrusive_ref_counter<Stream::State, boost::thread_unsafe_counter> {
    using Waiter = std::move_only_function<void(Wake)>;

    State(Deadlines& deadlines, TcpSocket opened)
        : Deadline(deadlines),
          socket(std::move(opened)),
          ssl(nullptr, nullptr) {}

    void arm_read();
    void arm_write();
    void on_read_ready();
    void on_write_ready();
    void on_expired() override;
    void cancel();
    void end_waits();
    [[nodiscard]] std::optional<Wake> wake_now();
    template <class Handler>
    void wake_later(Handler handler, Wake wake);

    TcpSocket socket;
    std::unique_ptr<ssl_st, void (*)(ssl_st*)> ssl;
    Waiter read_waiter;
    Waiter write_waiter;
    StreamWatcher* watcher = nullptr;
    bool read_armed = false;   // Asio holds a wait for reading
    bool write_armed = false;  // and for writing
    bool read_ready = false;   // it came while nobody waited
    bool read_ends_write_wait = false;
    bool cancelled = false;
};

}  // namespace sluice::net
