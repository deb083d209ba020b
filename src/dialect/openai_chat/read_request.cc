#include "dialect/openai_chat/read_request.h"

#include "dialect/openai_chat/read_messages.h"
#include "dialect/openai_chat/read_tools.h"
#include "dialect/request.h"
#include "dialect/walk.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string>
#include <utility>

namespace sluice::dialect::openai_chat {
namespace {

/// One reading of a body, which hands each member to the function that stands for its name.
class RequestReader {
public:
    RequestReader(std::string_view body, Shape shape) : reader_(body), shape_(shape) {}

    Result<chat::Request> read() {
        while (reader_.next()) {
            if (reader_.value().is(json::Kind::null)) continue;
            if (auto ok = take(); !ok) return std::unexpected(std::move(ok.error()));
        }
        if (reader_.failed()) {
            return fail(Errc::bad_request, "the body is not valid JSON: " + reader_.failure());
        }
        if (auto ok = finish(); !ok) return std::unexpected(std::move(ok.error()));
        return std::move(request_);
    }

private:
    using Take = Result<void> (RequestReader::*)(const json::Value&);
    struct Entry {
        constexpr Entry(std::string_view n, Take t, bool chat, bool text) noexcept
            : name(n),
              take(t),
              of_chat(chat),
              of_text(text) {}

        std::string_view name;
        Take take;
        bool of_chat;
        bool of_text;
    };

    [[nodiscard]] const Entry* find_entry() const {
        static constexpr std::array<Entry, 28> kEntries{{
            {"model", &RequestReader::take_model, true, true},
            {"messages", &RequestReader::take_messages, true, false},
            {"tools", &RequestReader::take_tools, true, false},
            {"functions", &RequestReader::take_functions, true, false},
            {"tool_choice", &RequestReader::take_tool_choice, true, false},
            {"function_call", &RequestReader::take_function_call, true, false},
            {"parallel_tool_calls", &RequestReader::take_parallel_tool_calls, true, false},
            {"max_tokens", &RequestReader::take_max_tokens, true, true},
            {"max_completion_tokens", &RequestReader::take_max_completion_tokens, true, false},
            {"stop", &RequestReader::take_stop, true, true},
            {"temperature", &RequestReader::take_temperature, true, true},
            {"top_p", &RequestReader::take_top_p, true, true},
            {"top_k", &RequestReader::take_top_k, true, true},
            {"reasoning_effort", &RequestReader::take_effort, true, true},
            {"thinking", &RequestReader::take_thinking, true, true},
            {"response_format", &RequestReader::take_response_format, true, false},
            {"user", &RequestReader::take_user, true, true},
            {"safety_identifier", &RequestReader::take_safety_identifier, true, true},
            {"user_id", &RequestReader::take_user_id, true, true},
            {"service_tier", &RequestReader::take_service_tier, true, true},
            {"n", &RequestReader::take_n, true, true},
            {"stream", &RequestReader::take_stream, true, true},
            {"stream_options", &RequestReader::take_stream_options, true, true},
            {"prompt", &RequestReader::take_prompt, false, true},
            {"suffix", &RequestReader::take_suffix, false, true},
            {"echo", &RequestReader::take_echo, false, true},
            {"best_of", &RequestReader::take_best_of, false, true},
            {"logprobs", &RequestReader::take_logprobs, false, true},
        }};
        const auto* const found = std::ranges::find_if(kEntries, [this](const Entry& entry) {
            return (shape_ == Shape::chat ? entry.of_chat : entry.of_text) &&
                   reader_.key_is(entry.name);
        });
        return found == kEntries.end() ? nullptr : found;
    }

    Result<void> take() {
        const Entry* const entry = find_entry();
        if (entry == nullptr) {
            keep();
            return {};
        }
        name_ = entry->name;
        return (this->*entry->take)(reader_.value());
    }

    /// What waits for other members.
    Result<void> finish() {
        if (!tool_choice_.raw.empty()) {
            if (auto ok = read_tool_choice(tool_choice_, false, request_); !ok) return ok;
        } else if (!function_call_.raw.empty()) {
            if (auto ok = read_tool_choice(function_call_, true, request_); !ok) return ok;
        }
        request_.max_output_tokens =
            max_completion_tokens_ ? max_completion_tokens_ : std::exchange(max_tokens_, {});
        for (std::string* const user : {&user_, &safety_identifier_, &user_id_}) {
            if (request_.user.empty()) request_.user = std::move(*user);
        }
        return {};
    }

    void keep() {
        const json::Value key{.raw = {reader_.raw_key().data() - 1, reader_.raw_key().size() + 2},
                              .kind = json::Kind::string};
        request_.others.push_back(
            {.name = json::to_string(key).value_or(""), .json = std::string(reader_.value().raw)});
    }

    [[nodiscard]] std::unexpected<Error> refuse_as(std::string_view expected) const {
        return refuse_type(name_, expected);
    }

    Result<void> read_text(const json::Value& value, std::string& out) {
        auto text = json::to_string(value);
        if (!text) return refuse_as("a string");
        out = *std::move(text);
        return {};
    }

    Result<void> read_bool(const json::Value& value, bool& out) {
        if (!value.is(json::Kind::boolean)) return refuse_as("true or false");
        out = value.is_true();
        return {};
    }

    Result<void> read_number(const json::Value& value, std::string& out) {
        if (!value.is(json::Kind::number)) return refuse_as("a number");
        out = value.raw;
        return {};
    }

    /// Also 1e3 and 1000.0, as some clients write it; a negative number, theirs for no limit, is
    /// none.
    Result<void> read_count(const json::Value& value, std::optional<std::uint64_t>& out) {
        constexpr double kMost = 1e15;
        if (!value.is(json::Kind::number)) return refuse_as("an integer");
        out = json::to_uint64(value);
        if (out || value.raw.starts_with('-')) return {};
        double number = kMost + 1;
        std::from_chars(value.raw.data(), value.raw.data() + value.raw.size(), number);
        if (number > kMost) return refuse_as("an integer");
        const auto whole = static_cast<std::uint64_t>(number);
        if (static_cast<double>(whole) != number) return refuse_as("an integer");
        out = whole;
        return {};
    }

    Result<void> take_model(const json::Value& value) {
        auto model = read_model(value);
        if (!model) return std::unexpected(std::move(model.error()));
        request_.model = *std::move(model);
        return {};
    }
    Result<void> take_messages(const json::Value& value) { return read_messages(value, request_); }
    Result<void> take_tools(const json::Value& value) { return read_tools(value, false, request_); }
    Result<void> take_functions(const json::Value& value) {
        return read_tools(value, true, request_);
    }
    Result<void> take_tool_choice(const json::Value& value) {
        tool_choice_ = value;
        return {};
    }
    Result<void> take_function_call(const json::Value& value) {
        function_call_ = value;
        return {};
    }
    Result<void> take_parallel_tool_calls(const json::Value& value) {
        return read_bool(value, request_.parallel_tool_calls.emplace());
    }
    Result<void> take_max_tokens(const json::Value& value) {
        return read_count(value, max_tokens_);
    }
    Result<void> take_max_completion_tokens(const json::Value& value) {
        return read_count(value, max_completion_tokens_);
    }
    Result<void> take_temperature(const json::Value& value) {
        return read_number(value, request_.temperature);
    }
    Result<void> take_top_p(const json::Value& value) { return read_number(value, request_.top_p); }
    Result<void> take_top_k(const json::Value& value) { return read_number(value, request_.top_k); }
    Result<void> take_user(const json::Value& value) { return read_text(value, user_); }
    Result<void> take_safety_identifier(const json::Value& value) {
        return read_text(value, safety_identifier_);
    }
    Result<void> take_user_id(const json::Value& value) { return read_text(value, user_id_); }
    Result<void> take_service_tier(const json::Value& value) {
        return read_text(value, request_.service_tier);
    }
    Result<void> take_stream(const json::Value& value) { return read_bool(value, request_.stream); }

    Result<void> take_stream_options(const json::Value& value) {
        if (!value.is(json::Kind::object)) return refuse_as("an object");
        const auto wanted = member_of(value, "include_usage");
        request_.include_usage = wanted && wanted->is_true();
        return {};
    }

    Result<void> take_n(const json::Value& value) {
        std::optional<std::uint64_t> count;
        if (auto ok = read_count(value, count); !ok) return ok;
        request_.choices = count.value_or(0);
        if (request_.choices == 0) return refuse_as("a positive integer");
        return {};
    }

    Result<void> take_stop(const json::Value& value) {
        if (auto text = json::to_string(value)) {
            request_.stop.push_back(*std::move(text));
            return {};
        }
        Walk walk(value.raw);
        if (!walk.enter_array()) return refuse_as("a string or a list of strings");
        while (walk.next_element()) {
            auto text = json::to_string(walk.take());
            if (!text) return refuse_as("a string or a list of strings");
            request_.stop.push_back(*std::move(text));
        }
        return {};
    }

    /// A word of a model that we do not know is its upstream's to judge.
    Result<void> take_effort(const json::Value& value) {
        const auto word = json::to_string(value);
        if (!word) return refuse_as("a string");
        request_.effort = chat::read_effort(*word);
        if (!request_.effort) keep();
        return {};
    }

    Result<void> take_thinking(const json::Value& value) {
        using Kind = chat::ThinkingMode::Kind;
        static constexpr std::array<std::pair<std::string_view, Kind>, 4> kKinds{{
            {"enabled", Kind::enabled},
            {"disabled", Kind::disabled},
            {"adaptive", Kind::adaptive},
            {"between_tools", Kind::between_tools},
        }};
        const std::string type = text_of_member(value, "type");
        for (const auto& [word, kind] : kKinds) {
            if (type == word) request_.thinking.kind = kind;
        }
        if (request_.thinking.kind == Kind::unset) {
            keep();
        } else if (const auto budget = member_of(value, "budget_tokens")) {
            request_.thinking.budget_tokens = json::to_uint64(*budget);
        }
        return {};
    }

    Result<void> take_response_format(const json::Value& value) {
        using Kind = chat::ResponseFormat::Kind;
        chat::ResponseFormat format;
        const std::string type = text_of_member(value, "type");
        if (type == "json_schema") {
            format.kind = Kind::json_schema;
            const auto schema = member_of(value, "json_schema");
            if (!schema || !schema->is(json::Kind::object)) {
                return refuse_type("response_format.json_schema", "an object");
            }
            format.name = text_of_member(*schema, "name");
            if (const auto json = member_of(*schema, "schema")) format.schema = json->raw;
            const auto strict = member_of(*schema, "strict");
            if (strict && strict->is(json::Kind::boolean)) format.strict = strict->is_true();
        } else if (type == "json_object") {
            format.kind = Kind::json_object;
        } else if (type != "text") {
            keep();
            return {};
        }
        request_.response_format = std::move(format);
        return {};
    }

    /// One string, also as the only one of a list.
    Result<void> take_prompt(const json::Value& value) {
        json::Value prompt = value;
        Walk walk(value.raw);
        if (walk.enter_array()) {
            if (!walk.next_element()) return refuse_as("a string");
            prompt = walk.take();
            if (walk.next_element()) {
                return refuse(name_, "this model answers one prompt in a request, given as text");
            }
        }
        auto text = json::to_string(prompt);
        if (!text) return refuse(name_, "this model takes prompts as text only, not as tokens");
        chat::Message& message = request_.messages.emplace_back();
        if (!text->empty()) message.parts.emplace_back(chat::Text{*std::move(text)});
        return {};
    }

    Result<void> take_suffix(const json::Value& value) {
        if (value.raw == R"("")") return {};
        return refuse(name_, "this model cannot fill in the middle: 'suffix' is not supported");
    }
    Result<void> take_echo(const json::Value& value) {
        if (!value.is_true()) return {};
        return refuse(name_, "this model cannot repeat the prompt: 'echo' is not supported");
    }
    Result<void> take_best_of(const json::Value& value) {
        if (value.raw == "1") return {};
        return refuse(name_, "this model gives what it writes first: 'best_of' is not supported");
    }
    /// Of a text's tokens; a chat's are asked for in another way.
    Result<void> take_logprobs(const json::Value& /*value*/) { return {}; }

    json::Reader reader_;
    Shape shape_;
    std::string_view name_;  // of the member at hand
    chat::Request request_;
    json::Value tool_choice_;
    json::Value function_call_;
    std::optional<std::uint64_t> max_tokens_;
    std::optional<std::uint64_t> max_completion_tokens_;
    std::string user_;
    std::string safety_identifier_;
    std::string user_id_;
};

}  // namespace

Result<chat::Request> read_request(std::string_view body, Shape shape) {
    return RequestReader(body, shape).read();
}

}  // namespace sluice::dialect::openai_chat
