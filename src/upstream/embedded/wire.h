#pragma once

/// The bytes that faults and scripted replies are made of.

#include "upstream/embedded/faults.h"

#include <string>
#include <string_view>
#include <vector>

namespace sluice::upstream::embedded {

[[nodiscard]] std::span<const Fault> head_faults();
[[nodiscard]] std::span<const Fault> body_faults();
[[nodiscard]] std::span<const Fault> content_faults();

inline constexpr std::string_view kStatusLine = "HTTP/1.1 200 OK\r\n";
inline constexpr std::string_view kLastChunk = "0\r\n\r\n";

[[nodiscard]] WireStep send(std::string bytes);
[[nodiscard]] WireStep send_times(std::string bytes, std::uint64_t times,
                                  std::chrono::milliseconds wait = {});
[[nodiscard]] WireStep act(WireStep::Act act, std::chrono::milliseconds wait = {});
[[nodiscard]] WireStep close_now();
[[nodiscard]] WireStep reset_now();
[[nodiscard]] WireStep hang_now();

/// A whole head for a chunked body of the type that was asked for.
[[nodiscard]] std::string chunked_head(const FaultRequest& request, std::string_view fields = {});
/// `data` as one chunk.
[[nodiscard]] std::string chunk(std::string_view data);

/// The payload of a right answer: the events up to the finish, usage and `[DONE]` excluded; or a
/// JSON body in four pieces.
[[nodiscard]] std::vector<std::string> good_pieces(const FaultRequest& request);
/// What ends such a payload: the finish chunk and `[DONE]`; nothing for a whole reply.
[[nodiscard]] std::string good_end(const FaultRequest& request);
/// All of it.
[[nodiscard]] std::string good_payload(const FaultRequest& request);
/// A head and the first two pieces as chunks.
[[nodiscard]] std::string good_start(const FaultRequest& request);
/// A right answer from its status line to its last chunk, with some more fields.
[[nodiscard]] std::string good_response(const FaultRequest& request, std::string_view fields = {});
/// A whole response of any status with Content-Length.
[[nodiscard]] std::string sized_response(std::string_view status, std::string_view type,
                                         std::string_view fields, std::string_view body);

}  // namespace sluice::upstream::embedded
