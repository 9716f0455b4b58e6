#include "control/route_target.h"

#include <gtest/gtest.h>

namespace vtep {
namespace {

using Kind = RouteTarget::Kind;

TEST(RouteTarget, IsDerivedAsFrrDoes) {
  EXPECT_EQ(RouteTarget::of_vni(65000, 6000_vni).to_string(), "65000:6000");
  EXPECT_EQ(RouteTarget::of_vni(4200000000, 16777215_vni).to_string(), "59904:16777215")
      << "the AS's lower 16 bits";
}

TEST(RouteTarget, IsDerivedByRfc8365) {
  const RouteTarget target = RouteTarget::of_vni_rfc8365(65000, 6000_vni);
  EXPECT_EQ(target.number, 0x10001770U);
  EXPECT_EQ(target.to_string(), "65000:268441456");
}

TEST(RouteTarget, SaysItsVniWhoeverDerivedIt) {
  EXPECT_EQ(RouteTarget::of_vni(65000, 6000_vni).vni(), 6000_vni);
  EXPECT_EQ(RouteTarget::of_vni_rfc8365(1, 6000_vni).vni(), 6000_vni);
  EXPECT_EQ(RouteTarget::parse("10.0.0.1:100")->vni(), std::nullopt);
  EXPECT_EQ(RouteTarget::parse("70000:100")->vni(), std::nullopt);
  EXPECT_EQ(RouteTarget::parse("1:536870912")->vni(), std::nullopt) << "of another type";
}

TEST(RouteTarget, IsReadAsItIsWritten) {
  for (const char* text :
       {"65000:100", "0:0", "65535:4294967295", "65536:65535", "4294967295:1", "10.0.0.1:100"}) {
    const auto target = RouteTarget::parse(text);
    ASSERT_TRUE(target) << text;
    EXPECT_EQ(target->to_string(), text);
  }
  EXPECT_EQ(RouteTarget::parse("65000:100")->kind, Kind::kTwoOctetAs);
  EXPECT_EQ(RouteTarget::parse("65536:100")->kind, Kind::kFourOctetAs);
  EXPECT_EQ(RouteTarget::parse("10.0.0.1:100")->kind, Kind::kIpv4);
}

TEST(RouteTarget, RefusesWhatDoesNotFit) {
  for (const char* text :
       {"", ":", "65000", "65000:", ":100", "65000:4294967296", "65536:65536", "4294967296:1",
        "10.0.0.1:65536", "10.0.0:1", "fd00::1:5", "a:b", "-1:1", "1:-1", " 1:1", "1:1 "}) {
    EXPECT_FALSE(RouteTarget::parse(text)) << text;
  }
}

}  // namespace
}  // namespace vtep
