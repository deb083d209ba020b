#pragma once

/// Where a message ends and whether the connection outlives it: field lines, Content-Length,
/// Transfer-Encoding and Connection, read so that no other HTTP implementation can read them
/// differently (request smuggling lives in that difference).

#include "net/http1/fault.h"
#include "net/http1/head.h"

#include <cstdint>
#include <optional>
#include <string_view>

namespace sluice::net::http1 {

/// `name: value`. No blank before the colon, no folding, no control characters.
[[nodiscard]] Checked<Field> parse_field_line(std::string_view line);

struct Framing {
    std::optional<std::uint64_t> content_length;
    bool chunked = false;
    bool close = false;       ///< Connection: close
    bool keep_alive = false;  ///< Connection: keep-alive
    bool upgrade = false;     ///< Connection: upgrade

    /// Takes note of a field that matters to framing; any other is let pass.
    [[nodiscard]] Checked<> take(const Field& field, int minor_version);

    [[nodiscard]] bool persistent(int minor_version) const noexcept {
        return !close && (minor_version == 1 || keep_alive);
    }
};

/// Whether a trailer section must not carry this name: it would change framing, routing,
/// authentication or the reading of the body after these have been decided.
[[nodiscard]] bool is_forbidden_in_trailers(std::string_view name) noexcept;

}  // namespace sluice::net::http1
