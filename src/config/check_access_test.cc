#include "config/load_fixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice::config {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

using AccessTest = LoadTest;

TEST_F(AccessTest, AnAddressBeyondLoopbackNeedsKeys) {
    EXPECT_THAT(problems_of("listen: 0.0.0.0:1\n"),
                ElementsAre(AllOf(HasSubstr("sluice.yaml:1: 0.0.0.0:1 can be reached"),
                                  HasSubstr("no keys are configured"))));
    EXPECT_THAT(problems_of("listen: 0.0.0.0:1\nkeys: [{name: k, secret: sk-k}]\n"), IsEmpty());
}

TEST_F(AccessTest, ClientsThatBringTheirOwnCredentialNeedNone) {
    const std::string open = "listen: 0.0.0.0:1\n";
    EXPECT_THAT(problems_of(open + "upstreams: {a: {base_url: http://h, auth: passthrough}}\n"),
                IsEmpty());
    EXPECT_THAT(warnings(), IsEmpty());
    EXPECT_THAT(problems_of(open + "upstreams: {a: {base_url: http://h, auth: passthrough}, b: "
                                   "{base_url: http://h}}\n"),
                ElementsAre(HasSubstr("no keys are configured")));
    EXPECT_THAT(
        problems_of(open + "upstreams: {a: {base_url: http://h, auth: passthrough}, b: {kind: "
                           "embedded}}\n"),
        ElementsAre(HasSubstr("no keys are configured")));
}

TEST_F(AccessTest, APublishedKeyCountsAsNone) {
    const std::string key = "keys: [{name: k, secret: '123456'}]\n";
    EXPECT_THAT(problems_of("listen: 0.0.0.0:1\n" + key),
                ElementsAre(HasSubstr("a client key is the published 123456")));
    EXPECT_THAT(problems_of(key), IsEmpty());
    EXPECT_THAT(warnings(), ElementsAre(HasSubstr("`k` is the published 123456")));
    file("listen: 0.0.0.0:1\n" + key);
    flags_.insecure_no_auth = true;
    EXPECT_THAT(warnings(), ElementsAre(HasSubstr("answers anyone who can reach it"),
                                        HasSubstr("is the published")));
}

TEST_F(AccessTest, ACredentialThatIsPassedOnGoesToOneProviderOnly) {  // AK-7
    const std::string upstreams =
        "upstreams:\n"
        "  a: {base_url: 'http://127.0.0.1:1', auth: passthrough}\n"
        "  b: {base_url: 'http://127.0.0.1:2', auth: passthrough}\n";

    EXPECT_THAT(problems_of(upstreams + "default_route: [a/*, b/*]\n"),
                ElementsAre(HasSubstr("default_route goes to `a` and `b`")));
    EXPECT_THAT(problems_of(upstreams + "routes: [{model: m, to: [a/x, a/y]}]\n"), IsEmpty());
}

}  // namespace
}  // namespace sluice::config
