#pragma once

/// Non-blocking TCP sockets on the loopback, Nagle's delay off.

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sluice::bench {

/// Ends the program when the port is taken.
[[nodiscard]] int listen_on(std::uint16_t port);

/// A non-blocking accepted socket, or -1 when none waits.
[[nodiscard]] int accept_from(int listener);

/// A socket whose connection to 127.0.0.1 is under way, or -1.
[[nodiscard]] int connect_to(std::uint16_t port);

enum class Received : std::uint8_t { bytes, nothing_yet, closed };

/// Reads into a buffer of the thread; the view is valid until the next call.
[[nodiscard]] Received receive(int fd, std::string_view& bytes);

/// How many of the bytes the kernel took: 0 when it is full, -1 when the peer is gone.
[[nodiscard]] std::ptrdiff_t send_some(int fd, std::string_view bytes);

}  // namespace sluice::bench
