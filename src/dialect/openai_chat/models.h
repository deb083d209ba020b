#pragma once

/// The bodies of GET /v1/models and GET /v1/models/{id}, written for clients and read from
/// upstreams.

#include "base/error.h"
#include "json/reader.h"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::dialect::openai_chat {

struct Model {
    std::string id;
    std::string owned_by;
    std::int64_t created = 0;  ///< Unix seconds; 0 where the upstream gave none

    friend bool operator==(const Model&, const Model&) = default;
};

[[nodiscard]] std::string write_models(std::span<const Model> models);
[[nodiscard]] std::string write_model(const Model& model);

/// At most `max_models` are taken; entries without an id are passed over.
/// upstream_invalid_response when the body is not a JSON object with a `data` list.
Result<std::vector<Model>> read_models(std::string_view body, std::size_t max_models = 10'000);

/// The same for a list whose entries `read_entry` reads.
Result<std::vector<Model>> read_models(std::string_view body, std::size_t max_models,
                                       Model (*read_entry)(const json::Value& entry));

}  // namespace sluice::dialect::openai_chat
