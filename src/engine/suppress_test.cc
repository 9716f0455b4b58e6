#include "engine/suppress.h"

#include <gtest/gtest.h>

#include <set>

#include "engine/test_frames.h"
#include "wire/arp.h"
#include "wire/icmpv6.h"
#include "wire/multicast.h"
#include "wire/nd.h"

namespace vtep {
namespace {

using test::Bytes;
using test::ip;
using test::kMacA;
using test::kMacB;
using Origin = NeighbourOrigin;

constexpr LinkId kLink = 3;
constexpr Seconds kNow = 500;
constexpr MacAddr kMacC{{0x02, 0, 0, 0, 0, 0xcc}};
constexpr MacAddr kNoMac{};

Bytes hex(std::string_view text) {
  Bytes bytes;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    bytes.push_back(static_cast<std::uint8_t>(std::stoi(std::string(text.substr(i, 2)), nullptr, 16)));
  }
  return bytes;
}

/// An ARP frame. The defaults: station A, 192.0.2.1, asks everybody for 192.0.2.2.
struct ArpFrame {
  ArpOperation operation = ArpOperation::kRequest;
  MacAddr sender_mac = kMacA;
  Ipv4 sender_ip{192, 0, 2, 1};
  MacAddr target_mac{};
  Ipv4 target_ip{192, 0, 2, 2};
  MacAddr source = kMacA;
  MacAddr destination = kBroadcastMac;
  bool tagged = false;

  Bytes build() const {
    const std::size_t tag = tagged ? VlanHeader::kSize : 0;
    Bytes bytes(EthernetHeader::kSize + tag + ArpMessage::kSize);
    EthernetHeader{destination, source, tagged ? kEthertypeVlan : kEthertypeArp}.emit(bytes);
    if (tagged) {
      VlanHeader header;
      header.id = *VlanId::from(5);
      header.ethertype = kEthertypeArp;
      header.emit(ByteSpan(bytes).subspan(EthernetHeader::kSize));
    }
    ArpMessage{operation, sender_mac, sender_ip, target_mac, target_ip}.emit(
        ByteSpan(bytes).subspan(EthernetHeader::kSize + tag));
    return bytes;
  }
};

/// An ICMPv6 message in a frame.
struct NdFrame {
  MacAddr source = kMacA;
  MacAddr destination{};
  Ipv6 from{};
  Ipv6 to{};
  std::uint8_t hop_limit = 255;
  bool wrong_sum = false;
  bool extension = false;  ///< destination options in front of the message

  template <typename Message>
  Bytes build(const Message& message) const {
    const std::size_t extra = extension ? 8 : 0;
    const std::size_t start = EthernetHeader::kSize + Ipv6Header::kSize + extra;
    Bytes bytes(start + message.size());
    const ByteSpan frame(bytes);
    EthernetHeader{destination, source, kEthertypeIpv6}.emit(frame);
    Ipv6Header header;
    header.source = from;
    header.destination = to;
    header.next_header = extension ? kProtocolDestinationOptions : kProtocolIcmpv6;
    header.hop_limit = hop_limit;
    header.emit(frame.subspan(EthernetHeader::kSize));
    if (extension) bytes[start - extra] = kProtocolIcmpv6;
    if (extension) bytes[start - extra + 2] = 1;  // PadN of 4 bytes
    if (extension) bytes[start - extra + 3] = 4;
    message.emit(frame.subspan(start),
                 pseudo_header_sum(from, to, kProtocolIcmpv6, static_cast<std::uint32_t>(message.size())));
    if (wrong_sum) bytes[start + 2] ^= 0x40;
    return bytes;
  }
};

Ipv6 ip6(const char* text) {
  return *Ipv6::parse(text);
}

/// Station A, 2001:db8::1, asks for `target` as RFC 4861 section 7.2.2 has it.
NdFrame solicits(const char* target, const char* from = "2001:db8::1") {
  NdFrame frame;
  frame.from = ip6(from);
  frame.to = solicited_node_group(ip6(target));
  frame.destination = multicast_mac(frame.to);
  return frame;
}
Bytes solicitation(const char* target, const char* from = "2001:db8::1") {
  return solicits(target, from).build(NeighborSolicitation{ip6(target), kMacA});
}
/// RFC 4862 section 5.4.2
Bytes detection(const char* target) {
  return solicits(target, "::").build(NeighborSolicitation{ip6(target), std::nullopt});
}

/// Station B, 2001:db8::2, to station A or to all.
struct Advertisement {
  Ipv6 target = ip6("2001:db8::2");
  bool router = false;
  bool solicited = true;
  bool overrides = true;
  std::optional<MacAddr> mac = kMacB;

  Bytes build() const {
    NdFrame frame{
        .source = kMacB, .destination = kMacA, .from = ip6("2001:db8::2"), .to = ip6("2001:db8::1")};
    return build_in(frame);
  }
  Bytes build_in(const NdFrame& frame) const {
    return frame.build(NeighborAdvertisement{target, router, solicited, overrides, mac});
  }
};

class Suppress : public ::testing::Test {
 protected:
  Suppression ask(const Bytes& frame) {
    missed_ = IpAddr();
    // Exactly as much room as the contract asks for, and dirty.
    buffer_.assign(64 + kMaxReply, 0xee);
    packet_ = Packet(buffer_, 64);
    const auto is_remote = [this](MacAddr mac) { return !local_.contains(mac); };
    return suppress(neighbours_, kLink, frame, classify(frame), kNow, is_remote, packet_, &missed_);
  }
  Bytes reply() const { return test::to_bytes(packet_.view()); }
  void know(const IpAddr& address, MacAddr mac, bool router = false, Origin origin = Origin::kHeard) {
    neighbours_.set(kLink, address, mac, router, origin, 0);
  }
  void snoop(const Bytes& frame) { snoop_neighbours(neighbours_, kLink, frame, classify(frame), kNow); }
  void come_from_here(const Bytes& frame) {
    forget_local_neighbours(neighbours_, kLink, frame, classify(frame));
  }
  MacAddr heard(const IpAddr& address) {
    const auto found = neighbours_.find(kLink, address, kNow);
    return found ? found->mac : kNoMac;
  }

  Neighbours neighbours_{{}};
  std::set<MacAddr> local_;
  Bytes buffer_;
  Packet packet_;
  IpAddr missed_;
};

// --- answers. The bytes were sent by Linux 6.18's vxlan driver with the same neighbours.

TEST_F(Suppress, ArpReplyIsTheOwners) {
  know(ip("192.0.2.2"), kMacB);
  const Bytes request = ArpFrame{}.build();
  ASSERT_EQ(request, hex("ffffffffffff0200000000aa08060001080006040001"
                         "0200000000aac0000201000000000000c0000202"));
  ASSERT_EQ(ask(request), Suppression::kAnswered);
  EXPECT_EQ(reply(), hex("0200000000aa0200000000bb08060001080006040002"
                         "0200000000bbc00002020200000000aac0000201"));
  EXPECT_TRUE(missed_.is_unspecified());
}

TEST_F(Suppress, ArpProbeIsAnsweredForSomebodyElsesAddress) {
  know(ip("192.0.2.2"), kMacB);
  ASSERT_EQ(ask(ArpFrame{.sender_ip = Ipv4()}.build()), Suppression::kAnswered);
  EXPECT_EQ(reply(), hex("0200000000aa0200000000bb08060001080006040002"
                         "0200000000bbc00002020200000000aa00000000"));
}

TEST_F(Suppress, AdvertisementIsTheOwners) {
  know(ip("2001:db8::3"), kMacC);
  const Bytes request = solicitation("2001:db8::3");
  ASSERT_EQ(request, hex("3333ff0000030200000000aa86dd6000000000203aff"
                         "20010db8000000000000000000000001ff0200000000000000000001ff000003"
                         "87001b7c0000000020010db800000000000000000000000301010200000000aa"));
  ASSERT_EQ(ask(request), Suppression::kAnswered);
  EXPECT_EQ(reply(), hex("0200000000aa0200000000cc86dd6000000000203aff"
                         "20010db800000000000000000000000320010db8000000000000000000000001"
                         "880089a56000000020010db800000000000000000000000302010200000000cc"));
}

TEST_F(Suppress, AdvertisementOfARouterSaysSo) {
  know(ip("2001:db8::2"), kMacB, true);
  ASSERT_EQ(ask(solicitation("2001:db8::2")), Suppression::kAnswered);
  // The kernel's with the R flag, which it takes from the FDB entry instead of the neighbour.
  EXPECT_EQ(reply(), hex("0200000000aa0200000000bb86dd6000000000203aff"
                         "20010db800000000000000000000000220010db8000000000000000000000001"
                         "880009b8e000000020010db800000000000000000000000202010200000000bb"));
}

TEST_F(Suppress, SolicitationWithoutOptionIsAnsweredToItsEthernetSource) {
  know(ip("2001:db8::3"), kMacC);
  ASSERT_EQ(ask(solicitation("2001:db8::3")), Suppression::kAnswered);
  const Bytes expected = reply();
  ASSERT_EQ(ask(solicits("2001:db8::3").build(NeighborSolicitation{ip6("2001:db8::3"), std::nullopt})),
            Suppression::kAnswered);
  EXPECT_EQ(reply(), expected);
}

TEST_F(Suppress, DuplicateAddressIsAdvertisedToAllNodes) {
  know(ip("2001:db8::2"), kMacB);
  ASSERT_EQ(ask(detection("2001:db8::2")), Suppression::kAnswered);
  // RFC 4861 section 7.2.4: to all nodes, the S flag clear. The kernel sends it to "::" with S set.
  const Bytes answer = reply();
  ASSERT_EQ(answer.size(), 86U);
  EXPECT_EQ(Bytes(answer.begin(), answer.begin() + 54),
            hex("3333000000010200000000bb86dd6000000000203aff"
                "20010db8000000000000000000000002ff020000000000000000000000000001"));
  EXPECT_EQ(Bytes(answer.begin() + 58, answer.end()),
            hex("2000000020010db800000000000000000000000202010200000000bb"));
  const auto packet = Ipv6View::parse(ByteView(answer).subspan(14));
  const auto message = Icmpv6View::parse(packet->payload());
  EXPECT_TRUE(is_valid_nd(*packet, *message));
}

TEST_F(Suppress, WhatWasEnteredAnswersWithoutFdbEntry) {
  local_ = {kMacB};
  know(ip("192.0.2.2"), kMacB, false, Origin::kSystem);
  EXPECT_EQ(ask(ArpFrame{}.build()), Suppression::kAnswered);
  know(ip("192.0.2.2"), kMacB, false, Origin::kPermanent);
  EXPECT_EQ(ask(ArpFrame{}.build()), Suppression::kAnswered);
}

// --- what is passed on

TEST_F(Suppress, UnknownAddressesAreMissed) {
  EXPECT_EQ(ask(ArpFrame{}.build()), Suppression::kUnknown);
  EXPECT_EQ(missed_, ip("192.0.2.2"));
  EXPECT_EQ(ask(ArpFrame{.sender_ip = Ipv4()}.build()), Suppression::kUnknown);
  EXPECT_EQ(missed_, ip("192.0.2.2"));
  EXPECT_EQ(ask(solicitation("2001:db8::2")), Suppression::kUnknown);
  EXPECT_EQ(missed_, ip("2001:db8::2"));
  EXPECT_EQ(ask(detection("2001:db8::2")), Suppression::kUnknown);
  EXPECT_EQ(packet_.size(), 0U);
}

TEST_F(Suppress, MissNeedsNoPlaceToGo) {
  const Bytes frame = ArpFrame{}.build();
  const auto is_remote = [](MacAddr) { return true; };
  EXPECT_EQ(suppress(neighbours_, kLink, frame, classify(frame), kNow, is_remote, packet_, nullptr),
            Suppression::kUnknown);
}

TEST_F(Suppress, OtherFramesAreNoRequests) {
  know(ip("192.0.2.2"), kMacB);
  EXPECT_EQ(ask(test::TestFrame{}.build()), Suppression::kNotARequest);
  EXPECT_EQ(ask(ArpFrame{.operation = ArpOperation::kReply}.build()), Suppression::kNotARequest);
  EXPECT_EQ(ask(ArpFrame{.operation = ArpOperation{3}}.build()), Suppression::kNotARequest) << "RARP";
  EXPECT_EQ(ask(Advertisement{}.build()), Suppression::kNotARequest);
  EXPECT_EQ(ask({}), Suppression::kNotARequest);
  EXPECT_EQ(ask(Bytes(13)), Suppression::kNotARequest);
  Bytes cut = ArpFrame{}.build();
  cut.pop_back();
  EXPECT_EQ(ask(cut), Suppression::kNotARequest);
  Bytes other_hardware = ArpFrame{}.build();
  other_hardware[15] = 6;
  EXPECT_EQ(ask(other_hardware), Suppression::kNotARequest);
}

TEST_F(Suppress, AnnouncementsPass) {
  know(ip("192.0.2.2"), kMacB);
  know(ip("2001:db8::2"), kMacB);
  EXPECT_EQ(ask(ArpFrame{.sender_ip = Ipv4(192, 0, 2, 2)}.build()), Suppression::kPass);
  EXPECT_EQ(ask(solicitation("2001:db8::2", "2001:db8::2")), Suppression::kPass);
}

TEST_F(Suppress, UnicastRequestsPass) {
  know(ip("192.0.2.2"), kMacB);
  know(ip("2001:db8::2"), kMacB);
  EXPECT_EQ(ask(ArpFrame{.target_mac = kMacB, .destination = kMacB}.build()), Suppression::kPass);
  NdFrame unicast = solicits("2001:db8::2");
  unicast.to = ip6("2001:db8::2");
  EXPECT_EQ(ask(unicast.build(NeighborSolicitation{ip6("2001:db8::2"), kMacA})), Suppression::kPass)
      << "to the station's IP";
  unicast = solicits("2001:db8::2");
  unicast.destination = kMacB;
  EXPECT_EQ(ask(unicast.build(NeighborSolicitation{ip6("2001:db8::2"), kMacA})), Suppression::kPass)
      << "to the station's MAC";
}

TEST_F(Suppress, WhoAsksForWhatIsItsOwnPasses) {
  know(ip("192.0.2.2"), kMacA);
  know(ip("2001:db8::2"), kMacA);
  EXPECT_EQ(ask(ArpFrame{}.build()), Suppression::kPass);
  EXPECT_EQ(ask(ArpFrame{.sender_ip = Ipv4()}.build()), Suppression::kPass);
  EXPECT_EQ(ask(solicitation("2001:db8::2")), Suppression::kPass);
  EXPECT_EQ(ask(detection("2001:db8::2")), Suppression::kPass);
}

TEST_F(Suppress, HeardNeighboursThatMayBeLocalPass) {
  know(ip("192.0.2.2"), kMacB);
  know(ip("2001:db8::2"), kMacB);
  local_ = {kMacB};
  EXPECT_EQ(ask(ArpFrame{}.build()), Suppression::kPass);
  EXPECT_EQ(ask(solicitation("2001:db8::2")), Suppression::kPass);
  local_ = {kMacA};
  EXPECT_EQ(ask(ArpFrame{}.build()), Suppression::kAnswered);
}

TEST_F(Suppress, UnknownRouterFlagPassesForIpv6Only) {
  neighbours_.set(kLink, ip("192.0.2.2"), kMacB, {}, Origin::kHeard, 0);
  neighbours_.set(kLink, ip("2001:db8::2"), kMacB, {}, Origin::kHeard, 0);
  EXPECT_EQ(ask(ArpFrame{}.build()), Suppression::kAnswered);
  EXPECT_EQ(ask(solicitation("2001:db8::2")), Suppression::kPass);
  EXPECT_EQ(ask(detection("2001:db8::2")), Suppression::kPass);
}

TEST_F(Suppress, TaggedRequestsPass) {
  know(ip("192.0.2.2"), kMacB);
  EXPECT_EQ(ask(ArpFrame{.tagged = true}.build()), Suppression::kPass);
  EXPECT_EQ(ask(test::TestFrame{.tags = {kEthertypeVlan}}.build()), Suppression::kNotARequest);
}

TEST_F(Suppress, AskersThatAreNoStationsPass) {
  know(ip("192.0.2.2"), kMacB);
  know(ip("2001:db8::2"), kMacB);
  EXPECT_EQ(ask(ArpFrame{.sender_mac = kBroadcastMac}.build()), Suppression::kPass);
  EXPECT_EQ(ask(ArpFrame{.sender_mac = kNoMac}.build()), Suppression::kPass);
  EXPECT_EQ(ask(ArpFrame{.sender_ip = Ipv4(224, 0, 0, 1)}.build()), Suppression::kPass);
  EXPECT_EQ(ask(solicitation("2001:db8::2", "ff02::1")), Suppression::kPass);
  EXPECT_EQ(ask(solicits("2001:db8::2").build(NeighborSolicitation{ip6("2001:db8::2"), kBroadcastMac})),
            Suppression::kPass);
}

TEST_F(Suppress, TargetsThatAreNoStationsPass) {
  for (const Ipv4 target : {Ipv4(), Ipv4(127, 0, 0, 1), Ipv4(224, 0, 0, 1), Ipv4(255, 255, 255, 255)}) {
    EXPECT_EQ(ask(ArpFrame{.target_ip = target}.build()), Suppression::kPass) << target.to_string();
  }
  EXPECT_EQ(ask(solicitation("::")), Suppression::kPass);
  EXPECT_EQ(ask(solicitation("::1")), Suppression::kPass);
}

TEST_F(Suppress, MappedIpv4IsNotAskedForByNd) {
  know(ip("192.0.2.2"), kMacB);
  const Ipv6 mapped(IpAddr(Ipv4(192, 0, 2, 2)).octets());
  NdFrame frame = solicits("2001:db8::2");
  frame.to = solicited_node_group(mapped);
  EXPECT_EQ(ask(frame.build(NeighborSolicitation{mapped, kMacA})), Suppression::kPass);
  frame = solicits("2001:db8::2");
  frame.from = mapped;
  know(ip("2001:db8::2"), kMacC);
  EXPECT_EQ(ask(frame.build(NeighborSolicitation{ip6("2001:db8::2"), kMacA})), Suppression::kPass);
}

TEST_F(Suppress, InvalidOrUnusualSolicitationsAreNotAnswered) {
  know(ip("2001:db8::2"), kMacB);
  const NeighborSolicitation message{ip6("2001:db8::2"), kMacA};
  NdFrame frame = solicits("2001:db8::2");
  ASSERT_EQ(ask(frame.build(message)), Suppression::kAnswered);
  frame.hop_limit = 254;
  EXPECT_EQ(ask(frame.build(message)), Suppression::kPass);
  frame = solicits("2001:db8::2");
  frame.wrong_sum = true;
  EXPECT_EQ(ask(frame.build(message)), Suppression::kPass);
  frame = solicits("2001:db8::2");
  frame.to = ip6("ff02::1");
  EXPECT_EQ(ask(frame.build(message)), Suppression::kPass) << "another group";
  frame = solicits("2001:db8::2", "::");
  EXPECT_EQ(ask(frame.build(message)), Suppression::kPass) << "detection with a link-layer address";
  frame = solicits("2001:db8::2");
  frame.extension = true;
  EXPECT_EQ(ask(frame.build(message)), Suppression::kNotARequest);
  Bytes longer = solicitation("2001:db8::2");
  longer[19] = 0x28;  // the IP header promises 8 bytes more than there are
  EXPECT_EQ(ask(longer), Suppression::kPass);
}

// --- snooping

TEST_F(Suppress, ArpIsHeard) {
  snoop(ArpFrame{.operation = ArpOperation::kReply, .destination = kMacC}.build());
  EXPECT_EQ(heard(ip("192.0.2.1")), kMacA) << "a reply";
  EXPECT_EQ(heard(ip("192.0.2.2")), kNoMac) << "the target is hearsay";
  snoop(ArpFrame{.sender_ip = Ipv4(192, 0, 2, 7)}.build());
  EXPECT_EQ(heard(ip("192.0.2.7")), kMacA) << "a request";
  snoop(ArpFrame{
      .sender_mac = kMacB, .sender_ip = Ipv4(192, 0, 2, 7), .target_ip = Ipv4(192, 0, 2, 7), .source = kMacB}
            .build());
  EXPECT_EQ(heard(ip("192.0.2.7")), kMacB) << "an announcement, the last one wins";
  EXPECT_EQ(neighbours_.find(kLink, ip("192.0.2.7"), kNow)->origin, Origin::kHeard);
  EXPECT_FALSE(neighbours_.find(kLink + 1, ip("192.0.2.7"), kNow));
}

TEST_F(Suppress, ArpThatProvesNothingIsNotHeard) {
  snoop(ArpFrame{.sender_ip = Ipv4()}.build());
  snoop(ArpFrame{.sender_mac = kMacB}.build());
  snoop(ArpFrame{.sender_mac = kBroadcastMac, .source = kBroadcastMac}.build());
  snoop(ArpFrame{.sender_mac = kNoMac, .source = kNoMac}.build());
  snoop(ArpFrame{.sender_ip = Ipv4(224, 0, 0, 1)}.build());
  snoop(ArpFrame{.operation = ArpOperation{3}}.build());
  snoop(ArpFrame{.tagged = true}.build());
  EXPECT_EQ(neighbours_.size(), 0U);
}

TEST_F(Suppress, PermanentNeighboursAreNotChangedByWhatIsHeard) {
  know(ip("192.0.2.1"), kMacC, false, Origin::kPermanent);
  snoop(ArpFrame{}.build());
  EXPECT_EQ(heard(ip("192.0.2.1")), kMacC);
}

TEST_F(Suppress, AdvertisementsAreHeardWithTheirRouterFlag) {
  snoop(Advertisement{.router = true}.build());
  EXPECT_EQ(heard(ip("2001:db8::2")), kMacB);
  EXPECT_EQ(neighbours_.find(kLink, ip("2001:db8::2"), kNow)->router, true);
  ASSERT_EQ(ask(solicitation("2001:db8::2")), Suppression::kAnswered);
  EXPECT_EQ(reply(), Advertisement{.router = true}.build()) << "what the owner said is said again";
}

TEST_F(Suppress, OverrideFlagDecidesWhetherAMacChanges) {
  know(ip("2001:db8::2"), kMacC, false);
  snoop(Advertisement{.overrides = false}.build());
  EXPECT_EQ(heard(ip("2001:db8::2")), kMacC);
  snoop(Advertisement{}.build());
  EXPECT_EQ(heard(ip("2001:db8::2")), kMacB);
}

TEST_F(Suppress, AdvertisementWithoutOverrideOnlyConfirms) {
  snoop(Advertisement{.overrides = false}.build());
  EXPECT_EQ(heard(ip("2001:db8::2")), kNoMac) << "no new neighbour";
  know(ip("2001:db8::2"), kMacB, false);
  snoop(Advertisement{.router = true, .overrides = false}.build());
  const auto found = neighbours_.find(kLink, ip("2001:db8::2"), kNow);
  EXPECT_EQ(found->updated, 0U);
  EXPECT_EQ(found->router, true);
}

TEST_F(Suppress, AnswerToAUnicastProbeRefreshes) {
  know(ip("2001:db8::2"), kMacB);
  EXPECT_EQ(neighbours_.find(kLink, ip("2001:db8::2"), kNow)->updated, kNow);
  snoop(Advertisement{.mac = std::nullopt}.build());
  EXPECT_EQ(neighbours_.find(kLink, ip("2001:db8::2"), kNow)->updated, 0U);
  know(ip("2001:db8::2"), kMacC);
  snoop(Advertisement{.mac = std::nullopt}.build());
  EXPECT_EQ(heard(ip("2001:db8::2")), kMacC) << "but says no MAC";
}

TEST_F(Suppress, SolicitationsTellTheSenderAndNotItsRouterFlag) {
  snoop(solicitation("2001:db8::2"));
  EXPECT_EQ(heard(ip("2001:db8::1")), kMacA);
  EXPECT_EQ(heard(ip("2001:db8::2")), kNoMac);
  EXPECT_EQ(neighbours_.find(kLink, ip("2001:db8::1"), kNow)->router, std::nullopt);
  know(ip("2001:db8::1"), kMacA, true);
  snoop(solicitation("2001:db8::2"));
  EXPECT_EQ(neighbours_.find(kLink, ip("2001:db8::1"), kNow)->router, true) << "RFC 4861 section 7.2.3";
}

TEST_F(Suppress, RouterAdvertisementsTellTheRouter) {
  RouterAdvertisement message;
  message.source_mac = kMacB;
  const NdFrame frame{.source = kMacB,
                      .destination = multicast_mac(ip6("ff02::1")),
                      .from = ip6("fe80::1"),
                      .to = ip6("ff02::1")};
  snoop(frame.build(message));
  EXPECT_EQ(heard(ip("fe80::1")), kMacB);
  EXPECT_EQ(neighbours_.find(kLink, ip("fe80::1"), kNow)->router, true);
}

TEST_F(Suppress, NdThatProvesNothingIsNotHeard) {
  snoop(detection("2001:db8::2"));
  snoop(solicits("2001:db8::2").build(NeighborSolicitation{ip6("2001:db8::2"), std::nullopt}));
  snoop(solicits("2001:db8::2").build(NeighborSolicitation{ip6("2001:db8::2"), kMacB}));
  snoop(Advertisement{.mac = kMacC}.build());
  NdFrame frame{.source = kMacB, .destination = kMacA, .from = ip6("2001:db8::2"), .to = ip6("2001:db8::1")};
  frame.hop_limit = 64;
  snoop(Advertisement{}.build_in(frame));
  frame.hop_limit = 255;
  frame.wrong_sum = true;
  snoop(Advertisement{}.build_in(frame));
  frame.wrong_sum = false;
  frame.extension = true;
  snoop(Advertisement{}.build_in(frame));
  frame.extension = false;
  frame.to = ip6("ff02::1");
  snoop(Advertisement{}.build_in(frame));  // solicited, yet to a group
  EXPECT_EQ(neighbours_.size(), 0U);
  snoop(Advertisement{.solicited = false}.build_in(frame));
  EXPECT_EQ(neighbours_.size(), 1U) << "an announcement";
}

TEST_F(Suppress, MappedIpv4IsNotHeardFromNd) {
  know(ip("192.0.2.2"), kMacC);
  snoop(Advertisement{.target = Ipv6(IpAddr(Ipv4(192, 0, 2, 2)).octets())}.build());
  EXPECT_EQ(heard(ip("192.0.2.2")), kMacC);
}

TEST_F(Suppress, WhatComesHereIsNoLongerHeard) {
  know(ip("192.0.2.1"), kMacB);
  know(ip("192.0.2.2"), kMacC);
  come_from_here(ArpFrame{.sender_ip = Ipv4()}.build());
  EXPECT_EQ(heard(ip("192.0.2.1")), kMacB) << "a probe claims nothing";
  come_from_here(ArpFrame{}.build());
  EXPECT_EQ(heard(ip("192.0.2.1")), kNoMac);
  EXPECT_EQ(heard(ip("192.0.2.2")), kMacC);

  know(ip("2001:db8::2"), kMacC);
  come_from_here(Advertisement{.overrides = false}.build());
  EXPECT_EQ(heard(ip("2001:db8::2")), kMacC) << "an anycast address has several owners";
  come_from_here(Advertisement{}.build());
  EXPECT_EQ(heard(ip("2001:db8::2")), kNoMac);

  know(ip("192.0.2.1"), kMacB, false, Origin::kPermanent);
  come_from_here(ArpFrame{}.build());
  EXPECT_EQ(heard(ip("192.0.2.1")), kMacB) << "what was entered stays";
}

// --- hostile bytes

TEST_F(Suppress, MutatedFramesAreNeverAnsweredWrongly) {
  know(ip("192.0.2.2"), kMacB);
  know(ip("2001:db8::2"), kMacB, true);
  const std::vector<Bytes> seeds = {
      ArpFrame{}.build(),
      ArpFrame{.sender_ip = Ipv4()}.build(),
      ArpFrame{.tagged = true}.build(),
      solicitation("2001:db8::2"),
      detection("2001:db8::2"),
      Advertisement{}.build(),
  };
  std::mt19937_64 random(7);
  int answered = 0;
  for (int i = 0; i < 60'000; ++i) {
    const Bytes& seed = seeds[test::pick(random, 0, static_cast<std::uint32_t>(seeds.size() - 1))];
    const std::size_t size = test::pick(random, 0, 2) == 0
                                 ? test::pick(random, 0, static_cast<std::uint32_t>(seed.size()))
                                 : seed.size();
    test::TestPackets packets;
    Packet& frame = packets.add(ByteView(seed).first(size), 0);
    for (std::uint32_t n = test::pick(random, 0, 3); n > 0 && size > 0; --n) {
      frame.data()[test::pick(random, 0, static_cast<std::uint32_t>(size - 1))] =
          static_cast<std::uint8_t>(random());
    }
    const Layers layers = classify(frame.view());
    Bytes buffer(kMaxReply, 0xee);
    Packet answer(buffer, 0);
    const auto is_remote = [](MacAddr) { return true; };
    const Suppression verdict =
        suppress(neighbours_, kLink, frame.view(), layers, kNow, is_remote, answer, &missed_);
    ASSERT_EQ(verdict == Suppression::kAnswered, answer.size() != 0);
    if (verdict == Suppression::kAnswered) {
      ++answered;
      const EthernetView ethernet = *EthernetView::parse(answer.view());
      ASSERT_EQ(ethernet.source(), kMacB);
      ASSERT_TRUE(answer.size() == 42 || answer.size() == 86);
      ASSERT_NE(ethernet.destination(), kBroadcastMac);
    }
    Neighbours others({});
    snoop_neighbours(others, kLink, frame.view(), layers, kNow);
    for (const Neighbour& one : others.list({}, kNow)) {
      ASSERT_TRUE(is_station_address(one.ip));
      ASSERT_EQ(one.mac, EthernetView::parse(frame.view())->source());
    }
    forget_local_neighbours(others, kLink, frame.view(), layers);
    ASSERT_EQ(others.size(), 0U);
  }
  EXPECT_GT(answered, 1000);
}

}  // namespace
}  // namespace vtep
