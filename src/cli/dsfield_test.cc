#include "cli/dsfield.h"

#include <gtest/gtest.h>

namespace vtep {
namespace {

TEST(Dsfield, NumbersAreHexadecimal) {
  EXPECT_EQ(parse_dsfield("10"), 0x10);
  EXPECT_EQ(parse_dsfield("0x10"), 0x10);
  EXPECT_EQ(parse_dsfield("ff"), 0xff);
  EXPECT_EQ(parse_dsfield("1"), kTosInherit);
  EXPECT_EQ(parse_dsfield("100"), std::nullopt);
  EXPECT_EQ(parse_dsfield(""), std::nullopt);
  EXPECT_EQ(parse_dsfield("0x"), std::nullopt);
  EXPECT_EQ(parse_dsfield("-1"), std::nullopt);
  EXPECT_EQ(parse_dsfield("0x0x1"), std::nullopt);
}

// The DSCP of each name, above two bits of ECN: RFC 2597 section 6, RFC 2474 section 4.2.2, RFC 3246
// section 2.7.
TEST(Dsfield, Names) {
  EXPECT_EQ(parse_dsfield("AF11"), 10 << 2);
  EXPECT_EQ(parse_dsfield("AF23"), 22 << 2);
  EXPECT_EQ(parse_dsfield("AF41"), 34 << 2);
  EXPECT_EQ(parse_dsfield("CS6"), 48 << 2);
  EXPECT_EQ(parse_dsfield("EF"), 46 << 2);
  EXPECT_EQ(parse_dsfield("default"), 0);
  EXPECT_EQ(parse_dsfield("lowdelay"), std::nullopt);
  EXPECT_EQ(parse_dsfield("AF44"), std::nullopt);
}

}  // namespace
}  // namespace vtep
