#pragma once

/// What an upstream of whatever dialect says when it refuses, and credentials taken out of texts
/// that are shown to a client.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace sluice::dialect {

/// The longest message taken over from an upstream's text.
inline constexpr std::size_t kMaxErrorMessageBytes = 2048;

struct Complaint {
    enum class Envelope : std::uint8_t {
        none,
        openai,     ///< {"error":{"message":...}}
        anthropic,  ///< {"type":"error","error":{"type":...,"message":...}}
    };
    Envelope envelope = Envelope::none;
    std::string message;  ///< of bounded length; empty where nothing was said in words
    std::string type;     ///< of an envelope: error.type
    std::string param;    ///< the field at fault, where one is named
};

/// Reads an error response's body: an envelope, other JSON with what it tells of the single fields
/// at fault (Venice's `issues` and `details`), or plain text; HTML says nothing. Occurrences of
/// `secrets` become `[redacted]`.
[[nodiscard]] Complaint read_complaint(std::string_view body,
                                       std::span<const std::string_view> secrets);

/// Replaces every occurrence of a secret by `[redacted]`, also where its characters are written
/// with JSON's escapes; of secrets that begin alike the longest one that is there. Empty secrets
/// are passed over.
[[nodiscard]] std::string redact(std::string_view text, std::span<const std::string_view> secrets);

}  // namespace sluice::dialect
