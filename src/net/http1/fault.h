#pragma once

/// What the readers' parts return when the bytes are not the HTTP we take. No allocation: the
/// messages are literals, fit for the client, and become an Error only when a reader fails.

#include "base/error.h"

#include <expected>
#include <string_view>

namespace sluice::net::http1 {

struct Fault {
    Errc code = Errc::bad_request;
    std::string_view message;
};

template <class T = void>
using Checked = std::expected<T, Fault>;

[[nodiscard]] inline std::unexpected<Fault> fault(Errc code, std::string_view message) {
    return std::unexpected(Fault{.code = code, .message = message});
}

[[nodiscard]] inline std::unexpected<Fault> malformed(std::string_view message) {
    return fault(Errc::bad_request, message);
}

/// What a reader says after it has looked at the bytes.
enum class Progress : std::uint8_t { need_more, done, failed };

}  // namespace sluice::net::http1
