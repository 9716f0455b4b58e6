#include "engine/mss_clamp.h"

#include <gtest/gtest.h>

#include "engine/test_frames.h"

namespace vtep {
namespace {

using test::Bytes;
using test::Sum;
using test::TestFrame;
using test::TestPackets;

constexpr std::uint32_t kMtu = 1450;
constexpr std::uint8_t kNop = 1;

constexpr std::uint8_t high(unsigned value) {
  return static_cast<std::uint8_t>(value >> 8);
}
constexpr std::uint8_t low(unsigned value) {
  return static_cast<std::uint8_t>(value);
}

TestFrame tcp(bool v4, std::vector<std::uint16_t> tags = {}) {
  TestFrame shape{.tags = std::move(tags), .protocol = kProtocolTcp, .payload = 3};
  if (!v4) {
    shape.from = test::ip("fd00::1");
    shape.to = test::ip("fd00::2");
  }
  return shape;
}

/// The frame with these flags and options, and a checksum as shape.sum says. `options` is padded to a
/// multiple of 4 with end marks.
Bytes segment(TestFrame& shape, std::uint8_t flags, Bytes options) {
  options.resize((options.size() + 3) / 4 * 4);
  shape.tcp_options = options.size();
  Bytes bytes = shape.build();
  std::uint8_t* const header = bytes.data() + shape.l4();
  header[TcpHeader::kFlags] = flags;
  std::copy(options.begin(), options.end(), header + TcpHeader::kSize);
  store_be16(header + TcpHeader::kChecksum, 0);
  const std::uint64_t sum = checksum_partial(ByteView(header, shape.end() - shape.l4()), shape.pseudo_sum());
  store_be16(header + TcpHeader::kChecksum,
             shape.sum == Sum::kPseudo ? checksum_fold(shape.pseudo_sum()) : checksum_finish(sum));
  return bytes;
}

struct Clamped {
  bool changed;
  Bytes bytes;
};

Clamped clamp(const Bytes& bytes, std::uint32_t mtu = kMtu, const Offload& offload = {}) {
  TestPackets packets;
  Packet& packet = packets.add(bytes, 0);
  packet.offload = offload;
  const bool changed = clamp_mss(packet, classify(packet.view()), mtu);
  EXPECT_EQ(packet.offload, offload);
  return {changed, test::to_bytes(packet.view())};
}

TEST(ClampMss, LowersTheOptionAndOnlyTheOption) {
  for (const bool v4 : {true, false}) {
    const unsigned fits = kMtu - (v4 ? 40 : 60);
    for (const std::vector<std::uint16_t>& tags : {std::vector<std::uint16_t>{}, {kEthertypeVlan}}) {
      for (const int flags : {int{tcp_flag::kSyn}, tcp_flag::kSyn | tcp_flag::kAck}) {
        for (const unsigned mss : {fits + 1, 1460U, 8960U, 65535U}) {
          TestFrame shape = tcp(v4, tags);
          const Clamped clamped =
              clamp(segment(shape, static_cast<std::uint8_t>(flags), {2, 4, high(mss), low(mss)}));
          EXPECT_TRUE(clamped.changed);
          EXPECT_EQ(clamped.bytes,
                    segment(shape, static_cast<std::uint8_t>(flags), {2, 4, high(fits), low(fits)}));
          EXPECT_TRUE(test::checksum_is_right(shape, clamped.bytes));
        }
      }
    }
  }
}

TEST(ClampMss, LeavesWhatFits) {
  for (const bool v4 : {true, false}) {
    const unsigned fits = kMtu - (v4 ? 40 : 60);
    for (const unsigned mss : {0U, 536U, fits}) {
      TestFrame shape = tcp(v4);
      const Bytes bytes = segment(shape, tcp_flag::kSyn, {2, 4, high(mss), low(mss)});
      const Clamped clamped = clamp(bytes);
      EXPECT_FALSE(clamped.changed);
      EXPECT_EQ(clamped.bytes, bytes);
    }
  }
}

TEST(ClampMss, FindsTheOptionAtOddOffsetsAndBehindOthers) {
  const unsigned fits = kMtu - 40;
  const Bytes in_front[] = {{},        {kNop}, {kNop, kNop},
                            {3, 3, 7}, {4, 2}, {8, 10, 1, 2, 3, 4, 5, 6, 7, 8, kNop}};
  for (const Bytes& front : in_front) {
    for (const unsigned mss : {1460U, 0xff01U, 65535U}) {
      Bytes before = front;
      before.insert(before.end(), {2, 4, high(mss), low(mss)});
      Bytes after = front;
      after.insert(after.end(), {2, 4, high(fits), low(fits)});
      TestFrame shape = tcp(true);
      const Clamped clamped = clamp(segment(shape, tcp_flag::kSyn, before));
      EXPECT_TRUE(clamped.changed);
      EXPECT_EQ(clamped.bytes, segment(shape, tcp_flag::kSyn, after)) << front.size();
    }
  }
}

TEST(ClampMss, LowersEachOfSeveral) {
  TestFrame shape = tcp(true);
  const Clamped clamped =
      clamp(segment(shape, tcp_flag::kSyn, {2, 4, 5, 0xb4, 2, 4, 2, 0, kNop, 2, 4, 0x23, 0}));
  EXPECT_EQ(clamped.bytes,
            segment(shape, tcp_flag::kSyn,
                    {2, 4, high(1410), low(1410), 2, 4, 2, 0, kNop, 2, 4, high(1410), low(1410)}));
}

TEST(ClampMss, LeavesSegmentsThatAreNoSyn) {
  for (const int flags : {0, int{tcp_flag::kAck}, tcp_flag::kFin | tcp_flag::kAck, int{tcp_flag::kRst}}) {
    TestFrame shape = tcp(true);
    EXPECT_FALSE(clamp(segment(shape, static_cast<std::uint8_t>(flags), {2, 4, 5, 0xb4})).changed) << flags;
  }
}

TEST(ClampMss, AddsNothingAndPassesOverMalformedOptions) {
  const Bytes without[] = {{},
                           {3, 3, 7},
                           {0, 2, 4, 5, 0xb4},     // behind the end mark
                           {8, 1, 2, 4, 5, 0xb4},  // an impossible length in front
                           {2, 3, 0xff},           // too short
                           {2, 6, 0xff, 0xff, 0xff, 0xff},
                           {kNop, kNop, 2, 4}};  // cut off by the header's end
  for (const Bytes& options : without) {
    TestFrame shape = tcp(true);
    const Bytes bytes = segment(shape, tcp_flag::kSyn, options);
    const Clamped clamped = clamp(bytes);
    EXPECT_FALSE(clamped.changed);
    EXPECT_EQ(clamped.bytes, bytes);
  }
}

TEST(ClampMss, LeavesAnUnfinishedChecksumAlone) {
  for (const bool v4 : {true, false}) {
    const unsigned fits = kMtu - (v4 ? 40 : 60);
    TestFrame shape = tcp(v4);
    shape.sum = Sum::kPseudo;
    const Offload unfinished{.needs_checksum = true,
                             .checksum_start = static_cast<std::uint16_t>(shape.l4()),
                             .checksum_offset = TcpHeader::kChecksum};
    const Bytes before = segment(shape, tcp_flag::kSyn, {kNop, 2, 4, 0x23, 0});
    const Clamped clamped = clamp(before, kMtu, unfinished);
    EXPECT_TRUE(clamped.changed);
    EXPECT_EQ(clamped.bytes, segment(shape, tcp_flag::kSyn, {kNop, 2, 4, high(fits), low(fits)}));
  }
}

TEST(ClampMss, ARequestForAnotherFieldIsNotAboutThisOne) {
  TestFrame shape = tcp(true);
  const Offload elsewhere{.needs_checksum = true, .checksum_start = 0, .checksum_offset = 0};
  const Clamped clamped = clamp(segment(shape, tcp_flag::kSyn, {2, 4, 0x23, 0}), kMtu, elsewhere);
  EXPECT_TRUE(test::checksum_is_right(shape, clamped.bytes));
}

TEST(ClampMss, LeavesAWrongChecksumWrong) {
  TestFrame shape = tcp(true);
  Bytes bytes = segment(shape, tcp_flag::kSyn, {2, 4, 0x23, 0});
  bytes[shape.checksum_field()] ^= 0x40;
  const Clamped clamped = clamp(bytes);
  EXPECT_TRUE(clamped.changed);
  EXPECT_FALSE(test::checksum_is_right(shape, clamped.bytes));
}

TEST(ClampMss, AnMtuWithoutRoomOrBeyondTheFieldChangesNothing) {
  for (const bool v4 : {true, false}) {
    const std::uint32_t headers = v4 ? 40 : 60;
    TestFrame shape = tcp(v4);
    const Bytes bytes = segment(shape, tcp_flag::kSyn, {2, 4, 0xff, 0xff});
    for (const std::uint32_t mtu : {0U, 1U, headers, headers + 65535, headers + 65536, 0xffffffffU})
      EXPECT_FALSE(clamp(bytes, mtu).changed) << mtu;
    EXPECT_TRUE(clamp(bytes, headers + 1).changed);
    EXPECT_TRUE(clamp(bytes, headers + 65534).changed);
  }
}

TEST(ClampMss, OtherProtocolsAndLaterFragmentsAreLeft) {
  Bytes udp = TestFrame{.payload = 60}.build();
  udp[TestFrame{}.l4() + TcpHeader::kFlags] = tcp_flag::kSyn;
  EXPECT_FALSE(clamp(udp).changed);
  TestFrame shape = tcp(true);
  shape.fragment = 1;
  EXPECT_FALSE(clamp(segment(shape, tcp_flag::kSyn, {2, 4, 0x23, 0})).changed);
  EXPECT_FALSE(clamp(Bytes(100, 0xff)).changed);
  EXPECT_FALSE(clamp({}).changed);
}

TEST(ClampMss, TakesEveryTruncationAndFlippedByte) {
  std::mt19937_64 random(3);
  for (const bool v4 : {true, false}) {
    TestFrame shape = tcp(v4, {kEthertypeVlan});
    const Bytes whole = segment(shape, tcp_flag::kSyn, {kNop, 2, 4, 0x23, 0, 3, 3, 7});
    const std::size_t header_end = shape.l4() + shape.transport_header();
    for (std::size_t size = 0; size <= whole.size(); ++size) {
      const Bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
      EXPECT_EQ(clamp(cut).changed, size >= header_end) << size;
    }
    int changed = 0;
    for (int i = 0; i < 5000; ++i) {
      Bytes mutated = whole;
      for (std::uint32_t n = test::pick(random, 1, 3); n > 0; --n)
        mutated[test::pick(random, 0, static_cast<std::uint32_t>(whole.size() - 1))] =
            static_cast<std::uint8_t>(random());
      const Clamped clamped = clamp(mutated);
      ASSERT_EQ(clamped.bytes.size(), mutated.size());
      changed += clamped.changed ? 1 : 0;
      EXPECT_EQ(clamped.bytes != mutated, clamped.changed);
    }
    EXPECT_GT(changed, 1000);
  }
}

}  // namespace
}  // namespace vtep
