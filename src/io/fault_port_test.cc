// What comes of a bad wire. That a faultless one changes nothing is in frame_port_test.cc and
// underlay_test.cc.
#include "io/fault_port.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <map>
#include <vector>

#include "io/memory_frame_port.h"
#include "io/memory_wire.h"

namespace vtep {
namespace {

using Bytes = std::vector<std::uint8_t>;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::size_t kCount = 900;

/// A frame that carries its number and nothing else.
Bytes numbered(std::size_t number) {
  Bytes frame(100);
  store_be16(frame.data(), static_cast<std::uint16_t>(number));
  return frame;
}

struct Frames {
  std::vector<Bytes> frames;
  std::vector<Offload> offloads;
};

/// Sends kCount numbered frames through the read side of a port with that plan.
Frames read_through(const FaultPlan& plan, const Offload& offload = {}) {
  auto memory = std::make_unique<MemoryFramePort>();
  for (std::size_t i = 0; i < kCount; ++i) EXPECT_TRUE(memory->inject(numbered(i), offload));
  FaultFramePort port(std::move(memory), plan);
  Frames result;
  for (;;) {
    PacketBatch batch(7);
    const auto got = port.read(batch);
    EXPECT_TRUE(got);
    if (!got || *got == 0) return result;
    EXPECT_EQ(*got, batch.size());
    for (const Packet& packet : batch.packets()) {
      result.frames.emplace_back(packet.view().begin(), packet.view().end());
      result.offloads.push_back(packet.offload);
    }
  }
}

std::vector<std::size_t> numbers(const std::vector<Bytes>& frames) {
  std::vector<std::size_t> numbers;
  for (const Bytes& frame : frames) numbers.push_back(load_be16(frame.data()));
  return numbers;
}

TEST(FaultPort, DropsAsOftenAsPlanned) {
  EXPECT_THAT(read_through({.drop = 1}).frames, IsEmpty());
  const auto left = read_through({.drop = 0.25}).frames.size();
  EXPECT_GT(left, kCount * 70 / 100);
  EXPECT_LT(left, kCount * 80 / 100);
}

TEST(FaultPort, Duplicates) {
  const auto frames = read_through({.duplicate = 1}).frames;
  ASSERT_EQ(frames.size(), 2 * kCount);
  for (std::size_t i = 0; i < kCount; ++i) {
    EXPECT_EQ(frames[2 * i], numbered(i));
    EXPECT_EQ(frames[2 * i + 1], numbered(i));
  }
}

TEST(FaultPort, ReordersNeighboursAndLosesNone) {
  const auto all = read_through({.reorder = 1}).frames;
  EXPECT_THAT(numbers({all.begin(), all.begin() + 4}), ElementsAre(1, 0, 3, 2));
  const auto order = numbers(read_through({.reorder = 0.3}).frames);
  std::size_t early = 0;
  for (std::size_t i = 0; i + 1 < order.size(); ++i) {
    if (order[i] > order[i + 1]) ++early;
  }
  EXPECT_GT(early, kCount / 10);
  EXPECT_GE(order.size(), kCount - 1) << "the last one may still be held back";
}

TEST(FaultPort, FlipsOneBit) {
  const auto frames = read_through({.corrupt = 1}).frames;
  ASSERT_EQ(frames.size(), kCount);
  for (std::size_t i = 0; i < kCount; ++i) {
    const Bytes original = numbered(i);
    ASSERT_EQ(frames[i].size(), original.size());
    int flipped = 0;
    for (std::size_t j = 0; j < original.size(); ++j) {
      flipped += std::popcount(static_cast<unsigned>(frames[i][j] ^ original[j]));
    }
    ASSERT_EQ(flipped, 1);
  }
}

TEST(FaultPort, CutsAndForgetsTheOffloadThatNoLongerHolds) {
  const Offload offload{.needs_checksum = true, .checksum_start = 34, .checksum_offset = 6};
  const Frames cut = read_through({.truncate = 0.5}, offload);
  ASSERT_EQ(cut.frames.size(), kCount);
  std::size_t shorter = 0;
  for (std::size_t i = 0; i < kCount; ++i) {
    const bool is_cut = cut.frames[i].size() < numbered(i).size();
    EXPECT_EQ(cut.offloads[i], is_cut ? Offload{} : offload);
    if (is_cut) ++shorter;
  }
  EXPECT_GT(shorter, kCount * 40 / 100);
  EXPECT_LT(shorter, kCount * 60 / 100);
}

TEST(FaultPort, TheSameSeedGivesTheSameFaults) {
  FaultPlan plan{.drop = 0.1, .duplicate = 0.1, .reorder = 0.1, .corrupt = 0.1, .truncate = 0.1, .seed = 42};
  const auto once = read_through(plan).frames;
  EXPECT_EQ(read_through(plan).frames, once);
  plan.seed = 43;
  EXPECT_NE(read_through(plan).frames, once);
}

TEST(FaultPort, WritesThroughTheBadWire) {
  auto memory = std::make_unique<MemoryFramePort>();
  MemoryFramePort& other_side = *memory;
  FaultFramePort port(std::move(memory), {.drop = 0.2, .duplicate = 0.2});
  PacketBatch batch(100);
  for (std::size_t i = 0; i < batch.capacity(); ++i) {
    Packet& packet = batch.next();
    const Bytes frame = numbered(i);
    std::ranges::copy(frame, packet.data());
    packet.set_size(frame.size());
    batch.commit();
  }
  EXPECT_EQ(port.write(batch.packets()).written, 100U) << "what the wire does nobody learns";
  std::map<std::size_t, int> seen;
  for (const MemoryFrame& frame : other_side.collect()) ++seen[load_be16(frame.bytes.data())];
  EXPECT_LT(seen.size(), 100U);
  EXPECT_GT(seen.size(), 60U);
  EXPECT_TRUE(std::ranges::any_of(seen, [](const auto& one) { return one.second == 2; }));

  other_side.set_up(false);
  const WriteReport down = port.write(batch.packets());
  EXPECT_GT(down.interface_down, 60U);
  EXPECT_EQ(down.written + down.interface_down, 100U);
}

class FaultUnderlayTest : public ::testing::Test {
 protected:
  static constexpr std::size_t kFrames = 300;

  /// Sends numbered frames in batches of ten.
  void send_all(UnderlaySender& sender) {
    for (std::size_t first = 0; first < kFrames; first += 10) {
      std::vector<Bytes> frames;
      for (std::size_t i = first; i < first + 10; ++i) frames.push_back(numbered(i));
      std::vector<Datagram> batch;
      for (const Bytes& frame : frames) {
        Datagram datagram{.header = {8}, .frame = frame, .route = {}};
        datagram.route.remote = Ipv4(10, 0, 0, 2);
        datagram.route.destination_port = kIanaVxlanPort;
        datagram.route.source_port = Port(50000);
        batch.push_back(datagram);
      }
      sender.send(batch, failures_);
    }
  }
  static std::vector<Bytes> receive_all(UnderlayReceiver& receiver) {
    std::vector<Bytes> datagrams;
    for (;;) {
      PacketBatch batch(9);
      if (receiver.receive(batch).value() == 0) return datagrams;
      for (const Packet& packet : batch.packets()) {
        EXPECT_EQ(packet.outer_source, IpAddr(Ipv4(10, 0, 0, 1)));
        EXPECT_EQ(packet.outer_source_port, Port(50000));
        datagrams.emplace_back(packet.view().begin(), packet.view().end());
      }
    }
  }

  MemoryWire wire_;
  std::vector<FailedSend> failures_;
};

TEST_F(FaultUnderlayTest, TheSenderIsABadWire) {
  MemoryUnderlay receiver(wire_, Ipv4(10, 0, 0, 2), kIanaVxlanPort);
  FaultUnderlaySender sender(std::make_unique<MemoryUnderlay>(wire_, Ipv4(10, 0, 0, 1), kIanaVxlanPort),
                             {.drop = 0.1, .duplicate = 0.2, .reorder = 0.1, .truncate = 0.3});
  send_all(sender);
  EXPECT_THAT(failures_, IsEmpty());
  const auto received = receive_all(receiver);
  std::size_t whole = 0;
  for (const Bytes& datagram : received) {
    ASSERT_GE(datagram.size(), Datagram::kHeaderSize) << "the header is never cut";
    EXPECT_EQ(datagram[0], 8);
    if (datagram.size() == Datagram::kHeaderSize + 100) ++whole;
  }
  EXPECT_NE(received.size(), kFrames);
  EXPECT_GT(whole, received.size() / 2);
  EXPECT_LT(whole, received.size() * 9 / 10);
}

TEST_F(FaultUnderlayTest, FailuresAreReportedInTermsOfTheCallersBatch) {
  // Everything is too big. Held-back and doubled datagrams must not be reported against a wrong batch, or
  // twice.
  wire_.set_mtu(50);
  FaultUnderlaySender sender(std::make_unique<MemoryUnderlay>(wire_, Ipv4(10, 0, 0, 1), kIanaVxlanPort),
                             {.duplicate = 0.5, .reorder = 0.5});
  send_all(sender);
  EXPECT_GT(failures_.size(), kFrames / 2);
  EXPECT_LE(failures_.size(), kFrames);
  std::map<std::size_t, std::size_t> by_index;
  for (const FailedSend& failure : failures_) {
    EXPECT_EQ(failure.reason, SendFailure::kTooBig);
    EXPECT_LT(failure.index, 10U);
    ++by_index[failure.index];
  }
  for (const auto& [index, count] : by_index) EXPECT_LE(count, kFrames / 10) << index;
}

TEST_F(FaultUnderlayTest, AFailureOfAnEarlierBatchIsNotThisBatchs) {
  MemoryUnderlay receiver(wire_, Ipv4(10, 0, 0, 2), kIanaVxlanPort);
  FaultUnderlaySender sender(std::make_unique<MemoryUnderlay>(wire_, Ipv4(10, 0, 0, 1), kIanaVxlanPort),
                             {.reorder = 1});
  const Bytes large(2000);
  Datagram datagram{.header = {8}, .frame = large, .route = {}};
  datagram.route.remote = Ipv4(10, 0, 0, 2);
  datagram.route.destination_port = kIanaVxlanPort;
  datagram.route.source_port = Port(50000);
  sender.send({&datagram, 1}, failures_);  // held back, and too big
  const Bytes small = numbered(1);
  datagram.frame = small;
  sender.send({&datagram, 1}, failures_);
  EXPECT_THAT(failures_, IsEmpty());
  EXPECT_EQ(receive_all(receiver).size(), 1U);
}

TEST_F(FaultUnderlayTest, TheReceiverIsABadWireToo) {
  MemoryUnderlay sender(wire_, Ipv4(10, 0, 0, 1), kIanaVxlanPort);
  FaultUnderlayReceiver receiver(std::make_unique<MemoryUnderlay>(wire_, Ipv4(10, 0, 0, 2), kIanaVxlanPort),
                                 {.duplicate = 1, .truncate = 0.5});
  send_all(sender);
  const auto received = receive_all(receiver);
  ASSERT_EQ(received.size(), 2 * kFrames);
  EXPECT_TRUE(std::ranges::any_of(received, [](const Bytes& one) { return one.size() < 8; }));
  for (std::size_t i = 0; i < received.size(); i += 2) EXPECT_EQ(received[i], received[i + 1]);
}

}  // namespace
}  // namespace vtep
