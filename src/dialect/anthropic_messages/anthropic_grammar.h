#pragma once

/// The grammar of a Messages stream, for tests: stricter than any client is.

#include "json/reader.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice::dialect::anthropic_messages {

struct CheckedBlock {
    std::string type;
    std::string id;
    std::string name;
    std::string text;  ///< of a text or thinking block, or the arguments of a tool call
    std::string signature;
    std::string json;  ///< content_block as it began
    std::size_t deltas = 0;
    std::size_t citations = 0;
};

struct CheckedStream {
    std::string fault;  ///< empty while all is well
    std::vector<CheckedBlock> blocks;
    std::string id;
    std::string model;
    std::string stop_reason;
    std::string stop_sequence;
    std::string error_type;
    std::string error_message;
    std::string start_usage;  ///< JSON
    std::string usage;        ///< JSON; of message_delta
    std::size_t pings = 0;
    std::size_t comments = 0;
    bool has_started = false;
    bool is_whole = false;  ///< message_stop has come

    /// The texts of all blocks of one type, joined.
    [[nodiscard]] std::string text_of(std::string_view type) const {
        std::string text;
        for (const CheckedBlock& block : blocks) {
            if (block.type == type) text += block.text;
        }
        return text;
    }
};

/// Checks what a client would be sent, frame by frame:
///
///     message_start (ping | block)* message_delta message_stop
///     block := content_block_start(i) (content_block_delta(i) | ping)* content_block_stop(i)
///     any time: ping (after message_start), comment, error, which ends the stream
class GrammarCheck {
public:
    explicit GrammarCheck(std::string_view stream) {
        while (!stream.empty() && found_.fault.empty()) {
            const std::size_t end = stream.find("\n\n");
            if (end == std::string_view::npos) {
                fault("a frame is not ended: " + std::string(stream));
                break;
            }
            take_frame(stream.substr(0, end));
            stream.remove_prefix(end + 2);
        }
    }

    [[nodiscard]] CheckedStream take() { return std::move(found_); }

private:
    void fault(std::string what) {
        if (found_.fault.empty()) found_.fault = std::move(what);
    }
    void require(bool holds, const char* what) {
        if (!holds) fault(std::string(what) + " in " + std::string(frame_));
    }

    void take_frame(std::string_view frame) {
        frame_ = frame;
        require(!is_over_, "something behind the end");
        if (frame.starts_with(": ") && frame.find('\n') == std::string_view::npos) {
            ++found_.comments;
            return;
        }
        constexpr std::string_view kEvent = "event: ";
        constexpr std::string_view kData = "\ndata: ";
        const std::size_t data = frame.find(kData);
        if (!frame.starts_with(kEvent) || data == std::string_view::npos) {
            return fault("not a frame: " + std::string(frame));
        }
        const std::string_view type = frame.substr(kEvent.size(), data - kEvent.size());
        data_ = frame.substr(data + kData.size());
        require(data_.find_first_of("\r\n") == std::string_view::npos, "a line break");
        const auto wrong = json::find_error(data_);
        if (wrong) return fault(*wrong + " in " + std::string(frame));
        require(text("type") == type, "types differ");
        if (found_.fault.empty()) take_event(type);
    }

    void take_event(std::string_view type) {
        if (type == "message_start") return take_start();
        if (type == "error") return take_error();
        require(found_.has_started, "before message_start");
        if (type == "ping") {
            ++found_.pings;
        } else if (type == "content_block_start") {
            take_block_start();
        } else if (type == "content_block_delta") {
            take_block_delta();
        } else if (type == "content_block_stop") {
            require(is_open_, "no block is open");
            check_index();
            is_open_ = false;
            ++next_;
        } else if (type == "message_delta") {
            take_message_delta();
        } else if (type == "message_stop") {
            require(!found_.stop_reason.empty(), "no message_delta");
            found_.is_whole = true;
            is_over_ = true;
        } else {
            fault("unknown event " + std::string(type));
        }
    }

    void take_start() {
        require(!found_.has_started, "message_start again");
        found_.has_started = true;
        const json::Value message = at("message");
        found_.id = text_in(message, "id");
        found_.model = text_in(message, "model");
        require(text_in(message, "type") == "message", "no message");
        require(text_in(message, "role") == "assistant", "no role");
        require(in(message, "content").raw == "[]", "content");
        require(in(message, "stop_reason").raw == "null", "stop_reason");
        require(in(message, "stop_sequence").raw == "null", "stop_sequence");
        found_.start_usage = in(message, "usage").raw;
        check_usage(in(message, "usage"));
    }

    void take_error() {
        const json::Value error = at("error");
        found_.error_type = text_in(error, "type");
        found_.error_message = text_in(error, "message");
        require(!found_.error_type.empty() && !found_.error_message.empty(), "an empty error");
        is_over_ = true;
    }

    void take_block_start() {
        require(!is_open_, "blocks overlap");
        require(found_.stop_reason.empty(), "a block behind message_delta");
        check_index();
        is_open_ = true;
        is_signed_ = false;
        const json::Value block = at("content_block");
        CheckedBlock began;
        began.type = text_in(block, "type");
        began.id = text_in(block, "id");
        began.name = text_in(block, "name");
        began.json = block.raw;
        require(!began.type.empty(), "a block without type");
        if (began.type == "text") require(in(block, "text").raw == R"("")", "text not empty");
        if (began.type == "thinking") {
            require(in(block, "thinking").raw == R"("")", "thinking not empty");
            require(in(block, "signature").raw == R"("")", "signature not empty");
        }
        if (began.type == "tool_use") {
            require(in(block, "input").raw == "{}", "input not empty");
            require(!began.id.empty(), "a tool call without id");
            require(std::ranges::find(found_.blocks, began.id, &CheckedBlock::id) ==
                        found_.blocks.end(),
                    "an id twice");
        }
        found_.blocks.push_back(std::move(began));
    }

    void take_block_delta() {
        require(is_open_, "no block is open");
        check_index();
        if (!found_.fault.empty()) return;
        CheckedBlock& block = found_.blocks.back();
        const json::Value delta = at("delta");
        const std::string type = text_in(delta, "type");
        require(!is_signed_, "a delta behind the signature");
        ++block.deltas;
        if (type == "text_delta") {
            require(block.type == "text", "text in another block");
            block.text += required_text_in(delta, "text");
        } else if (type == "thinking_delta") {
            require(block.type == "thinking", "thinking in another block");
            block.text += required_text_in(delta, "thinking");
        } else if (type == "signature_delta") {
            require(block.type == "thinking", "a signature in another block");
            block.signature = required_text_in(delta, "signature");
            is_signed_ = true;
        } else if (type == "input_json_delta") {
            require(block.type == "tool_use", "arguments in another block");
            block.text += required_text_in(delta, "partial_json");
        } else if (type == "citations_delta") {
            require(block.type == "text", "a citation in another block");
            require(in(delta, "citation").is(json::Kind::object), "no citation");
            ++block.citations;
        } else {
            fault("unknown delta " + type);
        }
    }

    void take_message_delta() {
        require(!is_open_, "a block is open");
        require(found_.stop_reason.empty(), "message_delta again");
        const json::Value delta = at("delta");
        found_.stop_reason = required_text_in(delta, "stop_reason");
        found_.stop_sequence = text_in(delta, "stop_sequence");
        require(!in(delta, "stop_sequence").raw.empty(), "no stop_sequence");
        found_.usage = at("usage").raw;
        check_usage(at("usage"));
    }

    void check_index() { require(json::to_uint64(at("index")) == next_, "a wrong index"); }

    void check_usage(const json::Value& usage) {
        for (const char* const name : {"input_tokens", "cache_creation_input_tokens",
                                       "cache_read_input_tokens", "output_tokens"}) {
            require(json::to_uint64(in(usage, name)).has_value(), name);
        }
    }

    [[nodiscard]] json::Value at(std::string_view name) const {
        return in(json::as_value(data_), name);
    }
    [[nodiscard]] std::string text(std::string_view name) const {
        return json::to_string(at(name)).value_or("");
    }
    static json::Value in(const json::Value& object, std::string_view name) {
        return json::find(object, name).value_or(json::Value());
    }
    static std::string text_in(const json::Value& object, std::string_view name) {
        return json::to_string(in(object, name)).value_or("");
    }
    std::string required_text_in(const json::Value& object, std::string_view name) {
        const auto found = json::to_string(in(object, name));
        require(found.has_value(), "a text is missing");
        return found.value_or("");
    }

    CheckedStream found_;
    std::string_view frame_;
    std::string_view data_;
    std::size_t next_ = 0;
    bool is_open_ = false;
    bool is_signed_ = false;
    bool is_over_ = false;
};

[[nodiscard]] inline CheckedStream check_stream(std::string_view stream) {
    return GrammarCheck(stream).take();
}

}  // namespace sluice::dialect::anthropic_messages
