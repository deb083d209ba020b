#pragma once

/// A streamed reply on its way from an upstream of one dialect to a client of another: what the
/// reader reads the writer writes. The facts are those of the events.

#include "dialect/stream.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sluice::dialect {

class Translation final : public ReplyStream, private chat::EventSink {
public:
    /// Called once, with what the writer is to append to.
    using MakeWriter = std::function<std::unique_ptr<StreamWriter>(std::string& out)>;

    struct Options {
        std::vector<std::string> secrets;  ///< made unreadable in an error event
        chat::EventSink* tee = nullptr;    ///< gets the same events, before the writer does
    };

    Translation(std::unique_ptr<StreamReader> reader, const MakeWriter& make_writer,
                Options options);
    // The writer holds on to the text that it appends to.
    Translation(Translation&&) = delete;
    Translation& operator=(Translation&&) = delete;
    ~Translation() override = default;

    /// What an error event of the upstream's becomes is a piece of its own, the last one, so that
    /// it can be left out where the client is told by a status. upstream_invalid_response also when
    /// the writer must hold back too much.
    Result<void> feed(std::string_view bytes, Pieces& out) override;
    Result<void> end(Pieces& out) override;

    [[nodiscard]] const Error* error() const noexcept override {
        return error_ ? &*error_ : nullptr;
    }

private:
    void on_event(const chat::Event& event) override;
    void observe(const chat::Event& event);
    void observe_content(const chat::Event& event) noexcept;
    void pass_error(const Error& error);
    void renew_text();
    Result<void> give(Result<void> read, Pieces& out);

    Options options_;
    std::string text_;              // for the client; the pieces point into it
    std::size_t before_error_ = 0;  // of text_, once there was an error
    std::optional<Error> error_;
    std::unique_ptr<StreamReader> reader_;
    std::unique_ptr<StreamWriter> writer_;
};

}  // namespace sluice::dialect
