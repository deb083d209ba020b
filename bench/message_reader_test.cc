#include "message_reader.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace sluice::bench {
namespace {

struct Read {
    std::vector<std::string> bodies;
    std::string rest;
    int status = -1;
    bool broken = false;
};

/// Reads the bytes in two pieces, cut at `cut`.
Read read_cut(std::string_view bytes, std::size_t cut) {
    MessageReader reader;
    Read read;
    for (std::string_view in : {bytes.substr(0, cut), bytes.substr(cut)}) {
        while (true) {
            std::string_view piece;
            const MessageReader::Step step = reader.next(in, piece);
            if (step == MessageReader::Step::need_more) break;
            if (step == MessageReader::Step::body) read.rest += piece;
            if (step == MessageReader::Step::broken) {
                read.broken = true;
                return read;
            }
            if (step != MessageReader::Step::message_end) continue;
            read.bodies.push_back(read.rest);
            read.rest.clear();
            read.status = reader.status();
        }
    }
    return read;
}

void expect_bodies(std::string_view bytes, const std::vector<std::string>& bodies, int status) {
    for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
        const Read read = read_cut(bytes, cut);
        EXPECT_EQ(read.bodies, bodies) << "cut at " << cut;
        EXPECT_EQ(read.status, status) << "cut at " << cut;
        EXPECT_EQ(read.rest, "") << "cut at " << cut;
    }
}

TEST(MessageReader, RepliesWithALengthAreReadWhereverTheyAreCut) {
    expect_bodies(
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
        "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n",
        {"hello", ""}, 404);
}

TEST(MessageReader, ChunkedRepliesAreReadWhereverTheyAreCut) {
    expect_bodies(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1a\r\nabcdefghijklmnopqrstuvwxyz\r\n"
        "0\r\nX-Sum: 1\r\n\r\n",
        {"hello world", "abcdefghijklmnopqrstuvwxyz"}, 200);
}

TEST(MessageReader, RequestsWithoutALengthHaveNoBody) {
    expect_bodies("GET / HTTP/1.1\r\nHost: a\r\n\r\n", {""}, 0);
}

TEST(MessageReader, AHeadThatNeverEndsIsRefused) {
    EXPECT_TRUE(read_cut(std::string(64 * 1024, 'a'), 20 * 1024).broken);
}

}  // namespace
}  // namespace sluice::bench
