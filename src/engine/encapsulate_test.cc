#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/engine.h"
#include "engine/flow_hash.h"
#include "engine/lane.h"
#include "engine/test_frames.h"

namespace vtep {
namespace {

using test::Bytes;
using test::TestFrame;
using test::TestPackets;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr Time kNow{std::chrono::seconds(1000)};
constexpr MacAddr kZero;

class EncapsulateTest : public ::testing::Test {
 protected:
  LinkId add_link(const LinkConfig& config) {
    const auto link = engine_.add_link(config, kNow);
    EXPECT_TRUE(link.has_value());
    return *link;
  }
  void add_remote(LinkId link, MacAddr mac, const Remote& remote, FdbState state = FdbState::kStatic) {
    ASSERT_TRUE(engine_.fdb().append(link, mac, remote, state, Engine::to_seconds(kNow)));
  }
  const std::vector<Datagram>& encapsulate(LinkId link, TestPackets& packets) {
    out_.clear();
    lane_.encapsulate(link, packets.span(), kNow, out_, replies_);
    return out_;
  }
  const std::vector<Datagram>& encapsulate(LinkId link, const Bytes& frame) {
    packets_ = {};
    packets_.add(frame);
    return encapsulate(link, packets_);
  }

  Engine engine_{{.hash_seed = 1}};
  Lane lane_{engine_};
  TestPackets packets_;
  std::vector<Datagram> out_;
  PacketBatch replies_{8, kHeadroom + 1536};
};

Remote remote(const char* address) {
  return {.address = test::ip(address), .port = {}, .vni = {}, .via = {}};
}

TEST_F(EncapsulateTest, GoldenDatagram) {
  const LinkId link = add_link({.vni = 6000_vni,
                                .port = kIanaVxlanPort,
                                .local4 = test::ip("10.84.0.1"),
                                .device = IfIndex(3),
                                .outer = {.ttl = 7}});
  add_remote(link, test::kMacB, remote("10.84.0.2"));
  const TestFrame frame{.destination = test::kMacB, .source = test::kMacA};
  const auto& out = encapsulate(link, frame.build());
  ASSERT_THAT(out, SizeIs(1));
  EXPECT_THAT(out[0].header, ::testing::ElementsAre(0x08, 0, 0, 0, 0x00, 0x17, 0x70, 0));
  EXPECT_EQ(test::to_bytes(out[0].frame), frame.build());
  EXPECT_EQ(out[0].tag, link);
  const Bytes bytes = frame.build();
  EXPECT_EQ(out[0].route, (Route{.remote = test::ip("10.84.0.2"),
                                 .local = test::ip("10.84.0.1"),
                                 .device = IfIndex(3),
                                 .destination_port = kIanaVxlanPort,
                                 .source_port = source_port(flow_hash(bytes, classify(bytes)), {}),
                                 .ttl = 7}));
  const LinkCounters& counters = engine_.counters(link);
  EXPECT_EQ(counters.encapsulated_frames, 1U);
  EXPECT_EQ(counters.encapsulated_bytes, bytes.size());
  EXPECT_EQ(counters.flooded_frames, 0U);
  EXPECT_EQ(counters.drops.total(), 0U);
}

TEST_F(EncapsulateTest, AnEntryMayHaveItsOwnPortVniAndDevice) {
  const LinkId link = add_link({.vni = 10_vni, .device = IfIndex(3)});
  add_remote(link, test::kMacB,
             {.address = test::ip("192.0.2.9"), .port = Port(1234), .vni = 0x123456_vni, .via = IfIndex(8)},
             FdbState::kPermanent);
  const auto& out = encapsulate(link, TestFrame{}.build());
  ASSERT_THAT(out, SizeIs(1));
  EXPECT_THAT(out[0].header, ::testing::ElementsAre(0x08, 0, 0, 0, 0x12, 0x34, 0x56, 0));
  EXPECT_EQ(out[0].route.destination_port, Port(1234));
  EXPECT_EQ(out[0].route.device, IfIndex(8));
}

TEST_F(EncapsulateTest, UnknownUnicastBroadcastAndMulticastGoToTheGroup) {
  for (const char* group : {"239.1.1.1", "ff0e::1"}) {
    const LinkId link = add_link({.vni = 10_vni, .device = IfIndex(3), .flood = test::ip(group)});
    for (const MacAddr to : {test::kMacB, kBroadcastMac, MacAddr({0x33, 0x33, 0, 0, 0, 1})}) {
      const auto& out = encapsulate(link, TestFrame{.destination = to}.build());
      ASSERT_THAT(out, SizeIs(1));
      EXPECT_EQ(out[0].route.remote, test::ip(group));
      EXPECT_EQ(out[0].route.device, IfIndex(3));
    }
    EXPECT_EQ(engine_.counters(link).flooded_frames, 3U);
    engine_.remove_link(link);
  }
}

TEST_F(EncapsulateTest, HeadEndReplicationGivesEveryCopyItsOwnHeader) {
  const LinkId link = add_link({.vni = 10_vni, .flood = test::ip("192.0.2.1")});
  add_remote(link, kZero, remote("192.0.2.2"), FdbState::kPermanent);
  add_remote(link, kZero,
             {.address = test::ip("2001:db8::3"), .port = Port(4789), .vni = 77_vni, .via = IfIndex(5)},
             FdbState::kPermanent);
  const TestFrame frame{.destination = kBroadcastMac};
  const auto& out = encapsulate(link, frame.build());
  ASSERT_THAT(out, SizeIs(3));
  EXPECT_EQ(out[0].route.remote, test::ip("192.0.2.1"));
  EXPECT_EQ(out[1].route.remote, test::ip("192.0.2.2"));
  EXPECT_EQ(out[2].route.remote, test::ip("2001:db8::3"));
  EXPECT_EQ(out[1].header[6], 10);
  EXPECT_EQ(out[2].header[6], 77);
  EXPECT_EQ(out[2].route.destination_port, Port(4789));
  for (const Datagram& copy : out) {
    EXPECT_EQ(copy.frame.data(), packets_[0].data()) << "copies share the frame";
    EXPECT_EQ(copy.route.source_port, out[0].route.source_port);
  }
  EXPECT_EQ(engine_.counters(link).encapsulated_frames, 3U);
  EXPECT_EQ(engine_.counters(link).encapsulated_bytes, 3 * frame.build().size());
  EXPECT_EQ(engine_.counters(link).flooded_frames, 1U);
}

TEST_F(EncapsulateTest, AGroupMacWithAnEntryDoesNotFlood) {
  const MacAddr group({0x01, 0, 0x5e, 1, 1, 1});
  const LinkId link = add_link({.vni = 10_vni, .flood = test::ip("239.1.1.1")});
  add_remote(link, group, remote("192.0.2.1"));
  add_remote(link, group, remote("192.0.2.2"));
  EXPECT_THAT(encapsulate(link, TestFrame{.destination = group}.build()), SizeIs(2));
  EXPECT_EQ(engine_.counters(link).flooded_frames, 0U);
}

TEST_F(EncapsulateTest, WithoutAFloodListTheUnknownIsDropped) {
  const LinkId link = add_link({.vni = 10_vni});
  EXPECT_THAT(encapsulate(link, TestFrame{}.build()), IsEmpty());
  EXPECT_EQ(engine_.counters(link).drops[Drop::kNoRemote], 1U);
  EXPECT_EQ(engine_.counters(link).drops.total(), 1U);
  EXPECT_EQ(engine_.counters(link).encapsulated_frames, 0U);
  EXPECT_EQ(engine_.counters(link).flooded_frames, 0U);
}

TEST_F(EncapsulateTest, TakesEveryLength) {
  const LinkId link = add_link({.vni = 10_vni, .flood = test::ip("239.1.1.1")});
  const Bytes whole = TestFrame{}.build();
  for (std::size_t size = 0; size <= whole.size(); ++size) {
    const Bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    const auto& out = encapsulate(link, cut);
    ASSERT_THAT(out, SizeIs(size < EthernetHeader::kSize ? 0 : 1)) << size;
  }
  EXPECT_EQ(engine_.counters(link).drops[Drop::kFrameTruncated], EthernetHeader::kSize);
  EXPECT_EQ(engine_.counters(link).drops.total(), EthernetHeader::kSize);
}

TEST_F(EncapsulateTest, FinishesTheChecksumOnce) {
  const LinkId link = add_link({.vni = 10_vni, .flood = test::ip("192.0.2.1")});
  add_remote(link, kZero, remote("192.0.2.2"), FdbState::kPermanent);
  TestFrame frame{.protocol = kProtocolTcp};
  const Bytes right = frame.build();
  frame.sum = test::Sum::kPseudo;
  TestPackets packets;
  Packet& packet = packets.add(frame.build());
  packet.offload.needs_checksum = true;
  packet.offload.checksum_start = static_cast<std::uint16_t>(frame.l4());
  packet.offload.checksum_offset = TcpHeader::kChecksum;
  const auto& out = encapsulate(link, packets);
  ASSERT_THAT(out, SizeIs(2));
  EXPECT_EQ(test::to_bytes(out[0].frame), right);
}

TEST_F(EncapsulateTest, DropsAChecksumRequestOutsideTheFrame) {
  const LinkId link = add_link({.vni = 10_vni, .flood = test::ip("192.0.2.1")});
  TestPackets packets;
  packets.add(TestFrame{}.build());
  packets.add(TestFrame{.seed = 1}.build());
  packets[0].offload.needs_checksum = true;
  packets[0].offload.checksum_start = 0xffff;
  const auto& out = encapsulate(link, packets);
  ASSERT_THAT(out, SizeIs(1));
  EXPECT_EQ(out[0].frame.data(), packets[1].data());
  EXPECT_EQ(engine_.counters(link).drops[Drop::kFrameBadOffload], 1U);
}

TEST_F(EncapsulateTest, ABatchKeepsItsOrderAndAppends) {
  const LinkId link = add_link({.vni = 10_vni, .flood = test::ip("192.0.2.1")});
  const LinkId other = add_link({.vni = 11_vni, .flood = test::ip("192.0.2.2")});
  TestPackets packets;
  for (std::uint8_t i = 0; i < 5; ++i) packets.add(i == 2 ? Bytes(3) : TestFrame{.seed = i}.build());
  std::vector<Datagram> out;
  lane_.encapsulate(link, packets.span(), kNow, out, replies_);
  lane_.encapsulate(other, packets.span(), kNow, out, replies_);
  ASSERT_THAT(out, SizeIs(8));
  for (std::size_t i = 0; i < out.size(); ++i) {
    EXPECT_EQ(out[i].tag, i < 4 ? link : other);
    const std::size_t place = i % 4;
    EXPECT_EQ(out[i].frame.data(), packets[place < 2 ? place : place + 1].data());
  }
}

TEST_F(EncapsulateTest, SourcePortsComeFromTheLinksRange) {
  const LinkId link =
      add_link({.vni = 10_vni, .flood = test::ip("192.0.2.1"), .source_ports = {Port(40000), Port(40003)}});
  for (std::uint16_t i = 0; i < 100; ++i) {
    const auto& out = encapsulate(link, TestFrame{.source_port = Port(i)}.build());
    ASSERT_THAT(out, SizeIs(1));
    EXPECT_GE(out[0].route.source_port, Port(40000));
    EXPECT_LE(out[0].route.source_port, Port(40003));
  }
}

TEST_F(EncapsulateTest, SendingMarksTheEntryAsUsedButDoesNotKeepItAlive) {
  const LinkId link = add_link({.vni = 10_vni, .ageing = 100});
  add_remote(link, test::kMacB, remote("192.0.2.1"), FdbState::kDynamic);
  packets_.add(TestFrame{}.build());
  out_.clear();
  lane_.encapsulate(link, packets_.span(), kNow + std::chrono::seconds(50), out_, replies_);
  const auto entry =
      engine_.fdb().get(link, test::kMacB, Engine::to_seconds(kNow + std::chrono::seconds(60)));
  ASSERT_THAT(entry, SizeIs(1));
  EXPECT_EQ(entry[0].used, 10U);
  EXPECT_EQ(entry[0].updated, 60U);
  EXPECT_EQ(engine_.next_deadline(), kNow + std::chrono::seconds(100));
  engine_.advance(kNow + std::chrono::seconds(100), 1000);
  EXPECT_EQ(engine_.fdb().size(), 0U);
}

}  // namespace
}  // namespace vtep
