#pragma once

/// The few facts of an embeddings request that the gateway decides by, read in the one pass that
/// checks the whole body, and the edits of its bytes for an upstream: another model name, lists of
/// numbers in place of base64, a part of the inputs. The inputs themselves are never written anew.

#include "base/error.h"
#include "json/members.h"
#include "json/reader.h"
#include "json/splice.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::dialect::openai_embeddings {

inline constexpr std::size_t kMaxRequestBytes = 32UL * 1024 * 1024;
inline constexpr std::size_t kMaxInputs = 65'536;

/// How vectors are written.
enum class Format : std::uint8_t {
    numbers,  ///< "float": a list of numbers
    base64,   ///< of the float32s in little-endian order
};

enum class InputKind : std::uint8_t { text, texts, tokens, token_lists };

struct Head {
    std::string model;
    InputKind input_kind = InputKind::text;
    std::size_t inputs = 1;           ///< how many vectors the reply must hold
    Format format = Format::numbers;  ///< what the client asked for
    std::optional<std::uint64_t> dimensions;

    json::Span model_value;  ///< quotes included
    json::Span input_value;
    json::Span encoding_format_value;   ///< empty when absent
    std::vector<json::Member> members;  ///< all of the body's, in its order

    [[nodiscard]] bool has_tokens() const noexcept {
        return input_kind == InputKind::tokens || input_kind == InputKind::token_lists;
    }
};

/// Refuses, as bad_request with `param` set, what is not one well-formed JSON object in UTF-8 with
/// a model, inputs of one kind, and fields of the right type and but one of each among those that
/// are read here; as payload_too_large what is longer than kMaxRequestBytes. `padding` bytes may be
/// read behind the body; with json::kPadding of them it is not copied.
Result<Head> read_head(std::string_view body, std::size_t padding = 0);

/// Edits for an upstream that calls the model `model` and, with `numbers_only`, is to be asked for
/// lists of numbers whatever the client wants. `head` must be that of `splice`'s original.
void patch_request(const Head& head, std::string_view model, bool numbers_only,
                   json::Splice& splice);

/// Inputs that follow one another in the request's list.
struct Part {
    json::Span elements;  ///< from the first one's start to the last one's end
    std::size_t inputs = 0;
};

/// The inputs in parts of at most `max_inputs` (at least 1), in order. A single input is one part.
[[nodiscard]] std::vector<Part> split_inputs(std::string_view body, const Head& head,
                                             std::size_t max_inputs);

/// Edits that leave the inputs of `part` alone in the list; none where it is all of them.
void keep_inputs(const Head& head, const Part& part, json::Splice& splice);

}  // namespace sluice::dialect::openai_embeddings
