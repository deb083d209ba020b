#include "config/address.h"

#include <gtest/gtest.h>

namespace sluice::config {
namespace {

bool loopback(std::string_view text) {
    const auto address = parse_host_port(text);
    return address && is_loopback(*address);
}

TEST(HostPort, IsReadAndWrittenBackTheSame) {
    for (const char* text : {"127.0.0.1:8080", "0.0.0.0:0", "[::1]:8080", "localhost:65535",
                             "[2001:db8::1]:1", "a-b.example.com:80"}) {
        const auto address = parse_host_port(text);
        ASSERT_TRUE(address) << text;
        EXPECT_EQ(to_string(*address), text);
    }
}

TEST(HostPort, IncompleteOrAmbiguousIsRefused) {
    for (const char* text :
         {"", "8080", ":8080", "localhost", "localhost:", "localhost:65536", "localhost:-1",
          "localhost:http", "::1:8080", "[::1]", "[::1]8080", "[::1]:", "[localhost]:80", "[]:80",
          "a b:80", "http://a:80", "*:80"}) {
        EXPECT_FALSE(parse_host_port(text)) << text;
    }
}

TEST(Loopback, IsWhatOnlyThisMachineReaches) {
    for (const char* text : {"127.0.0.1:1", "127.255.3.4:1", "[::1]:1", "[0:0:0:0:0:0:0:1]:1",
                             "localhost:1", "LocalHost:1"}) {
        EXPECT_TRUE(loopback(text)) << text;
    }
    for (const char* text :
         {"0.0.0.0:1", "[::]:1", "128.0.0.1:1", "127.0.0.1.example.com:1", "127.evil.example:1",
          "localhost.example.com:1", "192.168.0.1:1", "[::ffff:127.0.0.1]:1"}) {
        EXPECT_FALSE(loopback(text)) << text;
    }
}

TEST(BaseUrl, PartsAreTakenApart) {
    const auto url = parse_base_url("HTTPS://API.Example.com:8443/api/V1/");

    ASSERT_TRUE(url);
    EXPECT_EQ(*url,
              (BaseUrl{.tls = true, .host = "api.example.com", .port = 8443, .path = "/api/V1"}));
}

TEST(BaseUrl, PortAndPathHaveDefaults) {
    EXPECT_EQ(parse_base_url("http://h"),
              (BaseUrl{.tls = false, .host = "h", .port = 80, .path = {}}));
    EXPECT_EQ(parse_base_url("https://h//"),
              (BaseUrl{.tls = true, .host = "h", .port = 443, .path = {}}));
    EXPECT_EQ(parse_base_url("http://[::1]:8000/v1")->host, "::1");
}

TEST(BaseUrl, IsWrittenWithoutItsUsualPort) {
    for (const char* text :
         {"http://h", "https://h/v1", "http://h:8000/v1", "https://[::1]:8443"}) {
        EXPECT_EQ(to_string(*parse_base_url(text)), text);
    }
    EXPECT_EQ(to_string(*parse_base_url("https://h:443/")), "https://h");
}

TEST(BaseUrl, WhatIsNotUnderstoodInFullIsRefused) {
    for (const char* text : {"",
                             "h",
                             "h/v1",
                             "ftp://h",
                             "http:/h",
                             "http://",
                             "http:///v1",
                             "http://:80",
                             "http://h:0",
                             "http://h:65536",
                             "http://h:",
                             "http://h:80:80",
                             "http://::1/",
                             "http://u@h",
                             "http://u:p@h/v1",
                             "http://h?a=b",
                             "http://h/v1?a",
                             "http://h/#x",
                             "http://h/a b",
                             "http://h/a\nb",
                             "http://h\\@evil/",
                             "http://h\xC3\xA4/"}) {
        EXPECT_FALSE(parse_base_url(text)) << text;
    }
}

TEST(BaseUrl, ErrorDoesNotShowThePassword) {
    EXPECT_EQ(parse_base_url("https://user:hunter2@h/").error().message.find("hunter2"),
              std::string::npos);
}

TEST(BaseUrl, DeepSeekIsKnownByItsDomainOnly) {
    EXPECT_TRUE(is_deepseek(*parse_base_url("https://api.deepseek.com/v1")));
    EXPECT_TRUE(is_deepseek(*parse_base_url("https://deepseek.com")));
    EXPECT_FALSE(is_deepseek(*parse_base_url("https://notdeepseek.com")));
    EXPECT_FALSE(is_deepseek(*parse_base_url("https://deepseek.com.evil.example")));
}

}  // namespace
}  // namespace sluice::config
