// How many copies of a frame go where: nexthop groups, flood lists of both address families and their limits,
// misses, and what a link or a remote has of its own.
#include <map>
#include <set>

#include "engine/test_engine.h"

namespace vtep {
namespace {

using test::Bytes;
using test::kMacB;
using test::TestFrame;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr MacAddr kGroupMac{{0x01, 0, 0x5e, 1, 1, 1}};

class ReplicationTest : public test::EngineTest {
 protected:
  void add_nexthop(const Nexthop& nexthop) { ASSERT_TRUE(engine_.nexthops().add(nexthop)); }
  static FdbTarget group(std::uint32_t id) {
    FdbTarget target;
    target.group = id;
    return target;
  }
  /// One of many flows to MAC B.
  static Bytes flow(std::uint32_t n) {
    return TestFrame{.from = Ipv4(0x0a010000 + n / 50), .source_port = Port(static_cast<std::uint16_t>(n))}
        .build();
  }
  /// How many of `flows` flows each remote gets.
  std::map<IpAddr, std::uint32_t> shares(LinkId link, std::uint32_t flows) {
    std::map<IpAddr, std::uint32_t> counts;
    for (std::uint32_t n = 0; n < flows; ++n) {
      const auto remotes = remotes_for(link, flow(n));
      EXPECT_THAT(remotes, SizeIs(1)) << "one remote a flow";
      for (const IpAddr& one : remotes) ++counts[one];
    }
    return counts;
  }
  /// How many of `count` frames, sent at once, are flooded.
  std::uint64_t flooded(LinkId link, MacAddr to, int count) {
    const std::uint64_t before = counters(link).flooded_frames;
    for (int i = 0; i < count; ++i) send(link, TestFrame{.destination = to}.build());
    return counters(link).flooded_frames - before;
  }
};

// --- nexthop groups

TEST_F(ReplicationTest, FlowsAreSpreadOverANexthopGroup) {
  const LinkId link = add_link({.vni = 10_vni});
  add_nexthop({.id = 1, .via = test::ip("192.0.2.1")});
  add_nexthop({.id = 2, .via = test::ip("192.0.2.2")});
  add_nexthop({.id = 3, .via = test::ip("2001:db8::3")});
  add_nexthop({.id = 10, .via = {}, .members = {{1}, {2}, {3}}});
  add_entry(link, kMacB, group(10));
  const auto counts = shares(link, 3000);
  ASSERT_THAT(counts, SizeIs(3));
  for (const auto& [address, count] : counts) EXPECT_NEAR(count, 1000, 150) << address.to_string();
  EXPECT_EQ(counters(link).flooded_frames, 0U);

  for (std::uint32_t n = 0; n < 100; ++n) {
    const auto first = remotes_for(link, flow(n));
    EXPECT_EQ(remotes_for(link, flow(n)), first) << "a flow keeps its remote";
  }
}

TEST_F(ReplicationTest, SharesFollowTheWeights) {
  const LinkId link = add_link({.vni = 10_vni});
  add_nexthop({.id = 1, .via = test::ip("192.0.2.1")});
  add_nexthop({.id = 2, .via = test::ip("192.0.2.2")});
  add_nexthop({.id = 10, .via = {}, .members = {{.id = 1, .weight = 6}, {.id = 2, .weight = 2}}});
  add_entry(link, kMacB, group(10));
  const auto counts = shares(link, 4000);
  EXPECT_NEAR(counts.at(test::ip("192.0.2.1")), 3000, 200);
  EXPECT_NEAR(counts.at(test::ip("192.0.2.2")), 1000, 200);
}

/// The choice of a remote and that of a source port must not hang together, or paths of the underlay would be
/// left unused.
TEST_F(ReplicationTest, EachRemoteOfAGroupSeesEverySourcePort) {
  const LinkId link = add_link({.vni = 10_vni, .source_ports = {Port(5000), Port(5007)}});
  add_nexthop({.id = 1, .via = test::ip("192.0.2.1")});
  add_nexthop({.id = 2, .via = test::ip("192.0.2.2")});
  add_nexthop({.id = 10, .via = {}, .members = {{1}, {2}}});
  add_entry(link, kMacB, group(10));
  std::set<std::pair<IpAddr, Port>> seen;
  for (std::uint32_t n = 0; n < 1000; ++n) {
    const auto& out = send(link, flow(n));
    ASSERT_THAT(out, SizeIs(1));
    seen.emplace(out[0].route.remote, out[0].route.source_port);
  }
  EXPECT_THAT(seen, SizeIs(16));
}

TEST_F(ReplicationTest, EntriesFollowTheirGroupAsItChanges) {
  const LinkId link = add_link({.vni = 10_vni});
  add_nexthop({.id = 1, .via = test::ip("192.0.2.1")});
  add_nexthop({.id = 2, .via = test::ip("192.0.2.2")});
  add_nexthop({.id = 10, .via = {}, .members = {{1}}});
  add_entry(link, kMacB, group(10));
  EXPECT_THAT(remotes_for(link, flow(1)), ElementsAre(test::ip("192.0.2.1")));
  ASSERT_TRUE(engine_.nexthops().replace({.id = 10, .via = {}, .members = {{2}}}));
  EXPECT_THAT(remotes_for(link, flow(1)), ElementsAre(test::ip("192.0.2.2")));
  ASSERT_TRUE(engine_.nexthops().replace({.id = 2, .via = test::ip("2001:db8::2"), .members = {}}));
  EXPECT_THAT(remotes_for(link, flow(1)), ElementsAre(test::ip("2001:db8::2")));
  engine_.fdb().take_events();
  ASSERT_TRUE(engine_.remove_nexthop(2)) << "its last member";
  EXPECT_THAT(remotes_for(link, flow(1)), IsEmpty());
  const auto events = engine_.fdb().take_events();
  ASSERT_THAT(events, SizeIs(1));
  EXPECT_EQ(events[0].kind, FdbEvent::Kind::kRemoved);
  EXPECT_EQ(events[0].entry.group, 10U);
  EXPECT_EQ(only_drops(link, Drop::kNoRemote), 1U);
  ASSERT_TRUE(engine_.remove_nexthop(1));
  EXPECT_EQ(engine_.remote_count(), 0U);
}

// --- flood limits

TEST_F(ReplicationTest, EachKindHasALimitAndADropOfItsOwn) {
  const LinkId link = add_link({.vni = 10_vni,
                                .flood = test::ip("192.0.2.1"),
                                .limits = {.broadcast = 10, .unknown = 20, .multicast = 30}});
  // A tenth of a second's worth may come at once.
  EXPECT_EQ(flooded(link, kBroadcastMac, 50), 1U);
  EXPECT_EQ(flooded(link, kMacB, 50), 2U);
  EXPECT_EQ(flooded(link, kGroupMac, 50), 3U);
  EXPECT_EQ(counters(link).drops[Drop::kLimitBroadcast], 49U);
  EXPECT_EQ(counters(link).drops[Drop::kLimitUnknown], 48U);
  EXPECT_EQ(counters(link).drops[Drop::kLimitMulticast], 47U);
  EXPECT_EQ(counters(link).drops.total(), 49U + 48 + 47);

  std::uint64_t passed = 0;
  for (int i = 0; i < 1000; ++i) {
    now_ += std::chrono::milliseconds(10);
    passed += flooded(link, kMacB, 1);
  }
  EXPECT_NEAR(static_cast<double>(passed), 200, 3) << "ten seconds at 20 a second";
}

TEST_F(ReplicationTest, WhatIsNotFloodedIsNotLimited) {
  const LinkId link = add_link({.vni = 10_vni,
                                .flood = test::ip("192.0.2.1"),
                                .limits = {.broadcast = 1, .unknown = 1, .multicast = 1}});
  add_entry(link, kMacB, remote("192.0.2.2"));
  add_entry(link, kGroupMac, remote("192.0.2.2"));
  for (int i = 0; i < 20; ++i) {
    EXPECT_THAT(send(link, TestFrame{}.build()), SizeIs(1));
    EXPECT_THAT(send(link, TestFrame{.destination = kGroupMac}.build()), SizeIs(1));
  }
  EXPECT_EQ(counters(link).drops.total(), 0U);
}

TEST_F(ReplicationTest, ALimitCountsFramesNotCopies) {
  const LinkId link = add_link({.vni = 10_vni, .flood = test::ip("192.0.2.1"), .limits = {.broadcast = 20}});
  add_flood(link, "192.0.2.2");
  EXPECT_EQ(flooded(link, kBroadcastMac, 5), 2U);
  EXPECT_EQ(counters(link).encapsulated_frames, 4U);
}

// --- misses

TEST_F(ReplicationTest, AnUnknownMacIsAMissOnlyWhereNobodyIsAsked) {
  LinkConfig config{.vni = 10_vni, .l2miss = true};
  const LinkId link = add_link(config);
  send(link, TestFrame{}.build());
  send(link, TestFrame{.destination = kBroadcastMac}.build());
  send(link, TestFrame{.destination = MacAddr()}.build());
  const auto misses = engine_.take_misses();
  ASSERT_THAT(misses, SizeIs(1)) << "nobody can be found who is everybody, or nobody";
  EXPECT_EQ(misses[0].link, link);
  EXPECT_EQ(misses[0].mac, kMacB);
  EXPECT_TRUE(misses[0].ip.is_unspecified());
  EXPECT_EQ(only_drops(link, Drop::kNoRemote), 3U);
  EXPECT_THAT(engine_.take_misses(), IsEmpty());

  config.flood = test::ip("192.0.2.1");
  ASSERT_TRUE(engine_.change_link(link, config, now_));
  EXPECT_THAT(send(link, TestFrame{}.build()), SizeIs(1));
  EXPECT_THAT(engine_.take_misses(), IsEmpty()) << "the flood finds the station";
}

TEST_F(ReplicationTest, MissesThatNobodyTakesDoNotPileUp) {
  const LinkId link = add_link({.vni = 10_vni, .l2miss = true});
  for (std::size_t i = 0; i < 2 * Engine::kMaxMisses; ++i) send(link, TestFrame{}.build());
  EXPECT_THAT(engine_.take_misses(), SizeIs(Engine::kMaxMisses));
}

TEST_F(ReplicationTest, MissesGoWithTheirLink) {
  const LinkId link = add_link({.vni = 10_vni, .l2miss = true});
  const LinkId other = add_link({.vni = 11_vni, .l2miss = true});
  send(link, TestFrame{}.build());
  send(other, TestFrame{}.build());
  engine_.remove_link(link);
  const auto misses = engine_.take_misses();
  ASSERT_THAT(misses, SizeIs(1)) << "the number may be another link's by now";
  EXPECT_EQ(misses[0].link, other);
}

// --- what a link or a remote has of its own

TEST_F(ReplicationTest, RemotesOfBothFamiliesInOneFloodList) {
  const LinkId link = add_link({.vni = 10_vni,
                                .local4 = test::ip("192.0.2.100"),
                                .local6 = test::ip("2001:db8::100"),
                                .flood = test::ip("192.0.2.1"),
                                .outer = {.flow_label = 0x777, .checksum4 = false, .checksum6 = true}});
  add_flood(link, "2001:db8::1");
  const auto& out = send(link, TestFrame{.destination = kBroadcastMac}.build());
  ASSERT_THAT(out, SizeIs(2));
  EXPECT_EQ(out[0].route.local, test::ip("192.0.2.100"));
  EXPECT_FALSE(out[0].route.checksum);
  EXPECT_EQ(out[0].route.flow_label, 0U);
  EXPECT_EQ(out[1].route.local, test::ip("2001:db8::100"));
  EXPECT_TRUE(out[1].route.checksum);
  EXPECT_EQ(out[1].route.flow_label, 0x777U);
  EXPECT_EQ(out[0].frame.data(), out[1].frame.data()) << "one frame";
  EXPECT_EQ(out[0].header, out[1].header);
}

TEST_F(ReplicationTest, ARemoteMayHaveAChecksumPolicyOfItsOwn) {
  const LinkId link = add_link({.vni = 10_vni, .flood = test::ip("192.0.2.1")});
  add_flood(link, "192.0.2.2");
  engine_.paths().set_checksum(test::ip("192.0.2.2"), false);
  const auto& out = send(link, TestFrame{.destination = kBroadcastMac}.build());
  ASSERT_THAT(out, SizeIs(2));
  EXPECT_TRUE(out[0].route.checksum);
  EXPECT_FALSE(out[1].route.checksum);
  engine_.paths().set_checksum(test::ip("192.0.2.2"), std::nullopt);
  EXPECT_TRUE(send(link, TestFrame{.destination = kBroadcastMac}.build())[1].route.checksum);
}

TEST_F(ReplicationTest, ALinkWithoutAVniSendsButHearsNothing) {
  LinkConfig config{.vni = 10_vni, .has_vni = false, .port = kIanaVxlanPort};
  const LinkId first = add_link(config);
  const LinkId second = add_link(config);
  EXPECT_NE(first, second) << "there is nothing in which they could collide";
  config.has_vni = true;
  const LinkId real = add_link(config);
  EXPECT_TRUE(receive(real, TestFrame{}.build()));
  EXPECT_EQ(counters(real).decapsulated_frames, 1U);

  Remote own = remote("192.0.2.1");
  own.vni = 77_vni;
  add_entry(first, kMacB, own, FdbState::kPermanent);
  const auto& out = send(first, TestFrame{}.build());
  ASSERT_THAT(out, SizeIs(1));
  EXPECT_EQ(out[0].header[6], 77);

  engine_.remove_link(first);
  engine_.remove_link(second);
  EXPECT_TRUE(receive(real, TestFrame{}.build())) << "the VNI was not theirs to take away";
  config.has_vni = false;
  EXPECT_EQ(engine_.change_link(real, config, now_).error().kind, ErrorKind::kInvalid);
}

}  // namespace
}  // namespace vtep
