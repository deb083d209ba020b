#pragma once

/// SHA-256 and the comparison of secrets, by OpenSSL. Here because OpenSSL has its home here.

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace sluice::net {

using Digest = std::array<std::uint8_t, 32>;

[[nodiscard]] Digest sha256(std::string_view bytes);

/// Takes the same time wherever the two differ.
[[nodiscard]] bool equal_in_constant_time(const Digest& a, const Digest& b) noexcept;

/// Fills `bytes` from the system's source of randomness. Thread-safe.
void random_bytes(std::span<std::uint8_t> bytes);

}  // namespace sluice::net
