#pragma once

/// The process's own memory.

#include <cstddef>

namespace sluice::observe {

/// Bytes in RAM just now; 0 where the system does not say.
[[nodiscard]] std::size_t resident_bytes() noexcept;

/// Gives what is allocated no more back to the system. Takes milliseconds.
void release_free_memory() noexcept;

}  // namespace sluice::observe
