#include "engine/vlan_tag.h"

#include <gtest/gtest.h>

#include "engine/inner_checksum.h"
#include "engine/test_frames.h"

namespace vtep {
namespace {

using test::Bytes;
using test::Sum;
using test::TestFrame;
using test::TestPackets;

// TestFrame's tags carry the identifiers 100, 101, …
TestFrame tagged(std::vector<std::uint16_t> tags) {
  return {.tags = std::move(tags)};
}

Bytes with_control(std::uint16_t control) {
  Bytes bytes = tagged({kEthertypeVlan}).build();
  store_be16(bytes.data() + EthernetHeader::kSize, control);
  return bytes;
}

TEST(OuterVlan, IsTheOutermostTags) {
  EXPECT_EQ(outer_vlan(tagged({kEthertypeVlan}).build()), 100);
  EXPECT_EQ(outer_vlan(tagged({kEthertypeServiceVlan, kEthertypeVlan}).build()), 100);
  EXPECT_EQ(outer_vlan(tagged({}).build()), std::nullopt);
}

TEST(OuterVlan, APriorityTagIsNone) {
  EXPECT_EQ(outer_vlan(with_control(0xf000)), std::nullopt);
  EXPECT_EQ(outer_vlan(with_control(0xf001)), 1);
  EXPECT_EQ(outer_vlan(with_control(0x0fff)), 0xfff) << "reserved, but not none";
}

TEST(OuterVlan, TakesEveryTruncation) {
  const Bytes whole = tagged({kEthertypeVlan}).build();
  for (std::size_t size = 0; size <= whole.size(); ++size) {
    TestPackets packets;
    const Packet& packet = packets.add(ByteView(whole).first(size), 0);
    EXPECT_EQ(outer_vlan(packet.view()).has_value(), size >= 18) << size;
  }
}

TEST(StripTag, TakesTheOutermostTag) {
  for (const std::vector<std::uint16_t>& tags :
       {std::vector<std::uint16_t>{kEthertypeVlan}, {kEthertypeServiceVlan, kEthertypeVlan}}) {
    const Bytes before = tagged(tags).build();
    Bytes expected = before;
    expected.erase(expected.begin() + 12, expected.begin() + 16);
    TestPackets packets;
    Packet& packet = packets.add(before);
    const std::uint8_t* const payload = packet.data() + 18;
    const std::size_t headroom = packet.headroom();
    strip_tag(packet);
    EXPECT_EQ(test::to_bytes(packet.view()), expected);
    EXPECT_EQ(classify(packet.view()).vlan_tags, tags.size() - 1);
    EXPECT_EQ(packet.data() + 14, payload) << "the payload stays in its place";
    EXPECT_EQ(packet.headroom(), headroom + 4);
  }
}

TEST(StripTag, APriorityTagGoesToo) {
  TestPackets packets;
  Packet& packet = packets.add(with_control(0xe000));
  strip_tag(packet);
  EXPECT_EQ(classify(packet.view()).vlan_tags, 0);
  EXPECT_EQ(classify(packet.view()).ip, Layers::Ip::kV4);
}

TEST(StripTag, WithoutAWholeTagNothingHappens) {
  const Bytes plain = tagged({}).build();
  const Bytes whole = tagged({kEthertypeVlan}).build();
  for (std::size_t size = 0; size < 18; ++size) {
    for (const Bytes& from : {plain, whole}) {
      TestPackets packets;
      Packet& packet = packets.add(ByteView(from).first(size), 0);
      packet.offload.checksum_start = 34;
      strip_tag(packet);
      EXPECT_EQ(test::to_bytes(packet.view()), test::to_bytes(ByteView(from).first(size)));
      EXPECT_EQ(packet.offload.checksum_start, 34);
    }
  }
  TestPackets packets;
  strip_tag(packets.add(plain));
  EXPECT_EQ(test::to_bytes(packets[0].view()), plain);
  Packet& bare = packets.add(ByteView(whole).first(18), 0);
  strip_tag(bare);
  EXPECT_EQ(bare.size(), 14U);
}

TEST(PushTag, PutsATagInFrontOfWhatIsThere) {
  for (const std::vector<std::uint16_t>& tags : {std::vector<std::uint16_t>{}, {kEthertypeVlan}}) {
    const Bytes before = tagged(tags).build();
    TestPackets packets;
    Packet& packet = packets.add(before, 4);
    push_tag(packet, *VlanId::from(2748));
    Bytes expected(before.begin(), before.begin() + 12);
    expected.insert(expected.end(), {0x81, 0x00, 0x0a, 0xbc});
    expected.insert(expected.end(), before.begin() + 12, before.end());
    EXPECT_EQ(test::to_bytes(packet.view()), expected);
    EXPECT_EQ(packet.headroom(), 0U);
    EXPECT_EQ(outer_vlan(packet.view()), 2748);
    strip_tag(packet);
    EXPECT_EQ(test::to_bytes(packet.view()), before);
  }
}

TEST(PushTag, AFrameWithoutAHeaderStays) {
  for (std::size_t size = 0; size < 14; ++size) {
    const Bytes bytes(size, 0x11);
    TestPackets packets;
    Packet& packet = packets.add(bytes);
    push_tag(packet, *VlanId::from(5));
    EXPECT_EQ(test::to_bytes(packet.view()), bytes);
  }
}

TEST(VlanTag, OffloadFollows) {
  TestFrame shape{.tags = {kEthertypeVlan}, .protocol = kProtocolTcp, .payload = 99, .sum = Sum::kPseudo};
  TestPackets packets;
  Packet& packet = packets.add(shape.build());
  const Offload tagged_offload{.needs_checksum = true,
                               .segmentation = Segmentation::kTcp4,
                               .segment_size = 50,
                               .header_length = 58,
                               .checksum_start = 38,
                               .checksum_offset = TcpHeader::kChecksum};
  packet.offload = tagged_offload;
  strip_tag(packet);
  Offload plain_offload = tagged_offload;
  plain_offload.header_length = 54;
  plain_offload.checksum_start = 34;
  EXPECT_EQ(packet.offload, plain_offload);
  push_tag(packet, *VlanId::from(100));
  EXPECT_EQ(packet.offload, tagged_offload);
  strip_tag(packet);
  ASSERT_TRUE(finish_checksum(packet));
  const ByteView segment = packet.view().subspan(34);
  EXPECT_EQ(checksum_fold(checksum_partial(segment, shape.pseudo_sum())), 0xffff);
}

TEST(VlanTag, NonsenseOffsetsStayNonsense) {
  for (const unsigned offset : {0U, 3U, 12U, 13U, 14U, 17U, 18U, 0xfffbU, 0xfffcU, 0xffffU}) {
    TestPackets packets;
    Packet& stripped = packets.add(tagged({kEthertypeVlan}).build());
    stripped.offload.checksum_start = static_cast<std::uint16_t>(offset);
    stripped.offload.header_length = static_cast<std::uint16_t>(offset);
    strip_tag(stripped);
    EXPECT_EQ(stripped.offload.checksum_start, offset < 18 ? offset : offset - 4);
    EXPECT_EQ(stripped.offload.header_length, stripped.offload.checksum_start);
    Packet& pushed = packets.add(tagged({}).build());
    pushed.offload.checksum_start = static_cast<std::uint16_t>(offset);
    pushed.offload.header_length = static_cast<std::uint16_t>(offset);
    push_tag(pushed, *VlanId::from(1));
    EXPECT_EQ(pushed.offload.checksum_start, offset < 14 ? offset : std::min(offset + 4, 0xffffU));
    EXPECT_EQ(pushed.offload.header_length, pushed.offload.checksum_start);
  }
}

}  // namespace
}  // namespace vtep
