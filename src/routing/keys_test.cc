#include "routing/keys.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <initializer_list>
#include <string>

namespace sluice::routing {
namespace {

using namespace std::chrono_literals;
using config::FailureKind;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr Keys::TimePoint kStart = Keys::TimePoint{} + 1h;

std::vector<config::Secret> secrets(std::initializer_list<const char*> values) {
    std::vector<config::Secret> secrets;
    for (const char* value : values) secrets.emplace_back(std::string(value));
    return secrets;
}

std::vector<std::size_t> order(const Keys& keys, std::size_t turn, Keys::TimePoint now) {
    std::vector<Keys::Choice> choices;
    keys.order(turn, now, choices);
    std::vector<std::size_t> indices;
    for (const Keys::Choice& choice : choices) {
        EXPECT_EQ(choice.cools, keys.cools_until(choice.index, now) > now);
        indices.push_back(choice.index);
    }
    return indices;
}

TEST(Keys, AreTakenInTurn) {
    Keys keys(secrets({"a", "b", "c"}));

    EXPECT_EQ(keys.count(), 3U);
    EXPECT_THAT(order(keys, keys.next_turn(), kStart), ElementsAre(0, 1, 2));
    EXPECT_THAT(order(keys, keys.next_turn(), kStart), ElementsAre(1, 2, 0));
    EXPECT_THAT(order(keys, keys.next_turn(), kStart), ElementsAre(2, 0, 1));
    EXPECT_THAT(order(keys, keys.next_turn(), kStart), ElementsAre(0, 1, 2));
}

TEST(Keys, AKeyThatCoolsComesLast) {
    Keys keys(secrets({"a", "b", "c"}));

    keys.cool(1, FailureKind::rate_limited, 30s, kStart);

    EXPECT_THAT(order(keys, 1, kStart), ElementsAre(2, 0, 1));
    EXPECT_THAT(order(keys, 1, kStart + 30s), ElementsAre(1, 2, 0));
}

TEST(Keys, OfThoseThatCoolTheSoonestUsableComesFirst) {
    Keys keys(secrets({"a", "b", "c", "d"}));
    keys.cool(0, FailureKind::rate_limited, 30s, kStart);
    keys.cool(1, FailureKind::rate_limited, 10s, kStart);
    keys.cool(3, FailureKind::rate_limited, 20s, kStart);

    EXPECT_THAT(order(keys, 0, kStart), ElementsAre(2, 1, 3, 0));

    keys.cool(2, FailureKind::rate_limited, 20s, kStart);
    EXPECT_THAT(order(keys, 0, kStart), ElementsAre(1, 2, 3, 0));
    EXPECT_THAT(order(keys, 3, kStart), ElementsAre(1, 3, 2, 0));
}

TEST(Keys, CoolForAsLongAsTheRefusalCallsFor) {
    Keys keys(secrets({"a", "b", "c", "d", "e"}));
    keys.cool(0, FailureKind::unauthorized, 1s, kStart);
    keys.cool(1, FailureKind::forbidden, 1s, kStart);
    keys.cool(2, FailureKind::no_credit, 1s, kStart);
    keys.cool(3, FailureKind::rate_limited, 1s, kStart);
    keys.cool(4, FailureKind::server_error, 1s, kStart);

    EXPECT_EQ(keys.cools_until(0, kStart), kStart + 10min);
    EXPECT_EQ(keys.cools_until(1, kStart), kStart + 10min);
    EXPECT_EQ(keys.cools_until(2, kStart), kStart + 5min);
    EXPECT_EQ(keys.cools_until(3, kStart), kStart + 1s);
    EXPECT_EQ(keys.cools_until(4, kStart), kStart);
    EXPECT_EQ(keys.cools_until(3, kStart + 2s), kStart + 2s);
}

TEST(Keys, ALaterAndMilderRefusalDoesNotShortenTheRest) {
    Keys keys(secrets({"a"}));
    keys.cool(0, FailureKind::unauthorized, 0s, kStart);

    keys.cool(0, FailureKind::rate_limited, 1s, kStart + 1s);

    EXPECT_EQ(keys.cools_until(0, kStart + 1s), kStart + 10min);
}

TEST(Keys, ThoseThatStayKeepWhatIsKnownOfThem) {
    Keys keys(secrets({"a", "b"}));
    keys.cool(0, FailureKind::unauthorized, 0s, kStart);
    keys.cool(1, FailureKind::no_credit, 0s, kStart);

    keys.configure(secrets({"c", "b", "d"}));

    EXPECT_EQ(keys.count(), 3U);
    EXPECT_EQ(keys.cools_until(0, kStart), kStart);
    EXPECT_EQ(keys.cools_until(1, kStart), kStart + 5min);
    EXPECT_EQ(keys.cools_until(2, kStart), kStart);
}

TEST(Keys, AnIndexThatIsGoneDoesNoHarm) {
    Keys keys(secrets({}));

    keys.cool(3, FailureKind::unauthorized, 0s, kStart);

    EXPECT_EQ(keys.cools_until(3, kStart), kStart);
    EXPECT_THAT(order(keys, 5, kStart), IsEmpty());
}

}  // namespace
}  // namespace sluice::routing
