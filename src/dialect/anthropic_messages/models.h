#pragma once

/// The bodies of GET /v1/models and GET /v1/models/{id} for clients of Anthropic's, and an
/// upstream's list read.

#include "base/error.h"
#include "dialect/openai_chat/models.h"

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::dialect::anthropic_messages {

using openai_chat::Model;

/// What a client asked for in the query: limit (1 to 1000, 20 where not given), before_id,
/// after_id.
struct Page {
    std::size_t limit = 20;
    std::string before_id;
    std::string after_id;
};

/// bad_request with `param` for a limit that is no number within range. Unknown parameters are
/// passed over; values are percent-decoded.
Result<Page> read_page(std::string_view query);

[[nodiscard]] std::string write_models(std::span<const Model> models, const Page& page);
[[nodiscard]] std::string write_model(const Model& model);

/// At most `max_models` of one page are taken. upstream_invalid_response when the body is not a
/// JSON object with a `data` list.
Result<std::vector<Model>> read_models(std::string_view body, std::size_t max_models = 10'000);

}  // namespace sluice::dialect::anthropic_messages
