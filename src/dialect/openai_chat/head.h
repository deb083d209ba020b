#pragma once

/// The few facts of a Chat Completions request, or of a legacy one for plain text, that the gateway
/// decides by, read in the one pass that checks the whole body, and the patching of its bytes.
/// Every other field is left alone.

#include "base/error.h"
#include "dialect/openai_chat/shape.h"
#include "json/members.h"
#include "json/reader.h"
#include "json/splice.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::dialect::openai_chat {

/// A body with more top-level members is refused.
inline constexpr std::size_t kMaxMembers = 1024;

struct Head {
    Shape shape = Shape::chat;
    std::string model;
    bool stream = false;
    bool include_usage = false;  ///< the client asked for the usage chunk itself
    std::optional<std::uint64_t> max_output_tokens;  ///< max_completion_tokens, else max_tokens
    std::uint64_t choices = 1;                       ///< n
    bool has_tools = false;
    std::uint64_t prompts = 1;  ///< text: how many are asked with at once, each for n choices
    std::uint64_t best_of = 1;  ///< text: choices that are made (and paid for) for each prompt
    bool has_suffix = false;    ///< text: what is wanted is the middle

    json::Span model_value;             ///< quotes included
    json::Span stream_options;          ///< empty when absent
    json::Span include_usage_value;     ///< within stream_options; empty when absent
    std::size_t members_begin = 0;      ///< just after the body's opening brace
    std::vector<json::Member> members;  ///< all at the top level, in their order
};

/// Refuses, as bad_request with `param` set, what is not one well-formed JSON object in UTF-8 with
/// a model, a list of messages (text: a prompt), and fields of the right type and but one of each
/// among those that are read here. `padding` bytes may be read behind the body; with json::kPadding
/// of them it is not copied.
Result<Head> read_head(std::string_view body, std::size_t padding = 0, Shape shape = Shape::chat);

/// Adds to `splice`, whose original is `body`, the edits for an upstream that calls the model
/// `model`. With `add_include_usage` a streamed request asks for usage where the client did not;
/// then its extra chunk is to be kept from the client (StreamFilter). `head` must be that of
/// `body`. Its edits leave alone all but the members model and stream_options.
void patch_request(std::string_view body, const Head& head, std::string_view model,
                   bool add_include_usage, json::Splice& splice);

}  // namespace sluice::dialect::openai_chat
