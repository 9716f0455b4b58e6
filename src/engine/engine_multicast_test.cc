// A tenant's multicast: to those who asked for it (permanent entries and snooping), and to nobody else.
#include "engine/test_control_frames.h"
#include "engine/test_engine.h"

namespace vtep {
namespace {

using test::Bytes;
using test::TestFrame;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr Ipv4 kGroup(239, 1, 1, 1);
constexpr Ipv4 kOther(239, 1, 1, 2);
constexpr Ipv4 kSender(10, 0, 0, 1);
constexpr Ipv4 kQuerier(10, 0, 0, 254);
constexpr Ipv4 kListener(10, 0, 0, 2);
const Ipv6 kGroup6 = test::ip("ff0e::1:101").v6();
const Ipv6 kListener6 = test::ip("fe80::2").v6();
const Ipv6 kAllNodes = test::ip("ff02::1").v6();
constexpr MacAddr kSwitch{{0x02, 0, 0, 0, 0, 0xee}};
constexpr MacAddr kHost{{0x02, 0, 0, 0, 0, 0xdd}};

const IpAddr kFlood = test::ip("192.0.2.1");
constexpr const char* kPeer = "192.0.2.2";
constexpr const char* kPeer6 = "2001:db8::2";

class MulticastTest : public test::EngineTest {
 protected:
  static LinkConfig config() { return {.vni = 10_vni, .flood = kFlood, .snooping = true}; }
  LinkId add_snooping() { return add_link(config()); }
  static Bytes data(Ipv4 group, Ipv4 from = kSender) {
    return TestFrame{.destination = multicast_mac(group), .from = from, .to = group}.build();
  }
  static Bytes data6(const Ipv6& group) {
    return TestFrame{.destination = multicast_mac(group), .from = test::ip("fd00::1"), .to = group}.build();
  }
  static Bytes query() { return test::igmp_frame(IgmpQuery{}, kSwitch, kQuerier, kAllSystems); }
  static Bytes report(Ipv4 group) { return test::igmp_frame(IgmpReport{2, group}, kHost, kListener, group); }
  static Bytes leave(Ipv4 group) {
    return test::igmp_frame(IgmpLeave{group}, kHost, kListener, Ipv4(224, 0, 0, 2));
  }
  static Bytes report6(const Ipv6& group) {
    return test::mld_frame(MldReport{group}, kHost, kListener6, group);
  }
  /// From now on, silence means that nobody listens.
  void hear_querier(LinkId link) {
    send(link, query());
    send(link, test::mld_frame(MldQuery{}, kSwitch, test::ip("fe80::1").v6(), kAllNodes));
    wait(12);
  }
};

// --- permanent entries

TEST_F(MulticastTest, PermanentEntriesSayWhoGetsAGroup) {
  const LinkId link = add_link({.vni = 10_vni, .flood = kFlood});
  EXPECT_THAT(remotes_for(link, data(kGroup)), ElementsAre(kFlood));
  ASSERT_TRUE(engine_.mdb().add(link, kGroup, {}, remote(kPeer)));
  ASSERT_TRUE(engine_.mdb().add(link, kGroup, {}, remote(kPeer6)));
  ASSERT_TRUE(engine_.mdb().add(link, kGroup, Ipv4(10, 0, 0, 9), remote("192.0.2.9")));
  EXPECT_THAT(remotes_for(link, data(kGroup)),
              ::testing::UnorderedElementsAre(test::ip(kPeer), test::ip(kPeer6)));
  EXPECT_THAT(remotes_for(link, data(kGroup, Ipv4(10, 0, 0, 9))), ElementsAre(test::ip("192.0.2.9")))
      << "the source's own entry is more exact";
  EXPECT_EQ(counters(link).flooded_frames, 1U);
  EXPECT_THAT(remotes_for(link, data(kOther)), ElementsAre(kFlood)) << "of other groups nothing is said";
  ASSERT_TRUE(engine_.mdb().add(link, Ipv4(), {}, remote("192.0.2.7")));
  EXPECT_THAT(remotes_for(link, data(kOther)), ElementsAre(test::ip("192.0.2.7")));
}

TEST_F(MulticastTest, AnEntryMayHaveAPortVniAndDeviceOfItsOwn) {
  const LinkId link = add_link({.vni = 10_vni, .flood = kFlood});
  const Remote own{.address = test::ip(kPeer), .port = Port(1234), .vni = 77_vni, .via = IfIndex(3)};
  ASSERT_TRUE(engine_.mdb().add(link, kGroup6, {}, own));
  const auto& out = send(link, data6(kGroup6));
  ASSERT_THAT(out, SizeIs(1));
  EXPECT_EQ(out[0].header[6], 77);
  EXPECT_EQ(out[0].route.destination_port, Port(1234));
  EXPECT_EQ(out[0].route.device, IfIndex(3));
}

TEST_F(MulticastTest, LimitsOfTheFloodAreNoLimitsOfMembers) {
  const LinkId link = add_link({.vni = 10_vni, .flood = kFlood, .limits = {.multicast = 1}});
  ASSERT_TRUE(engine_.mdb().add(link, kGroup, {}, remote(kPeer)));
  for (int i = 0; i < 10; ++i) EXPECT_THAT(send(link, data(kGroup)), SizeIs(1));
  EXPECT_EQ(counters(link).drops.total(), 0U);
}

// --- snooping

TEST_F(MulticastTest, GroupsGoWhereTheyWereAskedFor) {
  const LinkId link = add_snooping();
  hear_querier(link);
  ASSERT_TRUE(receive(link, report(kGroup), kPeer));
  ASSERT_TRUE(receive(link, report6(kGroup6), kPeer6));
  EXPECT_THAT(remotes_for(link, data(kGroup)), ElementsAre(test::ip(kPeer)));
  EXPECT_THAT(remotes_for(link, data6(kGroup6)), ElementsAre(test::ip(kPeer6)));
  ASSERT_TRUE(receive(link, report(kGroup), kPeer6));
  EXPECT_THAT(remotes_for(link, data(kGroup)), SizeIs(2));
  EXPECT_EQ(counters(link).drops.total(), 0U);
}

TEST_F(MulticastTest, AGroupThatNobodyAskedForIsDroppedByName) {
  const LinkId link = add_snooping();
  EXPECT_THAT(remotes_for(link, data(kOther)), ElementsAre(kFlood))
      << "without a querier silence says nothing";
  hear_querier(link);
  EXPECT_THAT(remotes_for(link, data(kOther)), IsEmpty());
  EXPECT_THAT(remotes_for(link, data6(kGroup6)), IsEmpty());
  EXPECT_EQ(only_drops(link, Drop::kNotJoined), 2U);
  EXPECT_THAT(remotes_for(link, data(Ipv4(224, 0, 0, 251))), ElementsAre(kFlood)) << "of link scope";
  EXPECT_THAT(remotes_for(link, TestFrame{.destination = kBroadcastMac}.build()), ElementsAre(kFlood));
  LinkConfig off = config();
  off.snooping = false;
  ASSERT_TRUE(engine_.change_link(link, off, now_));
  EXPECT_THAT(remotes_for(link, data(kOther)), ElementsAre(kFlood));
}

TEST_F(MulticastTest, ReportsAndQueriesThemselvesGoToEverybody) {
  const LinkId link = add_snooping();
  hear_querier(link);
  EXPECT_THAT(remotes_for(link, report(kGroup)), ElementsAre(kFlood));
  EXPECT_THAT(remotes_for(link, query()), ElementsAre(kFlood));
  EXPECT_THAT(remotes_for(link, report6(kGroup6)), ElementsAre(kFlood));
  EXPECT_EQ(counters(link).drops.total(), 0U);
}

TEST_F(MulticastTest, WhoeverLeavesIsForgottenAndSoIsWhoeverFallsSilent) {
  const LinkId link = add_snooping();
  hear_querier(link);
  ASSERT_TRUE(receive(link, report(kGroup), kPeer));
  ASSERT_TRUE(receive(link, report(kOther), kPeer));
  ASSERT_TRUE(receive(link, leave(kGroup), kPeer));
  EXPECT_THAT(remotes_for(link, data(kGroup)), SizeIs(1)) << "others there have the last word";
  wait(Mdb::kLastMember + 1);
  engine_.advance(now_, 1000);
  EXPECT_THAT(remotes_for(link, data(kGroup)), IsEmpty());
  EXPECT_THAT(remotes_for(link, data(kOther)), SizeIs(1));
  wait(Mdb::kMembership);
  send(link, query());
  engine_.advance(now_, 1000);
  EXPECT_EQ(engine_.mdb().size(), 0U);
  EXPECT_EQ(engine_.remote_count(), 2U) << "the flood list's, and the one behind which the host was learned";
}

/// RFC 4541 section 2.1.1: a host that hears another's report keeps its own to itself.
TEST_F(MulticastTest, ReportsOfOthersAreWithheldUnlessAQuerierWantsThem) {
  const LinkId link = add_snooping();
  EXPECT_FALSE(receive(link, report(kGroup), kPeer));
  EXPECT_FALSE(receive(link, report6(kGroup6), kPeer));
  EXPECT_EQ(only_drops(link, Drop::kReportWithheld), 2U);
  EXPECT_EQ(engine_.mdb().size(), 2U) << "they are noted all the same";
  const Bytes newer = test::igmp_frame(IgmpReportV3{{{RecordType::kIsExclude, kGroup, {}}}}, kHost, kListener,
                                       kAllIgmpv3Routers);
  EXPECT_TRUE(receive(link, newer, kPeer)) << "version 3 silences nobody";
  send(link, query());
  EXPECT_TRUE(receive(link, report(kGroup), kPeer)) << "the querier behind our interface has to know";
  EXPECT_FALSE(receive(link, report6(kGroup6), kPeer)) << "it asked for IGMP only";
  EXPECT_EQ(only_drops(link, Drop::kReportWithheld), 3U);
}

TEST_F(MulticastTest, WithoutSnoopingReportsAreFramesLikeAnyOther) {
  const LinkId link = add_link({.vni = 10_vni, .flood = kFlood});
  EXPECT_TRUE(receive(link, report(kGroup), kPeer));
  EXPECT_EQ(engine_.mdb().size(), 0U);
}

TEST_F(MulticastTest, ALinkTakesItsGroupsWithIt) {
  const LinkId link = add_snooping();
  const LinkId other = add_link({.vni = 11_vni, .flood = kFlood});
  hear_querier(link);
  ASSERT_TRUE(receive(link, report(kGroup), kPeer));
  ASSERT_TRUE(engine_.mdb().add(other, kGroup, {}, remote(kPeer6)));
  engine_.remove_link(link);
  EXPECT_EQ(engine_.mdb().size(), 1U);
  EXPECT_THAT(remotes_for(other, data(kGroup)), ElementsAre(test::ip(kPeer6)));
  engine_.remove_link(other);
  EXPECT_EQ(engine_.mdb().size(), 0U);
  EXPECT_EQ(engine_.remote_count(), 0U);
}

}  // namespace
}  // namespace vtep
