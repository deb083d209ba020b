#pragma once

/// Writes an answer in OpenAI's format: the chunks of a stream, or a whole reply.

#include "upstream/embedded/answer.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace sluice::upstream::embedded {

/// What tells a reply from others. Comes from outside: nothing here reads a clock.
struct Identity {
    std::string id;            ///< "chatcmpl-..."
    std::int64_t created = 0;  ///< Unix seconds
    std::string model;
};

/// Of POST /chat/completions, or of the older POST /completions, which knows text only.
enum class Shape : std::uint8_t { chat, text };

inline constexpr std::string_view kDoneEvent = "data: [DONE]\n\n";

/// Each function appends one event.
class ChunkWriter {
public:
    /// With `include_usage` every chunk but the last one says `"usage":null`.
    ChunkWriter(const Identity& identity, bool include_usage, Shape shape = Shape::chat);

    void role(std::string& out) const;
    void reasoning(std::string_view text, std::string& out) const;
    void content(std::string_view text, std::string& out) const;
    void call_start(std::size_t index, const ToolCall& call, std::string& out) const;
    void call_more(std::size_t index, std::string_view arguments, std::string& out) const;
    void finish(chat::FinishReason reason, std::string& out) const;
    void usage(const Answer& answer, std::string& out) const;

private:
    void chunk(std::string_view delta, std::string_view finish_reason, std::string& out) const;
    void text_chunk(std::string_view text, std::string_view finish_reason, std::string& out) const;
    void end_chunk(std::string_view finish_reason, std::string& out) const;
    void text_delta(std::string_view key, std::string_view text, std::string& out) const;

    std::string front_;  // of every chunk, up to the choices
    bool include_usage_;
    Shape shape_;
};

/// A text_completion object.
[[nodiscard]] std::string write_text_reply(const Identity& identity, const Answer& answer);

/// A chat.completion object.
[[nodiscard]] std::string write_reply(const Identity& identity, const Answer& answer);

}  // namespace sluice::upstream::embedded
