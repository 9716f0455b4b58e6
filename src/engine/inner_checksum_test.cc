#include "engine/inner_checksum.h"

#include <gtest/gtest.h>

#include <array>

#include "engine/test_frames.h"

namespace vtep {
namespace {

using test::Bytes;
using test::Sum;
using test::TestFrame;
using test::TestPackets;

constexpr std::uint32_t kMtu = 1500;

/// Every transport over every IP, with and without VLAN tags.
std::vector<TestFrame> shapes() {
  const IpAddr from6 = test::ip("fd00::1");
  const IpAddr to6 = test::ip("fd00::2");
  std::vector<TestFrame> all;
  for (const std::uint8_t protocol : {kProtocolTcp, kProtocolUdp}) {
    for (const std::vector<std::uint16_t>& tags :
         {std::vector<std::uint16_t>{}, {kEthertypeVlan}, {kEthertypeServiceVlan, kEthertypeVlan}}) {
      all.push_back({.tags = tags, .protocol = protocol});
      all.push_back({.tags = tags, .from = from6, .to = to6, .protocol = protocol});
    }
  }
  return all;
}

Offload request_for(const TestFrame& shape) {
  Offload offload;
  offload.needs_checksum = true;
  offload.checksum_start = static_cast<std::uint16_t>(shape.l4());
  offload.checksum_offset = static_cast<std::uint16_t>(shape.checksum_field() - shape.l4());
  return offload;
}

// --- towards the wire

TEST(FinishChecksum, WritesWhatAFullChecksumWouldBe) {
  for (TestFrame shape : shapes()) {
    for (const std::size_t payload : {0U, 1U, 2U, 7U, 31U, 32U, 33U, 1400U}) {
      shape.payload = payload;
      shape.sum = Sum::kRight;
      const Bytes expected = shape.build();
      shape.sum = Sum::kPseudo;
      TestPackets packets;
      Packet& packet = packets.add(shape.build());
      packet.offload = request_for(shape);
      ASSERT_TRUE(finish_checksum(packet));
      EXPECT_EQ(test::to_bytes(packet.view()), expected);
      EXPECT_EQ(packet.offload, Offload());
    }
  }
}

TEST(FinishChecksum, IgnoresZeroPadding) {
  TestFrame shape{.payload = 3, .padding = 15};
  const Bytes expected = shape.build();
  shape.sum = Sum::kPseudo;
  TestPackets packets;
  Packet& packet = packets.add(shape.build());
  packet.offload = request_for(shape);
  ASSERT_TRUE(finish_checksum(packet));
  EXPECT_EQ(test::to_bytes(packet.view()), expected);
}

TEST(FinishChecksum, LeavesAFrameWithoutARequestAlone) {
  const Bytes bytes = TestFrame{.sum = Sum::kWrong}.build();
  TestPackets packets;
  EXPECT_TRUE(finish_checksum(packets.add(bytes)));
  EXPECT_EQ(test::to_bytes(packets[0].view()), bytes);
}

/// The frame with the pseudo-header sum in its checksum field, and with the last word of its payload such
/// that `initial` and the whole segment sum to nothing (0xffff). Precondition: an even payload.
Bytes summing_to_nothing(const TestFrame& shape, std::uint64_t initial) {
  Bytes bytes = shape.build();
  store_be16(bytes.data() + shape.checksum_field(), checksum_fold(shape.pseudo_sum()));
  std::uint8_t* const word = bytes.data() + shape.end() - 2;
  store_be16(word, 0);
  const ByteView segment = ByteView(bytes).subspan(shape.l4(), shape.end() - shape.l4());
  store_be16(word, checksum_finish(checksum_partial(segment, initial)));
  return bytes;
}

TEST(FinishChecksum, WritesUdpZeroAsAllOnes) {
  const TestFrame shape{.payload = 4};
  TestPackets packets;
  Packet& packet = packets.add(summing_to_nothing(shape, 0));
  packet.offload = request_for(shape);
  ASSERT_TRUE(finish_checksum(packet));
  EXPECT_EQ(load_be16(packet.data() + shape.checksum_field()), 0xffff);
  EXPECT_TRUE(test::checksum_is_right(shape, packet.view()));
}

TEST(FinishChecksum, RefusesARequestOutsideTheFrame) {
  const TestFrame shape;
  const Bytes bytes = shape.build();
  const auto size = static_cast<std::uint16_t>(bytes.size());
  const std::pair<std::uint16_t, std::uint16_t> outside[] = {
      {size, 0},
      {static_cast<std::uint16_t>(size - 1), 0},
      {static_cast<std::uint16_t>(size - 2), 1},
      {0, size},
      {0, static_cast<std::uint16_t>(size - 1)},
      {0xffff, 0xffff},
      {0xffff, 1},
      {1, 0xffff},
  };
  for (const auto& [start, offset] : outside) {
    TestPackets packets;
    Packet& packet = packets.add(bytes);
    packet.offload.needs_checksum = true;
    packet.offload.checksum_start = start;
    packet.offload.checksum_offset = offset;
    EXPECT_FALSE(finish_checksum(packet)) << start << '+' << offset;
    EXPECT_EQ(test::to_bytes(packet.view()), bytes);
  }
  TestPackets packets;
  Packet& packet = packets.add(bytes);
  packet.offload.needs_checksum = true;
  packet.offload.checksum_start = static_cast<std::uint16_t>(size - 2);
  EXPECT_TRUE(finish_checksum(packet)) << "the last two bytes are inside";
}

// --- from the wire

struct Restored {
  std::optional<Drop> drop;
  Offload offload;
  Bytes bytes;
};

Restored restore(const Bytes& bytes, std::uint32_t mtu = kMtu) {
  TestPackets packets;
  Packet& packet = packets.add(bytes);
  packet.offload.needs_checksum = true;  // what an earlier use of the slot left behind
  packet.offload.segmentation = Segmentation::kUdp;
  const auto drop = restore_offload(packet, classify(packet.view()), mtu);
  return {drop, packet.offload, test::to_bytes(packet.view())};
}

void expect_only(const Offload& offload, const Bytes& bytes) {
  const Restored restored = restore(bytes);
  EXPECT_EQ(restored.drop, std::nullopt);
  EXPECT_EQ(restored.offload, offload);
  EXPECT_EQ(restored.bytes, bytes);
}

void expect_untouched(const Bytes& bytes) {
  expect_only({}, bytes);
}

void expect_valid(const Bytes& bytes) {
  expect_only({.checksum_valid = true}, bytes);
}

TEST(RestoreOffload, LeavesWrongAndMissingChecksumsToTheReceiver) {
  for (TestFrame shape : shapes()) {
    for (const Sum sum : {Sum::kWrong, Sum::kNone}) {
      shape.sum = sum;
      expect_untouched(shape.build());
    }
  }
}

TEST(RestoreOffload, SaysThatARightChecksumIsRight) {
  for (TestFrame shape : shapes()) {
    for (const std::size_t payload : {0U, 1U, 31U, 32U, 33U, 1400U}) {
      shape.payload = payload;
      const Bytes bytes = shape.build();
      expect_valid(bytes);
      for (const std::size_t at : {shape.l4(), shape.l4() + 3, shape.end() - 1}) {
        Bytes damaged = bytes;
        damaged[at] ^= 0x10;
        expect_untouched(damaged);
      }
    }
  }
}

TEST(RestoreOffload, DoesNotJudgeWhatUdpsLengthLeavesOut) {
  for (const std::size_t length : {0U, 8U, 39U, 41U}) {
    const TestFrame shape{.payload = 32};
    Bytes bytes = shape.build();
    std::uint8_t* const udp = bytes.data() + shape.l4();
    store_be16(udp + UdpHeader::kLength, static_cast<std::uint16_t>(length));
    store_be16(udp + UdpHeader::kChecksum, 0);
    const ByteView segment = ByteView(bytes).subspan(shape.l4());
    store_be16(udp + UdpHeader::kChecksum,
               checksum_finish_udp(checksum_partial(segment, shape.pseudo_sum())));
    expect_untouched(bytes);
  }
}

TEST(RestoreOffload, MarksAPseudoHeaderSum) {
  for (TestFrame shape : shapes()) {
    shape.sum = Sum::kPseudo;
    for (const std::size_t payload : {1U, 4U, 1000U}) {
      shape.payload = payload;
      const Bytes bytes = shape.build();
      const Restored restored = restore(bytes);
      EXPECT_EQ(restored.drop, std::nullopt);
      EXPECT_EQ(restored.offload, request_for(shape));
      EXPECT_EQ(restored.bytes, bytes);
    }
  }
}

TEST(RestoreOffload, LooksBehindThePaddingOfSmallFrames) {
  // 14 + 20 + 8 + 4 = 46 bytes, and the same filled up to Ethernet's 60: with zeros or with garbage.
  TestFrame shape{.payload = 4, .sum = Sum::kPseudo};
  EXPECT_EQ(shape.build().size(), 46U);
  EXPECT_EQ(restore(shape.build()).offload, request_for(shape));
  for (const std::uint8_t padding_byte : {std::uint8_t{0}, std::uint8_t{0xa5}}) {
    shape.padding = 14;
    shape.padding_byte = padding_byte;
    shape.sum = Sum::kPseudo;
    EXPECT_EQ(restore(shape.build()).offload.needs_checksum, true);
    shape.sum = Sum::kRight;
    expect_valid(shape.build());
  }
}

TEST(RestoreOffload, SeesThatAPseudoHeaderSumMayBeRightByChance) {
  for (TestFrame shape : shapes()) {
    shape.payload = 4;
    for (const std::size_t padding : {0U, 14U}) {
      shape.padding = padding;
      shape.padding_byte = 0xa5;
      const Bytes bytes = summing_to_nothing(shape, shape.pseudo_sum());
      ASSERT_TRUE(test::checksum_is_right(shape, bytes));
      expect_valid(bytes);
    }
  }
}

TEST(RestoreOffload, DoesNotTouchFragments) {
  for (const std::uint16_t field : std::array<std::uint16_t, 3>{0x2000, 0x2001, 0x0001}) {
    TestFrame shape{.sum = Sum::kPseudo, .fragment = field};
    expect_untouched(shape.build());
    shape.protocol = kProtocolTcp;
    expect_untouched(shape.build());
  }
}

TEST(RestoreOffload, TakesFramesUpToTheMtuWithAnyTags) {
  for (TestFrame shape : shapes()) {
    shape.protocol = kProtocolUdp;
    shape.payload = kMtu - (shape.l4() - shape.l3()) - UdpHeader::kSize;
    expect_valid(shape.build());
    ++shape.payload;
    EXPECT_EQ(restore(shape.build()).drop, Drop::kInnerTooBig);
  }
}

// --- super-frames

/// Cuts as the interface would: segments of segment_size behind copies of the headers. Returns their IP
/// lengths.
std::vector<std::size_t> cut(const TestFrame& shape, const Restored& super) {
  std::vector<std::size_t> lengths;
  const Offload& offload = super.offload;
  for (std::size_t at = offload.header_length; at < super.bytes.size(); at += offload.segment_size) {
    const std::size_t payload = std::min<std::size_t>(offload.segment_size, super.bytes.size() - at);
    lengths.push_back(offload.header_length - shape.l3() + payload);
  }
  return lengths;
}

TEST(RestoreOffload, ASuperFrameIsCutIntoSegmentsOfExactlyTheMtu) {
  for (TestFrame shape : shapes()) {
    shape.protocol = kProtocolTcp;
    for (const std::size_t options : {0U, 12U, 40U}) {
      for (const std::uint32_t mtu : {576U, 1450U, 1500U, 9000U}) {
        shape.tcp_options = options;
        shape.payload = 60000;
        for (const Sum sum : {Sum::kRight, Sum::kPseudo}) {
          shape.sum = sum;
          const Restored restored = restore(shape.build(), mtu);
          ASSERT_EQ(restored.drop, std::nullopt);
          const Offload& offload = restored.offload;
          EXPECT_EQ(offload.segmentation, shape.from.is_v4() ? Segmentation::kTcp4 : Segmentation::kTcp6);
          EXPECT_TRUE(offload.needs_checksum);
          EXPECT_EQ(offload.checksum_start, shape.l4());
          EXPECT_EQ(offload.checksum_offset, TcpHeader::kChecksum);
          EXPECT_EQ(offload.header_length, shape.l4() + shape.transport_header());
          const auto lengths = cut(shape, restored);
          ASSERT_GE(lengths.size(), 2U);
          for (std::size_t i = 0; i + 1 < lengths.size(); ++i) EXPECT_EQ(lengths[i], mtu);
          EXPECT_LE(lengths.back(), mtu);
          // The interface starts from the pseudo-header sum, whatever stood there.
          TestFrame pseudo = shape;
          pseudo.sum = Sum::kPseudo;
          EXPECT_EQ(restored.bytes, pseudo.build());
        }
      }
    }
  }
}

TEST(RestoreOffload, OneByteTooMuchIsASuperFrameAlready) {
  TestFrame shape{.protocol = kProtocolTcp, .payload = kMtu - 40, .sum = Sum::kPseudo};
  EXPECT_EQ(restore(shape.build()).offload, request_for(shape));
  ++shape.payload;
  const Offload offload = restore(shape.build()).offload;
  EXPECT_EQ(offload.segmentation, Segmentation::kTcp4);
  EXPECT_EQ(offload.segment_size, kMtu - 40);
}

TEST(RestoreOffload, DropsASuperFrameWithAWrongChecksum) {
  for (TestFrame shape : shapes()) {
    shape.protocol = kProtocolTcp;
    shape.payload = 5000;
    shape.sum = Sum::kWrong;
    EXPECT_EQ(restore(shape.build()).drop, Drop::kInnerChecksum);
  }
}

TEST(RestoreOffload, DropsWhatIsTooBigAndCannotBeCut) {
  EXPECT_EQ(restore(TestFrame{.payload = 5000}.build()).drop, Drop::kInnerTooBig) << "UDP";
  EXPECT_EQ(restore(TestFrame{.protocol = kProtocolTcp, .payload = 5000, .fragment = 0x2000}.build()).drop,
            Drop::kInnerTooBig)
      << "a fragment";
  EXPECT_EQ(restore(Bytes(2000, 0xff)).drop, Drop::kInnerTooBig) << "not IP";
  EXPECT_EQ(restore(TestFrame{.protocol = kProtocolTcp, .payload = 5000}.build(), 40).drop,
            Drop::kInnerTooBig)
      << "no room for payload in the MTU";
  EXPECT_EQ(restore(TestFrame{.protocol = kProtocolTcp, .payload = 5000}.build(), 41).drop, std::nullopt);
  Bytes broken = TestFrame{.protocol = kProtocolTcp, .payload = 5000}.build();
  broken[TestFrame{}.l4() + TcpHeader::kDataOffset] = 0x40;
  EXPECT_EQ(restore(broken).drop, Drop::kInnerTooBig) << "an impossible data offset";
  // The padding would end up in the segments.
  EXPECT_EQ(restore(TestFrame{.protocol = kProtocolTcp, .payload = 5000, .padding = 1}.build()).drop,
            Drop::kInnerTooBig);
  EXPECT_EQ(restore(TestFrame{.protocol = kProtocolTcp, .payload = 10, .padding = 5000}.build()).drop,
            Drop::kInnerTooBig);
}

TEST(RestoreOffload, CutsUdpThatCameWithItsSegmentSize) {
  for (TestFrame shape : shapes()) {
    if (shape.protocol != kProtocolUdp) continue;
    shape.payload = 5000;
    for (const auto& [sum, drop] :
         {std::pair(Sum::kPseudo, std::optional<Drop>()), std::pair(Sum::kRight, std::optional<Drop>()),
          std::pair(Sum::kWrong, std::optional(Drop::kInnerChecksum))}) {
      shape.sum = sum;
      TestPackets packets;
      Packet& packet = packets.add(shape.build());
      packet.offload.segmentation = Segmentation::kUdp;
      packet.offload.segment_size = 500;
      EXPECT_EQ(restore_offload(packet, classify(packet.view()), kMtu), drop);
      if (drop) continue;
      EXPECT_EQ(packet.offload,
                (Offload{.needs_checksum = true,
                         .segmentation = Segmentation::kUdp,
                         .segment_size = 500,
                         .header_length = static_cast<std::uint16_t>(shape.l4() + UdpHeader::kSize),
                         .checksum_start = static_cast<std::uint16_t>(shape.l4()),
                         .checksum_offset = UdpHeader::kChecksum}));
    }
  }
}

TEST(RestoreOffload, DropsUdpWhoseSegmentsDoNotFit) {
  TestPackets packets;
  Packet& packet = packets.add(TestFrame{.payload = 5000, .sum = Sum::kPseudo}.build());
  packet.offload.segmentation = Segmentation::kUdp;
  packet.offload.segment_size = kMtu;
  EXPECT_EQ(restore_offload(packet, classify(packet.view()), kMtu), Drop::kInnerTooBig);
}

/// A message as a receiver has it: VXLAN headers and frames.
Bytes message_of(std::initializer_list<TestFrame> frames) {
  Bytes message;
  for (const TestFrame& frame : frames) {
    TestPackets packets;
    const Bytes datagram = test::to_bytes(packets.add_datagram(10_vni, frame.build(), {}).view());
    message.insert(message.end(), datagram.begin(), datagram.end());
  }
  return message;
}

TEST(TunnelledSuperFrame, IsToldFromDatagramsThatCameTogether) {
  const TestFrame one{.payload = 500};
  const std::size_t datagram = message_of({one}).size();
  EXPECT_FALSE(is_tunnelled_super_frame(message_of({one, one, one}), datagram));
  EXPECT_FALSE(is_tunnelled_super_frame(message_of({one, one, TestFrame{.payload = 100}}), datagram));
  EXPECT_FALSE(
      is_tunnelled_super_frame(message_of({TestFrame{.protocol = kProtocolTcp, .payload = 5000}}), 500));

  for (const std::size_t size : {8U, 9U, 500U, 1000U}) {
    EXPECT_TRUE(is_tunnelled_super_frame(message_of({TestFrame{.payload = 5000}}), size)) << size;
  }
  EXPECT_TRUE(is_tunnelled_super_frame(
      message_of({TestFrame{.from = test::ip("fd00::1"), .to = test::ip("fd00::2"), .payload = 5000}}), 500));
}

TEST(TunnelledSuperFrame, TakesEveryTruncation) {
  const Bytes message = message_of({TestFrame{.payload = 100}});
  for (std::size_t size = 0; size <= message.size(); ++size) {
    const Bytes cut_off(message.begin(), message.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_EQ(is_tunnelled_super_frame(cut_off, 50), size == message.size());
    EXPECT_FALSE(is_tunnelled_super_frame(cut_off, 0));
  }
}

TEST(RestoreOffload, TakesEveryTruncationAndFlippedByte) {
  for (TestFrame shape : shapes()) {
    shape.sum = Sum::kPseudo;
    const Bytes whole = shape.build();
    for (std::size_t size = EthernetHeader::kSize; size <= whole.size(); ++size) {
      for (const std::uint32_t mtu : {20U, kMtu}) {
        const Bytes cut_off(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
        const Restored restored = restore(cut_off, mtu);
        if (restored.drop || !restored.offload.needs_checksum) continue;
        const Offload& offload = restored.offload;
        EXPECT_LE(offload.checksum_start + offload.checksum_offset + 2U, size);
      }
    }
    std::mt19937_64 random(1);
    for (int i = 0; i < 2000; ++i) {
      Bytes mutated = whole;
      for (std::uint32_t n = test::pick(random, 1, 3); n > 0; --n) {
        mutated[test::pick(random, 0, static_cast<std::uint32_t>(whole.size() - 1))] =
            static_cast<std::uint8_t>(random());
      }
      const Restored restored = restore(mutated, test::pick(random, 0, 1) == 0 ? 40 : kMtu);
      if (restored.drop || !restored.offload.needs_checksum) continue;
      EXPECT_LE(restored.offload.checksum_start + restored.offload.checksum_offset + 2U, whole.size());
      EXPECT_LE(restored.offload.header_length, whole.size());
    }
  }
}

}  // namespace
}  // namespace vtep
