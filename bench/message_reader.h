#pragma once

/// Cuts a byte stream into HTTP/1.1 messages. Enough for the well-formed messages of our own
/// programs and of proxies between them; it validates nothing beyond what it needs to find the
/// ends.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace sluice::bench {

class MessageReader {
public:
    enum class Step : std::uint8_t { need_more, body, message_end, broken };

    /// Takes what it needs from the front of `in`. After `body`, `piece` is a part of the body and
    /// points into `in`. Call again until `need_more` (all taken) or `broken`.
    [[nodiscard]] Step next(std::string_view& in, std::string_view& piece);

    /// Of the message whose head was read last: 0 for a request.
    [[nodiscard]] int status() const noexcept { return status_; }
    [[nodiscard]] bool is_post() const noexcept { return is_post_; }
    [[nodiscard]] bool closes() const noexcept { return closes_; }

private:
    enum class State : std::uint8_t {
        head,
        body,
        until_close,
        chunk_size,
        chunk_data,
        chunk_end,
        trailer,
        finished
    };

    [[nodiscard]] bool read_head(std::string_view& in);
    void read_line(std::string_view& in);
    void take_line();
    void parse_head(std::size_t size);

    State state_ = State::head;
    std::string text_;  // of a head or line that is not complete yet
    std::uint64_t left_ = 0;
    int status_ = 0;
    bool is_post_ = false;
    bool closes_ = false;
};

}  // namespace sluice::bench
