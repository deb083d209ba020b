#pragma once

/// Events of a reply written as lines, for tests: what stands in the events.txt of golden folders.
///
///     start "msg_1" "claude"
///     text "Hi"
///     tool 0 "toolu_1" "read"
///     arguments 0 "{}"
///     usage 12 cached 0 written 0 output 9 reasoning 0 total 21
///     finish stop ""
///     end

#include "chat/event.h"
#include "json/reader.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <deque>
#include <iterator>
#include <random>
#include <string>
#include <string_view>
#include <utility>

namespace sluice::dialect::anthropic_messages {

/// An event that owns what its views show.
struct OwnEvent {
    chat::Event::Kind kind = chat::Event::Kind::ping;
    std::string text;
    std::string id;
    std::string name;
    std::size_t tool = 0;
    chat::FinishReason finish = chat::FinishReason::other;
    chat::Usage usage;
    Error error;

    void give(chat::EventSink& sink) const {
        chat::Event event{.kind = kind, .text = text, .id = id, .name = name};
        event.tool = tool;
        event.finish = finish;
        event.usage = usage;
        event.error = &error;
        sink.on_event(event);
    }
};

using Script = std::deque<OwnEvent>;

inline void give(const Script& script, chat::EventSink& sink) {
    for (const OwnEvent& event : script) event.give(sink);
}

class ScriptLine {
public:
    explicit ScriptLine(std::string_view line) : rest_(line) {}

    /// Up to the next space, or a JSON string's text.
    std::string next() {
        std::size_t end = 0;
        if (rest_.starts_with('"')) {
            for (end = 1; end < rest_.size() && rest_[end] != '"'; ++end) {
                if (rest_[end] == '\\') ++end;
            }
            const std::string_view quoted = rest_.substr(0, end + 1);
            rest_.remove_prefix(std::min(rest_.size(), end + 2));
            return json::to_string({.raw = quoted, .kind = json::Kind::string}).value_or("");
        }
        end = std::min(rest_.size(), rest_.find(' '));
        std::string word(rest_.substr(0, end));
        rest_.remove_prefix(std::min(rest_.size(), end + 1));
        return word;
    }
    std::uint64_t number() { return std::strtoull(next().c_str(), nullptr, 10); }
    [[nodiscard]] std::string rest() const { return std::string(rest_); }

private:
    std::string_view rest_;
};

inline chat::Usage read_script_usage(ScriptLine& line) {
    chat::Usage usage;
    usage.known = true;
    usage.input = line.number();
    for (std::uint64_t chat::Usage::* const member :
         {&chat::Usage::cached_input, &chat::Usage::cache_write, &chat::Usage::output,
          &chat::Usage::reasoning, &chat::Usage::total}) {
        line.next();
        usage.*member = line.number();
    }
    return usage;
}

inline chat::FinishReason read_script_finish(std::string_view word) {
    using enum chat::FinishReason;
    for (const auto reason :
         {stop, length, tool_calls, content_filter, other, stop_sequence, context_window, pause}) {
        if (chat::to_string(reason) == word) return reason;
    }
    return other;
}

/// Words that are no event make none.
inline Script read_script(std::string_view text) {
    using Kind = chat::Event::Kind;
    constexpr std::array<std::pair<std::string_view, Kind>, 16> kKinds{
        {{"start", Kind::start},
         {"text", Kind::text},
         {"thinking", Kind::thinking},
         {"signature", Kind::signature},
         {"redacted", Kind::redacted_thinking},
         {"refusal", Kind::refusal},
         {"tool", Kind::tool_start},
         {"arguments", Kind::tool_arguments},
         {"block_end", Kind::block_end},
         {"citation", Kind::citation},
         {"native", Kind::native},
         {"usage", Kind::usage},
         {"finish", Kind::finish},
         {"ping", Kind::ping},
         {"error", Kind::error},
         {"end", Kind::end}}};
    Script script;
    while (!text.empty()) {
        const std::size_t end = std::min(text.size(), text.find('\n'));
        ScriptLine line(text.substr(0, end));
        text.remove_prefix(std::min(text.size(), end + 1));
        const std::string word = line.next();
        const auto* const found =
            std::ranges::find_if(kKinds, [&](const auto& k) { return k.first == word; });
        if (found == kKinds.end()) continue;
        OwnEvent& event = script.emplace_back();
        event.kind = found->second;
        switch (event.kind) {
            case Kind::start:
                event.id = line.next();
                event.name = line.next();
                break;
            case Kind::text:
            case Kind::thinking:
            case Kind::signature:
            case Kind::redacted_thinking:
            case Kind::refusal: event.text = line.next(); break;
            case Kind::tool_start:
                event.tool = line.number();
                event.id = line.next();
                event.name = line.next();
                break;
            case Kind::tool_arguments:
                event.tool = line.number();
                event.text = line.next();
                break;
            case Kind::citation: event.text = line.rest(); break;
            case Kind::native:
                event.name = line.next();
                event.text = line.rest();
                break;
            case Kind::usage: event.usage = read_script_usage(line); break;
            case Kind::finish:
                event.finish = read_script_finish(line.next());
                event.text = line.next();
                break;
            case Kind::error:
                event.error = Error(Errc::upstream_status);
                if (line.next() == "overloaded") event.error.code = Errc::overloaded;
                event.error.message = line.next();
                break;
            case Kind::block_end:
            case Kind::ping:
            case Kind::end: break;
        }
    }
    return script;
}

/// The same reply in other pieces: texts cut anywhere between code points.
inline Script cut(const Script& script, std::mt19937& random) {
    using Kind = chat::Event::Kind;
    Script pieces;
    for (const OwnEvent& event : script) {
        const bool is_text = event.kind == Kind::text || event.kind == Kind::thinking ||
                             event.kind == Kind::refusal || event.kind == Kind::tool_arguments;
        std::string_view rest = event.text;
        while (is_text && rest.size() > 1) {
            std::size_t end = 1 + random() % rest.size();
            while (end < rest.size() && (static_cast<unsigned char>(rest[end]) & 0xC0U) == 0x80U) {
                ++end;
            }
            OwnEvent& piece = pieces.emplace_back(event);
            piece.text = rest.substr(0, end);
            rest.remove_prefix(end);
        }
        if (!is_text || !rest.empty() || event.text.empty()) {
            pieces.emplace_back(event).text = rest;
        }
    }
    return pieces;
}

}  // namespace sluice::dialect::anthropic_messages
