#include "upstream/embedded/chunk_writer.h"

#include "json/writer.h"

namespace sluice::upstream::embedded {
namespace {

using json::Writer;

std::string write_usage(const Answer& answer) {
    std::string out;
    Writer json(out);
    json.begin_object();
    json.key("prompt_tokens").number(answer.prompt_tokens);
    json.key("completion_tokens").number(answer.completion_tokens);
    json.key("total_tokens").number(answer.prompt_tokens + answer.completion_tokens);
    json.key("prompt_tokens_details").begin_object().key("cached_tokens").number(0).end_object();
    json.key("completion_tokens_details").begin_object();
    json.key("reasoning_tokens").number(answer.reasoning.size()).end_object();
    json.end_object();
    return out;
}

void write_calls(Writer& json, const std::vector<ToolCall>& calls) {
    json.key("tool_calls").begin_array();
    for (const ToolCall& call : calls) {
        json.begin_object().key("id").string(call.id).key("type").string("function");
        json.key("function").begin_object().key("name").string(call.name);
        json.key("arguments").string(call.arguments).end_object().end_object();
    }
    json.end_array();
}

void write_message(Writer& json, const Answer& answer) {
    json.begin_object().key("role").string("assistant").key("content");
    if (answer.calls.empty()) {
        json.string(answer.content.whole());
    } else {
        json.null();
    }
    json.key("refusal").null();
    if (!answer.reasoning.empty()) json.key("reasoning_content").string(answer.reasoning.whole());
    if (!answer.calls.empty()) write_calls(json, answer.calls);
    json.end_object();
}

}  // namespace

ChunkWriter::ChunkWriter(const Identity& identity, bool include_usage, Shape shape)
    : include_usage_(include_usage),
      shape_(shape) {
    Writer json(front_);
    json.begin_object().key("id").string(identity.id).key("object");
    json.string(shape == Shape::chat ? "chat.completion.chunk" : "text_completion");
    json.key("created").number(identity.created);
    json.key("model").string(identity.model);
    front_.insert(0, "data: ").append(R"(,"choices":[)");
}

void ChunkWriter::role(std::string& out) const {
    chunk(R"({"role":"assistant","content":"","refusal":null})", "null", out);
}

void ChunkWriter::reasoning(std::string_view text, std::string& out) const {
    text_delta("reasoning_content", text, out);
}

void ChunkWriter::content(std::string_view text, std::string& out) const {
    if (shape_ == Shape::text) return text_chunk(text, "null", out);
    text_delta("content", text, out);
}

void ChunkWriter::text_delta(std::string_view key, std::string_view text, std::string& out) const {
    std::string delta;
    Writer(delta).begin_object().key(key).string(text).end_object();
    chunk(delta, "null", out);
}

void ChunkWriter::call_start(std::size_t index, const ToolCall& call, std::string& out) const {
    std::string delta;
    Writer json(delta);
    json.begin_object().key("tool_calls").begin_array().begin_object();
    json.key("index").number(index).key("id").string(call.id).key("type").string("function");
    json.key("function").begin_object().key("name").string(call.name);
    json.key("arguments").string("").end_object();
    json.end_object().end_array().end_object();
    chunk(delta, "null", out);
}

void ChunkWriter::call_more(std::size_t index, std::string_view arguments, std::string& out) const {
    std::string delta;
    Writer json(delta);
    json.begin_object().key("tool_calls").begin_array().begin_object();
    json.key("index").number(index);
    json.key("function").begin_object().key("arguments").string(arguments).end_object();
    json.end_object().end_array().end_object();
    chunk(delta, "null", out);
}

void ChunkWriter::finish(chat::FinishReason reason, std::string& out) const {
    std::string word;
    json::append_string(word, chat::to_string(reason));
    if (shape_ == Shape::text) return text_chunk("", word, out);
    chunk("{}", word, out);
}

void ChunkWriter::usage(const Answer& answer, std::string& out) const {
    out.append(front_).append(R"(],"usage":)").append(write_usage(answer)).append("}\n\n");
}

void ChunkWriter::chunk(std::string_view delta, std::string_view finish_reason,
                        std::string& out) const {
    out.append(front_).append(R"({"index":0,"delta":)").append(delta);
    end_chunk(finish_reason, out);
}

void ChunkWriter::text_chunk(std::string_view text, std::string_view finish_reason,
                             std::string& out) const {
    out.append(front_).append(R"({"index":0,"text":)");
    json::append_string(out, text);
    end_chunk(finish_reason, out);
}

void ChunkWriter::end_chunk(std::string_view finish_reason, std::string& out) const {
    out.append(R"(,"logprobs":null,"finish_reason":)").append(finish_reason).append("}]");
    out.append(include_usage_ ? R"(,"usage":null})" : "}").append("\n\n");
}

std::string write_text_reply(const Identity& identity, const Answer& answer) {
    std::string out;
    Writer json(out);
    json.begin_object().key("id").string(identity.id).key("object").string("text_completion");
    json.key("created").number(identity.created).key("model").string(identity.model);
    json.key("choices").begin_array().begin_object().key("index").number(0);
    json.key("text").string(answer.content.whole()).key("logprobs").null();
    json.key("finish_reason").string(chat::to_string(answer.finish)).end_object().end_array();
    json.key("usage").raw(write_usage(answer)).end_object();
    return out;
}

std::string write_reply(const Identity& identity, const Answer& answer) {
    std::string out;
    Writer json(out);
    json.begin_object().key("id").string(identity.id).key("object").string("chat.completion");
    json.key("created").number(identity.created).key("model").string(identity.model);
    json.key("choices").begin_array().begin_object().key("index").number(0).key("message");
    write_message(json, answer);
    json.key("logprobs").null().key("finish_reason").string(chat::to_string(answer.finish));
    json.end_object().end_array();
    json.key("usage").raw(write_usage(answer)).end_object();
    return out;
}

}  // namespace sluice::upstream::embedded
