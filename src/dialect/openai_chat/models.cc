#include "dialect/openai_chat/models.h"

#include "json/reader.h"
#include "json/writer.h"

#include <utility>

namespace sluice::dialect::openai_chat {
namespace {

void write(json::Writer& json, const Model& model) {
    json.begin_object().key("id").string(model.id).key("object").string("model");
    json.key("created").number(model.created).key("owned_by").string(model.owned_by).end_object();
}

Model read_model(const json::Value& entry) {
    Model model;
    if (const auto id = json::find(entry, "id")) model.id = json::to_string(*id).value_or("");
    if (const auto owner = json::find(entry, "owned_by")) {
        model.owned_by = json::to_string(*owner).value_or("");
    }
    if (const auto created = json::find(entry, "created")) {
        const std::uint64_t seconds = json::to_uint64(*created).value_or(0);
        model.created =
            std::in_range<std::int64_t>(seconds) ? static_cast<std::int64_t>(seconds) : 0;
    }
    return model;
}

}  // namespace

std::string write_models(std::span<const Model> models) {
    std::string out;
    json::Writer json(out);
    json.begin_object().key("object").string("list").key("data").begin_array();
    for (const Model& model : models) write(json, model);
    json.end_array().end_object();
    return out;
}

std::string write_model(const Model& model) {
    std::string out;
    json::Writer json(out);
    write(json, model);
    return out;
}

Result<std::vector<Model>> read_models(std::string_view body, std::size_t max_models) {
    return read_models(body, max_models, read_model);
}

Result<std::vector<Model>> read_models(std::string_view body, std::size_t max_models,
                                       Model (*read_entry)(const json::Value& entry)) {
    if (const auto wrong = json::find_error(body)) {
        return fail(Errc::upstream_invalid_response, "the model list is not valid JSON: " + *wrong);
    }
    const auto data = json::find(json::as_value(body), "data");
    if (!data || !data->is(json::Kind::array)) {
        return fail(Errc::upstream_invalid_response, "the model list has no 'data'");
    }
    std::vector<Model> models;
    json::Reader entries(*data);
    while (models.size() < max_models && entries.next()) {
        Model model = read_entry(entries.value());
        if (!model.id.empty()) models.push_back(std::move(model));
    }
    return models;
}

}  // namespace sluice::dialect::openai_chat
