#include "upstream/embedded/embeddings.h"

#include "dialect/openai_chat/errors.h"
#include "json/reader.h"
#include "json/writer.h"

#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <string>
#include <utility>

namespace sluice::upstream::embedded {
namespace {

using json::Kind;
using json::Value;

constexpr std::size_t kMaxNumbers = 8UL * 1024 * 1024 / 12;  // in one reply

struct Input {
    std::string text;  // of a list of tokens: the list as it stands in the request
    std::uint64_t tokens = 0;
};

struct EmbeddingsRequest {
    std::string model;
    std::vector<Input> inputs;
    std::size_t dimensions = kEmbeddingDimensions;
    bool base64 = false;
};

std::unexpected<Error> refuse(std::string_view param, std::string message) {
    Error error(Errc::bad_request, std::move(message));
    error.param = param;
    return std::unexpected(std::move(error));
}

/// splitmix64: every bit of the result depends on every bit of the state.
std::uint64_t next_random(std::uint64_t& state) {
    std::uint64_t mixed = state += 0x9E3779B97F4A7C15;
    mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9;
    mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB;
    return mixed ^ (mixed >> 31);
}

std::uint64_t fnv1a(std::string_view text) {
    std::uint64_t hash = 0xCBF29CE484222325;
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3;
    return hash;
}

bool is_token_list(const Value& value) {
    json::Reader reader(value);
    return value.is(Kind::array) && reader.next() && reader.value().is(Kind::number);
}

Result<Input> read_one_input(const Value& value) {
    Input input;
    if (value.is(Kind::string)) {
        input.text = json::to_string(value).value_or("");
        input.tokens = estimate_tokens(input.text.size());
        if (input.text.empty()) return refuse("input", "'input' must not be empty");
        return input;
    }
    if (!is_token_list(value)) {
        return refuse("input", "'input' must be a string, a list of tokens, or a list of either");
    }
    json::Reader reader(value);
    while (reader.next()) {
        if (!json::to_uint64(reader.value())) return refuse("input", "tokens must be integers");
        input.text.append(reader.value().raw).push_back(' ');
        ++input.tokens;
    }
    return input;
}

Result<void> read_inputs(const Value& value, EmbeddingsRequest& request) {
    if (!value.is(Kind::array) || is_token_list(value)) {
        auto input = read_one_input(value);
        if (!input) return std::unexpected(std::move(input.error()));
        request.inputs.push_back(std::move(*input));
        return {};
    }
    json::Reader reader(value);
    while (reader.next()) {
        if (request.inputs.size() == kMaxEmbeddingInputs) {
            return refuse("input", "'input' has too many elements");
        }
        auto input = read_one_input(reader.value());
        if (!input) return std::unexpected(std::move(input.error()));
        request.inputs.push_back(std::move(*input));
    }
    return {};
}

Result<void> read_member(const json::Reader& reader, EmbeddingsRequest& request) {
    const Value& value = reader.value();
    if (reader.key_is("model")) {
        request.model = json::to_string(value).value_or("");
    } else if (reader.key_is("input")) {
        return read_inputs(value, request);
    } else if (reader.key_is("dimensions") && !value.is(Kind::null)) {
        const auto dimensions = json::to_uint64(value);
        if (!dimensions || *dimensions < 1 || *dimensions > kMaxEmbeddingDimensions) {
            return refuse("dimensions", "'dimensions' must be a number from 1 to 4096");
        }
        request.dimensions = static_cast<std::size_t>(*dimensions);
    } else if (reader.key_is("encoding_format") && !value.is(Kind::null)) {
        const auto format = json::to_string(value);
        if (format != "float" && format != "base64") {
            return refuse("encoding_format", "'encoding_format' must be float or base64");
        }
        request.base64 = format == "base64";
    }
    return {};
}

Result<EmbeddingsRequest> read_embeddings_request(std::string_view body) {
    EmbeddingsRequest request;
    json::Reader reader(body);
    while (reader.next()) {
        if (auto ok = read_member(reader, request); !ok) {
            return std::unexpected(std::move(ok.error()));
        }
    }
    if (reader.failed() || reader.kind() != Kind::object) {
        return fail(Errc::bad_request, "the body is not a JSON object: " + reader.failure());
    }
    if (request.model.empty()) return refuse("model", "'model' is missing");
    if (request.inputs.empty()) return refuse("input", "'input' is missing or empty");
    if (request.inputs.size() * request.dimensions > kMaxNumbers) {
        return refuse("input", "so many inputs have no room in one reply");
    }
    return request;
}

std::string base64_of(std::span<const float> vector) {
    static constexpr std::string_view kAlphabet =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string bytes;
    for (const float number : vector) {
        const auto bits = std::bit_cast<std::uint32_t>(number);
        for (int shift = 0; shift < 32; shift += 8) {
            bytes.push_back(static_cast<char>(bits >> shift & 0xFF));
        }
    }
    std::string text;
    for (std::size_t at = 0; at < bytes.size(); at += 3) {
        std::uint32_t three = 0;
        for (std::size_t i = 0; i < 3; ++i) {
            const char byte = at + i < bytes.size() ? bytes[at + i] : '\0';
            three = three << 8 | static_cast<unsigned char>(byte);
        }
        for (std::size_t i = 0; i < 4; ++i) {
            const bool there = at + i <= bytes.size();
            text.push_back(there ? kAlphabet[three >> (18 - 6 * i) & 63] : '=');
        }
    }
    return text;
}

void write_vector(json::Writer& json, std::span<const float> vector) {
    json.begin_array();
    std::array<char, 32> digits;  // NOLINT(cppcoreguidelines-pro-type-member-init)
    for (const float number : vector) {
        const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
        json.raw({digits.data(), static_cast<std::size_t>(end - digits.data())});
    }
    json.end_array();
}

std::string write_reply(const EmbeddingsRequest& request) {
    std::string out;
    json::Writer json(out);
    std::uint64_t tokens = 0;
    json.begin_object().key("object").string("list").key("data").begin_array();
    for (std::size_t i = 0; i < request.inputs.size(); ++i) {
        const auto vector = embedding_of(request.inputs[i].text, request.dimensions);
        tokens += request.inputs[i].tokens;
        json.begin_object().key("object").string("embedding").key("index").number(i);
        json.key("embedding");
        if (request.base64) {
            json.string(base64_of(vector));
        } else {
            write_vector(json, vector);
        }
        json.end_object();
    }
    json.end_array().key("model").string(request.model).key("usage").begin_object();
    json.key("prompt_tokens").number(tokens).key("total_tokens").number(tokens);
    json.end_object().end_object();
    return out;
}

}  // namespace

std::vector<float> embedding_of(std::string_view input, std::size_t dimensions) {
    std::uint64_t state = fnv1a(input);
    std::vector<double> numbers(dimensions);
    double squares = 0;
    for (double& number : numbers) {
        constexpr double kScale = 0x1p-52;  // 53 bits make a number from -1 to 1
        number = static_cast<double>(next_random(state) >> 11) * kScale - 1;
        squares += number * number;
    }
    const double length = std::sqrt(squares);
    std::vector<float> vector;
    vector.reserve(dimensions);
    for (const double number : numbers) {
        vector.push_back(length > 0 ? static_cast<float>(number / length) : 1.0F);
    }
    return vector;
}

Reply respond_with_embeddings(std::string_view body) {
    const auto request = read_embeddings_request(body);
    if (request) return whole_reply(200, write_reply(*request));
    return whole_reply(http_status(request.error().code),
                       dialect::openai_chat::write_error(request.error()));
}

}  // namespace sluice::upstream::embedded
