#include "net/stream.h"

#include "net/test_loop.h"

#include <array>
#include <memory>
#include <optional>
#include <thread>

namespace sluice::net {
namespace {

using namespace std::chrono_literals;
using testing::RawSocket;

class StreamTest : public ::testing::Test {
public:
    Task<> wait_readable() { ended_ = co_await stream_->readable(); }
    Task<> wait_writable() { ended_ = co_await stream_->writable(); }
    Task<> write_one(std::string_view bytes) {
        const std::array<std::string_view, 1> pieces = {bytes};
        written_ = co_await stream_->write(pieces);
    }

    void fill_the_socket() {
        const std::string block(256UL * 1024, 'f');
        const std::array<std::string_view, 1> pieces = {block};
        for (int blocked = 0; blocked < 3;) {
            if (stream_->write_now(pieces).status == Io::Status::would_block_write) {
                ++blocked;
                loop_.turn(20ms);
            }
        }
    }

    testing::TestLoop loop_;
    testing::TestLoop::Pair pair_ = loop_.connected();
    std::optional<Stream> stream_{std::move(pair_.stream)};
    RawSocket& peer_ = pair_.peer;
    std::optional<Wake> ended_;
    std::optional<Stream::Written> written_;
};

TEST_F(StreamTest, ReadableWaitsForBytesAndReadTakesThem) {
    std::array<char, 8> buffer{};
    EXPECT_EQ(stream_->read_now(buffer.data(), buffer.size()).status, Io::Status::would_block_read);
    loop_.worker.spawn(wait_readable());
    loop_.turn(20ms);
    EXPECT_FALSE(ended_.has_value());

    peer_.send("hello");
    loop_.turn(50ms);

    EXPECT_EQ(ended_, Wake::ready);
    const Io io = stream_->read_now(buffer.data(), buffer.size());
    EXPECT_EQ(io.status, Io::Status::ok);
    EXPECT_EQ(std::string_view(buffer.data(), io.bytes), "hello");
}

TEST_F(StreamTest, BytesThatWereThereBeforeTheWaitEndIt) {
    // Edge-triggered readiness must not be lost between two waits.
    peer_.send("ab");
    char byte = 0;
    for (const char expected : {'a', 'b'}) {
        ended_.reset();
        loop_.run(wait_readable(), 1s);
        ASSERT_EQ(ended_, Wake::ready);
        ASSERT_EQ(stream_->read_now(&byte, 1).bytes, 1U);
        EXPECT_EQ(byte, expected);
    }
}

TEST_F(StreamTest, ReadableEndsAtTheEndAndReadSaysClosed) {
    peer_.close();

    loop_.run(wait_readable(), 1s);

    char byte = 0;
    EXPECT_EQ(ended_, Wake::ready);
    EXPECT_EQ(stream_->read_now(&byte, 1).status, Io::Status::closed);
}

TEST_F(StreamTest, AResetIsAFailureAndNotAnEnd) {
    peer_.reset();

    loop_.run(wait_readable(), 1s);

    char byte = 0;
    EXPECT_EQ(stream_->read_now(&byte, 1).status, Io::Status::failed);
}

TEST_F(StreamTest, AWaitEndsWithItsDeadline) {
    const auto start = Clock::now();
    stream_->deadline().expire_after(50ms);

    loop_.run(wait_readable(), 1s);

    EXPECT_EQ(ended_, Wake::timed_out);
    EXPECT_GE(Clock::now() - start, 50ms - Deadlines::kTick);
}

TEST_F(StreamTest, AWaitForWritingEndsWithItsDeadline) {
    fill_the_socket();
    stream_->deadline().expire_after(50ms);

    loop_.run(wait_writable(), 1s);

    EXPECT_EQ(ended_, Wake::timed_out);
}

TEST_F(StreamTest, ADeadlineThatPassedBeforeTheWaitEndsIt) {
    stream_->deadline().expire_after(10ms);
    loop_.turn(60ms);

    loop_.run(wait_readable(), 1s);

    EXPECT_EQ(ended_, Wake::timed_out);
}

TEST_F(StreamTest, ADeadlineThatPassedIsForgottenWhenAnotherIsSet) {
    stream_->deadline().expire_after(10ms);
    loop_.turn(60ms);
    stream_->deadline().expire_after(1h);
    peer_.send("x");

    loop_.run(wait_readable(), 1s);

    EXPECT_EQ(ended_, Wake::ready);
}

TEST_F(StreamTest, ADeadlineThatPassedIsForgottenWhenItIsCleared) {
    stream_->deadline().expire_after(10ms);
    loop_.turn(60ms);
    stream_->deadline().never();
    peer_.send("x");

    loop_.run(wait_readable(), 1s);

    EXPECT_EQ(ended_, Wake::ready);
}

TEST_F(StreamTest, ADeadlineEndsAReadAndAWriteThatBothWait) {
    fill_the_socket();
    std::optional<Wake> read;
    loop_.worker.spawn([](Stream& stream, std::optional<Wake>& wake) -> Task<> {
        wake = co_await stream.readable();
    }(*stream_, read));
    stream_->deadline().expire_after(30ms);

    loop_.run(wait_writable(), 1s);
    loop_.turn(10ms);

    EXPECT_EQ(ended_, Wake::timed_out);
    EXPECT_EQ(read, Wake::timed_out);
}

TEST_F(StreamTest, CancelFromAnotherCoroutineEndsTheWaitAndEveryLaterOne) {
    loop_.worker.spawn([](StreamTest& test) -> Task<> {
        co_await test.loop_.worker.sleep(20ms);
        test.stream_->cancel();
    }(*this));

    loop_.run(wait_readable(), 1s);
    EXPECT_EQ(ended_, Wake::cancelled);
    ended_.reset();
    peer_.send("x");
    loop_.run(wait_readable(), 1s);
    EXPECT_EQ(ended_, Wake::cancelled);
    ended_.reset();
    loop_.run(wait_writable(), 1s);

    EXPECT_EQ(ended_, Wake::cancelled);
}

TEST_F(StreamTest, CancelBeatsReadinessOfTheSameTurnWithoutResumingTwice) {
    loop_.worker.spawn(wait_readable());
    loop_.turn(10ms);
    peer_.send("x");

    stream_->cancel();
    loop_.turn(50ms);

    EXPECT_EQ(ended_, Wake::cancelled);
}

TEST_F(StreamTest, TheWaiterGoesOnFromTheLoopAndNotInsideCancel) {
    loop_.worker.spawn(wait_readable());
    loop_.turn(10ms);

    stream_->cancel();

    EXPECT_FALSE(ended_.has_value());
    loop_.turn(10ms);
    EXPECT_EQ(ended_, Wake::cancelled);
}

TEST_F(StreamTest, CloseEndsTheWaitsUnderWay) {
    loop_.worker.spawn(wait_readable());
    loop_.turn(10ms);

    stream_->close();
    loop_.finish(1s);

    EXPECT_EQ(ended_, Wake::cancelled);
}

TEST_F(StreamTest, ResetEndsTheWaitsUnderWay) {
    fill_the_socket();
    loop_.worker.spawn(wait_writable());
    loop_.turn(10ms);

    stream_->reset();
    loop_.finish(1s);

    EXPECT_EQ(ended_, Wake::cancelled);
}

TEST_F(StreamTest, MayBeDestroyedWhileAWaitIsUnderWay) {
    loop_.worker.spawn(wait_readable());
    loop_.turn(10ms);
    peer_.send("x");

    stream_.reset();
    loop_.finish(1s);

    EXPECT_EQ(ended_, Wake::cancelled);
}

TEST_F(StreamTest, MayBeDestroyedByTheCoroutineThatItsDeadlineWakes) {
    stream_->deadline().expire_after(20ms);

    loop_.run([](StreamTest& test) -> Task<> {
        test.ended_ = co_await test.stream_->readable();
        test.stream_.reset();
    }(*this));
    loop_.finish(1s);

    EXPECT_EQ(ended_, Wake::timed_out);
}

class Watcher final : public StreamWatcher {
public:
    explicit Watcher(std::optional<Stream>& stream) : stream_(stream) {}
    void on_readable() override {
        ++readable;
        if (destroys) stream_.reset();
    }
    void on_deadline() override {
        ++deadlines;
        if (destroys) stream_.reset();
    }

    int readable = 0;
    int deadlines = 0;
    bool destroys = false;

private:
    std::optional<Stream>& stream_;
};

TEST_F(StreamTest, AWatcherHearsOfBytesAndOfTheDeadline) {
    Watcher watcher(stream_);
    stream_->watch(&watcher);
    stream_->deadline().expire_after(30ms);
    loop_.turn(80ms);
    EXPECT_EQ(watcher.deadlines, 1);
    EXPECT_EQ(watcher.readable, 0);

    peer_.send("x");
    loop_.turn(30ms);

    EXPECT_EQ(watcher.readable, 1);
}

TEST_F(StreamTest, AWatcherHearsOfBytesThatCameBeforeIt) {
    Watcher first(stream_);
    stream_->watch(&first);
    peer_.send("x");
    loop_.turn(30ms);
    ASSERT_EQ(first.readable, 1);
    stream_->watch(nullptr);
    Watcher second(stream_);

    stream_->watch(&second);
    loop_.turn(30ms);

    EXPECT_EQ(second.readable, 1);
}

TEST_F(StreamTest, WhatAWatcherHeardIsThereForTheNextWait) {
    Watcher watcher(stream_);
    stream_->watch(&watcher);
    peer_.send("x");
    loop_.turn(30ms);
    stream_->watch(nullptr);

    loop_.run(wait_readable(), 1s);

    EXPECT_EQ(ended_, Wake::ready);
}

TEST_F(StreamTest, AWatcherMayDestroyTheStreamWhenItIsReadable) {
    Watcher watcher(stream_);
    watcher.destroys = true;
    stream_->watch(&watcher);
    peer_.send("x");

    loop_.finish(1s);

    EXPECT_FALSE(stream_.has_value());
}

TEST_F(StreamTest, AWatcherMayDestroyTheStreamAtItsDeadline) {
    Watcher watcher(stream_);
    watcher.destroys = true;
    stream_->watch(&watcher);
    stream_->deadline().expire_after(10ms);

    loop_.finish(1s);

    EXPECT_FALSE(stream_.has_value());
}

TEST_F(StreamTest, PeerGoneTellsTheEndFromSilence) {
    EXPECT_FALSE(stream_->peer_gone());
    peer_.send("x");
    loop_.turn(10ms);
    EXPECT_FALSE(stream_->peer_gone());
    EXPECT_TRUE(stream_->has_unread_bytes());

    peer_.close();
    loop_.turn(10ms);

    EXPECT_TRUE(stream_->peer_gone()) << "the end hides behind an unread byte";
    EXPECT_TRUE(stream_->has_unread_bytes());
}

TEST_F(StreamTest, PeerGoneSeesAReset) {
    peer_.send("x");
    peer_.reset();
    loop_.turn(10ms);

    EXPECT_TRUE(stream_->peer_gone());
}

TEST_F(StreamTest, WritesMoreThanTheSocketHoldsToASlowReader) {
    std::string sent;
    for (int i = 0; sent.size() < 8UL * 1024 * 1024; ++i) sent += std::to_string(i) + ",";
    std::string got;
    std::jthread reader([&] {
        while (got.size() < sent.size()) {
            const std::string piece = peer_.receive(3s, 200'000);
            if (piece.empty()) break;
            got += piece;
            if (got.size() < 2'000'000) std::this_thread::sleep_for(1ms);
        }
    });

    loop_.run(write_one(sent), 10s);
    reader.join();

    EXPECT_TRUE(written_.value().ok());
    EXPECT_TRUE(got == sent);
}

TEST_F(StreamTest, WritesManyPiecesSomeOfThemEmpty) {
    std::vector<std::string> texts;
    std::string all;
    for (int i = 0; i < 300; ++i) {
        texts.push_back(i % 3 == 0 ? "" : std::to_string(i) + ";");
        all += texts.back();
    }
    std::vector<std::string_view> pieces(texts.begin(), texts.end());

    loop_.run([](StreamTest& test, std::span<const std::string_view> parts) -> Task<> {
        test.written_ = co_await test.stream_->write(parts);
    }(*this, pieces));

    EXPECT_TRUE(written_.value().ok());
    EXPECT_EQ(peer_.receive_until("299;"), all);
}

TEST_F(StreamTest, AWriteToAReaderThatNeverReadsEndsWithTheDeadline) {
    const std::string large(32UL * 1024 * 1024, 'x');
    stream_->deadline().expire_after(80ms);

    loop_.run(write_one(large));

    EXPECT_EQ(written_.value().wake, Wake::timed_out);
}

TEST_F(StreamTest, AWriteToAPeerThatResetFails) {
    peer_.reset();
    loop_.turn(10ms);

    loop_.run(write_one("x"));

    EXPECT_EQ(written_.value().status, Io::Status::failed);
}

TEST_F(StreamTest, CloseIsAnOrderlyEndAndResetIsNot) {
    auto other = loop_.connected();
    stream_->close();
    other.stream.reset();

    EXPECT_EQ(peer_.receive(), "");
    EXPECT_TRUE(peer_.ended());
    EXPECT_EQ(other.peer.receive(), "");
    EXPECT_TRUE(other.peer.was_reset());
}

TEST_F(StreamTest, AfterShutdownOfSendingReadingGoesOn) {
    stream_->shutdown_send();
    EXPECT_EQ(peer_.receive(), "");
    EXPECT_TRUE(peer_.ended());
    peer_.send("still here");

    loop_.run(wait_readable());

    std::array<char, 32> buffer{};
    EXPECT_EQ(stream_->read_now(buffer.data(), buffer.size()).bytes, 10U);
}

TEST_F(StreamTest, AClosedStreamDoesNothingMore) {
    stream_->close();

    loop_.run(wait_readable());
    EXPECT_EQ(ended_, Wake::cancelled);
    loop_.run(write_one("x"));

    EXPECT_FALSE(written_.value().ok());
}

TEST_F(StreamTest, WaitsForReadingAndWritingAreApart) {
    fill_the_socket();
    std::optional<Wake> read;
    loop_.worker.spawn([](Stream& stream, std::optional<Wake>& wake) -> Task<> {
        wake = co_await stream.readable();
    }(*stream_, read));
    loop_.worker.spawn(wait_writable());
    loop_.turn(20ms);
    EXPECT_FALSE(ended_.has_value());

    peer_.send("x");
    loop_.turn(30ms);
    EXPECT_EQ(read, Wake::ready);
    EXPECT_FALSE(ended_.has_value());
    for (std::size_t got = 0; got < 2'000'000;) {
        const std::size_t piece = peer_.receive(100ms).size();
        if (piece == 0) break;
        got += piece;
    }
    loop_.turn(50ms);

    EXPECT_EQ(ended_, Wake::ready);
}

}  // namespace
}  // namespace sluice::net
