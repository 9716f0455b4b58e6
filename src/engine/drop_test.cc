#include "engine/drop.h"

#include <gtest/gtest.h>

#include <set>

namespace vtep {
namespace {

TEST(Drop, EveryOneHasItsOwnNameAndASentence) {
  std::set<std::string_view> names;
  for (const DropText& drop : kDropTexts) {
    EXPECT_TRUE(names.insert(drop.name).second) << drop.name;
    EXPECT_FALSE(drop.name.empty());
    // Names become metric labels.
    EXPECT_EQ(drop.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_"), std::string_view::npos)
        << drop.name;
    EXPECT_TRUE(drop.sentence.ends_with('.')) << drop.name;
  }
  EXPECT_EQ(text(Drop::kFrameTruncated).name, "frame_truncated");
  EXPECT_EQ(text(Drop::kInterfaceRefused).name, kDropTexts.back().name);
}

TEST(DropCounters, CountEachReasonApart) {
  DropCounters counters;
  EXPECT_EQ(counters.total(), 0U);
  counters.add(Drop::kNoRemote);
  counters.add(Drop::kInterfaceRefused, 5);
  EXPECT_EQ(counters[Drop::kNoRemote], 1U);
  EXPECT_EQ(counters[Drop::kInterfaceRefused], 5U);
  EXPECT_EQ(counters[Drop::kOwnSource], 0U);
  EXPECT_EQ(counters.total(), 6U);
}

}  // namespace
}  // namespace vtep
