#include "engine/flow_hash.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "engine/test_frames.h"

namespace vtep {
namespace {

using test::Bytes;
using test::TestFrame;

std::uint64_t hash_of(const Bytes& frame) {
  return flow_hash(frame, classify(frame));
}

TestFrame reversed(TestFrame frame) {
  std::swap(frame.source, frame.destination);
  std::swap(frame.from, frame.to);
  std::swap(frame.source_port, frame.destination_port);
  return frame;
}

std::vector<TestFrame> shapes() {
  const IpAddr from6 = test::ip("fd00::1");
  const IpAddr to6 = test::ip("fd00:1::2");
  return {
      {},
      {.protocol = kProtocolTcp},
      {.from = from6, .to = to6},
      {.from = from6, .to = to6, .protocol = kProtocolTcp},
      {.tags = {kEthertypeVlan}},
      {.tags = {kEthertypeServiceVlan, kEthertypeVlan}, .from = from6, .to = to6},
      {.fragment = Ipv4Header::kMoreFragments},
  };
}

TEST(FlowHash, DependsOnTheFlowNotOnWhatItCarries) {
  for (TestFrame frame : shapes()) {
    const std::uint64_t hash = hash_of(frame.build());
    frame.seed = 99;
    frame.payload = 777;
    frame.padding = 5;
    frame.sum = test::Sum::kWrong;
    EXPECT_EQ(hash_of(frame.build()), hash);
  }
}

TEST(FlowHash, IsTheSameInBothDirections) {
  for (const TestFrame& frame : shapes()) EXPECT_EQ(hash_of(frame.build()), hash_of(reversed(frame).build()));
}

TEST(FlowHash, TellsFlowsApartByEachField) {
  for (const TestFrame& frame : shapes()) {
    const std::uint64_t hash = hash_of(frame.build());
    TestFrame other = frame;
    other.from = frame.from.is_v4() ? test::ip("10.0.0.3") : test::ip("fd00::3");
    EXPECT_NE(hash_of(other.build()), hash);
    other = frame;
    other.to = frame.to.is_v4() ? test::ip("10.0.1.2") : test::ip("fd00:2::2");
    EXPECT_NE(hash_of(other.build()), hash);
    if (frame.fragment != 0) continue;
    other = frame;
    other.source_port = Port(1001);
    EXPECT_NE(hash_of(other.build()), hash);
    other = frame;
    other.destination_port = Port(2001);
    EXPECT_NE(hash_of(other.build()), hash);
    other = frame;
    other.protocol = frame.protocol == kProtocolTcp ? kProtocolUdp : kProtocolTcp;
    EXPECT_NE(hash_of(other.build()), hash);
  }
}

TEST(FlowHash, OfIpDoesNotLookAtMacsOrTags) {
  const std::uint64_t hash = hash_of(TestFrame{}.build());
  EXPECT_EQ(hash_of(TestFrame{.destination = kBroadcastMac}.build()), hash);
  EXPECT_EQ(hash_of(TestFrame{.tags = {kEthertypeVlan}}.build()), hash);
}

TEST(FlowHash, OfAllFragmentsOfADatagramIsTheSame) {
  const std::uint64_t first = hash_of(TestFrame{.fragment = Ipv4Header::kMoreFragments}.build());
  // What stands where the ports were is payload now, and the last one has no more behind it.
  const TestFrame middle{.source_port = Port(7), .destination_port = Port(8), .fragment = 0x2000 | 185};
  const TestFrame last{.source_port = Port(9), .payload = 1, .fragment = 370};
  EXPECT_EQ(hash_of(middle.build()), first);
  EXPECT_EQ(hash_of(last.build()), first);
}

Bytes ipv6_with_fragment_header(std::uint8_t next, std::uint16_t field, ByteView rest) {
  constexpr std::size_t kFragmentHeader = 8;
  Bytes bytes(EthernetHeader::kSize + Ipv6Header::kSize + kFragmentHeader + rest.size());
  const ByteSpan frame(bytes);
  EthernetHeader{test::kMacB, test::kMacA, kEthertypeIpv6}.emit(frame);
  Ipv6Header header;
  header.source = test::ip("fd00::1").v6();
  header.destination = test::ip("fd00::2").v6();
  header.next_header = kProtocolFragment;
  const ByteSpan datagram = frame.subspan(EthernetHeader::kSize);
  header.emit(datagram);
  datagram[Ipv6Header::kSize] = next;
  store_be16(datagram.data() + Ipv6Header::kSize + 2, field);
  std::copy(rest.begin(), rest.end(), datagram.begin() + Ipv6Header::kSize + kFragmentHeader);
  return bytes;
}

TEST(FlowHash, OfIpv6FragmentsIsTheSameEvenBehindDestinationOptions) {
  constexpr std::uint16_t kMore = 1;
  // Destination options (8 bytes, then UDP), which only the first fragment shows.
  const Bytes first = {kProtocolUdp, 0, 1, 4, 0, 0, 0, 0, 0x03, 0xe8, 0x07, 0xd0, 0, 24, 0, 0};
  const Bytes other(16, 0xab);
  const std::uint64_t hash = hash_of(ipv6_with_fragment_header(kProtocolDestinationOptions, kMore, first));
  EXPECT_EQ(hash_of(ipv6_with_fragment_header(kProtocolDestinationOptions, 16 | kMore, other)), hash);
  EXPECT_EQ(hash_of(ipv6_with_fragment_header(kProtocolDestinationOptions, 32, other)), hash);
}

TEST(FlowHash, OfOtherProtocolsUsesMacsAndEthertype) {
  Bytes frame(60);
  const auto emit = [&](MacAddr destination, MacAddr source, std::uint16_t ethertype) {
    EthernetHeader{destination, source, ethertype}.emit(frame);
    return hash_of(frame);
  };
  const std::uint64_t hash = emit(test::kMacB, test::kMacA, kEthertypeArp);
  EXPECT_EQ(emit(test::kMacA, test::kMacB, kEthertypeArp), hash);
  EXPECT_NE(emit(kBroadcastMac, test::kMacA, kEthertypeArp), hash);
  EXPECT_NE(emit(test::kMacB, test::kMacA, 0x88cc), hash);
  emit(test::kMacB, test::kMacA, kEthertypeArp);
  frame[40] = 1;
  EXPECT_EQ(hash_of(frame), hash);
}

TEST(FlowHash, TakesEveryTruncation) {
  for (const TestFrame& shape : shapes()) {
    const Bytes whole = shape.build();
    for (std::size_t size = EthernetHeader::kSize; size <= whole.size(); ++size) {
      const Bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
      EXPECT_EQ(hash_of(cut), hash_of(cut));
    }
  }
}

TEST(SourcePort, StaysInRangeAndUsesAtMostSixtyFourPorts) {
  const PortRange ranges[] = {{},
                              {Port(5000), Port(5000)},
                              {Port(5000), Port(5006)},
                              {Port(5000), Port(5063)},
                              {Port(5000), Port(5100)},
                              {Port(0), Port(65535)},
                              {Port(65535), Port(65535)}};
  for (const PortRange& range : ranges) {
    std::mt19937_64 random(1);
    std::set<Port> seen;
    for (int i = 0; i < 20000; ++i) {
      const Port port = source_port(random(), range);
      ASSERT_GE(port, range.min);
      ASSERT_LE(port, range.max);
      seen.insert(port);
    }
    const std::uint32_t span = range.max.value() - range.min.value() + 1U;
    EXPECT_EQ(seen.size(), std::min(span, kSourcePorts));
    const std::uint32_t step = span / std::min(span, kSourcePorts);
    const Port first(static_cast<std::uint16_t>(range.min.value() + step / 2));
    EXPECT_EQ(*seen.begin(), first) << "the middle of its bucket";
    EXPECT_EQ(seen.rbegin()->value(), first.value() + (seen.size() - 1) * step) << "spread over the range";
    EXPECT_EQ(source_port(0, range), first);
    EXPECT_EQ(source_port(~std::uint64_t{0}, range), *seen.rbegin());
  }
}

/// Counts ports over `flows` frames that differ as `vary` says, and checks that no port gets far more than
/// its share.
template <typename Vary>
void expect_even(Vary vary) {
  constexpr int kFlows = 6400;
  std::map<Port, int> counts;
  for (int i = 0; i < kFlows; ++i) {
    TestFrame frame{.payload = 0};
    vary(frame, i);
    ++counts[source_port(hash_of(frame.build()), {})];
  }
  EXPECT_EQ(counts.size(), kSourcePorts);
  // 100 expected in each, with a standard deviation of 10: six of them on either side.
  for (const auto& [port, count] : counts) {
    EXPECT_GT(count, 40) << port.value();
    EXPECT_LT(count, 160) << port.value();
  }
}

TEST(SourcePort, IsEvenOverNeighbouringFlows) {
  expect_even(
      [](TestFrame& frame, int i) { frame.source_port = Port(static_cast<std::uint16_t>(32768 + i)); });
  expect_even([](TestFrame& frame, int i) {
    frame.protocol = kProtocolTcp;
    frame.from = Ipv4(0x0a000000U + static_cast<std::uint32_t>(i));
  });
  expect_even([](TestFrame& frame, int i) {
    Ipv6::Octets octets{0xfd};
    store_be16(octets.data() + 14, static_cast<std::uint16_t>(i));
    frame.from = Ipv6(octets);
    frame.to = test::ip("fd00::ffff:1");
  });
  // Both ends of the flow grow together: what a plain XOR of the ends would fold into one port.
  expect_even([](TestFrame& frame, int i) {
    frame.from = Ipv4(0x0a000000U + static_cast<std::uint32_t>(i));
    frame.to = Ipv4(0x0a010000U + static_cast<std::uint32_t>(i));
  });
}

}  // namespace
}  // namespace vtep
