#include "message_reader.h"

#include <algorithm>
#include <charconv>

namespace sluice::bench {

namespace {

constexpr std::size_t kMaxHead = std::size_t{16} * 1024;

/// The value of a header, or an empty view. `head` is in lower case.
std::string_view header(std::string_view head, std::string_view name) {
    const std::size_t at = head.find(name);
    if (at == std::string_view::npos) return {};
    const std::size_t begin = head.find_first_not_of(' ', at + name.size());
    return head.substr(begin, head.find('\r', begin) - begin);
}

std::uint64_t number(std::string_view text, int base) {
    std::uint64_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value, base);
    return value;
}

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

}  // namespace

MessageReader::Step MessageReader::next(std::string_view& in, std::string_view& piece) {
    while (state_ == State::finished || !in.empty()) {
        switch (state_) {
            case State::finished: state_ = State::head; return Step::message_end;
            case State::head:
                if (!read_head(in)) return Step::broken;
                break;
            case State::chunk_size:
            case State::chunk_end:
            case State::trailer:
                if (text_.size() > kMaxHead) return Step::broken;
                read_line(in);
                break;
            case State::until_close:
                piece = in;
                in = {};
                return Step::body;
            case State::body:
            case State::chunk_data:
                piece = in.substr(0, std::min<std::uint64_t>(left_, in.size()));
                in.remove_prefix(piece.size());
                left_ -= piece.size();
                if (left_ == 0) {
                    state_ = state_ == State::body ? State::finished : State::chunk_end;
                }
                return Step::body;
        }
    }
    return Step::need_more;
}

// False when the head is too long. A head that came in two reads is put together in text_.
bool MessageReader::read_head(std::string_view& in) {
    const std::size_t before = text_.size();
    text_.append(in.substr(0, kMaxHead));
    const std::size_t end = text_.find("\r\n\r\n", before < 3 ? 0 : before - 3);
    if (end == std::string::npos) {
        in = {};
        return text_.size() <= kMaxHead;
    }
    in.remove_prefix(end + 4 - before);
    parse_head(end + 2);
    text_.clear();
    return true;
}

void MessageReader::parse_head(std::size_t size) {
    text_.resize(size);
    std::ranges::transform(text_, text_.begin(), lower);
    is_post_ = text_.starts_with("post ");
    const bool is_reply = text_.starts_with("http/1.");
    status_ = is_reply ? static_cast<int>(number(text_.substr(9, 3), 10)) : 0;
    closes_ = header(text_, "\r\nconnection:") == "close";
    const std::string_view length = header(text_, "\r\ncontent-length:");
    left_ = number(length, 10);
    if (header(text_, "\r\ntransfer-encoding:") == "chunked") {
        state_ = State::chunk_size;
    } else if (left_ > 0) {
        state_ = State::body;
    } else {
        state_ = is_reply && length.empty() ? State::until_close : State::finished;
    }
}

void MessageReader::read_line(std::string_view& in) {
    const std::size_t end = in.find('\n');
    text_.append(in.substr(0, end));
    if (end == std::string_view::npos) {
        in = {};
        return;
    }
    in.remove_prefix(end + 1);
    take_line();
    text_.clear();
}

void MessageReader::take_line() {
    if (state_ == State::chunk_end) {
        state_ = State::chunk_size;
    } else if (state_ == State::trailer) {
        if (text_ == "\r") state_ = State::finished;
    } else {
        left_ = number(text_, 16);
        state_ = left_ == 0 ? State::trailer : State::chunk_data;
    }
}

}  // namespace sluice::bench
