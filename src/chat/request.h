#pragma once

/// A conversation to be answered, as every dialect can be read into it and written from it. Holds
/// all that either side of a translation has; what one of them cannot express is seen to by
/// shaping::adapt(). Texts are UTF-8 without JSON's escapes; what is JSON says so, and stands as it
/// was written, key order and spelling of numbers included.

#include "chat/family.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace sluice::chat {

struct Part;

struct Text {
    std::string text;
};

/// An image or a document.
struct Media {
    enum class Kind : std::uint8_t { image, document };
    enum class Source : std::uint8_t {
        base64,
        url,
        file,  ///< an id in the provider's file store
        text,  ///< of a document: `data` is its plain text
    };
    Kind kind = Kind::image;
    Source source = Source::base64;
    std::string media_type;  ///< "image/png"; empty where the client did not say
    std::string data;        ///< base64, a URL, a file's id, or text
    std::string title;       ///< of a document: its name
    std::string context;     ///< of a document: what it is about
};

/// What the model thought before it answered. With a signature of its provider's, which only that
/// one can check; empty where none came.
struct Thinking {
    std::string text;
    std::string signature;
};

struct RedactedThinking {
    std::string data;
};

struct ToolUse {
    std::string id;
    std::string name;
    /// What the model wrote: JSON nearly always, byte for byte; the free text of a custom tool.
    std::string arguments;
    bool is_custom = false;
};

struct ToolResult {
    std::string id;             ///< of the ToolUse it answers
    std::vector<Part> content;  ///< Text, Media, ToolReference and Native only
    bool is_error = false;
};

/// A tool whose definition was withheld (`Tool::deferred`) is there for the model from here on.
struct ToolReference {
    std::string name;
};

/// What only one dialect has (server tools and their results, search results) or nobody knows yet.
struct Native {
    std::string type;  ///< "web_search_tool_result"
    std::string json;  ///< the whole block
};

using PartValue = std::variant<Text, Media, Thinking, RedactedThinking, ToolUse, ToolResult,
                               ToolReference, Native>;

struct Part {
    PartValue value;
    std::string cache_control;  ///< JSON; empty where the part carries no mark

    template <typename T>
    // NOLINTNEXTLINE(*-explicit-*): a part is made of what it holds
    Part(T held) : value(std::move(held)) {}

    template <typename T>
    [[nodiscard]] T* as() noexcept {
        return std::get_if<T>(&value);
    }
    template <typename T>
    [[nodiscard]] const T* as() const noexcept {
        return std::get_if<T>(&value);
    }
};

/// Tool results are parts of the user's messages, in front of what else stands there, as Anthropic
/// has it. A reader of OpenAI's makes one user message of a run of tool messages and the user
/// message that follows it.
enum class Role : std::uint8_t { system, user, assistant };

struct Message {
    Role role = Role::user;
    std::vector<Part> parts;
    bool is_prefix = false;  ///< assistant, the last one: the reply goes on where it ends
};

struct Tool {
    enum class Kind : std::uint8_t {
        function,
        custom,  ///< takes free text (OpenAI)
        server,  ///< executed by the provider, or known to the model without a schema (Anthropic)
    };
    Kind kind = Kind::function;
    std::string type;  ///< server: "web_search_20250305"
    std::string name;
    std::optional<std::string> description;
    std::string schema;  ///< JSON Schema of the arguments, JSON; empty: none was given
    std::optional<bool> strict;
    bool deferred = false;      ///< withheld from the model until a ToolReference names it
    std::string cache_control;  ///< JSON; empty without a mark
    std::string json;           ///< custom and server: the whole definition
};

struct ToolChoice {
    enum class Kind : std::uint8_t {
        automatic,
        none,
        required,  ///< any tool, but one
        named,     ///< the one called `name`
    };
    Kind kind = Kind::automatic;
    std::string name;
};

/// Whether the model is to think first. `unset` leaves it to the upstream's default.
struct ThinkingMode {
    enum class Kind : std::uint8_t { unset, disabled, enabled, adaptive, between_tools };
    Kind kind = Kind::unset;
    std::optional<std::uint64_t> budget_tokens;
    std::string display;  ///< "omitted", "updates"; empty where not said
};

enum class Effort : std::uint8_t { none, minimal, low, medium, high, xhigh, max };

[[nodiscard]] std::string_view to_string(Effort effort) noexcept;
[[nodiscard]] std::optional<Effort> read_effort(std::string_view word) noexcept;

struct ResponseFormat {
    enum class Kind : std::uint8_t { text, json_object, json_schema };
    Kind kind = Kind::text;
    std::string name;    ///< json_schema; may be empty
    std::string schema;  ///< json_schema: JSON
    std::optional<bool> strict;
};

/// A member that the neutral model has no name for.
struct Field {
    std::string name;
    std::string json;
};

struct Request {
    std::string model;
    std::vector<Part> system;  ///< Text parts only; before everything else
    std::vector<Message> messages;
    std::vector<Tool> tools;
    std::optional<ToolChoice> tool_choice;
    std::optional<bool> parallel_tool_calls;
    std::optional<std::uint64_t> max_output_tokens;
    std::vector<std::string> stop;
    std::string temperature;  ///< these three: numbers as JSON; empty where not given
    std::string top_p;
    std::string top_k;
    ThinkingMode thinking;
    std::optional<Effort> effort;
    std::optional<ResponseFormat> response_format;
    std::string user;  ///< who asks, as the client's program calls them; may be any text
    std::string service_tier;
    bool stream = false;
    bool include_usage = false;  ///< the client wants OpenAI's usage chunk
    std::uint64_t choices = 1;   ///< OpenAI's n
    std::vector<Field> others;   ///< further top-level members, each for its own dialect only
    /// Set by the reader. Who speaks Anthropic's and asks for no thinking expects none.
    Family family = Family::openai;
};

/// The text of all Text parts, joined by `separator`.
[[nodiscard]] std::string text_of(const std::vector<Part>& parts, std::string_view separator);

}  // namespace sluice::chat
