#include "io/spinner.h"

#include <gtest/gtest.h>

namespace vtep {
namespace {

using std::chrono::microseconds;

constexpr Duration kLimit = microseconds(100);
constexpr Time kStart{std::chrono::seconds(10)};

TEST(Spinner, WithoutALimitNeverLooks) {
  Spinner spinner;
  EXPECT_FALSE(spinner.is_enabled());
  spinner.found_work(kStart);
  EXPECT_FALSE(spinner.should_look_again(kStart));
}

TEST(Spinner, AThreadThatNeverWorkedSleeps) {
  Spinner spinner(kLimit);
  EXPECT_TRUE(spinner.is_enabled());
  EXPECT_FALSE(spinner.should_look_again(kStart));
}

TEST(Spinner, LooksForSoLongAfterWork) {
  Spinner spinner(kLimit);
  spinner.found_work(kStart);
  EXPECT_TRUE(spinner.should_look_again(kStart + microseconds(99)));
  EXPECT_FALSE(spinner.should_look_again(kStart + microseconds(100)));
}

TEST(Spinner, WorkThatComesSeldomIsNotWaitedFor) {
  Spinner spinner(kLimit);
  Time now = kStart;
  spinner.found_work(now);
  int looks = 0;
  for (int i = 0; i < 10; ++i) {
    Time look = now;
    while (spinner.should_look_again(look)) look += microseconds(1);
    looks += look > now ? 1 : 0;
    now += std::chrono::milliseconds(10);
    spinner.woke_to_work(now);
  }
  EXPECT_LE(looks, 4);
}

TEST(Spinner, WorkThatComesSoonBringsItBack) {
  Spinner spinner(kLimit);
  spinner.woke_to_work(kStart);
  EXPECT_FALSE(spinner.should_look_again(kStart)) << "it may be the only packet of the hour";
  spinner.woke_to_work(kStart + microseconds(60));
  EXPECT_TRUE(spinner.should_look_again(kStart + microseconds(61)));
}

}  // namespace
}  // namespace vtep
