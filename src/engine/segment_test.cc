#include "engine/segment.h"

#include <gtest/gtest.h>

#include "engine/test_flow_frames.h"

namespace vtep {
namespace {

using test::Bytes;
using test::FlowFrame;
using test::Sum;
using test::TestPackets;

const IpAddr kFrom6 = test::ip("fd00::1");
const IpAddr kTo6 = test::ip("fd00::2");

Bytes pattern(std::size_t size) {
  Bytes bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::uint8_t>(i * 7 + i / 251);
  return bytes;
}

/// Both transports over both IPs, with and without what may stand in front and between.
std::vector<FlowFrame> shapes() {
  std::vector<FlowFrame> all;
  for (const std::uint8_t protocol : {kProtocolTcp, kProtocolUdp}) {
    for (const std::vector<std::uint16_t>& tags :
         {std::vector<std::uint16_t>{}, {kEthertypeVlan}, {kEthertypeServiceVlan, kEthertypeVlan}}) {
      const FlowFrame plain{
          .tags = tags, .protocol = protocol, .payload = pattern(5000), .sum = Sum::kPseudo};
      all.push_back(plain);
      FlowFrame v6 = plain;
      v6.from = kFrom6;
      v6.to = kTo6;
      all.push_back(v6);
      FlowFrame options = plain;
      options.ip_options = Bytes(8, 1);
      options.tcp_options = Bytes(12, 1);
      all.push_back(options);
      v6.extensions = {kProtocolHopByHop, kProtocolDestinationOptions};
      all.push_back(v6);
      v6.extensions = {kProtocolRouting};
      all.push_back(v6);
    }
  }
  return all;
}

class CutTest : public ::testing::Test {
 protected:
  bool cut_frame(const Bytes& bytes, const Offload& request) {
    Packet& packet = packets_.add(bytes);
    packet.offload = request;
    return cut(packet, classify(packet.view()), arena_, segments_);
  }
  std::vector<Bytes> frames() const {
    std::vector<Bytes> all;
    for (const Segment& segment : segments_) {
      all.push_back(test::to_bytes(segment.headers));
      all.back().insert(all.back().end(), segment.payload.begin(), segment.payload.end());
    }
    return all;
  }
  void expect_cut(const FlowFrame& super, std::size_t size) {
    segments_.clear();
    const Bytes bytes = super.build();
    ASSERT_TRUE(cut_frame(bytes, super.request(size)));
    std::vector<Bytes> expected;
    for (const FlowFrame& one : test::slow_cut(super, size)) expected.push_back(one.build());
    EXPECT_EQ(frames(), expected);
  }
  void expect_refused(const FlowFrame& super, const Offload& request) {
    EXPECT_FALSE(cut_frame(super.build(), request));
    EXPECT_TRUE(segments_.empty());
  }

  TestPackets packets_;
  HeaderArena arena_;
  std::vector<Segment> segments_;
};

TEST_F(CutTest, MakesWhatANetworkCardWouldSend) {
  for (const FlowFrame& shape : shapes()) {
    for (const std::size_t size : {5U, 999U, 1000U, 1400U, 4999U, 5000U, 5001U, 65535U})
      expect_cut(shape, size);
  }
}

TEST_F(CutTest, CountsWithCarry) {
  for (FlowFrame shape : shapes()) {
    shape.sequence = 0xffffffff - 1500;
    shape.identification = 0xfffe;
    expect_cut(shape, 1000);
  }
}

TEST_F(CutTest, KeepsFinAndPshForTheLastAndCwrForTheFirst) {
  FlowFrame shape{.flags = 0xff, .payload = pattern(30)};
  expect_cut(shape, 10);
  EXPECT_EQ(segments_[0].headers[shape.l4() + 13], 0xf6);
  EXPECT_EQ(segments_[1].headers[shape.l4() + 13], 0x76);
  EXPECT_EQ(segments_[2].headers[shape.l4() + 13], 0x7f);
  expect_cut(shape, 30);
  EXPECT_EQ(segments_[0].headers[shape.l4() + 13], 0xff) << "one is both";
}

TEST_F(CutTest, TakesTheLargestFrames) {
  for (FlowFrame shape : shapes()) {
    const std::size_t headers = shape.headers() - shape.l3() - (shape.is_v4() ? 0 : 40);
    shape.payload = pattern(65535 - headers);
    expect_cut(shape, 1400);
    expect_cut(shape, 65535);
  }
}

TEST_F(CutTest, LeavesTheSuperFrameAndItsPayloadWhereTheyAre) {
  const FlowFrame shape{.payload = pattern(5000), .sum = Sum::kPseudo};
  const Bytes bytes = shape.build();
  ASSERT_TRUE(cut_frame(bytes, shape.request(1400)));
  EXPECT_EQ(test::to_bytes(packets_[0].view()), bytes);
  const std::uint8_t* next = packets_[0].data() + shape.headers();
  for (const Segment& segment : segments_) {
    EXPECT_EQ(segment.payload.data(), next);
    next += segment.payload.size();
  }
  EXPECT_EQ(next, packets_[0].data() + bytes.size());
}

TEST_F(CutTest, DoesNotTrustTheChecksumField) {
  FlowFrame shape{.payload = pattern(3000), .sum = Sum::kWrong};
  expect_cut(shape, 1000);
}

TEST_F(CutTest, WritesUdpZeroAsAllOnes) {
  FlowFrame shape{.protocol = kProtocolUdp, .payload = Bytes(4, 0)};
  // The payload's last word makes the sum nothing.
  const std::uint16_t checksum = load_be16(shape.build().data() + shape.checksum_field());
  store_be16(shape.payload.data() + 2, checksum);
  expect_cut(shape, 4);
  EXPECT_EQ(load_be16(segments_[0].headers.data() + shape.checksum_field()), 0xffff);
}

TEST_F(CutTest, PaddingGoesNowhere) {
  expect_cut({.payload = pattern(25), .padding = 7}, 10);
  FlowFrame nothing{.payload = {}, .padding = 7};
  segments_.clear();
  expect_refused(nothing, nothing.request(10));
}

TEST_F(CutTest, RefusesARequestThatIsNotAboutThisFrame) {
  for (const FlowFrame& shape : shapes()) {
    const Offload good = shape.request(1000);
    for (const Segmentation other : {Segmentation::kTcp4, Segmentation::kTcp6, Segmentation::kUdp}) {
      Offload bad = good;
      bad.segmentation = other;
      if (other != good.segmentation) expect_refused(shape, bad);
    }
    for (const int by : {-2, -1, 1, 4, 1000}) {
      Offload bad = good;
      bad.header_length = static_cast<std::uint16_t>(bad.header_length + by);
      expect_refused(shape, bad);
      bad = good;
      bad.checksum_start = static_cast<std::uint16_t>(bad.checksum_start + by);
      expect_refused(shape, bad);
      bad = good;
      bad.checksum_offset = static_cast<std::uint16_t>(bad.checksum_offset + by);
      expect_refused(shape, bad);
    }
    Offload bad = good;
    bad.segment_size = 0;
    expect_refused(shape, bad);
  }
}

TEST_F(CutTest, RefusesWhatHasNoTransportToCut) {
  FlowFrame shape{.payload = pattern(3000)};
  const Offload request = shape.request(1000);
  shape.fragment = 0x2000;
  expect_refused(shape, request);
  shape.fragment = 0x0001;
  expect_refused(shape, request);
  shape.fragment = 0;
  shape.protocol = kProtocolIcmp;
  expect_refused(shape, request);
  EXPECT_FALSE(cut_frame(Bytes(3000, 0xff), request));
  EXPECT_FALSE(cut_frame({}, request));
  FlowFrame tagged = shapes()[0];
  tagged.tags.assign(3, kEthertypeVlan);
  expect_refused(tagged, tagged.request(1000));
}

TEST_F(CutTest, HasLimits) {
  FlowFrame shape{.payload = pattern(kMaxSegments * 10)};
  expect_cut(shape, 10);
  segments_.clear();
  shape.payload.push_back(0);
  expect_refused(shape, shape.request(10));
  expect_refused(shape, shape.request(1));

  // Hop-by-hop options of 400 and of 456 bytes.
  for (const std::uint8_t units : {std::uint8_t{49}, std::uint8_t{56}}) {
    FlowFrame long_one{.from = kFrom6, .to = kTo6, .payload = pattern(500)};
    Bytes bytes = long_one.build();
    const std::size_t extension = (units + 1U) * 8;
    bytes.insert(bytes.begin() + static_cast<std::ptrdiff_t>(long_one.l4()), extension, 0);
    bytes[long_one.l3() + Ipv6Header::kNextHeader] = kProtocolHopByHop;
    bytes[long_one.l4()] = kProtocolTcp;
    bytes[long_one.l4() + 1] = units;
    store_be16(bytes.data() + long_one.l3() + Ipv6Header::kPayloadLength,
               static_cast<std::uint16_t>(bytes.size() - long_one.l4()));
    Offload request = long_one.request(100);
    request.checksum_start += static_cast<std::uint16_t>(extension);
    request.header_length += static_cast<std::uint16_t>(extension);
    segments_.clear();
    EXPECT_EQ(cut_frame(bytes, request), request.header_length <= kMaxSegmentHeaders);
    EXPECT_EQ(segments_.size(), units == 49 ? 5U : 0U);
  }
}

TEST_F(CutTest, AppendsToWhatIsThere) {
  const FlowFrame shape{.payload = pattern(20)};
  ASSERT_TRUE(cut_frame(shape.build(), shape.request(10)));
  ASSERT_TRUE(cut_frame(shape.build(), shape.request(10)));
  const auto all = frames();
  ASSERT_EQ(all.size(), 4U);
  EXPECT_EQ(all[0], all[2]);
  EXPECT_EQ(all[1], all[3]);
}

TEST(LargestSegment, IsAFullOneOrTheWholeFrame) {
  const FlowFrame shape{.payload = pattern(3000)};
  TestPackets packets;
  Packet& packet = packets.add(shape.build());
  EXPECT_EQ(largest_segment(packet), packet.size());
  packet.offload = shape.request(1000);
  EXPECT_EQ(largest_segment(packet), shape.headers() + 1000);
  packet.offload = shape.request(3001);
  EXPECT_EQ(largest_segment(packet), packet.size());
}

TEST(HeaderArena, KeepsPiecesWhereTheyAreAndTheMemoryForLater) {
  HeaderArena arena;
  const auto fill = [&] {
    std::vector<ByteSpan> pieces;
    for (std::uint8_t i = 0; i < 200; ++i) {
      pieces.push_back(arena.take(1000));
      std::ranges::fill(pieces.back(), i);
    }
    for (std::uint8_t i = 0; i < 200; ++i) EXPECT_EQ(test::to_bytes(pieces[i]), Bytes(1000, i));
  };
  fill();
  const std::size_t held = arena.capacity();
  EXPECT_GE(held, 200'000U);
  for (int round = 0; round < 3; ++round) {
    arena.clear();
    fill();
  }
  EXPECT_EQ(arena.capacity(), held);
  EXPECT_EQ(arena.take(HeaderArena::kChunkSize).size(), HeaderArena::kChunkSize);
  EXPECT_EQ(arena.take(0).size(), 0U);
}

}  // namespace
}  // namespace vtep
