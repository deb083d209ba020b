#include "json/reader.h"
#include "upstream/embedded/request.h"
#include "upstream/embedded/token_text.h"

namespace sluice::upstream::embedded {
namespace {

using json::Kind;
using json::Value;

std::unexpected<Error> refuse(std::string_view param, std::string message) {
    Error error(Errc::bad_request, std::move(message));
    error.param = param;
    return std::unexpected(std::move(error));
}

/// A text, a list with one text, or a list of tokens, which are shown as they stand.
Result<std::string> read_prompt(const Value& value) {
    if (auto text = json::to_string(value)) return std::move(*text);
    if (!value.is(Kind::array)) return refuse("prompt", "'prompt' must be a string or a list");
    json::Reader reader(value);
    if (!reader.next()) return refuse("prompt", "'prompt' must not be empty");
    if (reader.value().is(Kind::number)) return std::string(value.raw);
    auto text = json::to_string(reader.value());
    if (!text || reader.next()) {
        return refuse("prompt", "the embedded models take one prompt, as text or as tokens");
    }
    return std::move(*text);
}

Result<void> read_text_member(const json::Reader& reader, Request& request) {
    const Value& value = reader.value();
    if (reader.key_is("model")) {
        request.model = json::to_string(value).value_or("");
    } else if (reader.key_is("prompt")) {
        auto prompt = read_prompt(value);
        if (!prompt) return std::unexpected(std::move(prompt.error()));
        request.last_text = std::move(*prompt);
        request.messages = 1;
    } else if (reader.key_is("stream")) {
        request.stream = value.is_true();
    } else if (reader.key_is("stream_options")) {
        const auto usage = json::find(value, "include_usage");
        request.include_usage = usage && usage->is_true();
    } else if (reader.key_is("max_tokens") && !value.is(Kind::null)) {
        request.max_tokens = json::to_uint64(value);
        if (request.max_tokens.value_or(0) == 0) {
            return refuse("max_tokens", "'max_tokens' must be a number of at least 1");
        }
    } else if ((reader.key_is("n") || reader.key_is("best_of")) && !value.is(Kind::null) &&
               json::to_uint64(value) != 1) {
        return refuse("n", "the embedded models give one choice");
    } else if (reader.key_is("sluice_tokens_per_second")) {
        auto rate = read_rate(value);
        if (!rate) return std::unexpected(std::move(rate.error()));
        request.tokens_per_second = *rate;
    }
    return {};
}

}  // namespace

Result<Request> read_text_request(std::string_view body) {
    Request request;
    json::Reader reader(body);
    while (reader.next()) {
        if (auto ok = read_text_member(reader, request); !ok) {
            return std::unexpected(std::move(ok.error()));
        }
    }
    if (reader.failed() || reader.kind() != Kind::object) {
        return fail(Errc::bad_request, "the body is not a JSON object: " + reader.failure());
    }
    if (request.model.empty()) return refuse("model", "'model' is missing");
    if (request.messages == 0) return refuse("prompt", "'prompt' is missing");
    request.last_role = "user";
    request.last_user_text = request.last_text;
    request.roles.emplace_back("user", 1);
    request.text_bytes = request.last_text.size();
    request.prompt_tokens = estimate_tokens(request.text_bytes);
    return request;
}

}  // namespace sluice::upstream::embedded
