// Links as they come, change and go, and two engines back to back.
#include "engine/engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/lane.h"
#include "engine/test_frames.h"

namespace vtep {
namespace {

using test::Bytes;
using test::TestFrame;
using test::TestPackets;
using ::testing::ElementsAre;
using ::testing::SizeIs;

constexpr Time kNow{std::chrono::seconds(1000)};
constexpr MacAddr kZero;

Remote remote(const char* address, std::uint32_t via = 0) {
  return {.address = test::ip(address), .port = {}, .vni = {}, .via = IfIndex(via)};
}

class LinksTest : public ::testing::Test {
 protected:
  LinkId add_link(const LinkConfig& config) {
    const auto link = engine_.add_link(config, kNow);
    EXPECT_TRUE(link.has_value());
    return *link;
  }
  void append(LinkId link, MacAddr mac, const Remote& remote) {
    ASSERT_TRUE(engine_.fdb().append(link, mac, remote, FdbState::kPermanent, 1000));
  }
  std::vector<Remote> flood_list(LinkId link) {
    std::vector<Remote> remotes;
    for (const FdbEntry& entry : engine_.fdb().get(link, kZero, 1000)) remotes.push_back(entry.remote);
    return remotes;
  }

  Engine engine_{{.hash_seed = 1}};
  Lane lane_{engine_};
};

TEST_F(LinksTest, PortAndVniNameALink) {
  const LinkId first = add_link({.vni = 10_vni, .port = Port(4789)});
  const auto again = engine_.add_link({.vni = 10_vni, .port = Port(4789)}, kNow);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().kind, ErrorKind::kExists);
  const LinkId other_port = add_link({.vni = 10_vni, .port = Port(8472)});
  const LinkId other_vni = add_link({.vni = 11_vni, .port = Port(4789)});
  EXPECT_NE(first, other_port);
  EXPECT_NE(first, other_vni);
  EXPECT_NE(other_port, other_vni);
}

TEST_F(LinksTest, TheFloodAddressIsAPermanentRemoteOfTheZeroEntry) {
  const LinkId link = add_link({.vni = 10_vni, .device = IfIndex(4), .flood = test::ip("239.1.1.1")});
  const auto entries = engine_.fdb().get(link, kZero, 1000);
  ASSERT_THAT(entries, SizeIs(1));
  EXPECT_EQ(entries[0].remote, remote("239.1.1.1", 4));
  EXPECT_EQ(entries[0].state, FdbState::kPermanent);
}

TEST_F(LinksTest, ALinkThatCannotBeLeavesNothingBehind) {
  const auto refused = engine_.add_link({.vni = 10_vni, .flood = IpAddr()}, kNow);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kInvalid);
  EXPECT_EQ(engine_.fdb().size(), 0U);
  const LinkId link = add_link({.vni = 10_vni});
  EXPECT_EQ(engine_.config(link).vni, 10_vni);
}

TEST_F(LinksTest, ChangingTheFloodAddressKeepsForeignEntries) {
  LinkConfig config{.vni = 10_vni, .device = IfIndex(4), .flood = test::ip("239.1.1.1")};
  const LinkId link = add_link(config);
  // Of these, the last four resemble the link's own, and each differs from it in one part.
  const Remote own_vni{.address = test::ip("239.1.1.1"), .port = {}, .vni = 77_vni, .via = IfIndex(4)};
  const Remote own_port{.address = test::ip("239.1.1.1"), .port = Port(1), .vni = {}, .via = IfIndex(4)};
  const std::vector<Remote> foreign = {remote("192.0.2.1"), own_vni, own_port, remote("239.1.1.1"),
                                       remote("239.1.1.1", 5)};
  for (const Remote& one : foreign) append(link, kZero, one);

  const auto with = [&](const Remote& own) {
    std::vector<Remote> all = foreign;
    all.push_back(own);
    return ::testing::UnorderedElementsAreArray(all);
  };
  config.flood = test::ip("239.2.2.2");
  ASSERT_TRUE(engine_.change_link(link, config, kNow));
  EXPECT_THAT(flood_list(link), with(remote("239.2.2.2", 4)));
  config.device = IfIndex(9);
  ASSERT_TRUE(engine_.change_link(link, config, kNow));
  EXPECT_THAT(flood_list(link), with(remote("239.2.2.2", 9)));
  config.flood.reset();
  ASSERT_TRUE(engine_.change_link(link, config, kNow));
  EXPECT_THAT(flood_list(link), ::testing::UnorderedElementsAreArray(foreign));
  config.flood = test::ip("239.3.3.3");
  ASSERT_TRUE(engine_.change_link(link, config, kNow));
  EXPECT_THAT(flood_list(link), with(remote("239.3.3.3", 9)));
  EXPECT_EQ(engine_.config(link), config);
}

TEST_F(LinksTest, AFloodEntryDeletedByHandIsNoErrorLater) {
  LinkConfig config{.vni = 10_vni, .flood = test::ip("239.1.1.1")};
  const LinkId link = add_link(config);
  ASSERT_TRUE(engine_.fdb().remove(link, kZero));
  config.flood = test::ip("239.2.2.2");
  ASSERT_TRUE(engine_.change_link(link, config, kNow));
  EXPECT_THAT(flood_list(link), ElementsAre(remote("239.2.2.2")));
}

TEST_F(LinksTest, WhatDoesNotTouchTheFloodAddressLeavesTheFdbAlone) {
  LinkConfig config{.vni = 10_vni, .flood = test::ip("239.1.1.1")};
  const LinkId link = add_link(config);
  engine_.fdb().take_events();
  config.outer.ttl = 9;
  config.learning = false;
  ASSERT_TRUE(engine_.change_link(link, config, kNow));
  EXPECT_THAT(engine_.fdb().take_events(), ::testing::IsEmpty());
  EXPECT_EQ(engine_.config(link), config);
}

TEST_F(LinksTest, RefusedChangesChangeNothing) {
  const LinkConfig config{.vni = 10_vni, .port = Port(4789), .flood = test::ip("239.1.1.1")};
  const LinkId link = add_link(config);
  LinkConfig wrong = config;
  wrong.vni = 11_vni;
  EXPECT_EQ(engine_.change_link(link, wrong, kNow).error().kind, ErrorKind::kInvalid);
  wrong = config;
  wrong.port = Port(8472);
  EXPECT_EQ(engine_.change_link(link, wrong, kNow).error().kind, ErrorKind::kInvalid);
  wrong = config;
  wrong.flood = Ipv4();
  EXPECT_EQ(engine_.change_link(link, wrong, kNow).error().kind, ErrorKind::kInvalid);
  EXPECT_EQ(engine_.config(link), config);
  EXPECT_THAT(flood_list(link), ElementsAre(remote("239.1.1.1")));
}

TEST_F(LinksTest, AChangedAgeingAppliesToWhatIsThere) {
  LinkConfig config{.vni = 10_vni, .ageing = 0};
  const LinkId link = add_link(config);
  ASSERT_TRUE(engine_.fdb().add(link, test::kMacA, remote("192.0.2.1"), FdbState::kDynamic, 1000));
  EXPECT_FALSE(engine_.next_deadline());
  config.ageing = 10;
  ASSERT_TRUE(engine_.change_link(link, config, kNow));
  ASSERT_TRUE(engine_.next_deadline());
  EXPECT_LE(*engine_.next_deadline(), kNow + std::chrono::seconds(10));
  engine_.advance(kNow + std::chrono::seconds(10) - Duration(1), 1000);
  EXPECT_EQ(engine_.fdb().size(), 1U);
  engine_.advance(kNow + std::chrono::seconds(10), 1000);
  EXPECT_EQ(engine_.fdb().size(), 0U);
}

TEST_F(LinksTest, RemovingALinkFreesItsIdItsEntriesAndItsVni) {
  const LinkId first = add_link({.vni = 10_vni, .flood = test::ip("239.1.1.1")});
  const LinkId second = add_link({.vni = 11_vni, .flood = test::ip("239.1.1.1")});
  append(first, test::kMacA, remote("192.0.2.1"));
  engine_.count_drop(first, Drop::kUnderlayFull, 3);
  EXPECT_EQ(engine_.counters(first).drops[Drop::kUnderlayFull], 3U);
  engine_.remove_link(first);
  EXPECT_EQ(engine_.fdb().size(), 1U);
  EXPECT_THAT(flood_list(second), SizeIs(1));
  engine_.remove_link(first);  // harmless
  engine_.remove_link(77);
  engine_.count_drop(first, Drop::kUnderlayFull);

  TestPackets packets;
  packets.add_datagram(10_vni, TestFrame{}.build(), test::ip("192.0.2.1"));
  LinkId to;
  Layers layers;
  EXPECT_EQ(lane_.decapsulate(kLinuxVxlanPort, packets.span(), kNow, {&to, 1}, {&layers, 1}), 0U);
  EXPECT_EQ(engine_.port_drops(kLinuxVxlanPort)[Drop::kUnknownVni], 1U);

  const LinkId again = add_link({.vni = 10_vni});
  EXPECT_EQ(again, first);
  EXPECT_THAT(flood_list(again), SizeIs(0));
  EXPECT_EQ(engine_.counters(again).drops.total(), 0U);
  EXPECT_NE(add_link({.vni = 12_vni}), first) << "an id is free once";
  engine_.remove_link(again);
  engine_.remove_link(second);
  EXPECT_EQ(engine_.fdb().size(), 0U);
  EXPECT_EQ(engine_.remote_count(), 0U);
}

/// Any frame that fits the MTU: headers in all combinations, or noise behind the addresses.
Bytes random_frame(std::mt19937_64& random, MacAddr destination, MacAddr source) {
  TestFrame frame{.destination = destination, .source = source};
  for (std::uint32_t n = test::pick(random, 0, 2); n > 0; --n) frame.tags.push_back(kEthertypeVlan);
  if (test::pick(random, 0, 1) == 0) {
    frame.from = test::ip("fd00::1");
    frame.to = test::ip("fd00::2");
  }
  if (test::pick(random, 0, 1) == 0) frame.protocol = kProtocolTcp;
  frame.source_port = Port(static_cast<std::uint16_t>(random()));
  frame.payload = test::pick(random, 0, 1380);
  frame.seed = static_cast<std::uint8_t>(random());
  frame.sum = static_cast<test::Sum>(test::pick(random, 0, 3));
  Bytes bytes = frame.build();
  if (test::pick(random, 0, 3) == 0) {
    bytes.resize(test::pick(random, EthernetHeader::kSize, static_cast<std::uint32_t>(bytes.size())));
    for (std::size_t i = EthernetHeader::kEthertype; i < bytes.size(); ++i) {
      bytes[i] = static_cast<std::uint8_t>(random());
    }
  }
  return bytes;
}

TEST(TwoEngines, WhatGoesInComesOut) {
  const IpAddr address_a = test::ip("192.0.2.1");
  const IpAddr address_b = test::ip("2001:db8::2");
  Engine a({.hash_seed = 1});
  Engine b({.hash_seed = 2});
  const LinkId link_a = *a.add_link({.vni = 10_vni, .flood = address_b, .vlan = VlanPolicy::kAllow}, kNow);
  (void)*b.add_link({.vni = 99_vni}, kNow);
  const LinkId link_b = *b.add_link({.vni = 10_vni, .flood = address_a, .vlan = VlanPolicy::kAllow}, kNow);
  std::mt19937_64 random(7);
  Lane lane_a(a);
  Lane lane_b(b);
  Lane* const lanes[] = {&lane_a, &lane_b};
  const LinkId links[] = {link_a, link_b};
  const MacAddr macs[] = {test::kMacA, test::kMacB};
  const IpAddr addresses[] = {address_a, address_b};
  std::uint64_t sent = 0;
  for (int round = 0; round < 300; ++round) {
    const std::size_t from = round % 2;
    const std::size_t to = 1 - from;
    TestPackets frames;
    std::vector<Bytes> expected;
    for (std::uint32_t n = test::pick(random, 1, 20); n > 0; --n) {
      const MacAddr destination = test::pick(random, 0, 4) == 0 ? kBroadcastMac : macs[to];
      expected.push_back(random_frame(random, destination, macs[from]));
      frames.add(expected.back());
    }
    std::vector<Datagram> out;
    PacketBatch replies(1, 128);
    lanes[from]->encapsulate(links[from], frames.span(), kNow, out, replies);
    ASSERT_THAT(out, SizeIs(expected.size()));
    TestPackets received;
    for (const Datagram& datagram : out) {
      ASSERT_EQ(datagram.route.remote, addresses[to]);
      ASSERT_EQ(datagram.route.destination_port, kLinuxVxlanPort);
      Bytes bytes(datagram.header.begin(), datagram.header.end());
      bytes.insert(bytes.end(), datagram.frame.begin(), datagram.frame.end());
      received.add(bytes).outer_source = addresses[from];
    }
    std::vector<LinkId> arrived(out.size());
    std::vector<Layers> layers(out.size());
    ASSERT_EQ(lanes[to]->decapsulate(kLinuxVxlanPort, received.span(), kNow, arrived, layers), out.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
      EXPECT_EQ(arrived[i], links[to]);
      ASSERT_EQ(test::to_bytes(received[i].view()), expected[i]);
    }
    sent += expected.size();
  }
  EXPECT_EQ(a.counters(link_a).encapsulated_frames + b.counters(link_b).encapsulated_frames, sent);
  EXPECT_EQ(a.counters(link_a).decapsulated_bytes, b.counters(link_b).encapsulated_bytes);
  EXPECT_EQ(a.counters(link_a).learned, 1U);
  EXPECT_EQ(b.counters(link_b).learned, 1U);
}

}  // namespace
}  // namespace vtep
