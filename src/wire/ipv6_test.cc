#include "wire/ipv6.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "wire/golden_frames.h"
#include "wire/ip_protocol.h"

namespace vtep {
namespace {

Ipv6View datagram(std::string_view name) {
  return *Ipv6View::parse(golden_frame(name).subspan(14));
}

TEST(Ipv6View, ReadsACapturedHeader) {
  const auto view = Ipv6View::parse(golden_inner_frame("router-solicitation").subspan(14));
  ASSERT_TRUE(view);
  EXPECT_EQ(view->source().to_string(), "fe80::a0c7:a1ff:fea5:e5ec");
  EXPECT_EQ(view->destination().to_string(), "ff02::2");
  EXPECT_EQ(view->next_header(), kProtocolIcmpv6);
  EXPECT_EQ(view->hop_limit(), 255);
  EXPECT_EQ(view->payload_length(), 16);
  EXPECT_EQ(view->payload().size(), 16U);
  EXPECT_EQ(view->upper(), (Ipv6Upper{.protocol = kProtocolIcmpv6, .offset = 0, .fragment = false}));
}

TEST(Ipv6View, KeepsTheFirstWordApart) {
  const Ipv6View view = datagram("udp6-fields");
  EXPECT_EQ(view.traffic_class(), 0xb8);
  EXPECT_EQ(view.flow_label(), *FlowLabel::from(0xabcde));
  EXPECT_EQ(view.hop_limit(), 1);
}

TEST(Ipv6View, ComparesThePayloadLengthWithWhatIsThere) {
  EXPECT_TRUE(datagram("ipv6-truncated").is_truncated());
  EXPECT_EQ(datagram("ipv6-truncated").payload().size(), 15U);
  EXPECT_FALSE(datagram("udp6").is_truncated());
}

TEST(Ipv6View, RefusesImpossibleHeaders) {
  EXPECT_FALSE(Ipv6View::parse(golden_frame("ipv6-cut-off").subspan(14)));
  EXPECT_FALSE(Ipv6View::parse(golden_frame("udp4-first-fragment").subspan(14)));
}

TEST(ExtensionHeaders, AreWalked) {
  EXPECT_EQ(datagram("udp6-extension-headers").upper(),
            (Ipv6Upper{.protocol = kProtocolUdp, .offset = 24, .fragment = false}));
  EXPECT_EQ(datagram("udp6-routing-header").upper(),
            (Ipv6Upper{.protocol = kProtocolUdp, .offset = 24, .fragment = false}));
  // Its length counts in other units than that of the rest.
  EXPECT_EQ(datagram("ipv6-authentication-header").upper(),
            (Ipv6Upper{.protocol = kProtocolUdp, .offset = 24, .fragment = false}));
  EXPECT_EQ(Ipv6View::parse(golden_inner_frame("mldv2-report").subspan(14))->upper(),
            (Ipv6Upper{.protocol = kProtocolIcmpv6, .offset = 8, .fragment = false}));
}

TEST(ExtensionHeaders, OfFragments) {
  EXPECT_EQ(datagram("udp6-first-fragment").upper(),
            (Ipv6Upper{.protocol = kProtocolUdp, .offset = 8, .fragment = true}));
  EXPECT_EQ(datagram("udp6-later-fragment").upper(),
            (Ipv6Upper{.protocol = kProtocolUdp, .offset = {}, .fragment = true}));
  EXPECT_EQ(datagram("udp6-atomic-fragment").upper(),
            (Ipv6Upper{.protocol = kProtocolUdp, .offset = 8, .fragment = false}));
}

TEST(ExtensionHeaders, EndWhereTheChainBreaks) {
  EXPECT_EQ(datagram("ipv6-no-next-header").upper(),
            (Ipv6Upper{.protocol = kProtocolNoNextHeader, .offset = {}, .fragment = false}));
  EXPECT_EQ(datagram("ipv6-extension-header-cut-off").upper(),
            (Ipv6Upper{.protocol = kProtocolHopByHop, .offset = {}, .fragment = false}));
  EXPECT_EQ(datagram("ipv6-too-many-extension-headers").upper(),
            (Ipv6Upper{.protocol = kProtocolDestinationOptions, .offset = {}, .fragment = false}));
}

TEST(ExtensionHeaders, AreBounded) {
  for (int count = 0; count <= kMaxExtensionHeaders + 1; ++count) {
    std::vector<std::uint8_t> payload;
    for (int i = 0; i < count; ++i) {
      const std::uint8_t next = i + 1 == count ? kProtocolUdp : kProtocolDestinationOptions;
      payload.insert(payload.end(), {next, 0, 1, 4, 0, 0, 0, 0});
    }
    const std::uint8_t first = count == 0 ? kProtocolUdp : kProtocolDestinationOptions;
    EXPECT_EQ(walk_extension_headers(first, payload).offset.has_value(), count <= kMaxExtensionHeaders)
        << count;
  }
}

TEST(Ipv6Header, SurvivesEmitAndParse) {
  const Ipv6Header header{.source = *Ipv6::parse("2001:db8::1"),
                          .destination = *Ipv6::parse("ff0e::ffff"),
                          .next_header = 253,
                          .hop_limit = 255,
                          .traffic_class = 0xa5,
                          .flow_label = *FlowLabel::from(0xfedcb)};
  for (const std::size_t payload : {std::size_t{0}, std::size_t{1460}, Ipv6Header::kMaxPayload}) {
    std::vector<std::uint8_t> out(Ipv6Header::kSize + payload, 0xff);
    header.emit(out);
    const auto view = Ipv6View::parse(out);
    ASSERT_TRUE(view);
    EXPECT_EQ(view->header(), header);
    EXPECT_EQ(view->payload().size(), payload);
  }
}

TEST(Ipv6Header, EmitsWhatTheKernelSent) {
  const ByteView captured = golden_inner_frame("icmpv6-echo-request").subspan(14);
  std::vector<std::uint8_t> out(captured.size(), 0xff);
  Ipv6View::parse(captured)->header().emit(out);
  EXPECT_TRUE(std::equal(out.begin(), out.begin() + 40, captured.begin()));
}

TEST(FlowLabel, HasTwentyBits) {
  EXPECT_TRUE(FlowLabel::from(0xfffff));
  EXPECT_FALSE(FlowLabel::from(0x100000));
}

}  // namespace
}  // namespace vtep
