#include "dialect/anthropic_messages/place.h"

#include "dialect/request.h"

#include <utility>

namespace sluice::dialect::anthropic_messages {
namespace {

constexpr std::string_view kRequired = "Field required";

}  // namespace

std::string Place::path() const {
    std::string path = outer_ == nullptr ? std::string() : outer_->path() + ".";
    return path.append(name_.empty() ? std::to_string(index_) : std::string(name_));
}

std::unexpected<Error> Place::refuse(std::string_view fault) const {
    const std::string where = path();
    return dialect::refuse(where, std::string(where).append(": ").append(fault));
}

Result<std::string> read_required_string(const json::Value& value, const Place& place) {
    if (value.raw.empty()) return place.refuse(kRequired);
    auto text = json::to_string(value);
    if (!text) return place.refuse("Input should be a valid string");
    return *std::move(text);
}

Result<std::string> read_string(const json::Value& value, const Place& place) {
    if (value.is(json::Kind::null)) return std::string();
    return read_required_string(value, place);
}

Result<bool> read_bool(const json::Value& value, const Place& place) {
    if (!value.is(json::Kind::boolean) && !value.is(json::Kind::null)) {
        return place.refuse("Input should be a valid boolean");
    }
    return value.is_true();
}

Result<void> require_object(const json::Value& value, const Place& place) {
    if (value.raw.empty()) return place.refuse(kRequired);
    if (!value.is(json::Kind::object)) {
        return place.refuse("Input should be a valid dictionary or object to extract fields from");
    }
    return {};
}

Result<void> require_list(const json::Value& value, const Place& place) {
    if (value.raw.empty()) return place.refuse(kRequired);
    if (!value.is(json::Kind::array)) return place.refuse("Input should be a valid list");
    return {};
}

}  // namespace sluice::dialect::anthropic_messages
