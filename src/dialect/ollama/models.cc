#include "dialect/ollama/models.h"

#include "json/reader.h"
#include "json/writer.h"

#include <array>
#include <optional>
#include <utility>

namespace sluice::dialect::ollama {
namespace {

/// RFC 3339, in UTC.
std::string time_text(std::chrono::sys_seconds time) {
    const auto day = std::chrono::floor<std::chrono::days>(time);
    const std::chrono::year_month_day date(day);
    const std::chrono::hh_mm_ss clock(time - day);
    std::string text;
    const auto digits = [&text](long long value, std::size_t width, char behind) {
        const std::string number = std::to_string(value);
        if (number.size() < width) text.append(width - number.size(), '0');
        text.append(number).push_back(behind);
    };
    digits(static_cast<int>(date.year()), 4, '-');
    digits(static_cast<unsigned>(date.month()), 2, '-');
    digits(static_cast<unsigned>(date.day()), 2, 'T');
    digits(clock.hours().count(), 2, ':');
    digits(clock.minutes().count(), 2, ':');
    digits(clock.seconds().count(), 2, 'Z');
    return text;
}

void write_details(json::Writer& json, const Model& model) {
    json.key("details").begin_object();
    json.key("parent_model").string("").key("format").string("gguf");
    json.key("family").string(model.family).key("families").begin_array();
    if (!model.family.empty()) json.string(model.family);
    json.end_array().key("parameter_size").string(model.parameter_size);
    json.key("quantization_level").string(model.quantization).end_object();
}

/// What tags and ps say alike of a model, its object left open.
void begin_model(json::Writer& json, const Model& model) {
    json.begin_object().key("name").string(model.name).key("model").string(model.name);
    json.key("size").number(model.size).key("digest").string(model.digest);
    write_details(json, model);
}

/// The first of `names` that is a text; nullopt where none of them is.
std::optional<std::string> text_in(const json::Value& object,
                                   std::span<const std::string_view> names) {
    for (const std::string_view name : names) {
        const auto value = json::find(object, name);
        if (!value) continue;
        auto text = json::to_string(*value);
        if (text && !text->empty()) return text;
    }
    return std::nullopt;
}

}  // namespace

std::string write_tags(std::span<const Model> models) {
    std::string out;
    json::Writer json(out);
    json.begin_object().key("models").begin_array();
    for (const Model& model : models) {
        begin_model(json, model);
        json.key("modified_at").string(time_text(model.modified_at)).end_object();
    }
    json.end_array().end_object();
    return out;
}

std::string write_running(std::span<const Model> models, std::chrono::sys_seconds expires_at) {
    std::string out;
    json::Writer json(out);
    json.begin_object().key("models").begin_array();
    for (const Model& model : models) {
        begin_model(json, model);
        json.key("expires_at").string(time_text(expires_at)).key("size_vram").number(0);
        json.key("context_length").number(model.context_length).end_object();
    }
    json.end_array().end_object();
    return out;
}

std::string write_version(std::string_view version) {
    std::string out;
    json::Writer(out).begin_object().key("version").string(version).end_object();
    return out;
}

Result<std::string> read_show(std::string_view body) {
    if (const auto wrong = json::find_error(body)) {
        return fail(Errc::bad_request, "the body is not valid JSON: " + *wrong);
    }
    constexpr std::array<std::string_view, 2> kNames = {"model", "name"};
    auto name = text_in(json::as_value(body), kNames);
    if (!name) {
        Error error(Errc::bad_request, "model is required");
        error.param = "model";
        return std::unexpected(std::move(error));
    }
    return *std::move(name);
}

std::string write_show(const Model& model) {
    const std::string family = model.family.empty() ? "unknown" : model.family;
    std::string out;
    json::Writer json(out);
    json.begin_object().key("modelfile").string("").key("parameters").string("");
    json.key("template").string("").key("license").string("");
    write_details(json, model);
    json.key("model_info").begin_object().key("general.architecture").string(family);
    if (model.context_length != 0) {
        json.key(family + ".context_length").number(model.context_length);
    }
    json.end_object().key("capabilities").begin_array();
    for (const std::string& capability : model.capabilities) json.string(capability);
    json.end_array().key("modified_at").string(time_text(model.modified_at)).end_object();
    return out;
}

std::string_view without_latest(std::string_view name) noexcept {
    constexpr std::string_view kLatest = ":latest";
    if (name.size() > kLatest.size() && name.ends_with(kLatest)) {
        name.remove_suffix(kLatest.size());
    }
    return name;
}

std::string write_error(const Error& error) {
    std::string out;
    json::Writer(out).begin_object().key("error").string(error.message).end_object();
    return out;
}

}  // namespace sluice::dialect::ollama
