#include "sse/framer.h"

#include <gtest/gtest.h>

#include <vector>

namespace sluice::sse {
namespace {

using namespace std::string_view_literals;
using Events = std::vector<std::string>;

void drain(Framer& framer, std::string_view bytes, Events& events) {
    framer.feed(bytes);
    while (const auto event = framer.next()) events.emplace_back(*event);
}

Events frame(std::string_view bytes) {
    Framer framer(1024);
    Events events;
    drain(framer, bytes, events);
    return events;
}

TEST(SseFramer, AnEventEndsWithItsBlankLine) {
    EXPECT_EQ(frame("data: a\n\nevent: x\ndata: b\n\n: c\n\ndata: cut\n"),
              (Events{"data: a\n\n", "event: x\ndata: b\n\n", ": c\n\n"}));
}

TEST(SseFramer, KnowsAllThreeLineEnds) {
    EXPECT_EQ(frame("data: a\r\n\r\ndata: b\r\rdata: c\n\n"),
              (Events{"data: a\r\n\r\n", "data: b\r\r", "data: c\n\n"}));
}

TEST(SseFramer, ABlankLineOnItsOwnIsAnEvent) {
    EXPECT_EQ(frame("\n\r\ndata: a\n\n\n"), (Events{"\n", "\r", "\n", "data: a\n\n", "\n"}));
}

TEST(SseFramer, AWholeEventIsNotCopied) {
    const std::string_view bytes = "data: a\n\n";
    Framer framer(1024);
    framer.feed(bytes);

    const auto event = framer.next();

    ASSERT_TRUE(event);
    EXPECT_EQ(event->data(), bytes.data());
}

TEST(SseFramer, AnEventInPartsLivesUntilTheNextPieceIsFed) {
    Framer framer(1024);
    framer.feed("data: ");
    EXPECT_FALSE(framer.next());
    framer.feed("a\n\ndata: b\n\ndata");

    const auto first = framer.next();
    const auto second = framer.next();
    EXPECT_FALSE(framer.next());

    ASSERT_TRUE(first && second);
    EXPECT_EQ(*first, "data: a\n\n");
    EXPECT_EQ(*second, "data: b\n\n");
}

TEST(SseFramer, ShowsWhatIsNotCompleteYet) {
    Framer framer(1024);
    Events events;

    drain(framer, "data: a\n\ndata: [DO", events);
    EXPECT_EQ(framer.rest(), "data: [DO");
    drain(framer, "NE]\n\n", events);
    EXPECT_EQ(framer.rest(), "");
}

TEST(SseFramer, DoesNotWaitForAnLfInAStreamOfLoneCrs) {
    Framer framer(1024);
    Events events;

    drain(framer, "data: a\r\r", events);

    EXPECT_EQ(events, (Events{"data: a\r\r"}));
}

TEST(SseFramer, FailsForGoodWhenAnEventOutgrowsItsLimit) {
    Framer framer(/*max_event_bytes=*/10);
    Events events;
    drain(framer, "data: ab\n\ndata: ", events);
    EXPECT_EQ(events.size(), 1U);
    EXPECT_FALSE(framer.failed());

    drain(framer, "abc\n\n", events);

    EXPECT_TRUE(framer.failed());
    drain(framer, "data: ok\n\n", events);
    EXPECT_EQ(events.size(), 1U);
}

TEST(SseFramer, LimitHoldsForAnEventInOnePiece) {
    Framer framer(/*max_event_bytes=*/10);
    Events events;

    drain(framer, "data: abc\n\n", events);

    EXPECT_TRUE(framer.failed());
    EXPECT_TRUE(events.empty());
}

class SseFramerSplit : public testing::TestWithParam<std::string_view> {};

TEST_P(SseFramerSplit, CutInThreeAnywhere) {
    const std::string_view stream = GetParam();
    const Events whole = frame(stream);

    for (std::size_t first = 0; first <= stream.size(); ++first) {
        for (std::size_t second = first; second <= stream.size(); ++second) {
            Framer framer(1024);
            Events events;
            drain(framer, stream.substr(0, first), events);
            drain(framer, stream.substr(first, second - first), events);
            drain(framer, stream.substr(second), events);
            EXPECT_EQ(events, whole) << first << " " << second;
        }
    }
}

INSTANTIATE_TEST_SUITE_P(
    Streams, SseFramerSplit,
    testing::Values("data: {\"a\":1}\n\ndata: b\ndata: c\n\ndata: [DONE]\n\n"sv,
                    "data: a\r\n\r\ndata: b\r\n: c\r\n\r\n\r\ndata: d\r\n\r\n"sv,
                    "data: a\r\rdata: b\r\r\rdata: c\n\r\n\r\ndata: d\n\n"sv,
                    "\n\n\r\n\r\r\n\ndata: a\r\n\ndata: b\r\n\r\r\n"sv));

}  // namespace
}  // namespace sluice::sse
