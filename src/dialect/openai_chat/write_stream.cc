#include "dialect/openai_chat/write_stream.h"

#include "dialect/openai_chat/errors.h"
#include "dialect/openai_chat/write_reply.h"
#include "json/writer.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice::dialect::openai_chat {
namespace {

using chat::Event;

constexpr std::size_t kMaxCalls = 1024;

class ChunkWriter final : public StreamWriter {
public:
    ChunkWriter(ReplyIdentity identity, std::string& out)
        : StreamWriter(out),
          identity_(std::move(identity)) {}

    void on_event(const Event& event) override {
        if (ended_) return;
        switch (event.kind) {
            case Event::Kind::start: start(event); return;
            case Event::Kind::text: add_text("content", event.text); return;
            case Event::Kind::thinking:
                if (is_chat()) add_text("reasoning_content", event.text);
                return;
            case Event::Kind::refusal: add_text("refusal", event.text); return;
            case Event::Kind::tool_start: start_tool(event); return;
            case Event::Kind::tool_arguments: add_arguments(event.tool, event.text); return;
            case Event::Kind::block_end:
                if (open_call_) complete_arguments(*open_call_);
                open_call_.reset();
                return;
            case Event::Kind::usage: usage_ = event.usage; return;
            case Event::Kind::finish: finish_ = event.finish; return;
            case Event::Kind::ping: out_ += ": ping\n\n"; return;
            case Event::Kind::error:
                ended_ = true;
                if (event.error != nullptr) out_ += write_stream_error(*event.error);
                return;
            case Event::Kind::end: end(); return;
            case Event::Kind::signature:
            case Event::Kind::redacted_thinking:
            case Event::Kind::citation:
            case Event::Kind::native: return;
        }
    }

private:
    struct Call {
        std::string id;
        bool has_arguments = false;
    };

    [[nodiscard]] bool is_chat() const noexcept { return identity_.shape == Shape::chat; }

    void start(const Event& event) {
        if (!envelope_.empty()) return;
        if (identity_.id.empty()) identity_.id = event.id;
        if (!event.name.empty()) identity_.model = event.name;
        json::Writer json(envelope_);
        envelope_ = "data: ";
        json.begin_object().key("id").string(identity_.id).key("object");
        json.string(is_chat() ? "chat.completion.chunk" : "text_completion");
        json.key("created").number(identity_.created);
        json.key("model").string(identity_.model).key("choices");
        if (!is_chat()) return;
        open_delta();
        out_ += R"("role":"assistant","content":"")";
        close_delta();
    }

    /// An upstream's stream may lack its beginning.
    void ensure_started() {
        if (envelope_.empty()) start({});
    }

    void open_delta() { out_.append(envelope_).append(R"([{"index":0,"delta":{)"); }
    void close_delta() {
        out_ += R"(},"logprobs":null,"finish_reason":null}]})"
                "\n\n";
    }

    void add_text(std::string_view name, std::string_view text) {
        if (text.empty()) return;
        ensure_started();
        open_call_.reset();
        if (!is_chat()) {
            write_text_choice(text, {});
            return;
        }
        open_delta();
        out_.append("\"").append(name).append("\":");
        json::append_string(out_, text);
        close_delta();
    }

    void write_text_choice(std::string_view text, std::string_view finish) {
        out_.append(envelope_);
        json::Writer json(out_);
        json.begin_array().begin_object().key("text").string(text).key("index").number(0);
        json.key("logprobs").null().key("finish_reason").string_or_null(finish);
        json.end_object().end_array().end_object();
        out_ += "\n\n";
    }

    [[nodiscard]] bool has_id(std::string_view id) const {
        return std::ranges::any_of(calls_, [id](const Call& call) { return call.id == id; });
    }

    void start_tool(const Event& event) {
        if (!is_chat()) return;
        if (event.tool >= kMaxCalls) {
            failed_ = true;
            return;
        }
        ensure_started();
        const bool is_usable = !event.id.empty() && !has_id(event.id);
        if (calls_.size() <= event.tool) calls_.resize(event.tool + 1);
        Call& call = calls_[event.tool];
        call.id = is_usable ? std::string(event.id) : mint_call_id(identity_.id, event.tool);
        open_call_ = event.tool;
        open_delta();
        json::Writer json(out_);
        out_ += R"("tool_calls":)";
        json.begin_array().begin_object().key("index").number(event.tool);
        json.key("id").string(call.id).key("type").string("function");
        json.key("function").begin_object().key("name").string(event.name);
        json.key("arguments").string("").end_object().end_object().end_array();
        close_delta();
    }

    void add_arguments(std::size_t tool, std::string_view text) {
        if (!is_chat() || text.empty() || tool >= calls_.size()) return;
        calls_[tool].has_arguments = true;
        open_delta();
        out_.append(R"("tool_calls":[{"index":)").append(std::to_string(tool));
        out_ += R"(,"function":{"arguments":)";
        json::append_string(out_, text);
        out_ += "}}]";
        close_delta();
    }

    /// Clients parse the arguments, and "" is not JSON.
    void complete_arguments(std::size_t tool) {
        if (!calls_[tool].has_arguments) add_arguments(tool, "{}");
    }

    void end() {
        ensure_started();
        ended_ = true;
        for (std::size_t tool = 0; tool < calls_.size(); ++tool) complete_arguments(tool);
        const chat::FinishReason implied =
            calls_.empty() ? chat::FinishReason::stop : chat::FinishReason::tool_calls;
        const std::string_view finish = finish_word(finish_.value_or(implied));
        if (is_chat()) {
            open_delta();
            out_.append(R"(},"logprobs":null,"finish_reason":")")
                .append(finish)
                .append("\"}]}\n\n");
        } else {
            write_text_choice({}, finish);
        }
        if (identity_.include_usage && usage_.known) {
            out_.append(envelope_).append(R"([],"usage":)");
            json::Writer json(out_);
            write_usage(json, usage_);
            out_ += "}\n\n";
        }
        out_ += "data: [DONE]\n\n";
    }

    ReplyIdentity identity_;
    std::string envelope_;  // a chunk up to its choices; empty before the start
    std::vector<Call> calls_;
    std::optional<std::size_t> open_call_;
    std::optional<chat::FinishReason> finish_;
    chat::Usage usage_;
    bool ended_ = false;
};

}  // namespace

std::unique_ptr<StreamWriter> make_stream_writer(ReplyIdentity identity, std::string& out) {
    return std::make_unique<ChunkWriter>(std::move(identity), out);
}

}  // namespace sluice::dialect::openai_chat
