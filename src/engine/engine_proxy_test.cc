// `proxy` and `rsc`, `l3miss`: what the engine answers instead of sending, and what it sends elsewhere.
#include "engine/test_control_frames.h"
#include "engine/test_engine.h"

namespace vtep {
namespace {

using test::Bytes;
using test::kMacA;
using test::kMacB;
using test::TestFrame;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr MacAddr kRouter{{0x02, 0, 0, 0, 0, 0xfe}};
constexpr Ipv4 kHere(10, 0, 0, 1);
constexpr Ipv4 kThere(10, 0, 0, 2);
const Ipv6 kHere6 = test::ip("fd00::1").v6();
const Ipv6 kThere6 = test::ip("fd00::2").v6();

class ProxyTest : public test::EngineTest {
 protected:
  static LinkConfig config() {
    return {.vni = 10_vni, .flood = test::ip("192.0.2.1"), .proxy = true, .l3miss = true};
  }
  void know(const IpAddr& address, MacAddr mac, std::optional<bool> router = false) {
    engine_.neighbours().set(link_, address, mac, router, NeighbourOrigin::kPermanent, seconds());
  }
  static Bytes request(Ipv4 target = kThere) {
    return test::arp_frame({.operation = ArpOperation::kRequest,
                            .sender_mac = kMacA,
                            .sender_ip = kHere,
                            .target_mac = {},
                            .target_ip = target});
  }
  static Bytes solicitation(const Ipv6& target = kThere6) {
    return test::nd_frame(NeighborSolicitation{target, kMacA}, kMacA, kHere6, solicited_node_group(target));
  }

  const LinkId link_ = add_link(config());
};

TEST_F(ProxyTest, AKnownNeighbourIsAnsweredHereAndNothingIsSent) {
  know(kThere, kMacB);
  EXPECT_THAT(send(link_, request()), IsEmpty());
  ASSERT_EQ(replies_.size(), 1U);
  const Bytes expected = test::arp_frame({.operation = ArpOperation::kReply,
                                          .sender_mac = kMacB,
                                          .sender_ip = kThere,
                                          .target_mac = kMacA,
                                          .target_ip = kHere},
                                         kMacA);
  EXPECT_EQ(reply(), expected);
  EXPECT_EQ(counters(link_).suppressed, 1U);
  EXPECT_EQ(counters(link_).drops.total(), 0U);
  EXPECT_EQ(counters(link_).encapsulated_frames, 0U);
  EXPECT_THAT(engine_.take_misses(), IsEmpty());
}

TEST_F(ProxyTest, SolicitationsAreAnsweredToo) {
  know(kThere6, kMacB);
  EXPECT_THAT(send(link_, solicitation()), IsEmpty());
  ASSERT_EQ(replies_.size(), 1U);
  const NeighborAdvertisement expected{
      .target = kThere6, .router = false, .solicited = true, .override_cache = true, .target_mac = kMacB};
  EXPECT_EQ(reply(), test::nd_frame(expected, kMacB, kThere6, kHere6, kMacA));
  EXPECT_EQ(counters(link_).suppressed, 1U);
}

TEST_F(ProxyTest, AnUnknownNeighbourIsAskedForEverywhereAndIsAMiss) {
  EXPECT_THAT(send(link_, request()), SizeIs(1));
  EXPECT_THAT(send(link_, solicitation()), SizeIs(1));
  EXPECT_TRUE(replies_.empty());
  const auto misses = engine_.take_misses();
  ASSERT_THAT(misses, SizeIs(2));
  EXPECT_EQ(misses[0].ip, IpAddr(kThere));
  EXPECT_TRUE(misses[0].mac.is_zero());
  EXPECT_EQ(misses[1].ip, IpAddr(kThere6));
  EXPECT_EQ(misses[1].link, link_);
  LinkConfig quiet = config();
  quiet.l3miss = false;
  ASSERT_TRUE(engine_.change_link(link_, quiet, now_));
  EXPECT_THAT(send(link_, request()), SizeIs(1));
  EXPECT_THAT(engine_.take_misses(), IsEmpty());
}

TEST_F(ProxyTest, WithoutTheOptionNothingIsAnswered) {
  LinkConfig plain = config();
  plain.proxy = false;
  ASSERT_TRUE(engine_.change_link(link_, plain, now_));
  know(kThere, kMacB);
  EXPECT_THAT(send(link_, request()), SizeIs(1));
  EXPECT_TRUE(replies_.empty());
  EXPECT_THAT(engine_.take_misses(), IsEmpty());
}

TEST_F(ProxyTest, NeighboursAreHeardFromRemoteVteps) {
  const ArpMessage announcement{.operation = ArpOperation::kReply,
                                .sender_mac = kMacB,
                                .sender_ip = kThere,
                                .target_mac = kMacA,
                                .target_ip = kHere};
  ASSERT_TRUE(receive(link_, test::arp_frame(announcement, kMacA)));
  EXPECT_THAT(send(link_, request()), IsEmpty());
  EXPECT_EQ(replies_.size(), 1U);

  ASSERT_TRUE(engine_.fdb().remove(link_, kMacB));
  EXPECT_THAT(send(link_, request()), SizeIs(1)) << "it may be local by now, and answer itself";
}

/// A station that comes here announces itself; its old owner's MAC must not be given to anybody any more.
TEST_F(ProxyTest, AnAddressThatComesHereIsForgotten) {
  const Bytes there = test::arp_frame({.operation = ArpOperation::kReply,
                                       .sender_mac = kMacB,
                                       .sender_ip = kThere,
                                       .target_mac = kMacA,
                                       .target_ip = kHere},
                                      kMacA);
  ASSERT_TRUE(receive(link_, there));
  const Bytes announcement = test::arp_frame({.operation = ArpOperation::kRequest,
                                              .sender_mac = kRouter,
                                              .sender_ip = kThere,
                                              .target_mac = {},
                                              .target_ip = kThere});
  EXPECT_THAT(send(link_, announcement), SizeIs(1)) << "announcements are for everybody";
  EXPECT_THAT(send(link_, request()), SizeIs(1));
  EXPECT_TRUE(replies_.empty());
}

TEST_F(ProxyTest, WithoutRoomForAReplyTheQuestionGoesOn) {
  know(kThere, kMacB);
  test::TestPackets frames;
  for (std::size_t i = 0; i < replies_.capacity() + 2; ++i) frames.add(request());
  EXPECT_THAT(send(link_, frames), SizeIs(2));
  EXPECT_TRUE(replies_.full());
  EXPECT_EQ(counters(link_).suppressed, replies_.capacity());
}

TEST_F(ProxyTest, WhatAStrangerSaysIsForgottenAndGoesWithItsLink) {
  const Bytes there = test::arp_frame({.operation = ArpOperation::kReply,
                                       .sender_mac = kMacB,
                                       .sender_ip = kThere,
                                       .target_mac = kMacA,
                                       .target_ip = kHere},
                                      kMacA);
  ASSERT_TRUE(receive(link_, there));
  know(kThere6, kMacB);
  EXPECT_EQ(engine_.neighbours().size(), 2U);
  wait(Neighbours::kAgeing);
  ASSERT_TRUE(engine_.next_deadline());
  EXPECT_LE(*engine_.next_deadline(), now_);
  engine_.advance(now_, 1000);
  EXPECT_EQ(engine_.neighbours().size(), 1U);
  engine_.remove_link(link_);
  EXPECT_EQ(engine_.neighbours().size(), 0U);
}

// --- route short-circuit

class ShortCircuitTest : public ProxyTest {
 protected:
  ShortCircuitTest() {
    LinkConfig shortened = config();
    shortened.rsc = true;
    EXPECT_TRUE(engine_.change_link(link_, shortened, now_).has_value());
    FdbTarget router(remote("192.0.2.8"));
    router.router = true;
    add_entry(link_, kRouter, router);
    add_entry(link_, kMacB, remote("192.0.2.9"));
  }
  static TestFrame routed() { return {.destination = kRouter, .from = kHere, .to = kThere}; }
};

TEST_F(ShortCircuitTest, AFrameForARouterGoesToTheNeighbourAtOnce) {
  know(kThere, kMacB);
  const auto& out = send(link_, routed().build());
  ASSERT_THAT(out, SizeIs(1));
  EXPECT_EQ(out[0].route.remote, test::ip("192.0.2.9"));
  TestFrame expected = routed();
  expected.destination = kMacB;
  expected.source = kRouter;
  EXPECT_EQ(test::to_bytes(out[0].frame), expected.build());
}

TEST_F(ShortCircuitTest, AnUnknownNeighbourIsAMissAndTheRouterGetsTheFrame) {
  const auto& out = send(link_, routed().build());
  ASSERT_THAT(out, SizeIs(1));
  EXPECT_EQ(out[0].route.remote, test::ip("192.0.2.8"));
  EXPECT_EQ(test::to_bytes(out[0].frame), routed().build());
  const auto misses = engine_.take_misses();
  ASSERT_THAT(misses, SizeIs(1));
  EXPECT_EQ(misses[0].ip, IpAddr(kThere));
}

TEST_F(ShortCircuitTest, ANeighbourBehindNobodyIsLookedForByFlood) {
  know(kThere, MacAddr({0x02, 0, 0, 0, 0, 0xdd}));
  const auto& out = send(link_, routed().build());
  ASSERT_THAT(out, SizeIs(1));
  EXPECT_EQ(out[0].route.remote, test::ip("192.0.2.1"));
  EXPECT_EQ(counters(link_).flooded_frames, 1U);
}

TEST_F(ShortCircuitTest, OnlyRoutersAreShortenedAndOnlyIfAsked) {
  know(kThere, kMacB);
  add_entry(link_, kMacA, remote("192.0.2.7"));
  TestFrame frame = routed();
  frame.destination = kMacA;
  EXPECT_THAT(remotes_for(link_, frame.build()), ::testing::ElementsAre(test::ip("192.0.2.7")));
  ASSERT_TRUE(engine_.change_link(link_, config(), now_));
  EXPECT_THAT(remotes_for(link_, routed().build()), ::testing::ElementsAre(test::ip("192.0.2.8")));
}

}  // namespace
}  // namespace vtep
