#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/engine.h"
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
constexpr Port kPort = kIanaVxlanPort;
constexpr MacAddr kOwnMac{{0x02, 0, 0, 0, 0, 0x01}};
const IpAddr kPeer = Ipv4(192, 0, 2, 1);

class DecapsulateTest : public ::testing::Test {
 protected:
  DecapsulateTest() { link_ = add_link(config()); }

  static LinkConfig config() { return {.vni = 10_vni, .port = kPort, .address = kOwnMac, .mtu = 1450}; }
  LinkId add_link(const LinkConfig& config) {
    const auto link = engine_.add_link(config, kNow);
    EXPECT_TRUE(link.has_value());
    return *link;
  }
  /// Returns the links of the good ones; their packets are at the front of `packets`.
  std::vector<LinkId> decapsulate(TestPackets& packets, Port port = kPort, Time now = kNow) {
    std::vector<LinkId> links(packets.span().size());
    std::vector<Layers> layers(links.size());
    links.resize(lane_.decapsulate(port, packets.span(), now, links, layers));
    return links;
  }
  bool passes(const Bytes& frame, const IpAddr& from = kPeer) {
    TestPackets packets;
    packets.add_datagram(10_vni, frame, from);
    return !decapsulate(packets).empty();
  }
  LinkCounters counters() { return engine_.counters(link_); }
  std::vector<FdbEntry> entry(MacAddr mac) { return engine_.fdb().get(link_, mac, Engine::to_seconds(kNow)); }

  Engine engine_{{.hash_seed = 1, .max_dynamic = 2}};
  Lane lane_{engine_};
  LinkId link_;
};

TEST_F(DecapsulateTest, GoldenDatagramIsUnwrappedAndLearned) {
  const Bytes frame = TestFrame{}.build();
  Bytes datagram = {0x08, 0, 0, 0, 0, 0, 10, 0};
  datagram.insert(datagram.end(), frame.begin(), frame.end());
  TestPackets packets;
  packets.add(datagram).outer_source = kPeer;
  EXPECT_EQ(decapsulate(packets), std::vector{link_});
  EXPECT_EQ(test::to_bytes(packets[0].view()), frame);
  EXPECT_EQ(packets[0].offload, (Offload{.checksum_valid = true}));
  EXPECT_EQ(counters().decapsulated_frames, 1U);
  EXPECT_EQ(counters().decapsulated_bytes, frame.size());
  EXPECT_EQ(counters().learned, 1U);
  EXPECT_EQ(counters().drops.total(), 0U);
  ASSERT_THAT(entry(test::kMacA), SizeIs(1));
  EXPECT_EQ(entry(test::kMacA)[0].remote.address, kPeer);
  EXPECT_EQ(entry(test::kMacA)[0].state, FdbState::kDynamic);
}

TEST_F(DecapsulateTest, ReservedBitsAreIgnored) {
  const Bytes frame = TestFrame{}.build();
  TestPackets packets;
  Packet& packet = packets.add_datagram(10_vni, frame, kPeer);
  packet.data()[VxlanHeader::kFlags] = 0xff;
  store_be24(packet.data() + VxlanHeader::kReserved1, 0xffffff);
  packet.data()[VxlanHeader::kReserved2] = 0xff;
  EXPECT_THAT(decapsulate(packets), SizeIs(1));
  EXPECT_EQ(test::to_bytes(packets[0].view()), frame);
}

TEST_F(DecapsulateTest, WithoutTheIFlagThereIsNoVni) {
  TestPackets packets;
  packets.add_datagram(10_vni, TestFrame{}.build(), kPeer).data()[VxlanHeader::kFlags] = 0xf7;
  EXPECT_THAT(decapsulate(packets), IsEmpty());
  EXPECT_EQ(engine_.port_drops(kPort)[Drop::kVxlanNoVni], 1U);
  EXPECT_EQ(engine_.fdb().size(), 0U);
}

TEST_F(DecapsulateTest, TakesEveryLength) {
  TestPackets whole;
  const Bytes bytes = test::to_bytes(whole.add_datagram(10_vni, TestFrame{}.build(), kPeer).view());
  constexpr std::size_t kShortest = VxlanHeader::kSize + EthernetHeader::kSize;
  for (std::size_t size = 0; size <= bytes.size(); ++size) {
    TestPackets packets;
    packets.add(ByteView(bytes).first(size)).outer_source = kPeer;
    ASSERT_THAT(decapsulate(packets), SizeIs(size < kShortest ? 0 : 1)) << size;
  }
  EXPECT_EQ(engine_.port_drops(kPort)[Drop::kVxlanTruncated], kShortest);
  EXPECT_EQ(engine_.port_drops(kPort).total(), kShortest);
  EXPECT_EQ(counters().drops.total(), 0U);
}

TEST_F(DecapsulateTest, AnUnknownVniIsChargedToThePort) {
  TestPackets packets;
  packets.add_datagram(11_vni, TestFrame{}.build(), kPeer);
  EXPECT_THAT(decapsulate(packets), IsEmpty());
  TestPackets elsewhere;
  elsewhere.add_datagram(10_vni, TestFrame{}.build(), kPeer);
  EXPECT_THAT(decapsulate(elsewhere, Port(8472)), IsEmpty()) << "the VNI is known on another port only";
  EXPECT_EQ(engine_.port_drops(kPort)[Drop::kUnknownVni], 1U);
  EXPECT_EQ(engine_.port_drops(Port(8472))[Drop::kUnknownVni], 1U);
  EXPECT_EQ(engine_.port_drops(Port(1)).total(), 0U);
  EXPECT_EQ(counters().drops.total(), 0U);
}

TEST_F(DecapsulateTest, DropsItsOwnSource) {
  EXPECT_FALSE(passes(TestFrame{.source = kOwnMac}.build()));
  EXPECT_EQ(counters().drops[Drop::kOwnSource], 1U);
  EXPECT_EQ(engine_.fdb().size(), 0U);
}

TEST_F(DecapsulateTest, DropsSourcesThatNoStationMayUse) {
  for (const MacAddr source : {MacAddr(), kBroadcastMac, MacAddr({0x01, 0, 0x5e, 0, 0, 1})}) {
    EXPECT_FALSE(passes(TestFrame{.source = source}.build()));
  }
  EXPECT_EQ(counters().drops[Drop::kBadSource], 3U);
  EXPECT_EQ(engine_.fdb().size(), 0U);
}

TEST_F(DecapsulateTest, AMacMovesWithItsFrames) {
  const IpAddr other = test::ip("2001:db8::2");
  EXPECT_TRUE(passes(TestFrame{}.build()));
  EXPECT_TRUE(passes(TestFrame{}.build(), other));
  EXPECT_TRUE(passes(TestFrame{}.build(), other));
  EXPECT_EQ(entry(test::kMacA)[0].remote.address, other);
  EXPECT_EQ(counters().learned, 1U);
  EXPECT_EQ(counters().moved, 1U);
  const auto events = engine_.fdb().take_events();
  ASSERT_THAT(events, SizeIs(2));
  EXPECT_EQ(events[1].kind, FdbEvent::Kind::kMoved);
}

TEST_F(DecapsulateTest, StaticEntriesHold) {
  const Remote remote{.address = kPeer, .port = {}, .vni = {}, .via = {}};
  ASSERT_TRUE(engine_.fdb().add(link_, test::kMacA, remote, FdbState::kStatic, 1000));
  EXPECT_TRUE(passes(TestFrame{}.build()));
  EXPECT_FALSE(passes(TestFrame{}.build(), test::ip("192.0.2.2")));
  EXPECT_EQ(counters().drops[Drop::kStaticSource], 1U);
  EXPECT_EQ(entry(test::kMacA)[0].remote.address, kPeer);
}

TEST_F(DecapsulateTest, WithoutLearningTheTableStaysAsItIs) {
  LinkConfig config = DecapsulateTest::config();
  config.learning = false;
  ASSERT_TRUE(engine_.change_link(link_, config, kNow));
  const Remote remote{.address = kPeer, .port = {}, .vni = {}, .via = {}};
  ASSERT_TRUE(engine_.fdb().add(link_, test::kMacB, remote, FdbState::kStatic, 1000));
  EXPECT_TRUE(passes(TestFrame{}.build()));
  const Remote other{.address = test::ip("192.0.2.2"), .port = {}, .vni = {}, .via = {}};
  ASSERT_TRUE(engine_.fdb().append(link_, MacAddr(), other, FdbState::kPermanent, 1000));
  EXPECT_TRUE(passes(TestFrame{.source = test::kMacB}.build(), test::ip("192.0.2.2")))
      << "it knows both VTEPs, and does not judge who stands behind which";
  EXPECT_FALSE(passes(TestFrame{}.build(), test::ip("192.0.2.3")));
  EXPECT_EQ(counters().drops[Drop::kUnknownVtep], 1U);
  EXPECT_EQ(engine_.fdb().size(), 2U);
  EXPECT_EQ(counters().learned, 0U);
}

TEST_F(DecapsulateTest, AFullTableStillForwards) {
  for (std::uint8_t i = 1; i <= 3; ++i) {
    EXPECT_TRUE(passes(TestFrame{.source = MacAddr({0x02, 0, 0, 0, 1, i})}.build()));
  }
  EXPECT_EQ(engine_.fdb().size(), 2U);
  EXPECT_EQ(counters().learned, 2U);
  EXPECT_EQ(counters().learn_refused, 1U);
}

TEST_F(DecapsulateTest, FramesBeyondTheInterfaceAreDroppedOrMarked) {
  EXPECT_FALSE(passes(TestFrame{.payload = 5000}.build()));
  EXPECT_EQ(counters().drops[Drop::kInnerTooBig], 1U);
  EXPECT_FALSE(
      passes(TestFrame{.protocol = kProtocolTcp, .payload = 5000, .sum = test::Sum::kWrong}.build()));
  EXPECT_EQ(counters().drops[Drop::kInnerChecksum], 1U);
  TestPackets packets;
  packets.add_datagram(10_vni, TestFrame{.protocol = kProtocolTcp, .payload = 5000}.build(), kPeer);
  ASSERT_THAT(decapsulate(packets), SizeIs(1));
  EXPECT_EQ(packets[0].offload.segmentation, Segmentation::kTcp4);
  EXPECT_EQ(packets[0].offload.segment_size, 1450 - 40);
}

TEST_F(DecapsulateTest, AnUnfinishedChecksumIsMarked) {
  TestPackets packets;
  packets.add_datagram(10_vni, TestFrame{.sum = test::Sum::kPseudo}.build(), kPeer);
  ASSERT_THAT(decapsulate(packets), SizeIs(1));
  EXPECT_TRUE(packets[0].offload.needs_checksum);
}

TEST_F(DecapsulateTest, GoodOnesMoveToTheFrontInOrder) {
  LinkConfig config = DecapsulateTest::config();
  config.vni = 20_vni;
  const LinkId second = add_link(config);
  config.vni = 30_vni;
  const LinkId third = add_link(config);
  TestPackets packets;
  std::vector<LinkId> expected_links;
  std::vector<Bytes> expected_frames;
  const auto add = [&](LinkId link, Vni vni, std::uint8_t seed) {
    const Bytes frame = TestFrame{.seed = seed}.build();
    packets.add_datagram(vni, frame, kPeer);
    expected_links.push_back(link);
    expected_frames.push_back(frame);
  };
  packets.add(Bytes(3));
  add(second, 20_vni, 1);
  packets.add_datagram(99_vni, TestFrame{}.build(), kPeer);
  packets.add_datagram(20_vni, TestFrame{.source = kOwnMac}.build(), kPeer);
  add(third, 30_vni, 2);
  add(link_, 10_vni, 3);
  packets.add_datagram(10_vni, TestFrame{.source = kBroadcastMac}.build(), kPeer);
  add(second, 20_vni, 4);
  packets.add(Bytes());
  EXPECT_EQ(decapsulate(packets), expected_links);
  for (std::size_t i = 0; i < expected_frames.size(); ++i) {
    EXPECT_EQ(test::to_bytes(packets[i].view()), expected_frames[i]) << i;
  }
  EXPECT_EQ(engine_.counters(second).decapsulated_frames, 2U);
  EXPECT_EQ(engine_.counters(second).drops[Drop::kOwnSource], 1U);
  EXPECT_EQ(engine_.port_drops(kPort).total(), 3U);
}

}  // namespace
}  // namespace vtep
