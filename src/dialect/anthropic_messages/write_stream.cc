#include "dialect/anthropic_messages/write_stream.h"

#include "dialect/anthropic_messages/arguments_scan.h"
#include "dialect/anthropic_messages/errors.h"
#include "dialect/anthropic_messages/held_events.h"
#include "dialect/anthropic_messages/reply_fields.h"
#include "json/reader.h"
#include "json/writer.h"

#include <algorithm>
#include <cstdint>
#include <utility>

namespace sluice::dialect::anthropic_messages {
namespace {

using chat::Event;

/// A reply with more tool calls is refused.
constexpr std::size_t kMaxTools = 1024;
/// More white space than this is text.
constexpr std::size_t kMaxSpace = 1024;

/// JSON that is to stand in one line: outside of strings, where no line break stands as itself.
void append_line(std::string& out, std::string_view json) {
    const std::size_t begin = out.size();
    out.append(json);
    std::replace_if(
        out.begin() + static_cast<std::ptrdiff_t>(begin), out.end(),
        [](char c) { return c == '\n' || c == '\r'; }, ' ');
}

/// Whether `text` is an object with a type; the type where it is.
std::optional<std::string> type_of(std::string_view text) {
    if (json::find_error(text)) return std::nullopt;
    const auto type = json::find(json::as_value(text), "type");
    return type ? json::to_string(*type) : std::nullopt;
}

class MessageStream final : public StreamWriter {
public:
    MessageStream(ReplyIdentity identity, std::string& out)
        : StreamWriter(out),
          identity_(std::move(identity)),
          ids_(identity_.id) {}

    void on_event(const Event& event) override {
        if (ended_) return;
        switch (event.kind) {
            case Event::Kind::start: return;
            case Event::Kind::ping: write_ping(); return;
            case Event::Kind::usage: usage_ = event.usage; return;
            case Event::Kind::finish:
                ending_.reason = event.finish;
                ending_.stop_sequence = event.text;
                return;
            case Event::Kind::error: write_failure(event); return;
            case Event::Kind::end:
                if (!failed_) write_end();
                return;
            case Event::Kind::text:
            case Event::Kind::thinking:
            case Event::Kind::signature:
            case Event::Kind::redacted_thinking:
            case Event::Kind::refusal:
            case Event::Kind::tool_start:
            case Event::Kind::tool_arguments:
            case Event::Kind::block_end:
            case Event::Kind::citation:
            case Event::Kind::native: break;
        }
        if (failed_) return;
        if (must_wait(event)) {
            failed_ = !held_.hold(event);
            return;
        }
        write(event);
        if (!held_.empty()) release();
    }

private:
    enum class Open : std::uint8_t { nothing, text, thinking, tool };

    /// A tool call is open that may still get arguments.
    [[nodiscard]] bool is_blocked() const noexcept {
        return open_ == Open::tool && !arguments_.is_whole();
    }

    [[nodiscard]] bool must_wait(const Event& event) const noexcept {
        if (!is_blocked()) return false;
        if (event.kind == Event::Kind::tool_arguments) return event.tool != open_tool_;
        return event.kind != Event::Kind::block_end || !held_.empty();
    }

    void release() {
        while (!held_.empty() && !is_blocked() && !failed_) write_held(held_.take());
    }

    void write_held(const HeldEvents::Held& held) {
        Event event{.kind = held.kind, .text = held.text, .id = held.id, .name = held.name};
        event.tool = held.tool;
        write(event);
        if (held.kind != Event::Kind::tool_start) return;
        event.kind = Event::Kind::tool_arguments;
        write(event);
        event.kind = Event::Kind::block_end;
        if (held.is_whole) write(event);
    }

    /// One of the events that are, or belong to, a block.
    void write(const Event& event) {
        switch (event.kind) {
            case Event::Kind::text: write_text(event.text); return;
            case Event::Kind::refusal:
                ending_.has_refusal = ending_.has_refusal || !event.text.empty();
                write_text(event.text);
                return;
            case Event::Kind::thinking: write_thinking(event.text); return;
            case Event::Kind::signature:
                if (event.text.empty()) return;
                if (open_ != Open::thinking) open_thinking();
                signature_ += event.text;
                return;
            case Event::Kind::redacted_thinking: write_redacted(event.text); return;
            case Event::Kind::tool_start: open_tool(event); return;
            case Event::Kind::tool_arguments:
                if (open_ == Open::tool && event.tool == open_tool_) write_arguments(event.text);
                return;
            case Event::Kind::citation: write_citation(event.text); return;
            case Event::Kind::native: write_native(event.text); return;
            case Event::Kind::block_end: close(); return;
            case Event::Kind::start:
            case Event::Kind::usage:
            case Event::Kind::finish:
            case Event::Kind::ping:
            case Event::Kind::error:
            case Event::Kind::end: return;
        }
    }

    void write_text(std::string_view text) {
        if (text.empty()) return;
        if (open_ != Open::text) {
            if (is_white_space(text) && space_.size() + text.size() <= kMaxSpace) {
                space_ += text;
                return;
            }
            open_text();
        }
        append_delta(text);
    }

    void open_text() {
        const std::string space = std::exchange(space_, {});
        begin_block();
        out_.append(R"({"type":"text","text":""}})").append("\n\n");
        prepare_deltas("text_delta", "text");
        open_ = Open::text;
        has_answer_ = true;
        if (!space.empty()) append_delta(space);
    }

    void open_thinking() {
        begin_block();
        out_.append(R"({"type":"thinking","thinking":"","signature":""}})").append("\n\n");
        prepare_deltas("thinking_delta", "thinking");
        open_ = Open::thinking;
        thinking_bytes_ = 0;
        signature_.clear();
    }

    void write_thinking(std::string_view text) {
        if (text.empty()) return;
        if (open_ != Open::thinking) open_thinking();
        space_.clear();
        append_delta(text);
        thinking_bytes_ += text.size();
    }

    void write_redacted(std::string_view data) {
        begin_block();
        out_.append(R"({"type":"redacted_thinking","data":)");
        json::append_string(out_, data);
        out_.append("}}\n\n");
        end_block();
    }

    void open_tool(const Event& event) {
        if (tools_++ == kMaxTools) {
            failed_ = true;
            return;
        }
        ending_.has_tool_calls = true;
        begin_block();
        out_.append(R"({"type":"tool_use","id":)");
        json::append_string(out_, ids_.take(event.id));
        out_.append(R"(,"name":)");
        json::append_string(out_, event.name);
        out_.append(",\"input\":{}}}\n\n");
        prepare_deltas("input_json_delta", "partial_json");
        open_ = Open::tool;
        open_tool_ = event.tool;
        arguments_ = {};
        has_arguments_ = false;
        has_answer_ = true;
    }

    /// White space in front would keep empty arguments, which mean {}, from being empty. What
    /// stands behind their end would make them no JSON, and comes too late where another call goes
    /// on.
    void write_arguments(std::string_view text) {
        if (!has_arguments_) text.remove_prefix(leading_white_space(text));
        if (text.empty()) return;
        has_arguments_ = true;
        text = text.substr(0, arguments_.feed(text));
        if (!text.empty()) append_delta(text);
    }

    /// Only Anthropic's: the clients of this dialect know no others.
    void write_citation(std::string_view json) {
        if (open_ != Open::text && open_ != Open::nothing) return;
        if (!type_of(json).value_or("").ends_with("_location")) return;
        if (open_ == Open::nothing) open_text();
        append_delta_head("citations_delta", "citation", out_);
        append_line(out_, json);
        out_.append("}}\n\n");
    }

    void write_native(std::string_view json) {
        if (!type_of(json)) return;
        begin_block();
        append_line(out_, json);
        out_.append("}\n\n");
        end_block();
        has_answer_ = true;
    }

    void begin_block() {
        close();
        start();
        space_.clear();
        out_.append(
            "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":");
        out_.append(std::to_string(blocks_)).append(",\"content_block\":");
    }

    void end_block() {
        out_.append("event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":");
        out_.append(std::to_string(blocks_++)).append("}\n\n");
    }

    void append_delta_head(std::string_view type, std::string_view member, std::string& to) const {
        to.append("event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":");
        to.append(std::to_string(blocks_)).append(R"(,"delta":{"type":")").append(type);
        to.append(R"(",")").append(member).append("\":");
    }

    /// What all deltas of the block that is open begin with.
    void prepare_deltas(std::string_view type, std::string_view member) {
        delta_head_.clear();
        append_delta_head(type, member, delta_head_);
    }

    void append_delta(std::string_view text) {
        out_.append(delta_head_);
        json::append_string(out_, text);
        out_.append("}}\n\n");
    }

    void close() {
        switch (std::exchange(open_, Open::nothing)) {
            case Open::nothing: return;
            case Open::text: break;
            case Open::thinking: write_signature(); break;
            case Open::tool:
                if (!has_arguments_) append_delta({});
                break;
        }
        end_block();
    }

    void write_signature() {
        if (signature_.empty() && identity_.sign) signature_ = identity_.sign(thinking_bytes_);
        if (signature_.empty()) return;
        append_delta_head("signature_delta", "signature", out_);
        json::append_string(out_, signature_);
        out_.append("}}\n\n");
    }

    void start() {
        if (std::exchange(started_, true)) return;
        out_.append("event: message_start\ndata: ");
        json::Writer json(out_);
        json.begin_object().key("type").string("message_start").key("message").begin_object();
        json.key("id").string(identity_.id).key("type").string("message");
        json.key("role").string("assistant").key("model").string(identity_.model);
        json.key("content").begin_array().end_array();
        json.key("stop_reason").null().key("stop_sequence").null();
        write_usage(json, usage_, identity_.input_tokens);
        json.end_object().end_object();
        out_.append("\n\n");
    }

    void write_ping() {
        out_.append(started_ ? "event: ping\ndata: {\"type\":\"ping\"}\n\n" : ": keep-alive\n\n");
    }

    void write_failure(const Event& event) {
        out_.append(write_stream_error(event.error == nullptr ? Error() : *event.error, {}));
        ended_ = true;
    }

    void write_end() {
        if (!has_answer_ && !space_.empty()) open_text();  // white space is all there is
        do {
            close();
            release();
        } while (!held_.empty() && !failed_);
        close();
        if (failed_) return;
        start();
        out_.append("event: message_delta\ndata: ");
        json::Writer json(out_);
        json.begin_object().key("type").string("message_delta").key("delta").begin_object();
        write_ending(json, ending_);
        json.end_object();
        write_usage(json, usage_, identity_.input_tokens);
        json.end_object();
        out_.append("\n\nevent: message_stop\ndata: {\"type\":\"message_stop\"}\n\n");
        ended_ = true;
    }

    ReplyIdentity identity_;
    ToolIds ids_;
    HeldEvents held_{kMaxHeld};
    ArgumentsScan arguments_;  // of the tool call that is open
    Ending ending_;
    chat::Usage usage_;
    std::string delta_head_;
    std::uint64_t thinking_bytes_ = 0;  // of the open block
    std::string signature_;             // the provider's own
    std::string space_;                 // white space that would begin a text block
    std::size_t blocks_ = 0;
    std::size_t open_tool_ = 0;
    std::size_t tools_ = 0;
    Open open_ = Open::nothing;
    bool started_ = false;
    bool ended_ = false;
    bool has_arguments_ = false;
    bool has_answer_ = false;  // text, a tool call or a native block
};

}  // namespace

std::unique_ptr<StreamWriter> make_stream_writer(ReplyIdentity identity, std::string& out) {
    return std::make_unique<MessageStream>(std::move(identity), out);
}

}  // namespace sluice::dialect::anthropic_messages
