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

}  // namespace
}  // namespace vtep
