#include "engine/coalesce.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "engine/test_flow_frames.h"

namespace vtep {
namespace {

using test::Bytes;
using test::FlowFrame;
using test::Sum;
using test::TestPackets;
using ::testing::ElementsAre;

const IpAddr kFrom6 = test::ip("fd00::1");
const IpAddr kTo6 = test::ip("fd00::2");

FlowFrame over_ip6(FlowFrame frame) {
  frame.from = kFrom6;
  frame.to = kTo6;
  return frame;
}

/// `n` frames that follow each other and may all be merged.
std::vector<FlowFrame> stream(FlowFrame first, std::size_t n) {
  std::vector<FlowFrame> all;
  for (std::size_t i = 0; i < n; ++i) {
    all.push_back(first);
    first.sequence += static_cast<std::uint32_t>(first.payload.size());
    ++first.identification;
  }
  return all;
}

class CoalescerTest : public ::testing::Test {
 protected:
  /// How many frames became each of those that are left.
  std::vector<std::size_t> merge(const std::vector<FlowFrame>& frames,
                                 Coalescer::Options options = {.tcp = true, .udp = true}) {
    packets_ = {};
    layers_.clear();
    for (const FlowFrame& frame : frames) {
      Packet& packet = packets_.add(frame.build());
      if (frame.sum == Sum::kPseudo) packet.offload = frame.unfinished();
      if (frame.sum == Sum::kRight) packet.offload.checksum_valid = true;
      layers_.push_back(classify(packet.view()));
    }
    return merge_packets(options);
  }
  std::vector<std::size_t> merge_packets(Coalescer::Options options = {.tcp = true, .udp = true}) {
    left_ = coalescer_.merge(packets_.span(), layers_, options);
    std::vector<std::size_t> sizes;
    for (std::size_t i = 0; i < left_; ++i) sizes.push_back(packets_[i].rest.size() + 1);
    return sizes;
  }
  /// Three frames, of which the second was changed.
  std::vector<std::size_t> merge_with_odd_second(const FlowFrame& first,
                                                 const std::function<void(FlowFrame&)>& change) {
    auto frames = stream(first, 3);
    change(frames[1]);
    return merge(frames);
  }

  Coalescer coalescer_;
  TestPackets packets_;
  std::vector<Layers> layers_;
  std::size_t left_ = 0;
};

TEST_F(CoalescerTest, MakesASuperFrameOfAStream) {
  for (const std::uint8_t protocol : {kProtocolTcp, kProtocolUdp}) {
    for (const bool is_v6 : {false, true}) {
      FlowFrame first{.tags = {kEthertypeVlan}, .protocol = protocol};
      if (is_v6) first = over_ip6(first);
      ASSERT_THAT(merge(stream(first, 5)), ElementsAre(5));
      FlowFrame super = first;
      super.payload.assign(500, first.payload[0]);
      super.sum = Sum::kPseudo;
      Bytes whole = test::to_bytes(packets_[0].view());
      for (const ByteView part : packets_[0].rest) whole.insert(whole.end(), part.begin(), part.end());
      EXPECT_EQ(whole, super.build());
      EXPECT_EQ(packets_[0].offload, super.request(100));
    }
  }
}

TEST_F(CoalescerTest, LeavesALoneFrameAsItIs) {
  for (const Sum sum : {Sum::kRight, Sum::kPseudo, Sum::kWrong}) {
    const FlowFrame frame{.sum = sum};
    EXPECT_THAT(merge({frame}), ElementsAre(1));
    EXPECT_THAT(merge({frame, over_ip6(frame)}), ElementsAre(1, 1));
    EXPECT_EQ(test::to_bytes(packets_[0].view()), frame.build());
    EXPECT_EQ(packets_[0].offload.segmentation, Segmentation::kNone);
    EXPECT_EQ(packets_[0].offload.checksum_valid, sum == Sum::kRight);
  }
  EXPECT_THAT(merge({}), ElementsAre());
}

TEST_F(CoalescerTest, ProtocolsCanBeLeftOut) {
  const FlowFrame tcp{}, udp{.protocol = kProtocolUdp};
  EXPECT_THAT(merge(stream(tcp, 2), {.tcp = false, .udp = true}), ElementsAre(1, 1));
  EXPECT_THAT(merge(stream(udp, 2), {.tcp = true, .udp = false}), ElementsAre(1, 1));
  EXPECT_THAT(merge(stream(tcp, 2), {}), ElementsAre(2));
  EXPECT_THAT(merge(stream(udp, 2), {}), ElementsAre(1, 1)) << "not every kernel takes them";
}

TEST_F(CoalescerTest, AnotherHeaderStartsAnew) {
  const std::function<void(FlowFrame&)> changes[] = {
      [](FlowFrame& f) { f.vlan = 7; },
      [](FlowFrame& f) { f.destination = test::kMacA; },
      [](FlowFrame& f) { f.tos ^= 3; },
      [](FlowFrame& f) { --f.ttl; },
  };
  for (const auto& change : changes) {
    for (const std::uint8_t protocol : {kProtocolTcp, kProtocolUdp}) {
      const FlowFrame first{.tags = {kEthertypeVlan}, .protocol = protocol};
      EXPECT_THAT(merge_with_odd_second(first, change), ElementsAre(1, 1, 1));
      EXPECT_THAT(merge_with_odd_second(over_ip6(first), change), ElementsAre(1, 1, 1));
    }
  }
  EXPECT_THAT(merge_with_odd_second(over_ip6({}), [](FlowFrame& f) { f.flow_label = 9; }),
              ElementsAre(1, 1, 1));
  EXPECT_THAT(merge_with_odd_second({}, [](FlowFrame& f) { f.fragment = 0; }), ElementsAre(1, 1, 1));
}

TEST_F(CoalescerTest, AnotherTcpHeaderStartsAnew) {
  const std::function<void(FlowFrame&)> changes[] = {
      [](FlowFrame& f) { ++f.sequence; },
      [](FlowFrame& f) { --f.sequence; },
      [](FlowFrame& f) { ++f.acknowledgment; },
      [](FlowFrame& f) { f.reserved = 1; },
      [](FlowFrame& f) { f.flags |= tcp_flag::kEce; },
      [](FlowFrame& f) { ++f.window; },
      [](FlowFrame& f) { ++f.urgent; },
      [](FlowFrame& f) { ++f.tcp_options[11]; },
      [](FlowFrame& f) { f.tcp_options.resize(8); },
  };
  for (const auto& change : changes) {
    EXPECT_THAT(merge_with_odd_second({.tcp_options = Bytes(12, 1)}, change), ElementsAre(1, 1, 1));
  }
}

TEST_F(CoalescerTest, WhatIsNeverMergedClosesItsFlow) {
  const std::function<void(FlowFrame&)> changes[] = {
      [](FlowFrame& f) { f.sum = Sum::kWrong; },
      [](FlowFrame& f) { f.payload.clear(); },
      [](FlowFrame& f) { f.padding = 1; },
      [](FlowFrame& f) { f.flags |= tcp_flag::kUrg; },
      [](FlowFrame& f) { f.flags |= tcp_flag::kSyn; },
      [](FlowFrame& f) { f.flags |= tcp_flag::kRst; },
      [](FlowFrame& f) { f.flags |= tcp_flag::kCwr; },
      [](FlowFrame& f) { f.flags = 0; },
      [](FlowFrame& f) { f.ip_options = Bytes(4, 1); },
      [](FlowFrame& f) { f.fragment = 0x8000; },
      [](FlowFrame& f) { f.fragment = 0x2000; },
      [](FlowFrame& f) { f.ip_sum_is_right = false; },
  };
  for (const auto& change : changes) {
    auto frames = stream({}, 5);
    change(frames[2]);
    EXPECT_THAT(merge(frames), ElementsAre(2, 1, 2));
  }
  auto frames = stream(over_ip6({}), 5);
  frames[2].extensions = {kProtocolDestinationOptions};
  EXPECT_THAT(merge(frames), ElementsAre(2, 1, 2));
}

TEST_F(CoalescerTest, AZeroUdpChecksumIsNoChecksum) {
  auto frames = stream({.protocol = kProtocolUdp}, 4);
  EXPECT_THAT(merge(frames), ElementsAre(4));
  frames[1].sum = Sum::kNone;
  EXPECT_THAT(merge(frames), ElementsAre(1, 1, 2));
}

TEST_F(CoalescerTest, PshAndFinEndAFrameAndAreKept) {
  for (const std::uint8_t flag : {tcp_flag::kPsh, tcp_flag::kFin}) {
    auto frames = stream({}, 4);
    frames[1].flags |= flag;
    EXPECT_THAT(merge(frames), ElementsAre(2, 2));
    EXPECT_EQ(packets_[0].data()[frames[0].l4() + TcpHeader::kFlags], tcp_flag::kAck | flag);
    frames[0].flags |= flag;
    EXPECT_THAT(merge(frames), ElementsAre(1, 1, 2));
  }
}

TEST_F(CoalescerTest, OnlyTheLastMayBeShorter) {
  for (const std::uint8_t protocol : {kProtocolTcp, kProtocolUdp}) {
    auto frames = stream({.protocol = protocol}, 2);
    FlowFrame after = frames[1];
    after.payload.resize(1);
    after.sequence += 100;
    ++after.identification;
    frames.push_back(after);
    ++after.sequence;
    ++after.identification;
    frames.push_back(after);
    EXPECT_THAT(merge(frames), ElementsAre(3, 1));
    frames[1].payload.resize(101);
    EXPECT_THAT(merge({frames[0], frames[1]}), ElementsAre(1, 1)) << "longer";
  }
}

TEST_F(CoalescerTest, IdentificationsCountUpOrStayAndStayingNeedsDf) {
  const auto with_ids = [&](std::uint16_t fragment, std::initializer_list<int> ids) {
    auto frames = stream({.fragment = fragment}, ids.size());
    std::size_t i = 0;
    for (const int id : ids) frames[i++].identification = static_cast<std::uint16_t>(id);
    return merge(frames);
  };
  for (const std::uint16_t df : {std::uint16_t{0x4000}, std::uint16_t{0}}) {
    EXPECT_THAT(with_ids(df, {5, 6, 7}), ElementsAre(3));
    EXPECT_THAT(with_ids(df, {0xffff, 0, 1}), ElementsAre(3));
    EXPECT_THAT(with_ids(df, {5, 6, 6}), ElementsAre(2, 1));
    EXPECT_THAT(with_ids(df, {5, 6, 8}), ElementsAre(2, 1));
    EXPECT_THAT(with_ids(df, {5, 4, 3}), ElementsAre(1, 1, 1));
  }
  EXPECT_THAT(with_ids(0x4000, {0, 0, 0}), ElementsAre(3));
  EXPECT_THAT(with_ids(0x4000, {5, 5, 6}), ElementsAre(2, 1));
  EXPECT_THAT(with_ids(0, {0, 0, 0}), ElementsAre(1, 1, 1));
}

TEST_F(CoalescerTest, ChecksumsMayBeFinishedOrNot) {
  auto frames = stream({}, 4);
  frames[1].sum = frames[2].sum = Sum::kPseudo;
  EXPECT_THAT(merge(frames), ElementsAre(4));
  packets_ = {};
  layers_.clear();
  for (const FlowFrame& frame : stream({.sum = Sum::kPseudo}, 2)) {
    Packet& packet = packets_.add(frame.build());
    packet.offload = frame.unfinished();
    --packet.offload.checksum_offset;  // some other checksum
    layers_.push_back(classify(packet.view()));
  }
  EXPECT_THAT(merge_packets(), ElementsAre(1, 1));
}

TEST_F(CoalescerTest, ASuperFrameIsNotMergedAndClosesItsFlow) {
  const auto frames = stream({}, 5);
  for (const FlowFrame& frame : frames) {
    Packet& packet = packets_.add(frame.build());
    packet.offload.checksum_valid = true;
    layers_.push_back(classify(packet.view()));
  }
  const Offload request = frames[2].request(50);
  packets_[2].offload = request;
  EXPECT_THAT(merge_packets(), ElementsAre(2, 1, 2));
  EXPECT_EQ(packets_[1].offload, request);
}

TEST_F(CoalescerTest, HasLimits) {
  EXPECT_THAT(merge(stream({.protocol = kProtocolUdp}, 130)), ElementsAre(64, 64, 2));
  EXPECT_THAT(merge(stream({}, 300)), ElementsAre(256, 44));
  // 45 * 1448 + 32 + 20 = 65,212 bytes of IP; one more does not fit.
  FlowFrame full{.tcp_options = Bytes(12, 1), .payload = Bytes(1448, 1)};
  EXPECT_THAT(merge(stream(full, 46)), ElementsAre(45, 1));
  full.tcp_options.clear();
  full.payload.resize((65535 - 40) / 5);
  EXPECT_THAT(merge(stream(full, 5)), ElementsAre(5)) << "65,535 bytes of IP";
  FlowFrame full6 = over_ip6(full);
  EXPECT_THAT(merge(stream(full6, 5)), ElementsAre(4, 1)) << "the same with twenty bytes more";
}

TEST_F(CoalescerTest, FlowsAreMergedBesideEachOther) {
  std::vector<std::vector<FlowFrame>> flows;
  for (std::uint16_t i = 0; i < 10; ++i) {
    const FlowFrame first{.protocol = i % 2 == 0 ? kProtocolTcp : kProtocolUdp,
                          .source_port = static_cast<std::uint16_t>(1 + i / 2)};
    flows.push_back(stream(i % 4 < 2 ? first : over_ip6(first), 20));
  }
  std::vector<FlowFrame> frames;
  for (std::size_t i = 0; i < 20; ++i) {
    for (const auto& flow : flows) frames.push_back(flow[i]);
  }
  EXPECT_EQ(merge(frames), std::vector<std::size_t>(10, 20));
  for (std::size_t i = 0; i < 10; ++i) {
    EXPECT_EQ(load_be16(packets_[i].data() + flows[i][0].l4()), flows[i][0].source_port)
        << "in order of arrival";
  }
}

TEST_F(CoalescerTest, AFragmentClosesItsProtocol) {
  const auto tcp = stream({}, 2), udp = stream({.protocol = kProtocolUdp}, 2);
  FlowFrame fragment{.protocol = kProtocolUdp, .fragment = 0x0001};
  EXPECT_THAT(merge({tcp[0], udp[0], fragment, tcp[1], udp[1]}), ElementsAre(2, 1, 1, 1));
  fragment.protocol = kProtocolTcp;
  EXPECT_THAT(merge({tcp[0], udp[0], fragment, tcp[1], udp[1]}), ElementsAre(1, 2, 1, 1));
}

TEST_F(CoalescerTest, EveryCallStartsAnew) {
  const auto frames = stream({}, 3);
  EXPECT_THAT(merge({frames[0], frames[1]}), ElementsAre(2));
  EXPECT_THAT(merge({frames[2]}), ElementsAre(1));
  EXPECT_THAT(merge(frames), ElementsAre(3));
}

}  // namespace
}  // namespace vtep
