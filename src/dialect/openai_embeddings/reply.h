#pragma once

/// An upstream's reply to an embeddings request, checked: every input has its vector, all of one
/// length.

#include "base/error.h"
#include "chat/usage.h"
#include "dialect/openai_embeddings/head.h"
#include "json/reader.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::dialect::openai_embeddings {

/// An element of `data`.
struct Embedding {
    json::Span element;  ///< the object
    json::Span index;    ///< its value; empty when absent
    json::Span vector;
    Format format = Format::numbers;
};

struct Reply {
    std::string model;
    chat::Usage usage;                  ///< of embeddings only `input` and `total` have a meaning
    json::Span usage_value;             ///< empty when absent
    json::Span data;                    ///< the list
    std::vector<Embedding> embeddings;  ///< in the order of their indices
    std::size_t dimensions = 0;         ///< of each vector
};

/// upstream_invalid_response unless `body` is one well-formed JSON object in UTF-8 whose `data` has
/// a vector for each of `inputs` inputs (at least 1): a list of numbers or base64 of float32s, as
/// long as all others. An index that is absent is the element's place; an `object` other than
/// "list" is refused. `padding` as in read_head().
Result<Reply> read_reply(std::string_view body, std::size_t inputs, std::size_t padding = 0);

}  // namespace sluice::dialect::openai_embeddings
