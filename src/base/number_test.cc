#include "base/number.h"

#include <gtest/gtest.h>

#include "base/vni.h"

namespace vtep {
namespace {

TEST(ParseNumber, TakesDecimalAndHexadecimal) {
  EXPECT_EQ(parse_number("0", 10), 0U);
  EXPECT_EQ(parse_number("16777215", Vni::kMax), 16777215U);
  EXPECT_EQ(parse_number("0xff", 255), 255U);
}

TEST(ParseNumber, RefusesOverflowSignsAndGarbage) {
  EXPECT_FALSE(parse_number("16777216", Vni::kMax));
  EXPECT_FALSE(parse_number("99999999999999999999999", ~0ULL));
  for (const char* bad : {"", " 1", "1 ", "-1", "+1", "0x", "1x", "one"})
    EXPECT_FALSE(parse_number(bad, 100)) << bad;
}

TEST(Vni, HoldsTwentyFourBits) {
  EXPECT_EQ(Vni::from(80000)->value(), 80000U);
  EXPECT_TRUE(Vni::from(Vni::kMax));
  EXPECT_FALSE(Vni::from(Vni::kMax + 1));
}

}  // namespace
}  // namespace vtep
