// What of a frame's and a datagram's headers is read, written, carried across, refused: VLAN tags, the outer
// IP header, congestion marks, the VXLAN header's bits, remote checksum offload.
#include "engine/test_engine.h"

namespace vtep {
namespace {

using test::Bytes;
using test::TestFrame;
using test::TestPackets;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class HeaderTest : public test::EngineTest {
 protected:
  /// The same as TestFrame() once its tags are gone.
  static TestFrame tagged(std::size_t tags) {
    const auto seed = static_cast<std::uint8_t>(0 - tags * VlanHeader::kSize * 7);  // the pattern's step
    return {.tags = std::vector<std::uint16_t>(tags, kEthertypeVlan), .seed = seed};
  }
  /// `tos`, `ttl`, flags in an IPv4 header; class, hop limit and label in one of IPv6.
  static Bytes frame4(std::uint8_t tos, std::uint8_t ttl = 64, std::uint16_t fragment = 0) {
    const TestFrame shape{.fragment = fragment};
    Bytes frame = shape.build();
    frame[shape.l3() + Ipv4Header::kTrafficClass] = tos;
    frame[shape.l3() + Ipv4Header::kTtl] = ttl;
    std::uint8_t* const header = frame.data() + shape.l3();
    store_be16(header + Ipv4Header::kChecksum, 0);
    store_be16(header + Ipv4Header::kChecksum, internet_checksum(ByteView(header, Ipv4Header::kSize)));
    return frame;
  }
  static Bytes frame6(std::uint8_t traffic_class, std::uint8_t hop_limit = 64, std::uint32_t label = 0) {
    const TestFrame shape{.from = test::ip("fd00::1"), .to = test::ip("fd00::2")};
    Bytes frame = shape.build();
    store_be32(frame.data() + shape.l3(), 0x60000000U | std::uint32_t{traffic_class} << 20 | label);
    frame[shape.l3() + Ipv6Header::kHopLimit] = hop_limit;
    return frame;
  }
  Route route_of(LinkId link, const Bytes& frame) {
    const auto& out = send(link, frame);
    EXPECT_THAT(out, SizeIs(1));
    return out.empty() ? Route() : out[0].route;
  }
  /// A frame whose checksum a local sender left unfinished.
  static Packet& add_unfinished(TestPackets& packets, TestFrame shape) {
    shape.sum = test::Sum::kPseudo;
    Packet& packet = packets.add(shape.build());
    packet.offload.needs_checksum = true;
    packet.offload.checksum_start = static_cast<std::uint16_t>(shape.l4());
    packet.offload.checksum_offset = static_cast<std::uint16_t>(shape.checksum_field() - shape.l4());
    return packet;
  }
};

// --- VLAN tags (RFC 7348 section 6.1)

TEST_F(HeaderTest, TagsAreStrippedOnTheWayOutAndRefusedOnTheWayIn) {
  const LinkId link = add_link({.vni = 10_vni, .flood = test::ip("192.0.2.1")});
  for (const std::size_t tags : {0U, 1U, 2U}) {
    const auto& out = send(link, tagged(tags).build());
    ASSERT_THAT(out, SizeIs(1));
    EXPECT_EQ(test::to_bytes(out[0].frame), TestFrame{}.build()) << tags;
  }
  EXPECT_EQ(counters(link).drops.total(), 0U);
  EXPECT_TRUE(receive(link, TestFrame{}.build()));
  EXPECT_FALSE(receive(link, tagged(1).build()));
  EXPECT_FALSE(receive(link, tagged(2).build()));
  EXPECT_EQ(only_drops(link, Drop::kVlanReceived), 2U);
}

TEST_F(HeaderTest, AllowedTagsPassBothWays) {
  const LinkId link = add_link({.vni = 10_vni, .flood = test::ip("192.0.2.1"), .vlan = VlanPolicy::kAllow});
  for (const std::size_t tags : {0U, 1U, 2U}) {
    const Bytes frame = tagged(tags).build();
    const auto& out = send(link, frame);
    ASSERT_THAT(out, SizeIs(1));
    EXPECT_EQ(test::to_bytes(out[0].frame), frame);
    EXPECT_EQ(receive(link, frame), frame);
  }
  EXPECT_EQ(counters(link).drops.total(), 0U);
}

TEST_F(HeaderTest, DiscardedTagsAreDroppedByNameBothWays) {
  const LinkId link = add_link({.vni = 10_vni, .flood = test::ip("192.0.2.1"), .vlan = VlanPolicy::kDiscard});
  EXPECT_THAT(send(link, tagged(1).build()), IsEmpty());
  EXPECT_EQ(only_drops(link, Drop::kVlanTagged), 1U);
  EXPECT_THAT(send(link, TestFrame{}.build()), SizeIs(1));
  EXPECT_FALSE(receive(link, tagged(1).build()));
  EXPECT_EQ(counters(link).drops[Drop::kVlanReceived], 1U);
  EXPECT_TRUE(receive(link, TestFrame{}.build()));
}

/// Also one that stands behind a tag which only gives a priority.
TEST_F(HeaderTest, APriorityTagIsATagToo) {
  const LinkId strips = add_link({.vni = 10_vni, .flood = test::ip("192.0.2.1")});
  const LinkId discards =
      add_link({.vni = 11_vni, .flood = test::ip("192.0.2.1"), .vlan = VlanPolicy::kDiscard});
  for (const std::size_t tags : {1U, 2U}) {
    Bytes frame = tagged(tags).build();
    store_be16(frame.data() + EthernetHeader::kSize, 0xa000);  // priority 5, VLAN 0
    const auto& out = send(strips, frame);
    ASSERT_THAT(out, SizeIs(1));
    EXPECT_EQ(test::to_bytes(out[0].frame), TestFrame{}.build());
    EXPECT_FALSE(receive(strips, frame));
    EXPECT_THAT(send(discards, frame), IsEmpty());
  }
  EXPECT_EQ(only_drops(strips, Drop::kVlanReceived), 2U);
  EXPECT_EQ(only_drops(discards, Drop::kVlanTagged), 2U);
}

TEST_F(HeaderTest, NothingIsLearnedFromARefusedTag) {
  const LinkId link = add_link({.vni = 10_vni});
  EXPECT_FALSE(receive(link, tagged(1).build()));
  EXPECT_EQ(engine_.fdb().size(), 0U);
}

TEST_F(HeaderTest, AChecksumRequestFollowsItsHeaderWhenTheTagGoes) {
  const LinkId link = add_link({.vni = 10_vni, .flood = test::ip("192.0.2.1")});
  TestPackets packets;
  add_unfinished(packets, tagged(2));
  const auto& out = send(link, packets);
  ASSERT_THAT(out, SizeIs(1));
  EXPECT_EQ(test::to_bytes(out[0].frame), TestFrame{}.build());
}

// --- the outer IP header

TEST_F(HeaderTest, FixedValuesOfTheOuterHeader) {
  const LinkId link = add_link({.vni = 10_vni,
                                .flood = test::ip("192.0.2.1"),
                                .outer = {.ttl = 9, .tos = 0x48, .dont_fragment = DontFragment::kSet}});
  const Route route = route_of(link, frame4(0x00, 33));
  EXPECT_EQ(route.ttl, 9);
  EXPECT_EQ(route.tos, 0x48);
  EXPECT_TRUE(route.dont_fragment);
}

TEST_F(HeaderTest, InheritedValuesComeFromTheInnerHeader) {
  const LinkId link = add_link({.vni = 10_vni,
                                .flood = test::ip("192.0.2.1"),
                                .outer = {.ttl_inherit = true,
                                          .tos_inherit = true,
                                          .dont_fragment = DontFragment::kInherit,
                                          .flow_label_inherit = true}});
  add_flood(link, "2001:db8::1");
  const auto& out = send(link, frame4(0xb8, 33, Ipv4Header::kDontFragment));
  ASSERT_THAT(out, SizeIs(2));
  for (const Datagram& datagram : out) {
    EXPECT_EQ(datagram.route.ttl, 33);
    EXPECT_EQ(datagram.route.tos, 0xb8);
    EXPECT_EQ(datagram.route.flow_label, 0U) << "IPv4 has none to give";
  }
  EXPECT_TRUE(out[0].route.dont_fragment);
  EXPECT_FALSE(out[1].route.dont_fragment) << "IPv6 has no such flag";
  EXPECT_FALSE(route_of(add_link({.vni = 11_vni,
                                  .flood = test::ip("192.0.2.1"),
                                  .outer = {.dont_fragment = DontFragment::kInherit}}),
                        frame4(0))
                   .dont_fragment);

  const auto& six = send(link, frame6(0x60, 44, 0x12345));
  ASSERT_THAT(six, SizeIs(2));
  EXPECT_EQ(six[0].route.ttl, 44);
  EXPECT_EQ(six[0].route.tos, 0x60);
  EXPECT_EQ(six[0].route.flow_label, 0U);
  EXPECT_EQ(six[1].route.flow_label, 0x12345U);
}

// --- congestion marks (RFC 6040)

TEST_F(HeaderTest, CongestionMarksAreCopiedToTheOuterHeader) {
  const LinkId link = add_link({.vni = 10_vni, .flood = test::ip("192.0.2.1"), .outer = {.tos = 0xb8}});
  for (std::uint8_t ecn = 0; ecn < 4; ++ecn) {
    EXPECT_EQ(route_of(link, frame4(static_cast<std::uint8_t>(0x20 | ecn))).tos, 0xb8 | ecn);
    EXPECT_EQ(route_of(link, frame6(static_cast<std::uint8_t>(0x20 | ecn))).tos, 0xb8 | ecn);
  }
}

/// RFC 6040 figure 4.
TEST_F(HeaderTest, OuterMarksAreBroughtIntoTheInnerHeader) {
  const LinkId link = add_link({.vni = 10_vni});
  constexpr std::uint8_t kNotEct = 0, kEct1 = 1, kEct0 = 2, kCe = 3, kLost = 0xff;
  constexpr std::uint8_t kResult[4][4] = {
      // outer: Not-ECT, ECT(1), ECT(0), CE
      {kNotEct, kNotEct, kNotEct, kLost},  // inner Not-ECT
      {kEct1, kEct1, kEct1, kCe},          // inner ECT(1)
      {kEct0, kEct1, kEct0, kCe},          // inner ECT(0)
      {kCe, kCe, kCe, kCe},                // inner CE
  };
  for (std::uint8_t inner = 0; inner < 4; ++inner) {
    for (std::uint8_t outer = 0; outer < 4; ++outer) {
      const std::uint8_t expected = kResult[inner][outer];
      const auto tos = static_cast<std::uint8_t>(0xb8 | inner);
      for (const bool six : {false, true}) {
        const auto got = receive(link, six ? frame6(tos) : frame4(tos), "192.0.2.1", 0, 0x20 | outer);
        ASSERT_EQ(got.has_value(), expected != kLost) << int{inner} << int{outer};
        if (!got) continue;
        const auto wanted = static_cast<std::uint8_t>(0xb8 | expected);
        EXPECT_EQ(*got, six ? frame6(wanted) : frame4(wanted)) << "checksum and DSCP included";
      }
    }
  }
  EXPECT_EQ(only_drops(link, Drop::kCongestionLost), 2U);
}

// --- the VXLAN header's other bits

TEST_F(HeaderTest, ReservedBitsAreIgnoredAndCounted) {
  const LinkId link = add_link({.vni = 10_vni});
  const Bytes frame = TestFrame{}.build();
  EXPECT_EQ(receive(link, frame), frame);
  EXPECT_EQ(counters(link).reserved_bits, 0U);
  std::uint64_t count = 0;
  for (unsigned bit = 0; bit < 64; ++bit) {
    const std::uint64_t mask = std::uint64_t{1} << bit;
    if ((mask & vxlan_bits::kVxlan) != 0) continue;
    EXPECT_EQ(receive(link, frame, "192.0.2.1", mask), frame) << bit;
    EXPECT_EQ(counters(link).reserved_bits, ++count) << bit;
  }
  EXPECT_EQ(counters(link).drops.total(), 0U);
}

TEST_F(HeaderTest, ForbiddenReservedBitsAreRefusedOneByOne) {
  const Bytes frame = TestFrame{}.build();
  constexpr std::uint64_t kForbidden = 0x8000'0000'0000'0001;
  const LinkId link = add_link({.vni = 10_vni, .reserved_bits = kForbidden});
  for (unsigned bit = 0; bit < 64; ++bit) {
    const std::uint64_t mask = std::uint64_t{1} << bit;
    if ((mask & vxlan_bits::kVxlan) != 0) continue;
    EXPECT_EQ(receive(link, frame, "192.0.2.1", mask).has_value(), (mask & kForbidden) == 0) << bit;
  }
  EXPECT_EQ(only_drops(link, Drop::kReservedBits), 2U);
}

TEST_F(HeaderTest, BitsOfAnExtensionInUseAreNotReserved) {
  const Bytes frame = TestFrame{}.build();
  constexpr std::uint64_t kAll = ~vxlan_bits::kVxlan;
  constexpr std::uint64_t kPolicy = vxlan_bits::kGbpFlag | 0x00081234'00000000;
  const LinkId gbp = add_link({.vni = 10_vni, .gbp = true, .reserved_bits = kAll});
  EXPECT_TRUE(receive(gbp, frame, "192.0.2.1", kPolicy));
  EXPECT_EQ(counters(gbp).reserved_bits, 0U);
  EXPECT_FALSE(receive(gbp, frame, "192.0.2.1", kPolicy & ~vxlan_bits::kGbpFlag))
      << "without the flag the group means nothing";
  EXPECT_FALSE(receive(gbp, frame, "192.0.2.1", kPolicy | 1)) << "the last byte is not gbp's";
  EXPECT_EQ(only_drops(gbp, Drop::kReservedBits), 2U);
  const LinkId plain = add_link({.vni = 11_vni, .reserved_bits = kAll});
  EXPECT_FALSE(receive(plain, frame, "192.0.2.1", kPolicy));
}

// --- remote checksum offload

TEST_F(HeaderTest, TheRemoteEndIsAskedForTheChecksum) {
  const LinkId link = add_link({.vni = 10_vni, .flood = test::ip("192.0.2.1"), .remcsum_tx = true});
  TestPackets packets;
  add_unfinished(packets, {});
  add_unfinished(packets, {.protocol = kProtocolTcp});
  packets.add(TestFrame{}.build());
  const auto& out = send(link, packets);
  ASSERT_THAT(out, SizeIs(3));
  EXPECT_THAT(out[0].header, ::testing::ElementsAre(0x08, 0x20, 0, 0, 0, 0, 10, 0x80 | 34 / 2));
  EXPECT_EQ(test::to_bytes(out[0].frame), TestFrame{.sum = test::Sum::kPseudo}.build());
  EXPECT_THAT(out[1].header, ::testing::ElementsAre(0x08, 0x20, 0, 0, 0, 0, 10, 34 / 2));
  EXPECT_THAT(out[2].header, ::testing::ElementsAre(0x08, 0, 0, 0, 0, 0, 10, 0)) << "nothing to finish";
}

TEST_F(HeaderTest, WhatCannotBeSaidInTheHeaderIsFinishedHere) {
  const LinkId link = add_link(
      {.vni = 10_vni, .flood = test::ip("192.0.2.1"), .vlan = VlanPolicy::kAllow, .remcsum_tx = true});
  TestPackets packets;
  Packet& odd = packets.add(TestFrame{}.build());
  odd.offload.needs_checksum = true;
  odd.offload.checksum_start = 35;
  odd.offload.checksum_offset = 6;
  const auto& out = send(link, packets);
  ASSERT_THAT(out, SizeIs(1));
  EXPECT_THAT(out[0].header, ::testing::ElementsAre(0x08, 0, 0, 0, 0, 0, 10, 0));
}

TEST_F(HeaderTest, AnAskedForChecksumIsMarkedForTheInterface) {
  const LinkId link = add_link({.vni = 10_vni, .remcsum_rx = true});
  const TestFrame shape{.protocol = kProtocolTcp, .sum = test::Sum::kPseudo};
  ASSERT_TRUE(receive(link, shape.build(), "192.0.2.1", vxlan_bits::kRemoteChecksumFlag | shape.l4() / 2));
  EXPECT_TRUE(received_offload().needs_checksum);
  EXPECT_EQ(received_offload().checksum_start, shape.l4());
  EXPECT_EQ(received_offload().checksum_offset, TcpHeader::kChecksum);
  EXPECT_EQ(counters(link).reserved_bits, 0U) << "the bits are in use";
  EXPECT_FALSE(receive(link, shape.build(), "192.0.2.1", vxlan_bits::kRemoteChecksumFlag | 0x7f));
  EXPECT_EQ(only_drops(link, Drop::kBadRemoteChecksum), 1U);
}

TEST_F(HeaderTest, WithoutTheOptionTheBitsAreReservedOnes) {
  const LinkId link = add_link({.vni = 10_vni});
  ASSERT_TRUE(receive(link, TestFrame{}.build(), "192.0.2.1", vxlan_bits::kRemoteChecksumFlag | 0x7f));
  EXPECT_FALSE(received_offload().needs_checksum);
  EXPECT_EQ(counters(link).reserved_bits, 1U);
}

/// A peer on the same host hands over TCP that was never cut, its checksum left to us in the header.
TEST_F(HeaderTest, AFrameBeyondTheMtuIsStillCutWhenItsChecksumIsAskedFor) {
  const LinkId link = add_link({.vni = 10_vni, .remcsum_rx = true, .mtu = 1450});
  const TestFrame shape{.protocol = kProtocolTcp, .payload = 5000, .sum = test::Sum::kPseudo};
  ASSERT_TRUE(receive(link, shape.build(), "192.0.2.1", vxlan_bits::kRemoteChecksumFlag | shape.l4() / 2));
  EXPECT_EQ(received_offload().segmentation, Segmentation::kTcp4);
  EXPECT_EQ(received_offload().segment_size, 1450 - 40);
  EXPECT_TRUE(received_offload().needs_checksum);
  EXPECT_FALSE(receive(link, shape.build(), "192.0.2.1", vxlan_bits::kRemoteChecksumFlag | 20))
      << "no interface could cut it and finish a checksum elsewhere";
  EXPECT_EQ(only_drops(link, Drop::kBadRemoteChecksum), 1U);
}

}  // namespace
}  // namespace vtep
