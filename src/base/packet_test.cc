#include "base/packet.h"

#include <gtest/gtest.h>

namespace vtep {
namespace {

TEST(Packet, PushAndPullMoveTheFrontOnly) {
  PacketBatch batch(2, 256);
  Packet& packet = batch.next();
  EXPECT_EQ(packet.headroom(), kHeadroom);
  packet.set_size(4);
  packet.data()[0] = 0xaa;
  *packet.push_front(8) = 0x08;
  EXPECT_EQ(packet.size(), 12U);
  EXPECT_EQ(packet.data()[8], 0xaa);
  packet.pull_front(8);
  EXPECT_EQ(packet.data()[0], 0xaa);
  EXPECT_EQ(packet.size(), 4U);
}

TEST(PacketBatch, SlotsDoNotOverlapAndComeBackClean) {
  PacketBatch batch(3, 128);
  for (int i = 0; i < 3; ++i) {
    Packet& packet = batch.next();
    packet.set_size(packet.room());
    std::fill_n(packet.data(), packet.size(), static_cast<std::uint8_t>(i + 1));
    packet.offload.needs_checksum = true;
    batch.commit();
  }
  EXPECT_TRUE(batch.full());
  for (int i = 0; i < 3; ++i) {
    for (const std::uint8_t byte : batch.packets()[static_cast<std::size_t>(i)].view())
      ASSERT_EQ(byte, i + 1);
  }
  batch.clear();
  EXPECT_TRUE(batch.empty());
  EXPECT_EQ(batch.next().size(), 0U);
  EXPECT_FALSE(batch.next().offload.needs_checksum);
}

TEST(PacketBatch, SeveralPacketsShareABuffer) {
  PacketBatch batch(2, 256);
  ASSERT_EQ(batch.free_buffers(), 2U);
  std::uint8_t* const lowest = batch.free_buffer(0).data();
  EXPECT_NE(batch.free_buffer(1).data(), lowest);
  for (int round = 0; round < 2; ++round) {
    Packet part = batch.free_buffer(0);
    EXPECT_EQ(part.data(), lowest) << "the lowest first";
    part.outer_tos = 7;
    std::uint8_t* const start = part.data();
    for (std::size_t i = 0; i < 10; ++i) {
      part.move_to(ByteSpan(start + 3 * i, 3), 0);
      EXPECT_EQ(part.size(), 0U);
      part.set_size(3);
      batch.append(part);
    }
    batch.take(1);
    EXPECT_FALSE(batch.full());
    batch.next().set_size(1);
    batch.commit();
    EXPECT_TRUE(batch.full());
    ASSERT_EQ(batch.size(), 11U);
    for (std::size_t i = 0; i < 10; ++i) {
      EXPECT_EQ(batch.packets()[i].data(), lowest + 3 * i);
      EXPECT_EQ(batch.packets()[i].room(), 3U) << "none may grow into the next";
      EXPECT_EQ(batch.packets()[i].outer_tos, 7);
    }
    EXPECT_EQ(batch.packets()[10].headroom(), kHeadroom);
    EXPECT_EQ(batch.packets()[10].outer_tos, 0);
    batch.clear();
    EXPECT_TRUE(batch.empty());
    EXPECT_FALSE(batch.full());
  }
}

}  // namespace
}  // namespace vtep
