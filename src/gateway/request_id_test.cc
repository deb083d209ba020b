#include "gateway/request_id.h"

#include <gtest/gtest.h>

#include <set>

namespace sluice::gateway {
namespace {

TEST(RequestIdsTest, IdsHaveOneShapeAndNeverRepeat) {
    RequestIds ids;
    std::set<std::string> seen;

    for (int i = 0; i < 10'000; ++i) seen.insert(ids.next());

    EXPECT_EQ(seen.size(), 10'000U);
    for (const std::string& id : seen) {
        ASSERT_EQ(id.size(), 36U);
        ASSERT_TRUE(id.starts_with("req_"));
        ASSERT_EQ(id.find_first_not_of("0123456789abcdef", 4), std::string::npos);
    }
}

TEST(RequestIdsTest, TwoWorkersDoNotShareIds) {
    RequestIds a;
    RequestIds b;

    EXPECT_NE(a.next().substr(0, 20), b.next().substr(0, 20));
}

}  // namespace
}  // namespace sluice::gateway
