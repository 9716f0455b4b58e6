#include "wire/layers.h"

#include <gtest/gtest.h>

#include <vector>

#include "wire/ethertype.h"
#include "wire/golden_frames.h"
#include "wire/ip_protocol.h"

namespace vtep {
namespace {

using Ip = Layers::Ip;

Layers of(std::string_view name) {
  return classify(golden_frame(name));
}

TEST(Classify, FindsTheLayersOfOrdinaryFrames) {
  EXPECT_EQ(of("udp4"), (Layers{.ethertype = kEthertypeIpv4,
                                .vlan_tags = 0,
                                .ip = Ip::kV4,
                                .fragment = false,
                                .protocol = kProtocolUdp,
                                .l3 = 14,
                                .l4 = 34,
                                .end = 49}));
  EXPECT_EQ(of("tcp-ipv6"), (Layers{.ethertype = kEthertypeIpv6,
                                    .vlan_tags = 0,
                                    .ip = Ip::kV6,
                                    .fragment = false,
                                    .protocol = kProtocolTcp,
                                    .l3 = 14,
                                    .l4 = 54,
                                    .end = 77}));
  EXPECT_EQ(of("icmp-echo").l4, 34);
  EXPECT_EQ(of("neighbor-solicitation-unicast").l4, 54);
  EXPECT_EQ(of("udp4-options").l4, 38);
  EXPECT_EQ(of("tcp-super-frame").end, 8054U);
}

TEST(Classify, LooksBehindTwoTags) {
  const Layers stacked = of("vlan-stacked");
  EXPECT_EQ(stacked.vlan_tags, 2);
  EXPECT_EQ(stacked.ethertype, kEthertypeIpv4);
  EXPECT_EQ(stacked.l3, 22);
  EXPECT_EQ(stacked.l4, 42);
  EXPECT_EQ(stacked.end, 57U);
  EXPECT_EQ(of("vlan-arp").ethertype, kEthertypeArp);

  const Layers three = of("vlan-three-tags");
  EXPECT_EQ(three.vlan_tags, 2);
  EXPECT_EQ(three.ethertype, kEthertypeVlan);
  EXPECT_EQ(three.ip, Ip::kNone);

  const Layers cut = of("vlan-cut-off");
  EXPECT_EQ(cut.vlan_tags, 0);
  EXPECT_EQ(cut.ethertype, kEthertypeVlan);
}

TEST(Classify, TellsFragments) {
  const Layers first = of("udp4-first-fragment");
  EXPECT_TRUE(first.fragment);
  EXPECT_EQ(first.l4, 34);
  const Layers later = of("udp4-later-fragment");
  EXPECT_TRUE(later.fragment);
  EXPECT_EQ(later.protocol, kProtocolUdp);
  EXPECT_EQ(later.l4, 0);
  EXPECT_TRUE(of("udp6-first-fragment").fragment);
  EXPECT_EQ(of("udp6-first-fragment").l4, 62);
  EXPECT_TRUE(of("udp6-later-fragment").fragment);
  EXPECT_EQ(of("udp6-later-fragment").l4, 0);
  EXPECT_FALSE(of("udp6-atomic-fragment").fragment);
  EXPECT_EQ(of("udp6-atomic-fragment").l4, 62);
}

TEST(Classify, WalksExtensionHeaders) {
  const Layers walked = of("udp6-extension-headers");
  EXPECT_EQ(walked.protocol, kProtocolUdp);
  EXPECT_EQ(walked.l4, 14 + 40 + 24);
  EXPECT_EQ(of("ipv6-too-many-extension-headers").l4, 0);
  EXPECT_EQ(of("ipv6-extension-header-cut-off").l4, 0);
  EXPECT_EQ(of("ipv6-no-next-header").protocol, kProtocolNoNextHeader);
}

TEST(Classify, EndsWhereTheIpHeaderSays) {
  EXPECT_EQ(of("udp4-padded").end, 49U);
  EXPECT_EQ(golden_frame("udp4-padded").size(), 60U);
  EXPECT_EQ(of("ipv4-truncated").end, golden_frame("ipv4-truncated").size());
  EXPECT_EQ(of("ipv6-truncated").end, golden_frame("ipv6-truncated").size());
}

TEST(Classify, FindsNoIpWhereThereIsNone) {
  for (const char* name :
       {"arp-padded", "ipv4-bad-header-length", "ipv4-wrong-version", "ipv4-cut-off", "ipv6-cut-off",
        "ipv4-total-length-too-small", "unknown-ethertype", "spanning-tree", "ethernet-only"}) {
    const Layers layers = of(name);
    EXPECT_EQ(layers.ip, Ip::kNone) << name;
    EXPECT_EQ(layers.l3, 14) << name;
    EXPECT_EQ(layers.l4, 0) << name;
    EXPECT_EQ(layers.end, golden_frame(name).size()) << name;
  }
  EXPECT_EQ(classify(golden_frame("udp4").first(13)), (Layers{.ethertype = 0,
                                                              .vlan_tags = 0,
                                                              .ip = Ip::kNone,
                                                              .fragment = false,
                                                              .protocol = 0,
                                                              .l3 = 0,
                                                              .l4 = 0,
                                                              .end = 13}));
  EXPECT_EQ(classify({}), Layers());
}

TEST(Classify, FindsNoLayer4WhereItsHeaderIsCutOff) {
  for (const char* name : {"udp4-cut-off", "tcp-cut-off", "tcp-options-cut-off", "tcp-bad-data-offset",
                           "icmp-cut-off", "icmpv6-cut-off"}) {
    EXPECT_NE(of(name).ip, Ip::kNone) << name;
    EXPECT_EQ(of(name).l4, 0) << name;
  }
  for (const char* name : {"gre", "ipv4-unknown-protocol", "ipv6-unknown-protocol"})
    EXPECT_EQ(of(name).l4, 0) << name;
}

// Two protocols whose numbers mean something in the other family only.
TEST(Classify, KeepsTheIcmpsApart) {
  const auto with_protocol = [](std::string_view name, std::size_t at, std::uint8_t protocol) {
    const ByteView good = golden_frame(name);
    std::vector<std::uint8_t> frame(good.begin(), good.end());
    frame[at] = protocol;
    return classify(frame);
  };
  EXPECT_EQ(with_protocol("icmp-echo", 14 + 9, kProtocolIcmpv6).l4, 0);
  EXPECT_EQ(with_protocol("neighbor-solicitation-unicast", 14 + 6, kProtocolIcmp).l4, 0);
}

}  // namespace
}  // namespace vtep
