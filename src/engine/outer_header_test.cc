#include "engine/outer_header.h"

#include <gtest/gtest.h>

#include "engine/test_frames.h"

namespace vtep {
namespace {

using test::Bytes;
using test::TestFrame;

constexpr bool kV4 = true;
constexpr bool kV6 = false;
constexpr std::uint32_t kInnerLabel = 0xabcde;
constexpr std::uint8_t kInnerTos = 0xb9;  // DSCP EF, ECT(1)
constexpr std::uint8_t kInnerTtl = 77;

Route filled(const OuterPolicy& policy, ByteView frame, bool v4, bool multicast = false) {
  Route route;
  // What an earlier frame left behind.
  route.ttl = 99;
  route.tos = 0xff;
  route.dont_fragment = true;
  route.flow_label = 0xfffff;
  route.checksum = !(v4 ? policy.checksum4 : policy.checksum6);
  route.source_port = Port(50000);
  fill_outer(policy, frame, classify(frame), v4, multicast, route);
  EXPECT_EQ(route.source_port, Port(50000));
  return route;
}

Bytes ipv4_frame(bool dont_fragment, std::vector<std::uint16_t> tags = {}) {
  const TestFrame shape{.tags = std::move(tags),
                        .fragment = dont_fragment ? Ipv4Header::kDontFragment : std::uint16_t{0}};
  Bytes bytes = shape.build();
  bytes[shape.l3() + Ipv4Header::kTrafficClass] = kInnerTos;
  bytes[shape.l3() + Ipv4Header::kTtl] = kInnerTtl;
  return bytes;
}

Bytes ipv6_frame(std::vector<std::uint16_t> tags = {}) {
  const TestFrame shape{.tags = std::move(tags), .from = test::ip("fd00::1"), .to = test::ip("fd00::2")};
  Bytes bytes = shape.build();
  store_be32(bytes.data() + shape.l3(), 0x60000000 | std::uint32_t{kInnerTos} << 20 | kInnerLabel);
  bytes[shape.l3() + Ipv6Header::kHopLimit] = kInnerTtl;
  return bytes;
}

Bytes arp_frame() {
  Bytes bytes(60, 0xff);
  EthernetHeader{kBroadcastMac, test::kMacA, kEthertypeArp}.emit(bytes);
  return bytes;
}

TEST(FillOuter, TtlAsConfiguredAndOneForGroups) {
  for (const bool v4 : {kV4, kV6}) {
    EXPECT_EQ(filled({}, ipv4_frame(false), v4).ttl, 0) << "the system's default";
    EXPECT_EQ(filled({}, ipv4_frame(false), v4, true).ttl, 1);
    EXPECT_EQ(filled({.ttl = 5}, ipv4_frame(false), v4).ttl, 5);
    EXPECT_EQ(filled({.ttl = 5}, ipv6_frame(), v4, true).ttl, 5);
  }
}

TEST(FillOuter, TtlInherited) {
  const OuterPolicy policy{.ttl = 5, .ttl_inherit = true};
  for (const bool multicast : {false, true}) {
    EXPECT_EQ(filled(policy, ipv4_frame(false), kV4, multicast).ttl, kInnerTtl);
    EXPECT_EQ(filled(policy, ipv4_frame(false, {kEthertypeVlan}), kV6, multicast).ttl, kInnerTtl);
    EXPECT_EQ(filled(policy, ipv6_frame(), kV6, multicast).ttl, kInnerTtl);
    EXPECT_EQ(filled(policy, ipv6_frame({kEthertypeServiceVlan, kEthertypeVlan}), kV4, multicast).ttl,
              kInnerTtl);
  }
  EXPECT_EQ(filled(policy, arp_frame(), kV4).ttl, 0);
  EXPECT_EQ(filled(policy, arp_frame(), kV4, true).ttl, 64) << "as far as the packets that follow";
  EXPECT_EQ(filled(policy, Bytes{}, kV6).ttl, 0);
}

TEST(FillOuter, DscpFixedOrInheritedAndEcnAlwaysCopied) {
  for (const bool v4 : {kV4, kV6}) {
    EXPECT_EQ(filled({}, ipv4_frame(false), v4).tos, kInnerTos & 3);
    EXPECT_EQ(filled({.tos = 0x4c}, ipv4_frame(false), v4).tos, 0x4c | (kInnerTos & 3));
    EXPECT_EQ(filled({.tos = 0x4f}, ipv6_frame(), v4).tos, 0x4c | (kInnerTos & 3))
        << "no ECN from the policy";
    EXPECT_EQ(filled({.tos = 0x4c, .tos_inherit = true}, ipv4_frame(false), v4).tos, kInnerTos);
    EXPECT_EQ(filled({.tos_inherit = true}, ipv6_frame({kEthertypeVlan}), v4).tos, kInnerTos);
    EXPECT_EQ(filled({.tos = 0x4f}, arp_frame(), v4).tos, 0x4c);
    EXPECT_EQ(filled({.tos = 0x4f, .tos_inherit = true}, arp_frame(), v4).tos, 0);
  }
}

TEST(FillOuter, DontFragment) {
  const OuterPolicy unset{.dont_fragment = DontFragment::kUnset};
  const OuterPolicy set{.dont_fragment = DontFragment::kSet};
  const OuterPolicy inherit{.dont_fragment = DontFragment::kInherit};
  for (const Bytes& frame : {ipv4_frame(true), ipv4_frame(false), ipv6_frame(), arp_frame()}) {
    EXPECT_FALSE(filled(unset, frame, kV4).dont_fragment);
    EXPECT_TRUE(filled(set, frame, kV4).dont_fragment);
    for (const OuterPolicy& policy : {unset, set, inherit})
      EXPECT_FALSE(filled(policy, frame, kV6).dont_fragment) << "IPv6 has no such flag";
  }
  EXPECT_TRUE(filled(inherit, ipv4_frame(true), kV4).dont_fragment);
  EXPECT_FALSE(filled(inherit, ipv4_frame(false), kV4).dont_fragment);
  EXPECT_TRUE(filled(inherit, ipv4_frame(true, {kEthertypeVlan}), kV4).dont_fragment);
  EXPECT_TRUE(filled(inherit, ipv6_frame(), kV4).dont_fragment);
  EXPECT_FALSE(filled(inherit, arp_frame(), kV4).dont_fragment);
}

TEST(FillOuter, FlowLabel) {
  const OuterPolicy fixed{.flow_label = 0x12345};
  const OuterPolicy inherit{.flow_label = 0x12345, .flow_label_inherit = true};
  EXPECT_EQ(filled(fixed, ipv6_frame(), kV6).flow_label, 0x12345U);
  EXPECT_EQ(filled(fixed, arp_frame(), kV6).flow_label, 0x12345U);
  EXPECT_EQ(filled(inherit, ipv6_frame(), kV6).flow_label, kInnerLabel);
  EXPECT_EQ(filled(inherit, ipv6_frame({kEthertypeVlan}), kV6).flow_label, kInnerLabel);
  EXPECT_EQ(filled(inherit, ipv4_frame(true), kV6).flow_label, 0U);
  EXPECT_EQ(filled(fixed, ipv6_frame(), kV4).flow_label, 0U);
}

TEST(FillOuter, ChecksumByFamily) {
  for (const bool four : {false, true}) {
    for (const bool six : {false, true}) {
      const OuterPolicy policy{.checksum4 = four, .checksum6 = six};
      EXPECT_EQ(filled(policy, ipv4_frame(false), kV4).checksum, four);
      EXPECT_EQ(filled(policy, ipv4_frame(false), kV6).checksum, six);
    }
  }
}

TEST(FillOuter, TakesEveryTruncation) {
  const OuterPolicy policy{.ttl_inherit = true,
                           .tos_inherit = true,
                           .dont_fragment = DontFragment::kInherit,
                           .flow_label_inherit = true};
  for (const Bytes& whole : {ipv4_frame(true), ipv6_frame({kEthertypeVlan})}) {
    const std::size_t l3 = classify(whole).l3;
    const std::size_t fixed = whole == ipv4_frame(true) ? Ipv4Header::kSize : Ipv6Header::kSize;
    for (std::size_t size = 0; size <= whole.size(); ++size) {
      test::TestPackets packets;
      const Packet& packet = packets.add(ByteView(whole).first(size), 0);
      EXPECT_EQ(filled(policy, packet.view(), kV4).ttl, size < l3 + fixed ? 0 : kInnerTtl) << size;
    }
  }
}

}  // namespace
}  // namespace vtep
