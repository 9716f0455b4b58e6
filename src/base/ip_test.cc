#include "base/ip.h"

#include <gtest/gtest.h>

namespace vtep {
namespace {

TEST(Ipv4, ParsesAndPrintsDottedQuads) {
  EXPECT_EQ(Ipv4::parse("10.138.36.66"), Ipv4(10, 138, 36, 66));
  EXPECT_EQ(Ipv4(239, 1, 1, 1).to_string(), "239.1.1.1");
  for (const char* bad : {"", "1.2.3", "1.2.3.4.5", "256.1.1.1", "1.2.3.4 ", "a.b.c.d", "01.2.3.4.", "::1"}) {
    EXPECT_FALSE(Ipv4::parse(bad)) << bad;
  }
}

TEST(Ipv4, HoldsHostOrderAndStoresNetworkOrder) {
  std::uint8_t octets[4];
  Ipv4(10, 138, 36, 66).store(octets);
  EXPECT_EQ(octets[0], 10);
  EXPECT_EQ(octets[3], 66);
  EXPECT_EQ(Ipv4::load(octets).value(), 0x0a8a2442U);
}

TEST(Ipv4, MulticastIsExactlyTheClassDRange) {
  EXPECT_FALSE(Ipv4(223, 255, 255, 255).is_multicast());
  EXPECT_TRUE(Ipv4(224, 0, 0, 0).is_multicast());
  EXPECT_TRUE(Ipv4(239, 255, 255, 255).is_multicast());
  EXPECT_FALSE(Ipv4(240, 0, 0, 0).is_multicast());
}

TEST(Ipv6, PrintsTheCanonicalForm) {
  const auto address = Ipv6::parse("FD00:0:0:0:0:0:0:1");
  ASSERT_TRUE(address);
  EXPECT_EQ(address->to_string(), "fd00::1");
  EXPECT_TRUE(Ipv6::parse("ff02::fb")->is_multicast());
  EXPECT_TRUE(Ipv6::parse("fe80::1")->is_link_local());
  EXPECT_FALSE(Ipv6::parse("fec0::1")->is_link_local());
  EXPECT_FALSE(Ipv6::parse("fe80::1%eth0"));
}

TEST(IpAddr, TellsTheFamiliesApart) {
  const IpAddr v4 = Ipv4(10, 0, 0, 1);
  const IpAddr v6 = *Ipv6::parse("fd00::1");
  EXPECT_TRUE(v4.is_v4());
  EXPECT_TRUE(v6.is_v6());
  EXPECT_EQ(v4.v4(), Ipv4(10, 0, 0, 1));
  EXPECT_EQ(IpAddr::parse("10.0.0.1"), v4);
  EXPECT_EQ(IpAddr::parse("fd00::1"), v6);
  EXPECT_NE(v4, v6);
  EXPECT_EQ(v4.to_string(), "10.0.0.1");
}

TEST(IpAddr, TheUnspecifiedAddressOfEitherFamilyIsUnspecified) {
  EXPECT_TRUE(IpAddr().is_unspecified());
  EXPECT_TRUE(IpAddr(Ipv4()).is_unspecified());
  EXPECT_NE(IpAddr(), IpAddr(Ipv4()));
}

TEST(IpAddr, RefusesMappedText) {
  EXPECT_FALSE(IpAddr::parse("::ffff:10.0.0.1"));
  EXPECT_FALSE(IpAddr::parse(std::string_view("10.0.0.1\0x", 10)));
}

}  // namespace
}  // namespace vtep
