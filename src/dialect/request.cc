#include "dialect/request.h"

#include <utility>

namespace sluice::dialect {

std::unexpected<Error> refuse(std::string_view param, std::string message) {
    Error error(Errc::bad_request, std::move(message));
    error.param = param;
    return std::unexpected(std::move(error));
}

std::unexpected<Error> refuse_type(std::string_view param, std::string_view expected) {
    return refuse(param, "'" + std::string(param) + "' must be " + std::string(expected));
}

std::unexpected<Error> refuse_duplicate(std::string_view param) {
    return refuse(param, "'" + std::string(param) + "' is given more than once");
}

Result<std::size_t> find_object(std::string_view body) {
    const std::size_t brace = body.find_first_not_of(" \t\r\n");
    if (brace == std::string_view::npos) return fail(Errc::bad_request, "the body is empty");
    if (body[brace] == '{') return brace;
    const auto wrong = json::find_error(body);
    return fail(Errc::bad_request,
                wrong ? "the body is not valid JSON: " + *wrong : "the body must be a JSON object");
}

Result<std::string> read_model(const json::Value& value) {
    auto model = json::to_string(value);
    if (!model) return refuse_type("model", "a string");
    if (model->empty()) return refuse("model", "you must provide a model parameter");
    return *std::move(model);
}

}  // namespace sluice::dialect
