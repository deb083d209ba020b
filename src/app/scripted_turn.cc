#include "app/scripted_turn.h"

#include "upstream/embedded/wire.h"

#include <utility>

namespace sluice::app {
namespace {

using json::Kind;
using json::Value;
using std::chrono::milliseconds;
using upstream::embedded::WireStep;

constexpr std::uint64_t kMostMilliseconds = 3'600'000;
constexpr std::uint64_t kMostEvents = 1'000'000;

std::unexpected<Error> wrong(std::string_view key, std::string_view expected) {
    return fail(Errc::bad_request, "'" + std::string(key) + "' must be " + std::string(expected));
}

Result<void> read_text(std::string_view key, const Value& value, std::string& out) {
    auto text = json::to_string(value);
    if (!text) return wrong(key, "a string");
    out = *std::move(text);
    return {};
}

Result<std::uint64_t> read_count(std::string_view key, const Value& value, std::uint64_t most) {
    const auto number = json::to_uint64(value);
    if (number && *number <= most) return *number;
    return wrong(key, "a number up to " + std::to_string(most));
}

Result<void> read_wait(std::string_view key, const Value& value, milliseconds& out) {
    const auto number = read_count(key, value, kMostMilliseconds);
    if (!number) return std::unexpected(number.error());
    out = milliseconds(*number);
    return {};
}

Result<ScriptedCall> parse_call(const Value& value) {
    const auto name = json::find(value, "name");
    if (!name) return wrong("tool_calls", "a list of {name, arguments}");
    ScriptedCall call;
    auto done = read_text("name", *name, call.name);
    if (const auto id = json::find(value, "id"); id && done) done = read_text("id", *id, call.id);
    if (!done) return std::unexpected(done.error());
    const auto arguments = json::find(value, "arguments");
    if (!arguments) return call;
    call.arguments = json::to_string(*arguments).value_or(std::string(arguments->raw));
    return call;
}

Result<void> read_calls(const Value& value, ScriptedTurn& turn) {
    if (!value.is(Kind::array)) return wrong("tool_calls", "a list");
    json::Reader calls(value);
    while (calls.next()) {
        auto call = parse_call(calls.value());
        if (!call) return std::unexpected(call.error());
        turn.calls.push_back(*std::move(call));
    }
    return {};
}

Result<void> read_error(const Value& value, ScriptedTurn& turn) {
    constexpr std::uint64_t kHighest = 599;
    const auto status = json::find(value, "status");
    const auto message = json::find(value, "message");
    if (!status || !message) return wrong("error", "{status, message}");
    const auto number = read_count("status", *status, kHighest);
    if (!number) return std::unexpected(number.error());
    turn.status = *number;
    return read_text("message", *message, turn.message);
}

Result<void> read_cut(std::string_view key, const Value& value, ScriptedTurn& turn) {
    if (key == "cut_after") {
        const auto events = read_count(key, value, kMostEvents);
        if (!events) return std::unexpected(events.error());
        turn.cut_after = *events;
        return {};
    }
    auto step = last_step(json::to_string(value).value_or(""));
    if (!step) return wrong("then", "close, reset, half_close or hang");
    turn.cut = *std::move(step);
    return {};
}

Result<void> read_member(std::string_view key, const Value& value, ScriptedTurn& turn) {
    if (key == "reasoning") return read_text(key, value, turn.reasoning);
    if (key == "content") return read_text(key, value, turn.content);
    if (key == "finish_reason") return read_text(key, value, turn.finish_reason);
    if (key == "tool_calls") return read_calls(value, turn);
    if (key == "error") return read_error(value, turn);
    if (key == "cut_after" || key == "then") return read_cut(key, value, turn);
    if (key == "delay_ms") return read_wait(key, value, turn.delay);
    if (key == "interval_ms") return read_wait(key, value, turn.interval);
    if (key != "keep_alives") {
        return fail(Errc::bad_request, "'" + std::string(key) + "' is not known in a turn");
    }
    const auto count = read_count(key, value, kMostEvents);
    if (!count) return std::unexpected(count.error());
    turn.keep_alives = *count;
    return {};
}

}  // namespace

std::optional<WireStep> last_step(std::string_view word) {
    using upstream::embedded::act;
    if (word == "close") return upstream::embedded::close_now();
    if (word == "reset") return act(WireStep::Act::reset, milliseconds(50));
    if (word == "half_close") return act(WireStep::Act::half_close);
    if (word == "hang") return upstream::embedded::hang_now();
    return std::nullopt;
}

Result<ScriptedTurn> parse_turn(const Value& value) {
    if (!value.is(Kind::object)) return wrong("turn", "an object");
    ScriptedTurn turn;
    turn.cut = upstream::embedded::close_now();
    json::Reader reader(value);
    while (reader.next()) {
        if (auto done = read_member(reader.raw_key(), reader.value(), turn); !done) {
            return std::unexpected(done.error());
        }
    }
    if (json::find(value, "then") && !turn.cut_after) turn.cut_after = SIZE_MAX;
    return turn;
}

}  // namespace sluice::app
