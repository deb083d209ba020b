#pragma once

/// The content blocks of a message, streamed or whole, as events. Internal to this folder.

#include "base/error.h"
#include "chat/event.h"
#include "dialect/split_text.h"
#include "json/reader.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sluice::dialect::anthropic_messages {

/// Lenient where what is meant is plain: a block whose start or stop is missing, tool calls that
/// overlap, an input that comes whole. What belongs to no block, or is of a kind that nobody knows,
/// is passed over.
class Blocks {
public:
    /// No more than `max_held_bytes` are held back, of blocks as they began and of their input.
    explicit Blocks(std::size_t max_held_bytes) noexcept : max_held_bytes_(max_held_bytes) {}

    /// A block begins; `index` may be null. upstream_invalid_response when too many are open.
    Result<void> start(const json::Value& index, const json::Value& block, chat::EventSink& sink);
    /// upstream_invalid_response when a block is too long to be held back.
    Result<void> add(const json::Value& index, const json::Value& delta, chat::EventSink& sink);
    void stop(const json::Value& index, chat::EventSink& sink);
    void stop_all(chat::EventSink& sink);

    [[nodiscard]] bool has_tools() const noexcept { return tools_ != 0; }

private:
    enum class Kind : std::uint8_t { text, thinking, tool, native, whole };

    struct Block {
        Kind kind = Kind::whole;
        std::optional<std::uint64_t> index;
        std::size_t tool = 0;
        bool has_output = false;             // an event that block_end must follow
        std::string json;                    // tool: input that came whole; native: the block
        std::string input;                   // native: streamed
        std::vector<std::string> citations;  // text: that have come before any of it
        TextJoiner joiner;
    };

    Block* find(const json::Value& index) noexcept;
    Block& open(Kind kind, const json::Value& index, chat::EventSink& sink);
    void start_tool(Block& block, const json::Value& value, chat::EventSink& sink);
    void close(Block& block, chat::EventSink& sink);
    void close_newest(chat::EventSink& sink);
    static void give(Block& block, std::string_view text, chat::EventSink& sink);
    Result<void> cite(Block& block, const json::Value& citation, chat::EventSink& sink);
    Result<void> cite_all(Block& block, const json::Value& citations, chat::EventSink& sink);
    static void give_signature(Block& block, const json::Value& value, chat::EventSink& sink);

    std::size_t max_held_bytes_;
    std::vector<Block> open_;  // the newest last; all before it are tool calls
    std::size_t tools_ = 0;
};

}  // namespace sluice::dialect::anthropic_messages
