#include "dialect/translation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice::dialect {
namespace {

using chat::Event;
using testing::ElementsAre;

/// Each byte is an event.
class LetterReader final : public StreamReader {
public:
    Result<void> feed(std::string_view bytes, chat::EventSink& sink) override {
        for (const char c : bytes) {
            if (is_over_) return {};
            if (c == '?') return fail(Errc::upstream_invalid_response, "what is that");
            give(c, sink);
        }
        return {};
    }

    Result<void> end(chat::EventSink& sink) override {
        if (is_over_) return {};
        if (!has_finish_) return fail(Errc::upstream_truncated, "cut");
        give('$', sink);
        return {};
    }

private:
    void give(char c, chat::EventSink& sink) {
        using Kind = Event::Kind;
        const std::string_view text(&c, 1);
        switch (c) {
            case '(': sink.on_event({.kind = Kind::start, .id = "i", .name = "m"}); return;
            case '.': sink.on_event({.kind = Kind::ping}); return;
            case '#': sink.on_event({.kind = Kind::usage, .usage = usage(7)}); return;
            case '+': sink.on_event({.kind = Kind::tool_start, .name = "f"}); return;
            case '0': sink.on_event({.kind = Kind::text}); return;
            case ')':
                has_finish_ = true;
                sink.on_event({.kind = Kind::finish, .finish = chat::FinishReason::length});
                return;
            case '$':
                is_over_ = true;
                sink.on_event({.kind = Kind::end});
                return;
            case '!':
            case '*': {
                is_over_ = true;
                const Error error(c == '!' ? Errc::upstream_status : Errc::overloaded, "no sk-123");
                sink.on_event({.kind = Kind::error, .error = &error});
                return;
            }
            default: sink.on_event({.kind = Kind::text, .text = text}); return;
        }
    }

    static chat::Usage usage(std::uint64_t output) {
        chat::Usage usage;
        usage.known = true;
        usage.output = output;
        return usage;
    }

    bool has_finish_ = false;
    bool is_over_ = false;
};

class WordWriter final : public StreamWriter {
public:
    using StreamWriter::StreamWriter;

    void on_event(const Event& event) override {
        switch (event.kind) {
            case Event::Kind::text: out_ += event.text; break;
            case Event::Kind::error: out_ += "<" + event.error->message + ">"; break;
            case Event::Kind::end: out_ += "<end>"; break;
            default: break;
        }
        failed_ = out_.size() > 1000;
    }
};

std::unique_ptr<StreamWriter> make_writer(std::string& out) {
    return std::make_unique<WordWriter>(out);
}

class TranslationTest : public testing::Test {
protected:
    struct Counter final : chat::EventSink {
        void on_event(const Event& /*event*/) override { ++events; }
        int events = 0;
    };

    std::vector<std::string> feed(std::string_view bytes) {
        ReplyStream::Pieces pieces;
        result_ = stream_.feed(bytes, pieces);
        return {pieces.begin(), pieces.end()};
    }
    std::vector<std::string> end() {
        ReplyStream::Pieces pieces;
        result_ = stream_.end(pieces);
        return {pieces.begin(), pieces.end()};
    }

    Counter counter_;
    Translation stream_{
        std::make_unique<LetterReader>(), make_writer, {.secrets = {"sk-123"}, .tee = &counter_}};
    Result<void> result_;
};

TEST_F(TranslationTest, WhatTheReaderReadsTheWriterWrites) {
    EXPECT_THAT(feed("(ab"), ElementsAre("ab"));
    EXPECT_THAT(feed(""), ElementsAre());
    EXPECT_THAT(feed("c#)$d"), ElementsAre("c<end>"));
    EXPECT_THAT(feed("e"), ElementsAre());
    EXPECT_THAT(end(), ElementsAre());

    EXPECT_TRUE(result_);
    EXPECT_TRUE(stream_.facts().done);
    EXPECT_EQ(stream_.facts().model, "m");
    EXPECT_EQ(stream_.facts().usage.output, 7U);
    EXPECT_EQ(stream_.facts().finish_reason, chat::FinishReason::length);
    EXPECT_EQ(counter_.events, 7);
}

TEST_F(TranslationTest, ContentIsTextOrAToolCallOrTheFinish) {
    feed("(.0#");
    EXPECT_FALSE(stream_.facts().has_content);

    feed("a");
    EXPECT_TRUE(stream_.facts().has_content);
    EXPECT_FALSE(stream_.facts().has_tool_calls);

    for (const std::string_view bytes : {"(+", "()"}) {
        Translation other(std::make_unique<LetterReader>(), make_writer, {});
        ReplyStream::Pieces pieces;
        ASSERT_TRUE(other.feed(bytes, pieces));
        EXPECT_TRUE(other.facts().has_content) << bytes;
        EXPECT_EQ(other.facts().has_tool_calls, bytes == "(+");
    }
}

TEST_F(TranslationTest, PingsAreNotCounted) {
    feed("(..a.");
    EXPECT_EQ(stream_.facts().chunks, 2U);
}

TEST_F(TranslationTest, AnErrorIsThePieceThatComesLastAndKeepsNoSecret) {
    EXPECT_THAT(feed("(a!b"), ElementsAre("a", "<no [redacted]>"));
    EXPECT_TRUE(stream_.facts().has_error);
    EXPECT_FALSE(stream_.facts().out_of_resources);
    ASSERT_TRUE(stream_.error());
    EXPECT_EQ(stream_.error()->message, "no [redacted]");

    EXPECT_THAT(feed("c"), ElementsAre());
    EXPECT_THAT(end(), ElementsAre());
    EXPECT_EQ(result_.error().code, Errc::upstream_status);
}

TEST_F(TranslationTest, AnOverloadBeforeContentIsTold) {
    EXPECT_THAT(feed("(*"), ElementsAre("<no [redacted]>"));
    EXPECT_TRUE(stream_.facts().out_of_resources);
    EXPECT_EQ(stream_.error()->code, Errc::overloaded);
}

TEST_F(TranslationTest, AnOverloadAfterContentIsAnErrorLikeOthers) {
    feed("(a*");
    EXPECT_FALSE(stream_.facts().out_of_resources);
    EXPECT_TRUE(stream_.facts().has_error);
}

TEST_F(TranslationTest, WhatIsOnlyKnownAtTheEndIsWrittenThen) {
    feed("(a)");
    EXPECT_FALSE(stream_.facts().done);

    EXPECT_THAT(end(), ElementsAre("<end>"));
    EXPECT_TRUE(result_);
    EXPECT_TRUE(stream_.facts().done);
}

TEST_F(TranslationTest, ACutStreamIsTruncated) {
    feed("(a");
    end();
    EXPECT_EQ(result_.error().code, Errc::upstream_truncated);
}

TEST_F(TranslationTest, WhatCameBeforeAFailureIsThere) {
    EXPECT_THAT(feed("(ab?c"), ElementsAre("ab"));
    EXPECT_EQ(result_.error().code, Errc::upstream_invalid_response);
}

TEST_F(TranslationTest, AWriterThatMustHoldBackTooMuchEndsIt) {
    feed(std::string(1001, 'x'));
    EXPECT_EQ(result_.error().code, Errc::upstream_invalid_response);
}

}  // namespace
}  // namespace sluice::dialect
