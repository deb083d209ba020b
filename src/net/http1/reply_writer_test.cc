#include "net/http1/reply_writer.h"

#include <gmock/gmock.h>

#include <string>
#include <vector>

namespace sluice::net::http1 {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;
using ::testing::StartsWith;

class ReplyWriterTest : public ::testing::Test {
protected:
    /// What one call to chunk() puts on the wire.
    std::string chunk(const std::vector<std::string_view>& pieces, bool last) {
        ReplyWriter::Pieces framed;
        std::string wire;
        const auto all = writer_.chunk(pieces, last, framed);
        for (const std::string_view piece : all) wire += piece;
        writer_.keep(all, wire.size());
        return wire;
    }

    ReplyWriter writer_;
};

TEST_F(ReplyWriterTest, WritesTheHeadOfAWholeAnswer) {
    const ReplyHead head{.status = 404, .fields = "content-type: a/b\r\n"};

    EXPECT_THAT(std::string(writer_.whole(head, 12, {})),
                MatchesRegex("HTTP/1.1 404 Not Found\r\n"
                             "date: [A-Z][a-z][a-z], [0-9]* [A-Z][a-z]* [0-9]* [0-9:]* GMT\r\n"
                             "content-type: a/b\r\n"
                             "content-length: 12\r\n\r\n"));
    EXPECT_TRUE(writer_.started());
    EXPECT_TRUE(writer_.finished());
    EXPECT_TRUE(writer_.body_allowed());
}

TEST_F(ReplyWriterTest, SaysWhatBecomesOfTheConnection) {
    EXPECT_THAT(std::string(writer_.whole({}, 0, {.close = true})),
                HasSubstr("connection: close\r\n"));
    EXPECT_THAT(std::string(writer_.whole({}, 0, {.http10 = true})),
                HasSubstr("connection: keep-alive\r\n"));
    EXPECT_THAT(std::string(writer_.whole({}, 0, {.http10 = true, .close = true})),
                AllOf(HasSubstr("connection: close\r\n"), Not(HasSubstr("keep-alive"))));
    EXPECT_THAT(std::string(writer_.whole({}, 0, {})), Not(HasSubstr("connection:")));
}

TEST_F(ReplyWriterTest, KnowsWhichAnswersHaveNoBody) {
    for (const int status : {204, 304}) {
        writer_.reset();
        EXPECT_THAT(std::string(writer_.whole({status, {}}, 0, {})),
                    Not(HasSubstr("content-length")));
        EXPECT_FALSE(writer_.body_allowed());
        writer_.reset();
        writer_.begin({.status = status, .fields = {}}, {});
        EXPECT_THAT(chunk({"x"}, true), AllOf(EndsWith("\r\n\r\n"), Not(HasSubstr("chunked"))));
    }
    writer_.reset();
    EXPECT_THAT(std::string(writer_.whole({}, 7, {.head_request = true})),
                HasSubstr("content-length: 7\r\n"));
    EXPECT_FALSE(writer_.body_allowed());
}

TEST_F(ReplyWriterTest, StreamsInChunksWithTheHeadInFrontOfTheFirst) {
    writer_.begin({}, {});
    EXPECT_FALSE(writer_.finished());

    EXPECT_THAT(chunk({"ab", "", "cdefghijklmnopq"}, false),
                AllOf(StartsWith("HTTP/1.1 200 OK\r\n"),
                      EndsWith("transfer-encoding: chunked\r\n\r\n11\r\nabcdefghijklmnopq\r\n")));
    EXPECT_EQ(chunk({}, false), "");
    EXPECT_EQ(chunk({""}, false), "") << "an empty chunk would end the body";
    EXPECT_EQ(chunk({"x"}, true), "1\r\nx\r\n0\r\n\r\n");
    EXPECT_TRUE(writer_.finished());
}

TEST_F(ReplyWriterTest, TheLastChunkCanComeAlone) {
    writer_.begin({}, {});
    EXPECT_THAT(chunk({}, false), EndsWith("\r\n\r\n"));
    EXPECT_EQ(chunk({}, true), "0\r\n\r\n");
}

TEST_F(ReplyWriterTest, ToHttp10TheBodyGoesUnframed) {
    writer_.begin({}, {.http10 = true, .close = true});

    EXPECT_THAT(chunk({"ab", "c"}, false), EndsWith("connection: close\r\n\r\nabc"));
    EXPECT_EQ(chunk({"d"}, true), "d");
    EXPECT_TRUE(writer_.ends_with_connection());
}

TEST_F(ReplyWriterTest, KeepsWhatWasNotSentAtEveryOffset) {
    const std::vector<std::string_view> pieces = {"one", "", "two", "three"};
    for (std::size_t sent = 0; sent <= 11; ++sent) {
        ReplyWriter writer;
        writer.keep(pieces, sent);
        EXPECT_EQ(writer.unsent(), std::string_view("onetwothree").substr(sent));
        while (!writer.unsent().empty()) writer.sent(1);
    }
}

TEST_F(ReplyWriterTest, AppendsToWhatWasNotSent) {
    const std::vector<std::string_view> first = {"abc"};
    const std::vector<std::string_view> second = {"def"};
    writer_.keep(first, 1);
    writer_.sent(1);
    writer_.keep(second, 0);

    EXPECT_EQ(writer_.unsent(), "cdef");
}

TEST_F(ReplyWriterTest, StartsOverForTheNextAnswer) {
    writer_.begin({}, {.http10 = true, .close = true});
    [[maybe_unused]] const std::string wire = chunk({"x"}, true);

    writer_.reset();

    EXPECT_FALSE(writer_.started() || writer_.finished() || writer_.ends_with_connection());
    EXPECT_TRUE(writer_.body_allowed());
}

}  // namespace
}  // namespace sluice::net::http1
