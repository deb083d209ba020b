#include "net/address_limit.h"

#include <gtest/gtest.h>

namespace sluice::net {
namespace {

TEST(AddressLimitTest, AnAddressHoldsNoMoreThanItsShare) {
    AddressLimit limit;

    EXPECT_TRUE(limit.enter("192.0.2.1", 2));
    EXPECT_TRUE(limit.enter("192.0.2.1", 2));
    EXPECT_FALSE(limit.enter("192.0.2.1", 2));
    EXPECT_TRUE(limit.enter("192.0.2.2", 2)) << "others are not concerned";
}

TEST(AddressLimitTest, AConnectionThatEndsMakesRoom) {
    AddressLimit limit;
    ASSERT_TRUE(limit.enter("192.0.2.1", 1));

    limit.leave("192.0.2.1");

    EXPECT_TRUE(limit.enter("192.0.2.1", 1));
}

TEST(AddressLimitTest, ALimitOfNoneRefusesEveryone) {
    AddressLimit limit;

    EXPECT_FALSE(limit.enter("192.0.2.1", 0));
}

}  // namespace
}  // namespace sluice::net
