// `stations`: who sends through an interface is noted, and what it says of its addresses.
#include "engine/test_control_frames.h"
#include "engine/test_engine.h"

namespace vtep {
namespace {

using test::Bytes;
using test::kMacA;
using test::kMacB;
using test::TestFrame;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Kind = StationEvent::Kind;

constexpr Ipv4 kHere(10, 0, 0, 1);
constexpr Ipv4 kThere(10, 0, 0, 2);
const Ipv6 kHere6 = test::ip("fd00::1").v6();
const Ipv6 kThere6 = test::ip("fd00::2").v6();

MATCHER_P2(Tells, kind, mac, "") {
  return arg.kind == kind && arg.mac == mac;
}

class EngineStationsTest : public test::EngineTest {
 protected:
  static LinkConfig config(bool stations = true) {
    return {.vni = 10_vni, .flood = test::ip("192.0.2.1"), .stations = stations};
  }
  std::vector<StationEvent> events_after(const Bytes& frame) {
    send(link_, frame);
    return engine_.stations().take_events();
  }
  static Bytes arp(ArpOperation operation = ArpOperation::kRequest) {
    return test::arp_frame({.operation = operation,
                            .sender_mac = kMacA,
                            .sender_ip = kHere,
                            .target_mac = {},
                            .target_ip = kThere});
  }

  LinkId link_ = add_link(config());
};

TEST_F(EngineStationsTest, WhoSendsIsNotedOnce) {
  const Bytes frame = TestFrame{.destination = kMacB, .source = kMacA}.build();
  EXPECT_THAT(events_after(frame), ElementsAre(Tells(Kind::kSeen, kMacA)));
  EXPECT_TRUE(lane_.take_news());
  EXPECT_THAT(events_after(frame), IsEmpty());
  wait(1);
  EXPECT_THAT(events_after(frame), IsEmpty());
  EXPECT_FALSE(lane_.take_news()) << "nobody need hear that it is still here";
}

TEST_F(EngineStationsTest, OnlyWhereItIsAskedFor) {
  ASSERT_TRUE(engine_.change_link(link_, config(false), now_));
  EXPECT_THAT(events_after(arp()), IsEmpty());
  ASSERT_TRUE(engine_.change_link(link_, config(true), now_));
  EXPECT_THAT(events_after(arp()), ElementsAre(Tells(Kind::kSeen, kMacA), Tells(Kind::kAddress, kMacA)));
  ASSERT_TRUE(engine_.change_link(link_, config(false), now_));
  EXPECT_EQ(engine_.stations().size(), 0U);
}

TEST_F(EngineStationsTest, WhoSpeaksNowAndThenIsNotForgotten) {
  const Bytes frame = TestFrame{.destination = kMacB, .source = kMacA}.build();
  events_after(frame);
  for (int i = 0; i < 5; ++i) {
    wait(200);
    engine_.advance(now_, 100);
    EXPECT_THAT(events_after(frame), IsEmpty());
  }
  wait(300);
  engine_.advance(now_, 100);
  EXPECT_THAT(engine_.stations().take_events(), ElementsAre(Tells(Kind::kGone, kMacA)));
}

TEST_F(EngineStationsTest, WhoWasTakenForElsewhereIsNewsWithItsNextFrame) {
  const Bytes frame = TestFrame{.destination = kMacB, .source = kMacA}.build();
  events_after(frame);
  engine_.stations().forget(link_, kMacA);
  EXPECT_THAT(events_after(frame), ElementsAre(Tells(Kind::kSeen, kMacA))) << "within the same second";
}

TEST_F(EngineStationsTest, GroupsAndNothingAreNoStations) {
  EXPECT_THAT(events_after(TestFrame{.destination = kMacB, .source = MacAddr()}.build()), IsEmpty());
  const MacAddr group({0x01, 0, 0x5e, 0, 0, 1});
  EXPECT_THAT(events_after(TestFrame{.destination = kMacB, .source = group}.build()), IsEmpty());
}

TEST_F(EngineStationsTest, ArpSaysWhoseAnAddressIs) {
  const auto events = events_after(arp());
  ASSERT_THAT(events, ElementsAre(Tells(Kind::kSeen, kMacA), Tells(Kind::kAddress, kMacA)));
  EXPECT_EQ(events[1].ip, IpAddr(kHere));
  EXPECT_THAT(events_after(arp()), IsEmpty());
  const MacAddr liar({0x02, 0, 0, 0, 0, 9});
  Bytes forged = arp();
  liar.store(forged.data() + 6);
  EXPECT_THAT(events_after(forged), ElementsAre(Tells(Kind::kSeen, liar))) << "it speaks for another station";
}

TEST_F(EngineStationsTest, AnIpv6AddressCountsOnceItIsKnownWhetherItIsARouters) {
  const Bytes question =
      test::nd_frame(NeighborSolicitation{kThere6, kMacA}, kMacA, kHere6, solicited_node_group(kThere6));
  EXPECT_THAT(events_after(question), ElementsAre(Tells(Kind::kSeen, kMacA)));
  const NeighborAdvertisement answer{
      .target = kHere6, .router = true, .solicited = true, .override_cache = true, .target_mac = kMacA};
  const auto events = events_after(test::nd_frame(answer, kMacA, kHere6, kThere6, kMacB));
  ASSERT_THAT(events, ElementsAre(Tells(Kind::kAddress, kMacA)));
  EXPECT_EQ(events[0].ip, IpAddr(kHere6));
  EXPECT_TRUE(events[0].router);
}

TEST_F(EngineStationsTest, WithoutProxyNothingIsAnswered) {
  engine_.neighbours().set(link_, kThere, kMacB, false, NeighbourOrigin::kControl, seconds());
  send(link_, arp());
  EXPECT_EQ(replies_.size(), 0U);
  LinkConfig both = config();
  both.proxy = true;
  ASSERT_TRUE(engine_.change_link(link_, both, now_));
  EXPECT_THAT(send(link_, arp()), IsEmpty());
  EXPECT_EQ(replies_.size(), 1U) << "what a control plane says needs no FDB entry to be answered";
}

}  // namespace
}  // namespace vtep
