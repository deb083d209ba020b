#include "json/cursor.h"

#include "json/token.h"

#include <algorithm>
#include <array>
#include <bit>
#include <utility>

namespace sluice::json {
namespace {

namespace ondemand = simdjson::ondemand;

static_assert(kPadding >= simdjson::SIMDJSON_PADDING);

constexpr const char* kUnexpected = "unexpected character";
constexpr const char* kEnd = "unexpected end";

constexpr std::size_t kLeastCapacity = 4096;
/// A cursor that has grown beyond this goes when its work is done: it may hold nine bytes a byte.
constexpr std::size_t kKeptCapacity = 256UL * 1024;
/// Readers within readers are seldom more.
constexpr std::size_t kKeptCursors = 4;

/// Powers of two while the memory is to be kept, so that it is seldom replaced.
std::size_t grown(std::size_t needed) noexcept {
    if (needed > kKeptCapacity) return needed;
    return std::bit_ceil(std::max(needed, kLeastCapacity));
}

std::string_view trim(std::string_view token) noexcept {
    while (!token.empty() && is_space(token.back())) token.remove_suffix(1);
    return token;
}

const char* reason_for(simdjson::error_code error) noexcept {
    if (error == simdjson::EMPTY) return kEnd;
    if (error == simdjson::TAPE_ERROR) return kUnexpected;
    if (error == simdjson::UTF8_ERROR) return "not valid UTF-8";
    if (error == simdjson::UNESCAPED_CHARS) return "control character in a string";
    if (error == simdjson::UNCLOSED_STRING) return "a string is not closed";
    if (error == simdjson::INCOMPLETE_ARRAY_OR_OBJECT) {
        return "the document is not closed, or something follows it";
    }
    return simdjson::error_message(error);
}

struct IdleCursors {
    std::array<std::unique_ptr<Cursor>, kKeptCursors> items;
    std::size_t count = 0;
};
thread_local IdleCursors idle;

}  // namespace

CursorLease lease_cursor() {
    if (idle.count == 0) return CursorLease(new Cursor);
    return CursorLease(idle.items[--idle.count].release());
}

void ReturnCursor::operator()(Cursor* cursor) const noexcept {
    std::unique_ptr<Cursor> owned(cursor);
    if (idle.count == kKeptCursors || owned->capacity() > kKeptCapacity) return;
    idle.items[idle.count++] = std::move(owned);
}

std::size_t Cursor::capacity() const noexcept {
    return std::max(parser_.capacity(), copy_capacity_);
}

bool Cursor::open(std::string_view text, std::size_t padding) {
    return index(text, padding) && start();
}

bool Cursor::open_checked(std::string_view text) {
    const bool opened = open(text, 0);
    checked_ = opened;
    return opened;
}

bool Cursor::check(std::string_view text) {
    if (!index(text, 0)) return false;
    std::string_view token;
    if (const auto error = document_.raw_json_token().get(token)) return fail(error);
    if (token.front() == '{' || token.front() == '[') {
        if (!start()) return false;
        while (next()) {
        }
        return failure_.reason == nullptr;
    }
    if (!check_scalar(trim(token))) return false;
    const char* const end = token.data() + token.size();
    return end == data_ + text_.size() || fail("something follows the document", end);
}

/// simdjson's stage 1.
bool Cursor::index(std::string_view text, std::size_t padding) {
    text_ = text;
    data_ = text.data();
    kind_ = Kind::null;
    first_ = true;
    checked_ = false;
    key_ = {};
    failure_ = {};
    // Later versions skip a byte order mark.
    if (text.starts_with('\xEF')) return fail(kUnexpected, data_);
    if (padding < kPadding) {
        padding = kPadding;
        const std::size_t needed = text.size() + padding;
        if (needed > copy_capacity_) {
            copy_capacity_ = grown(needed);
            copy_ = std::make_unique_for_overwrite<char[]>(copy_capacity_);  // NOLINT(*-c-arrays)
        }
        text.copy(copy_.get(), text.size());
        std::fill_n(copy_.get() + text.size(), padding, '\0');
        data_ = copy_.get();
    }
    if (parser_.capacity() < text.size()) {
        // One level more than is walked, and simdjson counts from one.
        if (const auto error = parser_.allocate(grown(text.size()), kMaxDepth + 2)) {
            return fail(error);
        }
    }
    const auto error = parser_.iterate(data_, text.size(), text.size() + padding).get(document_);
    return error == simdjson::SUCCESS || fail(error);
}

bool Cursor::start() {
    std::string_view token;
    if (const auto error = document_.raw_json_token().get(token)) return fail(error);
    if (token.front() == '{') {
        kind_ = Kind::object;
        if (const auto error = document_.get_object().begin().get(member_)) return fail(error);
    } else if (token.front() == '[') {
        kind_ = Kind::array;
        if (const auto error = document_.get_array().begin().get(element_)) return fail(error);
    } else {
        return fail("an object or a list was expected", &token.front());
    }
    return true;
}

bool Cursor::next() {
    const bool first = std::exchange(first_, false);
    if (kind_ == Kind::object) {
        if (!first) ++member_;
        return member_ == ondemand::object_iterator() ? finish() : take_field();
    }
    if (!first) ++element_;
    if (element_ == ondemand::array_iterator()) return finish();
    ondemand::value value;
    if (const auto error = (*element_).get(value)) return fail(error);
    return take_value(value);
}

/// Always false: no member is left.
bool Cursor::finish() {
    const char* at = nullptr;
    if (document_.current_location().get(at) == simdjson::SUCCESS) {
        fail("something follows the document", at);
    }
    return false;
}

bool Cursor::take_field() {
    ondemand::field field;
    if (const auto error = (*member_).get(field)) return fail(error);
    if (!check_key(field.key().raw(), key_)) return false;
    key_.raw = in_text(key_.raw);
    return take_value(field.value());
}

bool Cursor::take_value(ondemand::value value) {
    std::string_view token = value.raw_json_token();
    if (!(checked_ ? skip_value(value) : check_value(value, 1))) return false;
    const Kind kind = kind_of(token.front());
    if (kind == Kind::object || kind == Kind::array) {
        const char* behind = nullptr;
        if (const auto error = document_.current_location().get(behind)) return fail(error);
        token = {&token.front(), behind};
    }
    value_ = {.raw = in_text(trim(token)), .kind = kind};
    return true;
}

/// Scalars are passed over by the step to the next member.
bool Cursor::skip_value(ondemand::value value) {
    const Kind kind = kind_of(value.raw_json_token().front());
    std::string_view passed;
    if (kind == Kind::object) {
        ondemand::object object;
        if (const auto error = value.get_object().get(object)) return fail(error);
        if (const auto error = object.raw_json().get(passed)) return fail(error);
    } else if (kind == Kind::array) {
        ondemand::array array;
        if (const auto error = value.get_array().get(array)) return fail(error);
        if (const auto error = array.raw_json().get(passed)) return fail(error);
    }
    return true;
}

/// `depth` is the number of containers around the value.
bool Cursor::check_value(ondemand::value value, unsigned depth) {
    const std::string_view token = value.raw_json_token();
    switch (token.front()) {
        case '{': return check_members(value, depth);
        case '[': return check_elements(value, depth);
        case '"': {
            // What is left to On-Demand to skip may be a key for it: `["a":1]`.
            ondemand::raw_json_string taken;
            if (const auto error = value.get_raw_json_string().get(taken)) return fail(error);
            break;
        }
        default: break;
    }
    return check_scalar(trim(token));
}

bool Cursor::check_members(ondemand::value value, unsigned depth) {
    if (depth == kMaxDepth) return fail("nested too deeply", &value.raw_json_token().front());
    ondemand::object object;
    if (const auto error = value.get_object().get(object)) return fail(error);
    for (auto item : object) {
        ondemand::field field;
        if (const auto error = std::move(item).get(field)) return fail(error);
        Key key;
        if (!check_key(field.key().raw(), key)) return false;
        if (!check_value(field.value(), depth + 1)) return false;
    }
    return check_closed();
}

bool Cursor::check_elements(ondemand::value value, unsigned depth) {
    if (depth == kMaxDepth) return fail("nested too deeply", &value.raw_json_token().front());
    ondemand::array array;
    if (const auto error = value.get_array().get(array)) return fail(error);
    for (auto item : array) {
        ondemand::value element;
        if (const auto error = std::move(item).get(element)) return fail(error);
        if (!check_value(element, depth + 1)) return false;
    }
    return check_closed();
}

/// An inner container must not take the last bracket: On-Demand would read on behind the text.
bool Cursor::check_closed() {
    const char* at = nullptr;
    const auto error = document_.current_location().get(at);
    return error == simdjson::SUCCESS || fail(kEnd, data_ + text_.size());
}

/// `begin` is behind the opening quote; a closing one is known to be there.
bool Cursor::check_key(const char* begin, Key& key) {
    const char* at = begin;
    key.escaped = false;
    while (*at != '"') {
        if (*at == '\\') {
            key.escaped = true;
            ++at;
        }
        ++at;
    }
    key.raw = {begin, at};
    return !key.escaped || check_scalar({begin - 1, at + 1});
}

bool Cursor::check_scalar(std::string_view token) {
    const char* const flaw = find_flaw(token);
    return flaw == nullptr || fail(token.front() == '"' ? "bad escape" : kUnexpected, flaw);
}

bool Cursor::fail(const char* reason, const char* at) {
    const auto place = static_cast<std::size_t>(at - data_);
    failure_ = {.reason = place == text_.size() ? kEnd : reason, .at = place};
    return false;
}

bool Cursor::fail(simdjson::error_code error) {
    failure_.reason = reason_for(error);
    const char* at = nullptr;
    if (error == simdjson::TAPE_ERROR &&
        document_.current_location().get(at) == simdjson::SUCCESS) {
        return fail(failure_.reason, at);
    }
    return false;
}

std::string_view Cursor::in_text(std::string_view part) const {
    return text_.substr(static_cast<std::size_t>(part.data() - data_), part.size());
}

}  // namespace sluice::json
