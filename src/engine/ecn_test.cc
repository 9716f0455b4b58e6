#include "engine/ecn.h"

#include <gtest/gtest.h>

#include "engine/test_frames.h"

namespace vtep {
namespace {

using test::Bytes;
using test::TestFrame;
using test::TestPackets;

constexpr std::uint8_t kNotEct = 0;
constexpr std::uint8_t kEct1 = 1;
constexpr std::uint8_t kEct0 = 2;
constexpr std::uint8_t kCe = 3;

/// The frame with this TOS or traffic class, the IPv4 checksum computed anew.
Bytes with_tos(const TestFrame& shape, std::uint8_t tos) {
  Bytes bytes = shape.build();
  std::uint8_t* const header = bytes.data() + shape.l3();
  if (shape.from.is_v4()) {
    header[Ipv4Header::kTrafficClass] = tos;
    store_be16(header + Ipv4Header::kChecksum, 0);
    store_be16(header + Ipv4Header::kChecksum, internet_checksum(ByteView(header, Ipv4Header::kSize)));
  } else {
    header[0] = static_cast<std::uint8_t>(0x60 | tos >> 4);
    header[1] = static_cast<std::uint8_t>(tos << 4 | 0x9);  // with a flow label behind it
  }
  return bytes;
}

std::vector<TestFrame> shapes() {
  const IpAddr from6 = test::ip("fd00::1");
  const IpAddr to6 = test::ip("fd00::2");
  return {{},
          {.tags = {kEthertypeVlan}},
          {.tags = {kEthertypeServiceVlan, kEthertypeVlan}, .protocol = kProtocolTcp},
          {.from = from6, .to = to6},
          {.tags = {kEthertypeVlan}, .from = from6, .to = to6}};
}

TEST(EncapsulatedEcn, IsTheInnerOneWithoutTheDscp) {
  for (unsigned tos = 0; tos < 256; ++tos)
    EXPECT_EQ(encapsulated_ecn(static_cast<std::uint8_t>(tos)), tos % 4) << tos;
}

TEST(InnerTrafficClass, IsReadFromEitherFamilyBehindTags) {
  for (const TestFrame& shape : shapes()) {
    for (const unsigned tos : {0x00U, 0x03U, 0xb8U, 0xffU}) {
      const Bytes bytes = with_tos(shape, static_cast<std::uint8_t>(tos));
      EXPECT_EQ(inner_traffic_class(bytes, classify(bytes)), tos);
    }
  }
  const Bytes arp(60, 0xff);
  EXPECT_EQ(inner_traffic_class(arp, classify(arp)), 0);
  EXPECT_EQ(inner_traffic_class({}, classify({})), 0);
}

struct Row {
  std::uint8_t inner;
  std::uint8_t outer;
  EcnResult result;
  std::uint8_t after;
};

// RFC 6040 figure 4.
constexpr Row kFigure4[] = {
    {kNotEct, kNotEct, EcnResult::kKeep, kNotEct}, {kNotEct, kEct0, EcnResult::kKeep, kNotEct},
    {kNotEct, kEct1, EcnResult::kKeep, kNotEct},   {kNotEct, kCe, EcnResult::kLost, kNotEct},
    {kEct0, kNotEct, EcnResult::kKeep, kEct0},     {kEct0, kEct0, EcnResult::kKeep, kEct0},
    {kEct0, kEct1, EcnResult::kKeep, kEct1},       {kEct0, kCe, EcnResult::kKeep, kCe},
    {kEct1, kNotEct, EcnResult::kKeep, kEct1},     {kEct1, kEct0, EcnResult::kKeep, kEct1},
    {kEct1, kEct1, EcnResult::kKeep, kEct1},       {kEct1, kCe, EcnResult::kKeep, kCe},
    {kCe, kNotEct, EcnResult::kKeep, kCe},         {kCe, kEct0, EcnResult::kKeep, kCe},
    {kCe, kEct1, EcnResult::kKeep, kCe},           {kCe, kCe, EcnResult::kKeep, kCe},
};

TEST(DecapsulateEcn, FollowsFigure4AndTouchesNothingElse) {
  for (const TestFrame& shape : shapes()) {
    for (const Row& row : kFigure4) {
      for (const unsigned dscp : {0x00U, 0xb8U, 0xfcU}) {
        TestPackets packets;
        Packet& packet = packets.add(with_tos(shape, static_cast<std::uint8_t>(dscp | row.inner)));
        // The outer DSCP is the underlay's business.
        const auto outer = static_cast<std::uint8_t>(~dscp << 2 | row.outer);
        EXPECT_EQ(decapsulate_ecn(packet, classify(packet.view()), outer), row.result);
        EXPECT_EQ(test::to_bytes(packet.view()), with_tos(shape, static_cast<std::uint8_t>(dscp | row.after)))
            << unsigned{row.inner} << " in " << unsigned{row.outer};
      }
    }
  }
}

TEST(DecapsulateEcn, LeavesADamagedChecksumDamaged) {
  Bytes bytes = with_tos({}, kEct0);
  const std::size_t field = TestFrame{}.l3() + Ipv4Header::kChecksum;
  bytes[field] ^= 0x10;
  TestPackets packets;
  Packet& packet = packets.add(bytes);
  EXPECT_EQ(decapsulate_ecn(packet, classify(packet.view()), kCe), EcnResult::kKeep);
  const auto ip = Ipv4View::parse(packet.view().subspan(TestFrame{}.l3()));
  EXPECT_EQ(ip->traffic_class(), kCe);
  EXPECT_FALSE(ip->is_checksum_right());
}

TEST(DecapsulateEcn, KeepsWhatIsNotIpOrCutOff) {
  for (const TestFrame& shape : shapes()) {
    const Bytes whole = with_tos(shape, kNotEct);
    const std::size_t fixed = shape.from.is_v4() ? Ipv4Header::kSize : Ipv6Header::kSize;
    for (std::size_t size = 0; size <= whole.size(); ++size) {
      const Bytes bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
      TestPackets packets;
      Packet& packet = packets.add(bytes);
      const EcnResult result = decapsulate_ecn(packet, classify(packet.view()), kCe);
      EXPECT_EQ(result, size < shape.l3() + fixed ? EcnResult::kKeep : EcnResult::kLost) << size;
      EXPECT_EQ(test::to_bytes(packet.view()), bytes);
    }
  }
}

}  // namespace
}  // namespace vtep
