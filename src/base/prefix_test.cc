#include "base/prefix.h"

#include <gtest/gtest.h>

namespace vtep {
namespace {

TEST(Prefix, ClearsHostBits) {
  EXPECT_EQ(Prefix::parse("10.138.37.1/23")->to_string(), "10.138.36.0/23");
  EXPECT_EQ(Prefix::parse("fd00:1234::1/20")->to_string(), "fd00:1000::/20");
  EXPECT_EQ(Prefix::parse("10.0.0.1")->to_string(), "10.0.0.1/32");
  EXPECT_EQ(Prefix::parse("1.2.3.4/0")->to_string(), "0.0.0.0/0");
}

TEST(Prefix, ContainsItsAddressesOnly) {
  const Prefix prefix = *Prefix::parse("10.138.36.0/23");
  EXPECT_TRUE(prefix.contains(Ipv4(10, 138, 37, 255)));
  EXPECT_FALSE(prefix.contains(Ipv4(10, 138, 38, 0)));
  EXPECT_FALSE(prefix.contains(*Ipv6::parse("::1")));
  EXPECT_TRUE(Prefix::parse("::/0")->contains(*Ipv6::parse("fd00::1")));
  EXPECT_FALSE(Prefix::parse("::/0")->contains(Ipv4(1, 2, 3, 4)));
  EXPECT_TRUE(prefix.contains(prefix));
  EXPECT_TRUE(prefix.contains(*Prefix::parse("10.138.37.0/24")));
  EXPECT_FALSE(prefix.contains(*Prefix::parse("10.138.0.0/16")));
  EXPECT_FALSE(Prefix::parse("0.0.0.0/0")->contains(*Prefix::parse("::/0")));
}

TEST(Prefix, RefusesWhatIsNone) {
  for (const char* bad : {"", "/8", "10.0.0.0/33", "fd00::/129", "10.0.0.0/", "10.0.0.0/-1", "x/8"}) {
    EXPECT_FALSE(Prefix::parse(bad)) << bad;
  }
}

}  // namespace
}  // namespace vtep
