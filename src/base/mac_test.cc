#include "base/mac.h"

#include <gtest/gtest.h>

namespace vtep {
namespace {

TEST(MacAddr, ParsesWhatPeopleType) {
  const MacAddr expected({0x4a, 0xbd, 0x99, 0x0c, 0x09, 0xb2});
  EXPECT_EQ(MacAddr::parse("4a:bd:99:0c:09:b2"), expected);
  EXPECT_EQ(MacAddr::parse("4A-BD-99-0C-09-B2"), expected);
  EXPECT_EQ(MacAddr::parse("4a:bd:99:c:9:b2"), expected);
  EXPECT_EQ(expected.to_string(), "4a:bd:99:0c:09:b2");
}

TEST(MacAddr, RefusesEverythingElse) {
  for (const char* bad :
       {"", ":", "4a:bd:99:0c:09", "4a:bd:99:0c:09:b2:00", "4a:bd:99:0c:09:zz",
        "4a:bd:99:0c:09:", "4abd990c09b2", "4a:bd-99:0c:09:b2", "14a:bd:99:0c:09:b2", "+4:bd:99:0c:09:b2"}) {
    EXPECT_FALSE(MacAddr::parse(bad)) << bad;
  }
}

TEST(MacAddr, KnowsItsKinds) {
  EXPECT_TRUE(kBroadcastMac.is_multicast());
  EXPECT_TRUE(kBroadcastMac.is_broadcast());
  EXPECT_TRUE(MacAddr::parse("01:00:5e:01:01:01")->is_multicast());
  EXPECT_TRUE(MacAddr().is_zero());
  EXPECT_FALSE(MacAddr().is_unicast());
  EXPECT_TRUE(MacAddr::parse("02:00:00:00:00:01")->is_unicast());
}

TEST(MacAddr, RoundTripsThroughAnInteger) {
  const MacAddr mac({1, 2, 3, 4, 5, 6});
  EXPECT_EQ(mac.to_u64(), 0x010203040506U);
  EXPECT_EQ(MacAddr::from_u64(mac.to_u64()), mac);
}

}  // namespace
}  // namespace vtep
