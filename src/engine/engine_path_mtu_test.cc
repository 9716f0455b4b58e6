// Paths that do not take every frame: learned, told to inner senders, forgotten; and TCP kept from sending
// what would not fit.
#include "engine/test_engine.h"
#include "wire/icmpv4.h"
#include "wire/icmpv6.h"

namespace vtep {
namespace {

using test::Bytes;
using test::kMacA;
using test::kMacB;
using test::TestFrame;
using test::TestPackets;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr std::uint32_t kAround4 = 20 + 8 + 8;  // outer IPv4, UDP and VXLAN headers
constexpr std::uint32_t kAround6 = 40 + 8 + 8;
constexpr std::uint32_t kMtu = 1400;
const IpAddr kPeer = test::ip("192.0.2.1");
const IpAddr kPeer6 = test::ip("2001:db8::1");

class PathMtuTest : public test::EngineTest {
 protected:
  /// Of an IPv4 packet of this size, with DF set.
  static Bytes frame4(std::size_t size) {
    const std::size_t headers = Ipv4Header::kSize + UdpHeader::kSize;
    return TestFrame{.payload = size - headers, .fragment = Ipv4Header::kDontFragment}.build();
  }
  static Bytes frame6(std::size_t size) {
    const std::size_t headers = Ipv6Header::kSize + UdpHeader::kSize;
    return TestFrame{.from = test::ip("fd00::1"), .to = test::ip("fd00::2"), .payload = size - headers}
        .build();
  }
  /// The largest IP packet that fits an outer packet of `mtu` bytes.
  static constexpr std::uint32_t inner(std::uint32_t mtu, std::uint32_t around = kAround4) {
    return mtu - around - static_cast<std::uint32_t>(EthernetHeader::kSize);
  }
  LinkId link_to_b(const LinkConfig& config = {.vni = 10_vni}) {
    const LinkId link = add_link(config);
    add_entry(link, kMacB, remote("192.0.2.1"));
    return link;
  }
  /// The MTU that the answer at `i` states; 0 if it is no such answer to MAC A.
  std::uint32_t told(std::size_t i = 0) {
    const Bytes bytes = reply(i);
    const Layers layers = classify(bytes);
    const auto ethernet = EthernetView::parse(bytes);
    if (!ethernet || ethernet->destination() != kMacA || layers.l4 == 0) return 0;
    const ByteView message = ByteView(bytes).subspan(layers.l4);
    if (layers.ip == Layers::Ip::kV6) {
      const auto icmp = Icmpv6View::parse(message);
      return icmp && icmp->type() == icmpv6_type::kPacketTooBig ? load_be32(message.data() + 4) : 0;
    }
    const auto icmp = Icmpv4View::parse(message);
    const bool is_answer = icmp && icmp->type() == icmpv4_type::kUnreachable &&
                           icmp->code() == Icmpv4Header::kFragmentationNeeded && icmp->is_checksum_right();
    return is_answer ? icmp->next_hop_mtu() : 0;
  }
};

TEST_F(PathMtuTest, WhatDoesNotFitIsDroppedAndItsSenderTold) {
  const LinkId link = link_to_b();
  EXPECT_THAT(send(link, frame4(1500)), SizeIs(1)) << "nothing is known";
  ASSERT_TRUE(engine_.paths().learn_mtu(kPeer, kMtu, seconds()));
  EXPECT_THAT(send(link, frame4(inner(kMtu))), SizeIs(1)) << "just fits";
  EXPECT_TRUE(replies_.empty());
  EXPECT_THAT(send(link, frame4(inner(kMtu) + 1)), IsEmpty());
  ASSERT_EQ(replies_.size(), 1U);
  EXPECT_EQ(told(), inner(kMtu));
  EXPECT_EQ(only_drops(link, Drop::kPathMtu), 1U);
  EXPECT_EQ(counters(link).too_big_answers, 1U);
}

TEST_F(PathMtuTest, AnswersForIpv6AndOverIpv6) {
  const LinkId link = add_link({.vni = 10_vni});
  add_entry(link, kMacB, remote("2001:db8::1"));
  ASSERT_TRUE(engine_.paths().learn_mtu(kPeer6, kMtu, seconds()));
  EXPECT_THAT(send(link, frame6(inner(kMtu, kAround6))), SizeIs(1));
  EXPECT_THAT(send(link, frame6(1500)), IsEmpty());
  ASSERT_EQ(replies_.size(), 1U);
  EXPECT_EQ(told(), inner(kMtu, kAround6));
  EXPECT_THAT(send(link, frame4(1500)), IsEmpty());
  ASSERT_EQ(replies_.size(), 1U);
  EXPECT_EQ(told(), inner(kMtu, kAround6));
}

TEST_F(PathMtuTest, WhoeverMayNotBeToldIsDroppedInSilence) {
  const LinkId link = link_to_b();
  ASSERT_TRUE(engine_.paths().learn_mtu(kPeer, kMtu, seconds()));
  EXPECT_THAT(send(link, TestFrame{.payload = 1400}.build()), IsEmpty()) << "DF is not set";
  EXPECT_TRUE(replies_.empty());
  EXPECT_EQ(only_drops(link, Drop::kPathMtu), 1U);
  EXPECT_EQ(counters(link).too_big_answers, 0U);
}

TEST_F(PathMtuTest, TheUnderlaysRefusalIsLearnedAndAnswered) {
  const LinkId link = link_to_b();
  const auto& out = send(link, frame4(1500));
  ASSERT_THAT(out, SizeIs(1));
  const Datagram refused = out[0];
  replies_.clear();
  lane_.did_not_fit(refused, kMtu, now_, replies_);
  ASSERT_EQ(replies_.size(), 1U);
  EXPECT_EQ(told(), inner(kMtu));
  EXPECT_EQ(counters(link).too_big_answers, 1U);
  EXPECT_EQ(counters(link).drops.total(), 0U) << "the caller's to count";
  ASSERT_NE(engine_.paths().find(kPeer), nullptr);
  EXPECT_EQ(engine_.paths().find(kPeer)->mtu, kMtu);
  EXPECT_THAT(send(link, frame4(1500)), IsEmpty());
  EXPECT_EQ(only_drops(link, Drop::kPathMtu), 1U);
}

TEST_F(PathMtuTest, ARefusalThatSaysNothingOrComesTooLateIsHarmless) {
  const LinkId link = link_to_b();
  const Datagram refused = send(link, frame4(1500))[0];
  replies_.clear();
  lane_.did_not_fit(refused, 0, now_, replies_);
  EXPECT_TRUE(replies_.empty());
  EXPECT_EQ(engine_.paths().find(kPeer)->mtu, 0U);
  engine_.remove_link(link);
  lane_.did_not_fit(refused, kMtu, now_, replies_);
  EXPECT_TRUE(replies_.empty());
}

TEST_F(PathMtuTest, OneFrameOneAnswerHoweverManyCopies) {
  const LinkId link = add_link({.vni = 10_vni, .flood = kPeer});
  add_flood(link, "192.0.2.2");
  add_flood(link, "192.0.2.3");
  ASSERT_TRUE(engine_.paths().learn_mtu(kPeer, kMtu, seconds()));
  ASSERT_TRUE(engine_.paths().learn_mtu(test::ip("192.0.2.3"), kMtu - 100, seconds()));
  const auto& out = send(link, frame4(1500));
  ASSERT_THAT(out, SizeIs(1)) << "the way to one of them takes it";
  EXPECT_EQ(out[0].route.remote, test::ip("192.0.2.2"));
  EXPECT_EQ(replies_.size(), 1U);
  EXPECT_EQ(only_drops(link, Drop::kPathMtu), 2U);
}

TEST_F(PathMtuTest, AnswersAreLimitedEverySecond) {
  const LinkId link = link_to_b();
  ASSERT_TRUE(engine_.paths().learn_mtu(kPeer, kMtu, seconds()));
  std::size_t answers = 0;
  for (std::uint32_t i = 0; i < Engine::kAnswersPerSecond + 50; ++i) {
    send(link, frame4(1500));
    answers += replies_.size();
  }
  EXPECT_EQ(answers, Engine::kAnswersPerSecond);
  EXPECT_EQ(only_drops(link, Drop::kPathMtu), Engine::kAnswersPerSecond + 50);
  wait(1);
  send(link, frame4(1500));
  EXPECT_EQ(replies_.size(), 1U);
}

TEST_F(PathMtuTest, WhatWasLearnedIsForgottenAndWhatWasSetIsNot) {
  const LinkId link = add_link({.vni = 10_vni, .flood = kPeer, .ageing = 0});
  add_entry(link, kMacB, remote("192.0.2.1"));
  ASSERT_TRUE(engine_.paths().learn_mtu(kPeer, kMtu, seconds()));
  ASSERT_TRUE(engine_.next_deadline());
  EXPECT_EQ(*engine_.next_deadline(), now_ + std::chrono::seconds(600));
  wait(599);
  engine_.advance(now_, 1000);
  EXPECT_THAT(send(link, frame4(1500)), IsEmpty());
  wait(1);
  engine_.advance(now_, 1000);
  EXPECT_THAT(send(link, frame4(1500)), SizeIs(1));
  EXPECT_FALSE(engine_.next_deadline());

  engine_.paths().set_mtu(kPeer, kMtu);
  wait(100'000);
  engine_.advance(now_, 1000);
  EXPECT_THAT(send(link, frame4(1500)), IsEmpty());
  engine_.remove_link(link);
  EXPECT_THAT(engine_.paths().list(), SizeIs(1)) << "by hand means until it is taken back";
  engine_.paths().set_mtu(kPeer, 0);
  EXPECT_THAT(engine_.paths().list(), IsEmpty());
}

TEST_F(PathMtuTest, AReportIsBelievedIfItQuotesWhatWeSend) {
  const LinkId link = add_link({.vni = 10_vni, .port = kIanaVxlanPort});
  Remote own = remote("192.0.2.2");
  own.port = Port(1234);
  own.vni = 77_vni;
  add_entry(link, kMacA, own);
  add_entry(link, kMacB, remote("192.0.2.1"));
  const auto hears = [&](const IpAddr& to, Port port, Vni vni) {
    const std::uint64_t header = 0x08000000'00000000 | std::uint64_t{vni.value()} << 8;
    return engine_.hear_path_mtu(to, port, header, kMtu, now_);
  };
  EXPECT_FALSE(hears(kPeer, kIanaVxlanPort, 11_vni)) << "no VNI of ours";
  EXPECT_FALSE(hears(kPeer, Port(1234), 10_vni)) << "not to that port";
  EXPECT_FALSE(hears(kPeer, Port(1234), 77_vni)) << "to somebody else";
  EXPECT_FALSE(hears(kPeer6, kIanaVxlanPort, 10_vni)) << "nothing goes there";
  EXPECT_EQ(engine_.paths().find(kPeer)->mtu, 0U);
  EXPECT_TRUE(hears(kPeer, kIanaVxlanPort, 10_vni));
  EXPECT_TRUE(hears(own.address, Port(1234), 77_vni));
  EXPECT_THAT(send(link, frame4(1500)), IsEmpty());
  EXPECT_EQ(told(), inner(kMtu));
}

/// Otherwise a forger could ask for floods of tiny packets.
TEST_F(PathMtuTest, AForgedReportLowersNoFurtherThanTheProtocolsMinimum) {
  link_to_b();
  engine_.paths().learn_mtu(kPeer, 1, seconds());
  EXPECT_EQ(engine_.paths().find(kPeer)->mtu, PathTable::kMinMtu4);
  engine_.paths().learn_mtu(kPeer, 1500, seconds());
  EXPECT_EQ(engine_.paths().find(kPeer)->mtu, PathTable::kMinMtu4) << "nor does one raise";
}

// --- TCP

class MssTest : public PathMtuTest {
 protected:
  static constexpr std::uint16_t kAsked = 1460;
  static TestFrame shape() { return {.protocol = kProtocolTcp, .payload = 0, .tcp_options = 4}; }
  /// A SYN that says `mss`.
  static Bytes syn(std::uint16_t mss) {
    const TestFrame frame = shape();
    Bytes bytes = frame.build();
    std::uint8_t* const tcp = bytes.data() + frame.l4();
    tcp[TcpHeader::kFlags] = tcp_flag::kSyn;
    tcp[TcpHeader::kSize] = tcp_option::kMaxSegmentSize;
    tcp[TcpHeader::kSize + 1] = 4;
    store_be16(tcp + TcpHeader::kSize + 2, mss);
    store_be16(tcp + TcpHeader::kChecksum, 0);
    const ByteView segment = ByteView(bytes).subspan(frame.l4());
    store_be16(tcp + TcpHeader::kChecksum,
               static_cast<std::uint16_t>(~checksum_fold(checksum_partial(segment, frame.pseudo_sum()))));
    EXPECT_TRUE(test::checksum_is_right(frame, bytes));
    return bytes;
  }
};

TEST_F(MssTest, TheMssFollowsTheInterfaceAndThePath) {
  const LinkId link = link_to_b({.vni = 10_vni, .mss_clamp = true, .mtu = 1450});
  EXPECT_EQ(test::to_bytes(send(link, syn(kAsked))[0].frame), syn(1450 - 40));
  EXPECT_EQ(test::to_bytes(send(link, syn(1000))[0].frame), syn(1000)) << "never raised";
  ASSERT_TRUE(engine_.paths().learn_mtu(kPeer, kMtu, seconds()));
  EXPECT_EQ(test::to_bytes(send(link, syn(kAsked))[0].frame),
            syn(static_cast<std::uint16_t>(inner(kMtu) - 40)));
}

TEST_F(MssTest, TheNarrowestOfSeveralPathsCounts) {
  const LinkId link = add_link({.vni = 10_vni, .flood = kPeer, .mss_clamp = true});
  add_flood(link, "2001:db8::1");
  ASSERT_TRUE(engine_.paths().learn_mtu(kPeer, 1400, seconds()));
  ASSERT_TRUE(engine_.paths().learn_mtu(kPeer6, 1400, seconds()));
  const auto& out = send(link, syn(kAsked));
  ASSERT_THAT(out, SizeIs(2));
  EXPECT_EQ(test::to_bytes(out[0].frame), syn(static_cast<std::uint16_t>(inner(1400, kAround6) - 40)));
}

TEST_F(MssTest, TheAnswerOfTheOtherEndIsLoweredToo) {
  const LinkId link = link_to_b({.vni = 10_vni, .mss_clamp = true, .mtu = 1450});
  EXPECT_EQ(receive(link, syn(kAsked)), syn(1450 - 40));
}

TEST_F(MssTest, WithoutTheOptionTcpIsLeftAlone) {
  const LinkId link = link_to_b({.vni = 10_vni, .mtu = 1450});
  EXPECT_EQ(test::to_bytes(send(link, syn(kAsked))[0].frame), syn(kAsked));
  EXPECT_EQ(receive(link, syn(kAsked)), syn(kAsked));
}

}  // namespace
}  // namespace vtep
