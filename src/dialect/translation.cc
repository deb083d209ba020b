#include "dialect/translation.h"

#include "dialect/upstream_error.h"

#include <utility>

namespace sluice::dialect {
namespace {

using chat::Event;

constexpr std::size_t kMaxKeptCapacity = 16UL * 1024;  // of a text that has been sent

}  // namespace

Translation::Translation(std::unique_ptr<StreamReader> reader, const MakeWriter& make_writer,
                         Options options)
    : options_(std::move(options)),
      reader_(std::move(reader)),
      writer_(make_writer(text_)) {}

Result<void> Translation::feed(std::string_view bytes, Pieces& out) {
    if (facts_.done || facts_.has_error) return {};
    renew_text();
    return give(reader_->feed(bytes, *this), out);
}

Result<void> Translation::end(Pieces& out) {
    if (!facts_.done && !facts_.has_error) {
        renew_text();
        auto read = give(reader_->end(*this), out);
        if (!facts_.has_error) return read;
    }
    if (facts_.has_error) return fail(Errc::upstream_status, "the upstream reported an error");
    return {};
}

void Translation::renew_text() {
    if (text_.capacity() > kMaxKeptCapacity) text_ = std::string();
    text_.clear();
}

/// The pieces may only be cut when nothing more is appended.
Result<void> Translation::give(Result<void> read, Pieces& out) {
    const std::string_view text = text_;
    const std::string_view before = text.substr(0, facts_.has_error ? before_error_ : text.size());
    if (!before.empty()) out.push_back(before);
    if (before.size() < text.size()) out.push_back(text.substr(before.size()));
    if (read && writer_->failed()) {
        return fail(Errc::upstream_invalid_response,
                    "too much of the upstream's stream would have to be held back");
    }
    return read;
}

void Translation::on_event(const Event& event) {
    observe(event);
    if (event.kind == Event::Kind::error && event.error != nullptr) return pass_error(*event.error);
    if (options_.tee != nullptr) options_.tee->on_event(event);
    writer_->on_event(event);
}

/// In an error an upstream may repeat what it was shown.
void Translation::pass_error(const Error& error) {
    const std::vector<std::string_view> secrets(options_.secrets.begin(), options_.secrets.end());
    error_ = error;
    error_->message = redact(error.message, secrets);
    before_error_ = text_.size();
    const Event event{.kind = Event::Kind::error, .error = &*error_};
    if (options_.tee != nullptr) options_.tee->on_event(event);
    writer_->on_event(event);
}

void Translation::observe(const Event& event) {
    observe_content(event);
    switch (event.kind) {
        case Event::Kind::ping: return;
        case Event::Kind::end: facts_.done = true; return;
        case Event::Kind::error:
            facts_.has_error = true;
            facts_.out_of_resources = event.error != nullptr &&
                                      event.error->code == Errc::overloaded && !facts_.has_content;
            return;
        case Event::Kind::start: facts_.model = event.name; break;
        case Event::Kind::tool_start: facts_.has_tool_calls = true; break;
        case Event::Kind::usage: facts_.usage = event.usage; break;
        case Event::Kind::finish: facts_.finish_reason = event.finish; break;
        case Event::Kind::text:
        case Event::Kind::thinking:
        case Event::Kind::signature:
        case Event::Kind::redacted_thinking:
        case Event::Kind::refusal:
        case Event::Kind::tool_arguments:
        case Event::Kind::block_end:
        case Event::Kind::citation:
        case Event::Kind::native: break;
    }
    ++facts_.chunks;
}

void Translation::observe_content(const Event& event) noexcept {
    switch (event.kind) {
        case Event::Kind::text:
        case Event::Kind::thinking:
        case Event::Kind::redacted_thinking:
        case Event::Kind::refusal:
        case Event::Kind::native: facts_.has_content |= !event.text.empty(); return;
        case Event::Kind::tool_start:
        case Event::Kind::finish: facts_.has_content = true; return;
        case Event::Kind::start:
        case Event::Kind::signature:
        case Event::Kind::tool_arguments:
        case Event::Kind::block_end:
        case Event::Kind::citation:
        case Event::Kind::usage:
        case Event::Kind::ping:
        case Event::Kind::error:
        case Event::Kind::end: return;
    }
}

}  // namespace sluice::dialect
