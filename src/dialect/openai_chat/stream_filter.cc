#include "dialect/openai_chat/stream_filter.h"

#include "dialect/openai_chat/chunk_scan.h"
#include "dialect/openai_chat/errors.h"
#include "dialect/openai_chat/reply.h"
#include "json/reader.h"
#include "json/writer.h"
#include "sse/parser.h"

#include <algorithm>
#include <utility>

namespace sluice::dialect::openai_chat {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr std::string_view kDone = "[DONE]";
constexpr std::uint64_t kIdentityChunks = 4;  // Azure's first chunk has an empty id
/// After so many chunks in which no content was seen it is taken to be in them unrecognised.
constexpr std::uint64_t kMaxEmptyChunks = 16;

std::unexpected<Error> refuse(std::string message) {
    return fail(Errc::upstream_invalid_response, std::move(message));
}

std::unexpected<Error> refuse_json(const std::string& why) {
    return refuse("an event of the upstream's stream is not JSON: " + why);
}

/// The payload of an event that is one data line, which nearly all are.
std::optional<std::string_view> single_data_line(std::string_view event) {
    constexpr std::string_view kData = "data:";
    if (!event.starts_with(kData)) return std::nullopt;
    event.remove_prefix(kData.size());
    while (event.ends_with('\n') || event.ends_with('\r')) event.remove_suffix(1);
    if (event.find('\n') != std::string_view::npos || event.find('\r') != std::string_view::npos) {
        return std::nullopt;
    }
    return json::as_value(event).raw;
}

/// What the choices of a chunk say together.
ChoiceFacts read_choices(const json::Value& choices, bool seek_content) {
    ChoiceFacts all;
    if (!choices.is(json::Kind::array)) return all;
    json::Reader reader(choices);
    while (reader.next()) {
        const ChoiceFacts choice = read_choice(reader.value(), seek_content);
        if (choice.finish_reason) all.finish_reason = choice.finish_reason;
        all.out_of_resources |= choice.out_of_resources;
        // An end without content is an answer too, unless it is one that nobody wanted.
        all.has_content |= choice.has_content || (choice.finish_reason && !choice.out_of_resources);
    }
    return all;
}

bool is_line_end(std::string_view event) {
    return event == "\n" || event == "\r" || event == "\r\n";
}

}  // namespace

StreamFilter::StreamFilter(Options options)
    : options_(std::move(options)),
      framer_(options_.max_event_bytes) {}

Result<void> StreamFilter::feed(std::string_view bytes, Pieces& out) {
    if (facts_.done || facts_.has_error) return {};
    rewritten_.clear();
    framer_.feed(bytes);
    while (!facts_.done && !facts_.has_error) {
        const auto event = framer_.next();
        if (!event) break;
        const auto verdict = judge(*event);
        if (!verdict) return std::unexpected(verdict.error());
        add(*event, *verdict, out);
    }
    if (framer_.failed()) return refuse("an event of the upstream's stream is too long");
    return {};
}

Result<void> StreamFilter::end(Pieces& out) {
    if (facts_.done) return {};
    if (!facts_.has_error && facts_.chunks != 0 && single_data_line(framer_.rest()) == kDone) {
        done_event_ = "data: [DONE]\n\n";
        add(done_event_, Verdict::done, out);
        return {};
    }
    if (facts_.has_error) return fail(Errc::upstream_status, "the upstream reported an error");
    return fail(Errc::upstream_truncated, "the upstream's stream ended before its end");
}

void StreamFilter::add(std::string_view event, Verdict verdict, Pieces& out) {
    switch (verdict) {
        case Verdict::pass: break;
        case Verdict::rewritten: event = rewrite_event(event); break;
        case Verdict::drop: return;
        case Verdict::done:
            facts_.done = true;
            if (!facts_.finish_reason) {
                write_finish_chunk();
                out.push_back(finish_chunk_);
            }
            break;
        case Verdict::error:
            facts_.has_error = true;
            if (redact_error(event)) event = redacted_;
            break;
    }
    // Events that stand side by side leave as one piece.
    if (!out.empty() && out.back().data() + out.back().size() == event.data()) {
        out.back() = {out.back().data(), out.back().size() + event.size()};
    } else {
        out.push_back(event);
    }
}

/// The chunk's own lines but for the data, which becomes one line.
std::string_view StreamFilter::rewrite_event(std::string_view event) {
    std::string text;
    text.reserve(event.size() + rewritten_json_.size());
    bool has_data = false;
    while (!event.empty()) {
        const std::size_t end = std::min(event.find_first_of("\r\n"), event.size());
        const std::string_view line = event.substr(0, end);
        event.remove_prefix(end);
        event.remove_prefix(event.starts_with("\r\n") ? 2 : std::min<std::size_t>(1, event.size()));
        if (line.empty()) continue;
        if (!line.starts_with("data:")) {
            text.append(line) += '\n';
        } else if (!std::exchange(has_data, true)) {
            std::ranges::replace_if(
                rewritten_json_, [](char c) { return c == '\n' || c == '\r'; }, ' ');
            text.append("data: ").append(rewritten_json_) += '\n';
        }
    }
    text += '\n';
    return *rewritten_.emplace_back(std::make_unique<std::string>(std::move(text)));
}

bool StreamFilter::redact_error(std::string_view event) {
    const std::vector<std::string_view> secrets(options_.secrets.begin(), options_.secrets.end());
    redacted_ = redact(event, secrets);
    return redacted_ != event;
}

Result<StreamFilter::Verdict> StreamFilter::judge(std::string_view event) {
    if (first_event_ && event.starts_with(kByteOrderMark)) {
        event.remove_prefix(kByteOrderMark.size());
    }
    first_event_ = false;
    if (const auto data = single_data_line(event)) return judge_data(*data, false);
    if (is_line_end(event)) return Verdict::pass;

    sse::Parser parser(event.size() + 1);
    parser.feed("\n");  // so that a mark in the middle of the stream is not taken for one
    if (!parser.next()) parser.feed(event);
    if (!parser.next()) return Verdict::pass;  // a comment, or fields without data
    return judge_data(json::as_value(parser.event().data).raw, parser.event().type == "error");
}

Result<StreamFilter::Verdict> StreamFilter::judge_data(std::string_view data, bool named_error) {
    if (data == kDone) {
        if (facts_.chunks == 0) return refuse("the upstream's stream is empty");
        return Verdict::done;
    }
    if (named_error) return Verdict::error;
    if (!data.starts_with('{') || !data.ends_with('}')) {
        return refuse("an event of the upstream's stream is not JSON");
    }
    auto verdict = judge_chunk(data);
    if (!verdict || *verdict == Verdict::error) return verdict;
    ++facts_.chunks;
    if (*verdict == Verdict::pass && options_.rewrite && options_.rewrite(data, rewritten_json_)) {
        return Verdict::rewritten;
    }
    return verdict;
}

/// Nearly every chunk is only checked; the few that matter are read in the same pass.
Result<StreamFilter::Verdict> StreamFilter::judge_chunk(std::string_view chunk) {
    const Sightings seen = scan_chunk(chunk);
    const bool wants_identity = id_.empty() && facts_.chunks < kIdentityChunks;
    if (seen.worth_reading() || wants_identity || !facts_.has_content) {
        auto verdict = read_chunk(chunk);
        if (verdict) facts_.has_tool_calls |= seen.tool_calls;
        return verdict;
    }
    if (const auto error = json::find_error(chunk)) return refuse_json(*error);
    facts_.has_tool_calls |= seen.tool_calls;
    return Verdict::pass;
}

Result<StreamFilter::Verdict> StreamFilter::read_chunk(std::string_view chunk) {
    const bool identified = !id_.empty();
    chat::Usage usage;
    ChoiceFacts choices;
    bool has_choices = false;
    bool is_error = false;
    json::Reader reader(chunk);
    while (reader.next()) {
        const json::Value& value = reader.value();
        if (reader.key_is("choices")) {
            has_choices = !value.is(json::Kind::array) || !json::is_empty(value);
            choices = read_choices(value, !facts_.has_content);
        } else if (reader.key_is("usage")) {
            usage = read_usage(value);
        } else if (reader.key_is("x_groq") && !usage.known) {
            usage = read_usage(json::find(value, "usage").value_or(json::Value{}));
        } else if (reader.key_is("error")) {
            is_error = !value.is(json::Kind::null) && value.raw != "false" && value.raw != R"("")";
        } else if (!identified) {
            read_identity(reader);
        }
    }
    if (reader.failed()) return refuse_json(reader.failure());
    if (choices.finish_reason) facts_.finish_reason = choices.finish_reason;
    if (is_error) return Verdict::error;  // also beside choices: so OpenRouter does, and SDKs raise
    if (usage.known) facts_.usage = usage;
    facts_.has_content |= choices.has_content || facts_.chunks >= kMaxEmptyChunks;
    facts_.out_of_resources |= choices.out_of_resources;
    if (facts_.has_content) facts_.out_of_resources = false;
    const bool extra = usage.known && !has_choices;
    return extra && options_.drop_usage_chunk ? Verdict::drop : Verdict::pass;
}

void StreamFilter::read_identity(const json::Reader& reader) {
    const json::Value& value = reader.value();
    if (reader.key_is("id") && value.is(json::Kind::string) && value.raw.size() > 2) {
        id_ = value.raw;
    } else if (reader.key_is("created") && value.is(json::Kind::number)) {
        created_ = value.raw;
    } else if (reader.key_is("model")) {
        facts_.model = json::to_string(value).value_or("");
    }
}

/// Without a finish reason an agent takes the answer for unfinished and asks again, for ever.
void StreamFilter::write_finish_chunk() {
    const bool is_chat = options_.shape == Shape::chat;
    facts_.finish_reason =
        facts_.has_tool_calls ? chat::FinishReason::tool_calls : chat::FinishReason::stop;
    std::string chunk;
    json::Writer json(chunk);
    json.begin_object();
    json.key("id").raw(id_.empty() ? "\"\"" : std::string_view(id_));
    json.key("object").string(is_chat ? "chat.completion.chunk" : "text_completion");
    json.key("created").raw(created_.empty() ? "0" : std::string_view(created_));
    json.key("model").string(facts_.model);
    json.key("choices").begin_array().begin_object().key("index").number(0);
    if (is_chat) {
        json.key("delta").begin_object().end_object();
    } else {
        json.key("text").string("").key("logprobs").null();
    }
    json.key("finish_reason").string(chat::to_string(*facts_.finish_reason));
    json.end_object().end_array().end_object();
    finish_chunk_ = "data: " + chunk + "\n\n";
    if (options_.rewrite && options_.rewrite(chunk, rewritten_json_)) {
        finish_chunk_ = rewrite_event(finish_chunk_);
    }
}

}  // namespace sluice::dialect::openai_chat
