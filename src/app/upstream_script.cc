#include "app/upstream_script.h"

#include "base/text.h"
#include "json/reader.h"
#include "upstream/embedded/wire.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <span>
#include <utility>

namespace sluice::app {
namespace {

using json::Kind;
using json::Value;
using std::chrono::milliseconds;
using upstream::embedded::WireScript;

constexpr std::uint64_t kMaxWait = 3'600'000;

/// The members of a rule's reply, as they were read.
struct ReplyText {
    std::uint64_t status = 200;
    std::string headers;
    bool has_content_type = false;
    std::optional<std::string> body;
    std::optional<std::vector<std::string>> events;
    std::optional<std::string> raw;
    bool done = true;
    std::string then;
    milliseconds delay{0};
    milliseconds interval{0};
    std::size_t split = 0;
};

std::unexpected<Error> wrong(std::string_view key, std::string_view expected) {
    return fail(Errc::bad_request, "'" + std::string(key) + "' must be " + std::string(expected));
}

Result<std::string> read_text(std::string_view key, const Value& value) {
    auto text = json::to_string(value);
    if (!text) return wrong(key, "a string");
    return std::move(*text);
}

Result<std::uint64_t> read_number(std::string_view key, const Value& value, std::uint64_t max) {
    const auto number = json::to_uint64(value);
    if (!number || *number > max) return wrong(key, "a number up to " + std::to_string(max));
    return *number;
}

Result<void> read_headers(const Value& value, ReplyText& reply) {
    if (!value.is(Kind::object)) return wrong("headers", "an object");
    json::Reader reader(value.raw);
    while (reader.next()) {
        const auto text = read_text("headers", reader.value());
        if (!text) return std::unexpected(text.error());
        reply.headers.append(reader.raw_key()).append(": ").append(*text).append("\r\n");
        reply.has_content_type |= iequals(reader.raw_key(), "content-type");
    }
    return {};
}

/// A string is sent as it is, anything else as the data of one event.
Result<void> read_events(const Value& value, ReplyText& reply) {
    if (!value.is(Kind::array)) return wrong("events", "a list");
    reply.events.emplace();
    json::Reader reader(value.raw);
    while (reader.next()) {
        auto text = json::to_string(reader.value());
        reply.events->push_back(text ? std::move(*text)
                                     : "data: " + std::string(reader.value().raw) + "\n\n");
    }
    return {};
}

/// Each line of the file is the data of one event.
Result<void> read_chunks(std::string_view text, ReplyText& reply) {
    reply.events.emplace();
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        std::string_view line = text.substr(0, end);
        if (line.ends_with('\r')) line.remove_suffix(1);
        text.remove_prefix(std::min(end + 1, text.size()));
        const bool is_event = line.starts_with("data:");
        if (line.empty()) continue;
        reply.events->push_back((is_event ? "" : "data: ") + std::string(line) + "\n\n");
    }
    return {};
}

template <class T>
Result<void> store(Result<T> read, auto& where) {
    if (!read) return std::unexpected(std::move(read.error()));
    where = std::move(*read);
    return {};
}

Result<void> read_milliseconds(std::string_view key, const Value& value, milliseconds& where) {
    const auto number = read_number(key, value, kMaxWait);
    if (!number) return std::unexpected(number.error());
    where = milliseconds(*number);
    return {};
}

Result<std::string> read_named_file(std::string_view key, const Value& value,
                                    const UpstreamScript::ReadFile& read_file) {
    auto name = read_text(key, value);
    if (!name) return name;
    return read_file(*name);
}

Result<void> read_content(std::string_view key, const Value& value,
                          const UpstreamScript::ReadFile& read_file, ReplyText& reply) {
    if (key == "body") {
        reply.body = json::to_string(value).value_or(std::string(value.raw));
        return {};
    }
    if (key == "body_file") return store(read_named_file(key, value, read_file), reply.body);
    if (key == "events") return read_events(value, reply);
    if (key == "raw") return store(read_text(key, value), reply.raw);
    if (key != "chunks_file") {
        return fail(Errc::bad_request, "'" + std::string(key) + "' is not known in a reply");
    }
    const auto text = read_named_file(key, value, read_file);
    if (!text) return std::unexpected(text.error());
    return read_chunks(*text, reply);
}

Result<void> read_reply_member(std::string_view key, const Value& value,
                               const UpstreamScript::ReadFile& read_file, ReplyText& reply) {
    if (key == "status") return store(read_number(key, value, 999), reply.status);
    if (key == "headers") return read_headers(value, reply);
    if (key == "then") return store(read_text(key, value), reply.then);
    if (key == "delay_ms") return read_milliseconds(key, value, reply.delay);
    if (key == "interval_ms") return read_milliseconds(key, value, reply.interval);
    if (key == "split") return store(read_number(key, value, UINT32_MAX), reply.split);
    if (key == "done") {
        if (!value.is(Kind::boolean)) return wrong(key, "true or false");
        reply.done = value.is_true();
        return {};
    }
    return read_content(key, value, read_file, reply);
}

std::string head_of(const ReplyText& reply, std::string_view type) {
    std::string head = "HTTP/1.1 " + std::to_string(reply.status) + " Scripted\r\n";
    if (!reply.has_content_type) head.append("content-type: ").append(type).append("\r\n");
    return head.append(reply.headers);
}

/// A stream that ends in order gets its last chunk.
WireScript stream_of(const ReplyText& reply, std::span<const std::string> events) {
    using upstream::embedded::send_times;
    WireScript wire;
    wire.push_back(
        send_times(head_of(reply, "text/event-stream") + "transfer-encoding: chunked\r\n\r\n", 1,
                   reply.delay));
    for (const std::string& event : events) {
        const bool first = wire.size() == 1;
        wire.push_back(send_times(upstream::embedded::chunk(event), 1,
                                  first ? milliseconds(0) : reply.interval));
    }
    if (reply.done) {
        wire.push_back(send_times(upstream::embedded::chunk(upstream::embedded::kDoneEvent), 1,
                                  reply.interval));
    }
    if (reply.then.empty()) wire.push_back(upstream::embedded::send("0\r\n\r\n"));
    return wire;
}

Result<ScriptedReply> write_wire(const ReplyText& text) {
    using upstream::embedded::send_times;
    ScriptedReply reply;
    reply.split = text.split;
    if (text.raw) {
        reply.wire.push_back(send_times(*text.raw, 1, text.delay));
    } else if (text.events) {
        reply.wire = stream_of(text, *text.events);
    } else {
        const std::string body = text.body.value_or("");
        reply.wire.push_back(send_times(head_of(text, "application/json") + "content-length: " +
                                            std::to_string(body.size()) + "\r\n\r\n" + body,
                                        1, text.delay));
    }
    if (text.then.empty()) return reply;
    auto last = last_step(text.then);
    if (!last) return wrong("then", "close, reset, half_close or hang");
    reply.wire.push_back(std::move(*last));
    return reply;
}

Result<ScriptedReply> parse_reply(const Value& value, const UpstreamScript::ReadFile& read_file) {
    if (!value.is(Kind::object)) return wrong("reply", "an object");
    ReplyText reply;
    json::Reader reader(value.raw);
    while (reader.next()) {
        if (auto ok = read_reply_member(reader.raw_key(), reader.value(), read_file, reply); !ok) {
            return std::unexpected(std::move(ok.error()));
        }
    }
    return write_wire(reply);
}

}  // namespace

Result<void> UpstreamScript::parse_match(const Value& value, Rule& rule) {
    json::Reader match(value);
    while (match.next()) {
        std::string* where = nullptr;
        if (match.key_is("model")) where = &rule.model;
        if (match.key_is("path")) where = &rule.path;
        if (match.key_is("contains")) where = &rule.contains;
        if (where != nullptr) {
            auto done = store(read_text(match.raw_key(), match.value()), *where);
            if (!done) return done;
            continue;
        }
        const auto known = rule.conversation.read(match.raw_key(), match.value());
        if (!known) return std::unexpected(known.error());
        if (!*known) {
            return fail(Errc::bad_request,
                        "'" + std::string(match.raw_key()) + "' is not known in a match");
        }
    }
    return {};
}

Result<UpstreamScript::Rule> UpstreamScript::parse_rule(std::string_view text,
                                                        const ReadFile& read_file) {
    Rule rule;
    bool has_reply = false;
    json::Reader reader(text);
    if (reader.kind() != Kind::object) return fail(Errc::bad_request, "a rule must be an object");
    while (reader.next()) {
        Result<void> ok;
        if (reader.key_is("reply") || reader.key_is("turn")) {
            if (has_reply) return fail(Errc::bad_request, "the rule has two replies");
            ok = reader.key_is("turn") ? store(parse_turn(reader.value()), rule.reply.turn)
                                       : store(parse_reply(reader.value(), read_file), rule.reply);
            has_reply = true;
        } else if (reader.key_is("times")) {
            ok = store(read_number("times", reader.value(), UINT64_MAX), rule.times);
        } else if (reader.key_is("match") && reader.value().is(Kind::object)) {
            ok = parse_match(reader.value(), rule);
        } else {
            ok = fail(Errc::bad_request,
                      "'" + std::string(reader.raw_key()) + "' is not known in a rule");
        }
        if (!ok) return std::unexpected(std::move(ok.error()));
    }
    if (!has_reply) return fail(Errc::bad_request, "the rule has no reply and no turn");
    return rule;
}

Result<UpstreamScript> UpstreamScript::parse(std::string_view text, const ReadFile& read_file) {
    if (const auto error = json::find_error(text)) return fail(Errc::bad_request, *error);
    const auto list = json::find(json::as_value(text), "rules");
    if (!list || !list->is(Kind::array)) return wrong("rules", "a list");
    UpstreamScript script;
    json::Reader reader(list->raw);
    while (reader.next()) {
        auto rule = parse_rule(reader.value().raw, read_file);
        if (!rule) {
            return fail(Errc::bad_request, "rule " + std::to_string(script.rules_.size() + 1) +
                                               ": " + rule.error().message);
        }
        script.rules_.push_back(std::move(*rule));
    }
    return script;
}

const ScriptedReply* UpstreamScript::answer(std::string_view path, std::string_view model,
                                            std::string_view body,
                                            const DeepSeekRequest* conversation) {
    for (Rule& rule : rules_) {
        const bool fits = (rule.model.empty() || glob_match(rule.model, model)) &&
                          (rule.path.empty() || glob_match(rule.path, path)) &&
                          body.contains(rule.contains) &&
                          (!rule.reads_conversation() ||
                           (conversation != nullptr && rule.conversation.fits(*conversation)));
        if (!fits || rule.times == 0) continue;
        --rule.times;
        return &rule.reply;
    }
    return nullptr;
}

bool UpstreamScript::reads_conversations() const {
    return std::ranges::any_of(rules_, &Rule::reads_conversation);
}

}  // namespace sluice::app
