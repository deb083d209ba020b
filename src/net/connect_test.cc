#include "net/connect.h"

#include "net/test_loop.h"
#include "net/test_tls.h"

#include <gmock/gmock.h>

#include <array>
#include <optional>
#include <string>

namespace sluice::net {
namespace {

using namespace std::chrono_literals;
using testing::CaFile;
using ::testing::HasSubstr;
using testing::Identity;
using testing::make_identity;
using testing::RawSocket;
using testing::TlsServer;

class ConnectTest : public ::testing::Test {
public:
    void connect(Endpoint endpoint, Clock::duration timeout = 2s) {
        loop_.run([](ConnectTest& test, Endpoint to, Clock::duration patience) -> Task<> {
            auto opened = co_await test.connector_.connect(std::move(to), patience);
            if (opened) {
                test.stream_.emplace(std::move(*opened));
            } else {
                test.error_ = opened.error();
            }
        }(*this, std::move(endpoint), timeout));
    }

    testing::TestLoop loop_;
    Connector connector_{loop_.worker};
    std::optional<Stream> stream_;
    Error error_;
};

TEST_F(ConnectTest, ConnectsToAnAddress) {
    const RawSocket listener = RawSocket::listening();

    connect({"127.0.0.1", listener.port()});

    ASSERT_TRUE(stream_.has_value());
    listener.accept().send("hi");
    loop_.turn(10ms);
    EXPECT_TRUE(stream_->has_unread_bytes());
    EXPECT_EQ(stream_->deadline().when(), Clock::time_point::max());
}

TEST_F(ConnectTest, ConnectsToANameAndTriesItsOtherAddresses) {
    // localhost is ::1 as well on most machines, where nobody listens here.
    const RawSocket listener = RawSocket::listening();

    connect({"localhost", listener.port()});

    EXPECT_TRUE(stream_.has_value()) << error_.message;
}

TEST_F(ConnectTest, SaysThatTheConnectionWasRefused) {
    const std::uint16_t closed = RawSocket::listening().port();

    connect({"127.0.0.1", closed});

    EXPECT_EQ(error_.code, Errc::upstream_unreachable);
    EXPECT_EQ(error_.message, "cannot connect to 127.0.0.1: Connection refused");
}

TEST_F(ConnectTest, SaysThatTheNameDoesNotResolve) {
    connect({"no-such-host.invalid", 80}, 4s);

    if (error_.code == Errc::upstream_timeout) GTEST_SKIP() << "the resolver is too slow here";
    EXPECT_EQ(error_.code, Errc::upstream_unreachable);
    EXPECT_THAT(error_.message, HasSubstr("the name does not resolve"));
}

TEST_F(ConnectTest, GivesUpAfterItsTime) {
    // A full backlog drops what comes next, as a host that is not there would.
    const RawSocket listener = RawSocket::listening(0);
    const RawSocket first = RawSocket::connected_to(listener.port());
    std::vector<Stream> more;
    const auto start = Clock::now();

    for (int i = 0; i < 3 && error_.message.empty(); ++i) {
        connect({"127.0.0.1", listener.port()}, 150ms);
        if (stream_) more.push_back(std::move(*stream_));
        stream_.reset();
    }

    EXPECT_EQ(error_.code, Errc::upstream_timeout);
    EXPECT_EQ(error_.message, "connecting to 127.0.0.1 took too long");
    EXPECT_GE(Clock::now() - start, 150ms);
    EXPECT_LT(Clock::now() - start, 1s);
}

class TlsTest : public ConnectTest {
public:
    /// Connects to `host` at a server that shows `identity`; what it says afterwards is got().
    void connect_to(const Identity& identity, const std::string& host,
                    int max_version = TLS1_3_VERSION) {
        TlsServer server(
            identity,
            [this](SSL* ssl) {
                std::array<char, 64> buffer{};
                const int count = SSL_read(ssl, buffer.data(), buffer.size());
                if (count > 0) received_.assign(buffer.data(), static_cast<std::size_t>(count));
                SSL_write(ssl, "pong", 4);
            },
            max_version);
        // The name does not resolve to the server, so it goes the way of an address with a name.
        connect_as(host, server.port());
        if (stream_) loop_.run(ping());
        stream_.reset();
        server.join();
        shaken_ = server.shaken();
    }
    void connect_as(const std::string& host, std::uint16_t port) {
        loop_.run([](TlsTest& test, std::string name, std::uint16_t to) -> Task<> {
            auto opened = co_await test.connector_.connect({"127.0.0.1", to}, 2s);
            if (!opened) co_return;
            opened->use_tls(test.tls_->session(name, opened->native_handle()));
            opened->deadline().expire_after(2s);
            const auto shaken = co_await tls_handshake(*opened, name);
            if (shaken) {
                test.stream_.emplace(std::move(*opened));
            } else {
                test.error_ = shaken.error();
            }
        }(*this, host, port));
    }
    Task<> ping() {
        const std::array<std::string_view, 1> pieces = {"ping"};
        [[maybe_unused]] const auto written = co_await stream_->write(pieces);
        for (;;) {
            std::array<char, 64> buffer{};
            const Io io = stream_->read_now(buffer.data(), buffer.size());
            answer_.append(buffer.data(), io.bytes);
            if (io.status != Io::Status::would_block_read) break;
            const Wake wake = co_await stream_->readable();
            if (wake != Wake::ready) break;
        }
    }

    Identity authority_ = make_identity("");
    CaFile ca_{authority_};
    std::shared_ptr<const TlsContext> tls_ =
        std::make_shared<const TlsContext>(TlsContext::make(ca_.path()).value());
    std::string received_;
    std::string answer_;
    bool shaken_ = false;
};

TEST_F(TlsTest, TrustsTheConfiguredAuthorityForTheRightName) {
    connect_to(make_identity("DNS:api.test", &authority_), "api.test");

    EXPECT_EQ(error_.message, "");
    EXPECT_EQ(received_, "ping");
    EXPECT_EQ(answer_, "pong");
}

TEST_F(TlsTest, TheConnectorShakesHandsToo) {
    const Identity identity = make_identity("IP:127.0.0.1", &authority_);
    const TlsServer server(identity, [](SSL* ssl) { SSL_write(ssl, "x", 1); });

    connect({"127.0.0.1", server.port(), tls_});

    EXPECT_TRUE(stream_.has_value()) << error_.message;
}

TEST_F(TlsTest, RefusesAnotherName) {
    connect_to(make_identity("DNS:api.test", &authority_), "other.test");

    EXPECT_EQ(error_.code, Errc::upstream_unreachable);
    EXPECT_EQ(error_.message, "TLS with other.test failed: hostname mismatch");
    EXPECT_EQ(received_, "");
}

TEST_F(TlsTest, RefusesAnotherAddress) {
    connect_to(make_identity("IP:127.0.0.9", &authority_), "127.0.0.1");

    EXPECT_THAT(error_.message, HasSubstr("IP address mismatch"));
    EXPECT_EQ(received_, "");
}

TEST_F(TlsTest, RefusesWhatNobodyTrustedHasSigned) {
    connect_to(make_identity("DNS:api.test"), "api.test");

    EXPECT_EQ(error_.code, Errc::upstream_unreachable);
    EXPECT_THAT(error_.message, HasSubstr("self-signed certificate"));
    EXPECT_EQ(received_, "");
}

TEST_F(TlsTest, RefusesWhatHasExpired) {
    connect_to(make_identity("DNS:api.test", &authority_, -3600), "api.test");

    EXPECT_EQ(error_.message, "TLS with api.test failed: certificate has expired");
    EXPECT_EQ(received_, "");
}

TEST_F(TlsTest, AWildcardCoversOneLabelAndNoPartOfIt) {
    connect_to(make_identity("DNS:*.api.test", &authority_), "eu.api.test");
    EXPECT_EQ(error_.message, "");
    connect_to(make_identity("DNS:*.api.test", &authority_), "a.b.api.test");
    EXPECT_THAT(error_.message, HasSubstr("hostname mismatch"));
    error_ = Error();
    connect_to(make_identity("DNS:e*.api.test", &authority_), "eu.api.test");
    EXPECT_THAT(error_.message, HasSubstr("hostname mismatch"));
}

TEST_F(TlsTest, RefusesVersionsBefore12) {
    connect_to(make_identity("DNS:api.test", &authority_), "api.test", TLS1_1_VERSION);

    EXPECT_EQ(error_.code, Errc::upstream_unreachable);
    EXPECT_FALSE(shaken_);
}

TEST_F(TlsTest, SpeaksTls12) {
    connect_to(make_identity("DNS:api.test", &authority_), "api.test", TLS1_2_VERSION);

    EXPECT_EQ(answer_, "pong");
}

TEST_F(TlsTest, AServerThatSpeaksNoTlsIsRefusedWithAReason) {
    const RawSocket listener = RawSocket::listening();
    const std::jthread server([&] { listener.accept().send("HTTP/1.1 400 Bad Request\r\n\r\n"); });

    connect({"127.0.0.1", listener.port(), tls_});

    EXPECT_EQ(error_.code, Errc::upstream_unreachable);
    EXPECT_THAT(error_.message, HasSubstr("TLS with 127.0.0.1 failed"));
}

TEST_F(TlsTest, AHandshakeThatStallsEndsWithTheTimeForTheConnection) {
    const RawSocket listener = RawSocket::listening();
    const auto start = Clock::now();

    connect({"127.0.0.1", listener.port(), tls_}, 100ms);

    EXPECT_EQ(error_.code, Errc::upstream_timeout);
    EXPECT_LT(Clock::now() - start, 500ms);
}

TEST_F(TlsTest, AConnectInTheMiddleOfItsHandshakeCanBeCalledOff) {
    const RawSocket listener = RawSocket::listening();
    Connecting connecting;
    const auto start = Clock::now();
    std::optional<Error> error;
    auto attempt = [&]() -> Task<> {
        Endpoint endpoint("127.0.0.1", listener.port(), tls_);
        const auto opened = co_await connector_.connect(std::move(endpoint), 5s, connecting);
        if (!opened) error = opened.error();
    };
    auto call_off = [&]() -> Task<> {
        co_await loop_.worker.sleep(50ms);
        connecting.cancel();
    };

    loop_.worker.spawn(call_off());
    loop_.run(attempt());

    ASSERT_TRUE(error.has_value());
    EXPECT_EQ(error->code, Errc::cancelled);
    EXPECT_LT(Clock::now() - start, 1s);
}

TEST_F(TlsTest, WritingToAServerThatHasGoneRaisesNoSignal) {
    const Identity identity = make_identity("IP:127.0.0.1", &authority_);
    TlsServer server(identity, [](SSL*) {});
    connect({"127.0.0.1", server.port(), tls_});
    ASSERT_TRUE(stream_.has_value()) << error_.message;
    server.join();
    loop_.turn(20ms);

    const std::array<std::string_view, 1> pieces = {"ping"};
    Io io;
    for (int i = 0; i < 5 && io.status == Io::Status::ok; ++i) {
        io = stream_->write_now(pieces);
        loop_.turn(5ms);
    }

    EXPECT_EQ(io.status, Io::Status::failed);
}

TEST_F(TlsTest, WritesAndReadsMoreThanAnyBufferHolds) {
    const Identity identity = make_identity("IP:127.0.0.1", &authority_);
    const std::string sent(3'000'000, 's');
    std::size_t received = 0;
    const TlsServer server(identity, [&](SSL* ssl) {
        std::array<char, 16'384> buffer{};
        while (received < sent.size()) {
            const int count = SSL_read(ssl, buffer.data(), buffer.size());
            if (count <= 0) return;
            received += static_cast<std::size_t>(count);
        }
        SSL_write(ssl, sent.data(), static_cast<int>(sent.size()));
    });
    connect({"127.0.0.1", server.port(), tls_});
    ASSERT_TRUE(stream_.has_value()) << error_.message;
    std::size_t got = 0;

    loop_.run([](Stream& stream, const std::string& bytes, std::size_t& count) -> Task<> {
        const std::array<std::string_view, 1> pieces = {bytes};
        const auto written = co_await stream.write_until_answered(pieces);
        EXPECT_TRUE(written.ok()) << "a session ticket is no answer";
        std::array<char, 5000> buffer{};
        while (count < bytes.size()) {
            const Io io = stream.read_now(buffer.data(), buffer.size());
            count += io.bytes;
            if (io.status == Io::Status::ok) continue;
            if (io.status != Io::Status::would_block_read) break;
            const Wake wake = co_await stream.readable();
            if (wake != Wake::ready) break;
        }
    }(*stream_, sent, got));

    EXPECT_EQ(got, sent.size());
}

TEST(TlsContextTest, SaysThatTheCaFileCannotBeRead) {
    const auto made = TlsContext::make("/no/such/file.pem");

    ASSERT_FALSE(made.has_value());
    EXPECT_EQ(made.error().message, "ca_file /no/such/file.pem has no readable PEM certificate");
}

}  // namespace
}  // namespace sluice::net
