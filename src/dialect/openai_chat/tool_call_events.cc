#include "dialect/openai_chat/tool_call_events.h"

#include "dialect/walk.h"

#include <algorithm>
#include <utility>

namespace sluice::dialect::openai_chat {
namespace {

/// A string's text: a view into it where it has no escapes, else into `storage`. Empty for any
/// other kind of value.
std::string_view text_in(const json::Value& value, std::string& storage) {
    if (!value.is(json::Kind::string) || value.raw.size() < 2) return {};
    const std::string_view inner = value.raw.substr(1, value.raw.size() - 2);
    if (inner.find('\\') == std::string_view::npos) return inner;
    storage = json::to_string(value).value_or("");
    return storage;
}

bool is_blank(std::string_view text) noexcept {
    return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

}  // namespace

void ToolCallEvents::Extent::add(std::string_view piece) noexcept {
    for (const char c : piece) {
        if (in_string) {
            if (escaped) {
                escaped = false;
            } else if (c == '\\') {
                escaped = true;
            } else if (c == '"') {
                in_string = false;
            }
        } else if (c == '"') {
            in_string = true;
        } else if (c == '{' || c == '[') {
            begun = true;
            ++depth;
        } else if ((c == '}' || c == ']') && depth != 0) {
            --depth;
        }
    }
}

bool ToolCallEvents::is_whole() const noexcept {
    return newest_ == nullptr || newest_->extent.complete();
}

Result<void> ToolCallEvents::take(const json::Value& calls, bool whole, chat::EventSink& sink) {
    Walk walk(calls.raw);
    if (!walk.enter_array()) return {};
    bool follows_another = false;
    while (walk.next_element()) {
        const json::Value value = walk.take();
        if (!value.is(json::Kind::object)) continue;
        const Fragment fragment = read(value);
        Call* call = whole ? nullptr : find(fragment, follows_another);
        follows_another = true;
        if (call == nullptr) {
            const auto added = add(fragment);
            if (!added) return std::unexpected(added.error());
            call = *added;
        }
        if (auto ok = take_fragment(*call, fragment, sink); !ok) return ok;
    }
    return {};
}

Result<void> ToolCallEvents::take_legacy(const json::Value& call, chat::EventSink& sink) {
    if (!call.is(json::Kind::object)) return {};
    Fragment fragment;
    read_function(call, fragment);
    if (legacy_ == nullptr) {
        const auto added = add(fragment);
        if (!added) return std::unexpected(added.error());
        legacy_ = *added;
    }
    return take_fragment(*legacy_, fragment, sink);
}

Result<void> ToolCallEvents::finish(chat::EventSink& sink) {
    for (const auto& call : calls_) {
        if (auto ok = add_arguments(*call, call->joiner.flush(), sink); !ok) return ok;
        if (call->started) continue;
        if (!call->name.empty()) {
            start(*call, sink);
        } else if (!is_blank(call->held)) {
            return fail(Errc::upstream_invalid_response,
                        "the upstream's reply has a tool call without a name");
        }
    }
    if (newest_ != nullptr && !newest_->closed)
        sink.on_event({.kind = chat::Event::Kind::block_end});
    return {};
}

ToolCallEvents::Fragment ToolCallEvents::read(const json::Value& fragment) {
    Fragment out;
    Walk walk(fragment.raw);
    if (!walk.enter_object()) return out;
    while (walk.next_member()) {
        const json::Value value = walk.take();
        if (walk.key_is("function") || walk.key_is("custom")) {
            read_function(value, out);
        } else if (walk.key_is("index")) {
            out.index = json::to_uint64(value);
        } else if (walk.key_is("id")) {
            out.id = text_in(value, id_text_);
        }
    }
    return out;
}

void ToolCallEvents::read_function(const json::Value& function, Fragment& out) {
    Walk walk(function.raw);
    if (!walk.enter_object()) return;
    while (walk.next_member()) {
        const json::Value value = walk.take();
        if (walk.key_is("arguments") || walk.key_is("input")) {
            out.arguments = value;
        } else if (walk.key_is("name")) {
            out.name = text_in(value, name_text_);
        }
    }
}

/// The call that a fragment goes on with; null where it begins one.
ToolCallEvents::Call* ToolCallEvents::find(const Fragment& fragment,
                                           bool follows_another) const noexcept {
    if (calls_.empty()) return nullptr;
    if (fragment.index) {
        // The last one: an index may stand for several calls, as below.
        const auto found = std::ranges::find(calls_.rbegin(), calls_.rend(), fragment.index,
                                             [](const auto& c) { return c->index; });
        if (found == calls_.rend()) return nullptr;
        Call& call = **found;
        // Some servers (Gemini's) give every call the index 0, and an id of its own.
        const bool another = !fragment.name.empty() && !fragment.id.empty() && !call.id.empty() &&
                             fragment.id != call.id &&
                             (call.extent.complete() || fragment.name != call.name);
        return another ? nullptr : &call;
    }
    Call& last = *calls_.back();
    if (!fragment.id.empty()) {
        const auto found = std::ranges::find(calls_, fragment.id,
                                             [](const auto& c) { return std::string_view(c->id); });
        if (found != calls_.end()) return found->get();
        const bool late = last.id.empty() && (fragment.name.empty() || fragment.name == last.name);
        const bool changing = fragment.name.empty() && !last.extent.complete();
        return !follows_another && (late || changing) ? &last : nullptr;
    }
    const bool begins = !fragment.name.empty() && !last.name.empty() &&
                        (follows_another || last.extent.complete() || fragment.name != last.name);
    return begins ? nullptr : &last;
}

Result<ToolCallEvents::Call*> ToolCallEvents::add(const Fragment& fragment) {
    if (calls_.size() == kMaxCalls) {
        return fail(Errc::upstream_invalid_response,
                    "the upstream's reply has too many tool calls");
    }
    auto call = std::make_unique<Call>();
    call->index = fragment.index;
    return calls_.emplace_back(std::move(call)).get();
}

Result<void> ToolCallEvents::take_fragment(Call& call, const Fragment& fragment,
                                           chat::EventSink& sink) {
    if (call.id.empty()) call.id = fragment.id;
    if (call.name.empty()) call.name = fragment.name;
    const bool is_text = fragment.arguments.is(json::Kind::string);
    std::string_view text;
    if (is_text) {
        text = call.joiner.take(fragment.arguments);
    } else if (fragment.arguments.is(json::Kind::object)) {
        text = fragment.arguments.raw;
    }
    if (!call.started && !call.name.empty() && (!call.id.empty() || !text.empty())) {
        start(call, sink);
    }
    return add_arguments(call, text, sink);
}

Result<void> ToolCallEvents::add_arguments(Call& call, std::string_view text,
                                           chat::EventSink& sink) {
    if (text.empty() || call.closed) return {};
    call.extent.add(text);
    if (call.started) {
        sink.on_event(
            {.kind = chat::Event::Kind::tool_arguments, .text = text, .tool = call.number});
        return {};
    }
    held_bytes_ += text.size();
    if (held_bytes_ > kMaxHeldBytes) {
        return fail(Errc::upstream_invalid_response,
                    "the upstream sends a tool call's arguments without its name");
    }
    call.held += text;
    return {};
}

void ToolCallEvents::start(Call& call, chat::EventSink& sink) {
    if (newest_ != nullptr && !newest_->closed && newest_->extent.complete()) {
        newest_->closed = true;
        sink.on_event({.kind = chat::Event::Kind::block_end});
    }
    call.started = true;
    call.number = started_++;
    newest_ = &call;
    sink.on_event({.kind = chat::Event::Kind::tool_start,
                   .id = call.id,
                   .name = call.name,
                   .tool = call.number});
    if (call.held.empty()) return;
    sink.on_event(
        {.kind = chat::Event::Kind::tool_arguments, .text = call.held, .tool = call.number});
    call.held = std::string();
}

}  // namespace sluice::dialect::openai_chat
