#include "wire/multicast.h"

#include <gtest/gtest.h>

namespace vtep {
namespace {

TEST(MulticastMac, KeepsTheLow23BitsOfAnIpv4Group) {
  EXPECT_EQ(multicast_mac(Ipv4(239, 1, 1, 1)).to_string(), "01:00:5e:01:01:01");
  EXPECT_EQ(multicast_mac(Ipv4(224, 0, 0, 251)).to_string(), "01:00:5e:00:00:fb");
  EXPECT_EQ(multicast_mac(Ipv4(239, 255, 255, 255)).to_string(), "01:00:5e:7f:ff:ff");
  // 32 groups share one address (RFC 1112 section 6.4).
  EXPECT_EQ(multicast_mac(Ipv4(225, 129, 1, 1)), multicast_mac(Ipv4(239, 1, 1, 1)));
}

TEST(MulticastMac, KeepsTheLow32BitsOfAnIpv6Group) {
  EXPECT_EQ(multicast_mac(*Ipv6::parse("ff02::2")).to_string(), "33:33:00:00:00:02");
  EXPECT_EQ(multicast_mac(*Ipv6::parse("ff05::1:fea5:e5ec")).to_string(), "33:33:fe:a5:e5:ec");
}

TEST(SolicitedNodeGroup, KeepsTheLow24Bits) {
  EXPECT_EQ(solicited_node_group(*Ipv6::parse("fe80::607a:e6ff:fe8f:bc5c")).to_string(), "ff02::1:ff8f:bc5c");
  EXPECT_EQ(multicast_mac(solicited_node_group(*Ipv6::parse("2001:db8::1:2:3"))).to_string(),
            "33:33:ff:02:00:03");
}

}  // namespace
}  // namespace vtep
