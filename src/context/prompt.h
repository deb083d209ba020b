#pragma once

/// Counts a prompt as it is put together, without keeping more than the text since the last special
/// token.

#include "chat/request.h"
#include "context/tokenizer.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace sluice::context {

class Prompt {
public:
    explicit Prompt(Vocabulary vocabulary) : tokenizer_(Tokenizer::of(vocabulary)) {}

    /// Text to append to. Tokens may go over what is appended one after another.
    [[nodiscard]] std::string& text() noexcept { return text_; }

    /// So many tokens stand here: the text before them and the one behind are apart.
    void special(std::uint64_t tokens = 1) {
        tokens_ += tokens + tokenizer_.count(text_);
        text_.clear();
    }

    [[nodiscard]] std::uint64_t tokens() {
        special(0);
        return tokens_;
    }

private:
    const Tokenizer& tokenizer_;
    std::string text_;
    std::uint64_t tokens_ = 0;
};

/// Image or document; an image is `image_tokens`.
void add_media(Prompt& prompt, const chat::Media& media, std::uint64_t image_tokens);

/// The tool called `name`; null if there is none.
[[nodiscard]] const chat::Tool* find_tool(const chat::Request& request, std::string_view name);

/// The definition as a JSON object, as OpenAI's `function` has it.
void append_definition(std::string& out, const chat::Tool& tool);

/// The prompt that DeepSeek's V4 models see.
void add_deepseek_prompt(Prompt& prompt, const chat::Request& request);

}  // namespace sluice::context
