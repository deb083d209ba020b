#pragma once

/// What of the head of an upstream's reply goes on to the client (UP-11): what is listed, and none
/// of it where it repeats a secret that the upstream was shown (AK-6).

#include "config/secret.h"
#include "net/http1/head.h"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::upstream {

/// What an upstream was shown and nobody else may see: its keys, and the values within `credential`
/// (whole header lines), without the scheme before them. The views are into both.
[[nodiscard]] std::vector<std::string_view> secrets_of(std::span<const config::Secret> keys,
                                                       std::string_view credential);

[[nodiscard]] bool repeats_any(std::string_view value, std::span<const std::string_view> secrets);

/// Header lines for the client, names in lower case. With `raw` also those that tell how to read
/// and to keep the body, which is then handed on as it is.
[[nodiscard]] std::string passed_on_fields(const net::http1::ResponseHead& head, bool raw,
                                           std::span<const std::string_view> secrets);

}  // namespace sluice::upstream
