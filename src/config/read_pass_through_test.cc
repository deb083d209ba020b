#include "config/load_fixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class PassThroughTest : public LoadTest {
protected:
    static std::string with_upstreams(const std::string& text) {
        return "upstreams: {a: {base_url: http://h}, b: {base_url: http://h}, e: {kind: "
               "embedded}}\n" +
               text;
    }
};

TEST_F(PassThroughTest, IsOffUnlessStated) {
    file(with_upstreams("default_route: a/*\n"));
    EXPECT_EQ(loaded().pass_through.upstream, "");
}

TEST_F(PassThroughTest, EveryKeyIsRead) {
    file(with_upstreams("pass_through: {upstream: b, prefix: /api/v1/, retry: true}\n"));
    const PassThrough pass_through = loaded().pass_through;
    EXPECT_EQ(pass_through.upstream, "b");
    EXPECT_EQ(pass_through.prefix, "/api/v1");
    EXPECT_TRUE(pass_through.retry);

    file(with_upstreams("pass_through: {upstream: b}\n"));
    EXPECT_EQ(loaded().pass_through.prefix, "/v1");
    file(with_upstreams("pass_through: {upstream: b, prefix: /}\n"));
    EXPECT_EQ(loaded().pass_through.prefix, "");
}

TEST_F(PassThroughTest, GoesToAnUpstreamThatHasAnAddress) {
    EXPECT_THAT(problems_of(with_upstreams("pass_through: {upstream: c}\n")),
                ElementsAre(HasSubstr("there is no upstream `c`")));
    EXPECT_THAT(problems_of(with_upstreams("pass_through: {upstream: e}\n")),
                ElementsAre(HasSubstr("expected an upstream of another kind")));
    EXPECT_THAT(problems_of(with_upstreams("pass_through: {prefix: /x}\n")),
                ElementsAre(HasSubstr("`pass_through.upstream` is missing")));
    for (const char* prefix : {"v1", "/a b", "/a?b", "//", "/a/../b"}) {
        EXPECT_THAT(problems_of(with_upstreams("pass_through: {upstream: a, prefix: '" +
                                               std::string(prefix) + "'}\n")),
                    ElementsAre(HasSubstr("`pass_through.prefix` is")));
    }
}

TEST_F(PassThroughTest, TheVariableTurnsItOnToTheDefaultUpstream) {
    environment_["PROXY_PATH_PREFIX"] = "/api/v1/";
    file(with_upstreams("default_route: [b/*, a/*]\n"));
    EXPECT_EQ(loaded().pass_through.upstream, "b");
    EXPECT_EQ(loaded().pass_through.prefix, "/api/v1");

    file(with_upstreams("default_route: b/*\npass_through: {upstream: a, prefix: /x}\n"));
    EXPECT_EQ(loaded().pass_through.upstream, "a");
    EXPECT_EQ(loaded().pass_through.prefix, "/api/v1");
}

TEST_F(PassThroughTest, TheVariableNeedsAnUpstream) {
    environment_["PROXY_PATH_PREFIX"] = "/api/v1";
    EXPECT_THAT(problems(), ElementsAre(HasSubstr("which has no address")));
    EXPECT_THAT(problems_of(with_upstreams("routes: [{model: m, to: a/m}]\n")),
                ElementsAre(HasSubstr("expected `default_route` or")));
    environment_["PROXY_PATH_PREFIX"] = "api/v1";
    flags_ = {};
    EXPECT_THAT(problems(), ElementsAre(HasSubstr("environment: `PROXY_PATH_PREFIX` is `api/v1`")));
}

}  // namespace
}  // namespace sluice::config
