#include "engine/remote_checksum.h"

#include <gtest/gtest.h>

#include "engine/inner_checksum.h"
#include "engine/test_frames.h"

namespace vtep {
namespace {

using test::Bytes;
using test::Sum;
using test::TestFrame;
using test::TestPackets;

Offload request(std::uint16_t start, std::uint16_t offset) {
  return {.needs_checksum = true, .checksum_start = start, .checksum_offset = offset};
}

TEST(RemoteChecksumByte, SaysStartAndField) {
  EXPECT_EQ(remote_checksum_byte(request(34, 6)), 0x80 | 17) << "UDP over IPv4";
  EXPECT_EQ(remote_checksum_byte(request(34, 16)), 17) << "TCP over IPv4";
  EXPECT_EQ(remote_checksum_byte(request(54, 16)), 27) << "TCP over IPv6";
  EXPECT_EQ(remote_checksum_byte(request(0, 16)), 0);
  EXPECT_EQ(remote_checksum_byte(request(254, 6)), 0xff);
}

TEST(RemoteChecksumByte, SaysNothingWhereItCannot) {
  EXPECT_EQ(remote_checksum_byte({}), std::nullopt);
  Offload not_asked = request(34, 6);
  not_asked.needs_checksum = false;
  EXPECT_EQ(remote_checksum_byte(not_asked), std::nullopt);
  for (const std::uint16_t start :
       std::initializer_list<std::uint16_t>{35, 253, 255, 256, 0x8022, 0xfffe, 0xffff})
    EXPECT_EQ(remote_checksum_byte(request(start, 6)), std::nullopt) << start;
  for (const std::uint16_t offset : std::initializer_list<std::uint16_t>{0, 2, 7, 10, 17, 0x106, 0xffff})
    EXPECT_EQ(remote_checksum_byte(request(34, offset)), std::nullopt) << offset;
}

TEST(ApplyRemoteChecksum, EveryByteInFramesOfEverySize) {
  for (unsigned byte = 0; byte < 256; ++byte) {
    const std::size_t start = (byte & 0x7f) * 2;
    const std::size_t offset = (byte & 0x80) != 0 ? 6 : 16;
    for (std::size_t size = 0; size < 300; ++size) {
      TestPackets packets;
      Packet& packet = packets.add(Bytes(size, 0x5a));
      packet.offload.segmentation = Segmentation::kTcp4;
      packet.offload.checksum_valid = true;
      const Offload before = packet.offload;
      const bool inside = start >= 14 && start + offset + 2 <= size;
      ASSERT_EQ(apply_remote_checksum(packet, static_cast<std::uint8_t>(byte)), inside)
          << byte << ' ' << size;
      if (inside) {
        EXPECT_EQ(packet.offload,
                  request(static_cast<std::uint16_t>(start), static_cast<std::uint16_t>(offset)));
      } else {
        EXPECT_EQ(packet.offload, before);
      }
      EXPECT_EQ(test::to_bytes(packet.view()), Bytes(size, 0x5a));
    }
  }
}

TEST(RemoteChecksum, WhatASenderLeavesTheReceiverFinishes) {
  for (const bool v4 : {true, false}) {
    for (const std::uint8_t protocol : {kProtocolTcp, kProtocolUdp}) {
      TestFrame shape{.tags = {kEthertypeVlan}, .protocol = protocol, .payload = 33, .sum = Sum::kPseudo};
      if (!v4) {
        shape.from = test::ip("fd00::1");
        shape.to = test::ip("fd00::2");
      }
      TestPackets packets;
      Packet& packet = packets.add(shape.build());
      const auto byte =
          remote_checksum_byte(request(static_cast<std::uint16_t>(shape.l4()),
                                       static_cast<std::uint16_t>(shape.checksum_field() - shape.l4())));
      ASSERT_TRUE(byte);
      ASSERT_TRUE(apply_remote_checksum(packet, *byte));
      ASSERT_TRUE(finish_checksum(packet));
      shape.sum = Sum::kRight;
      EXPECT_EQ(test::to_bytes(packet.view()), shape.build());
    }
  }
}

}  // namespace
}  // namespace vtep
