#pragma once

/// The few facts of a Chat Completions request that the gateway decides by, read in the one pass
/// that checks the whole body, and the patching of its bytes. Every other field is left alone.

#include "base/error.h"
#include "json/reader.h"
#include "json/splice.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::dialect::openai_chat {

struct Head {
    std::string model;
    bool stream = false;
    bool include_usage = false;  ///< the client asked for the usage chunk itself
    std::optional<std::uint64_t> max_output_tokens;  ///< max_completion_tokens, else max_tokens
    std::uint64_t choices = 1;                       ///< n
    bool has_tools = false;

    json::Span model_value;          ///< quotes included
    json::Span stream_options;       ///< empty when absent
    json::Span include_usage_value;  ///< within stream_options; empty when absent
    std::size_t members_begin = 0;   ///< just after the body's opening brace
};

/// Refuses, as bad_request with `param` set, what is not one well-formed JSON object in UTF-8 with
/// a model, a list of messages, and fields of the right type and but one of each among those that
/// are read here. `padding` bytes may be read behind the body; with json::kPadding of them it is
/// not copied.
Result<Head> read_head(std::string_view body, std::size_t padding = 0);

/// The body for an upstream that calls the model `model`. With `add_include_usage` a streamed
/// request asks for usage where the client did not; then its extra chunk is to be kept from the
/// client (StreamFilter). `head` must be that of `body`, which the Splice looks into.
[[nodiscard]] json::Splice patch_request(std::string_view body, const Head& head,
                                         std::string_view model, bool add_include_usage);

}  // namespace sluice::dialect::openai_chat
