#include "engine/flood_limiter.h"

#include <gtest/gtest.h>

#include <chrono>

#include "engine/test_frames.h"

namespace vtep {
namespace {

using namespace std::chrono_literals;

constexpr Time kStart{Duration(1'234'567'890)};

/// How many of `tries` are admitted at one time.
std::uint64_t admitted(FloodLimiter& limiter, FloodKind kind, Time now, std::uint64_t tries) {
  std::uint64_t count = 0;
  for (std::uint64_t i = 0; i < tries; ++i) count += limiter.admit(kind, now) ? 1 : 0;
  return count;
}

FloodLimiter limited(std::uint32_t broadcast) {
  FloodLimiter limiter;
  limiter.configure({.broadcast = broadcast});
  return limiter;
}

TEST(FloodLimiter, WithoutALimitEverythingPasses) {
  FloodLimiter limiter;
  for (const FloodKind kind : {FloodKind::kBroadcast, FloodKind::kUnknown, FloodKind::kMulticast})
    EXPECT_EQ(admitted(limiter, kind, kStart, 10'000), 10'000U);
}

TEST(FloodLimiter, ABurstOfATenthOfASecondAndAtLeastOne) {
  const std::pair<std::uint32_t, std::uint64_t> bursts[] = {{1, 1},  {9, 1},      {10, 1},          {19, 1},
                                                            {20, 2}, {1000, 100}, {100'000, 10'000}};
  for (const auto& [rate, burst] : bursts) {
    FloodLimiter limiter = limited(rate);
    EXPECT_EQ(admitted(limiter, FloodKind::kBroadcast, kStart, 20'000), burst) << rate;
    // Idle time does not save up more than that.
    EXPECT_EQ(admitted(limiter, FloodKind::kBroadcast, kStart + 24h, 20'000), burst) << rate;
  }
}

TEST(FloodLimiter, TheHighestLimitDoesNotOverflow) {
  FloodLimiter limiter = limited(0xffffffff);
  EXPECT_EQ(admitted(limiter, FloodKind::kBroadcast, kStart, 1'000'000), 1'000'000U);
  EXPECT_TRUE(limiter.admit(FloodKind::kBroadcast, kStart + 24h * 365 * 100));
  EXPECT_EQ(admitted(limiter, FloodKind::kBroadcast, kStart + 24h * 365 * 200, 1'000'000), 1'000'000U);
}

TEST(FloodLimiter, EarnsExactlyTheRate) {
  // One frame every 333,333,333.3 ns: whoever rounds the interval is found out.
  FloodLimiter limiter = limited(3);
  ASSERT_TRUE(limiter.admit(FloodKind::kBroadcast, kStart));
  EXPECT_FALSE(limiter.admit(FloodKind::kBroadcast, kStart + 333'333'333ns));
  EXPECT_TRUE(limiter.admit(FloodKind::kBroadcast, kStart + 333'333'334ns));
}

/// Admitted in `steps` questions, one every `step`, after the first burst.
std::uint64_t admitted_over(std::uint32_t rate, Duration step, int steps) {
  FloodLimiter limiter = limited(rate);
  while (limiter.admit(FloodKind::kBroadcast, kStart)) continue;
  Time now = kStart;
  std::uint64_t count = 0;
  for (int i = 0; i < steps; ++i) {
    now += step;
    count += limiter.admit(FloodKind::kBroadcast, now) ? 1 : 0;
  }
  return count;
}

TEST(FloodLimiter, LosesNothingHoweverOftenItIsAsked) {
  // 1230 frames a second times 0.999 seconds, in portions far below a frame.
  EXPECT_EQ(admitted_over(1230, 999ns, 1'000'000), 1228U);
}

TEST(FloodLimiter, ABurstOfOneSavesNothingUp) {
  // A frame is earned every 142.86 ms and taken at the next question, the 85th: 144.5 ms.
  EXPECT_EQ(admitted_over(7, 1'700us, 1'000'000), 1'000'000U / 85);
}

TEST(FloodLimiter, DaysAtFullLoadAreExact) {
  // A burst of 10 covers the steps, so nothing is lost: admitted is earned, to the frame.
  constexpr std::uint32_t kRate = 100;
  FloodLimiter limiter = limited(kRate);
  ASSERT_EQ(admitted(limiter, FloodKind::kBroadcast, kStart, 100), 10U);
  std::uint64_t count = 0;
  constexpr Duration kStep = 70'000'003ns;
  constexpr std::int64_t kSteps = 365LL * 24 * 3600 * 1'000'000'000 / 70'000'003 / 100;
  Time now = kStart + 24h * 365 * 20;  // a bucket that was idle for decades
  ASSERT_EQ(admitted(limiter, FloodKind::kBroadcast, now, 100), 10U);
  const Time begin = now;
  for (std::int64_t i = 0; i < kSteps; ++i) {
    now += kStep;
    count += admitted(limiter, FloodKind::kBroadcast, now, 8);
  }
  EXPECT_EQ(count, static_cast<std::uint64_t>((now - begin).count()) * kRate / 1'000'000'000);
}

TEST(FloodLimiter, KindsHaveBucketsOfTheirOwn) {
  FloodLimiter limiter;
  limiter.configure({.broadcast = 100, .unknown = 200, .multicast = 0});
  EXPECT_EQ(admitted(limiter, FloodKind::kBroadcast, kStart, 1000), 10U);
  EXPECT_EQ(admitted(limiter, FloodKind::kUnknown, kStart, 1000), 20U);
  EXPECT_EQ(admitted(limiter, FloodKind::kMulticast, kStart, 1000), 1000U);
  limiter.configure({.broadcast = 100, .unknown = 200, .multicast = 300});
  EXPECT_EQ(admitted(limiter, FloodKind::kMulticast, kStart, 1000), 30U);
}

TEST(FloodLimiter, TheSameConfigurationAgainIsNoNewBurst) {
  FloodLimiter limiter = limited(100);
  EXPECT_EQ(admitted(limiter, FloodKind::kBroadcast, kStart, 1000), 10U);
  limiter.configure({.broadcast = 100, .unknown = 5});
  EXPECT_EQ(admitted(limiter, FloodKind::kBroadcast, kStart, 1000), 0U);
  limiter.configure({.broadcast = 50, .unknown = 5});
  EXPECT_EQ(admitted(limiter, FloodKind::kBroadcast, kStart, 1000), 5U);
  limiter.configure({});
  EXPECT_EQ(admitted(limiter, FloodKind::kBroadcast, kStart, 1000), 1000U);
}

TEST(FloodLimiter, ATimeBeforeTheLastEarnsNothing) {
  FloodLimiter limiter = limited(10);
  ASSERT_TRUE(limiter.admit(FloodKind::kBroadcast, kStart));
  EXPECT_FALSE(limiter.admit(FloodKind::kBroadcast, kStart - 10s));
  EXPECT_FALSE(limiter.admit(FloodKind::kBroadcast, kStart + 99'999'999ns));
  EXPECT_TRUE(limiter.admit(FloodKind::kBroadcast, kStart + 100ms));
}

TEST(FloodLimiter, TakesAnEpochInTheFuture) {
  FloodLimiter limiter = limited(10);
  const Time before_the_epoch{Duration(-5'000'000'000)};
  ASSERT_TRUE(limiter.admit(FloodKind::kBroadcast, before_the_epoch));
  EXPECT_FALSE(limiter.admit(FloodKind::kBroadcast, before_the_epoch));
  EXPECT_TRUE(limiter.admit(FloodKind::kBroadcast, before_the_epoch + 100ms));
}

}  // namespace
}  // namespace vtep
