#pragma once

/// How many tokens a whole request is to its model: the texts exactly, what the provider puts
/// around them as far as it is known. What is left over is what context::Calibration is for.

#include "chat/request.h"
#include "context/vocabulary.h"

#include <cstdint>

namespace sluice::context {

/// Never fails, whatever is in the request; what cannot be known has a fixed price:
///
/// | | DeepSeek | other vocabularies |
/// |---|---|---|
/// | image | 384, the most it can be | 765, that of 1024 x 1024 to OpenAI |
/// | document that is not text | 3,000, about two pages | 3,000 |
/// | around a message | its special tokens | 3 |
/// | reply | `<｜Assistant｜>` and `<think>` | 3 |
/// | thinking | of all turns if there are tools, else of the ones behind the last user message |
/// none | | thinking mode | 79, its preamble, unless disabled | none | | tools | 222, and each as a
/// line of JSON | 12, and 8 and its texts for each | | call of a tool | as DSML | 8 and its texts |
///
/// Tools that are deferred count where a ToolReference names them. Other top-level members of the
/// request are not shown to the model and count nothing.
[[nodiscard]] std::uint64_t count_tokens(const chat::Request& request, Vocabulary vocabulary);

}  // namespace sluice::context
