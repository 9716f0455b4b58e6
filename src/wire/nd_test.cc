#include "wire/nd.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "wire/checksum.h"
#include "wire/golden_frames.h"
#include "wire/ip_protocol.h"

namespace vtep {
namespace {

const MacAddr kA({2, 0, 0, 0, 0, 0x0a});
const Ipv6 kB6 = *Ipv6::parse("2001:db8::2");

/// An IPv6 datagram with an ICMPv6 message right behind the header.
struct Message {
  explicit Message(ByteView frame)
      : datagram(frame.subspan(14)),
        packet(*Ipv6View::parse(datagram)),
        icmp(*Icmpv6View::parse(packet.payload())) {}
  std::uint64_t pseudo_sum() const {
    return pseudo_header_sum(packet.source(), packet.destination(), kProtocolIcmpv6,
                             static_cast<std::uint32_t>(icmp.size()));
  }
  ByteView datagram;
  Ipv6View packet;
  Icmpv6View icmp;
};

/// What parse() makes of a message is emitted byte by byte as it was.
template <typename Value>
void expect_same_bytes(const Message& message) {
  const auto value = Value::parse(message.icmp);
  ASSERT_TRUE(value);
  std::vector<std::uint8_t> out(value->size(), 0xff);
  value->emit(out, message.pseudo_sum());
  const ByteView expected = message.packet.payload();
  EXPECT_TRUE(std::equal(out.begin(), out.end(), expected.begin(), expected.end()));
}

TEST(NeighborDiscovery, ReadsAndEmitsWhatTheKernelSent) {
  const Message router(golden_inner_frame("router-solicitation"));
  EXPECT_EQ(RouterSolicitation::parse(router.icmp)->source_mac, MacAddr::parse("a2:c7:a1:a5:e5:ec"));
  expect_same_bytes<RouterSolicitation>(router);

  const Message solicitation(golden_inner_frame("neighbor-solicitation"));
  EXPECT_EQ(NeighborSolicitation::parse(solicitation.icmp)->target,
            *Ipv6::parse("fe80::607a:e6ff:fe8f:bc5c"));
  EXPECT_EQ(NeighborSolicitation::parse(solicitation.icmp)->source_mac, MacAddr::parse("4a:bd:99:0c:09:b2"));
  expect_same_bytes<NeighborSolicitation>(solicitation);

  const Message advertisement(golden_inner_frame("neighbor-advertisement"));
  EXPECT_EQ(NeighborAdvertisement::parse(advertisement.icmp),
            (NeighborAdvertisement{.target = *Ipv6::parse("fe80::607a:e6ff:fe8f:bc5c"),
                                   .router = false,
                                   .solicited = true,
                                   .override_cache = true,
                                   .target_mac = MacAddr::parse("62:7a:e6:8f:bc:5c")}));
  expect_same_bytes<NeighborAdvertisement>(advertisement);

  const Message short_one(golden_inner_frame("neighbor-advertisement-without-option"));
  EXPECT_FALSE(NeighborAdvertisement::parse(short_one.icmp)->target_mac);
  expect_same_bytes<NeighborAdvertisement>(short_one);
}

TEST(NeighborDiscovery, ReadsARouterAdvertisementPastUnknownOptions) {
  const Message message(golden_frame("router-advertisement"));
  EXPECT_EQ(RouterAdvertisement::parse(message.icmp), (RouterAdvertisement{.hop_limit = 0,
                                                                           .managed = true,
                                                                           .other = true,
                                                                           .router_lifetime = 1800,
                                                                           .reachable_time = 5,
                                                                           .retrans_timer = 6,
                                                                           .source_mac = kA}));
}

TEST(NeighborDiscovery, SurvivesEmitAndParse) {
  const auto survives = [](const auto& value) {
    std::vector<std::uint8_t> out(value.size(), 0xff);
    value.emit(out, 0x1234);
    const auto view = Icmpv6View::parse(out);
    EXPECT_TRUE(view->is_checksum_right(0x1234));
    EXPECT_EQ(std::remove_cvref_t<decltype(value)>::parse(*view), value);
  };
  for (const std::optional<MacAddr>& mac : {std::optional<MacAddr>(), std::optional(kA)}) {
    survives(RouterSolicitation{mac});
    survives(NeighborSolicitation{kB6, mac});
    for (const int flags : {0, 1, 2, 4, 7}) {
      survives(NeighborAdvertisement{kB6, (flags & 1) != 0, (flags & 2) != 0, (flags & 4) != 0, mac});
    }
    survives(RouterAdvertisement{64, true, false, 0xffff, 0xfffffffe, 0x01020304, mac});
    survives(RouterAdvertisement{255, false, true, 0, 0, 0, mac});
  }
}

TEST(NeighborDiscovery, RefusesMalformedMessages) {
  EXPECT_FALSE(
      NeighborSolicitation::parse(Message(golden_frame("neighbor-solicitation-zero-length-option")).icmp));

  const Message good(golden_frame("neighbor-solicitation-unicast"));
  EXPECT_TRUE(NeighborSolicitation::parse(good.icmp));
  EXPECT_FALSE(NeighborAdvertisement::parse(good.icmp));  // another type
  const ByteView bytes = good.packet.payload();
  for (std::size_t size = Icmpv6Header::kSize; size < bytes.size(); ++size) {
    const bool is_whole = size == 24;  // without its option
    EXPECT_EQ(NeighborSolicitation::parse(*Icmpv6View::parse(bytes.first(size))).has_value(), is_whole)
        << size;
  }

  std::vector<std::uint8_t> changed(bytes.begin(), bytes.end());
  changed[1] = 1;  // code
  EXPECT_FALSE(NeighborSolicitation::parse(*Icmpv6View::parse(changed)));
  changed[1] = 0;
  changed[8] = 0xff;  // a multicast target
  EXPECT_FALSE(NeighborSolicitation::parse(*Icmpv6View::parse(changed)));
}

TEST(IsValidNd, AcceptsWhatTheKernelSent) {
  for (const char* name : {"router-solicitation", "neighbor-solicitation", "neighbor-solicitation-dad",
                           "neighbor-advertisement", "neighbor-advertisement-without-option"}) {
    const Message message(golden_inner_frame(name));
    EXPECT_TRUE(is_valid_nd(message.packet, message.icmp)) << name;
  }
}

TEST(IsValidNd, RefusesWhatCameThroughARouterOrWasDamaged) {
  const Message routed(golden_frame("neighbor-solicitation-hop-limit"));
  EXPECT_TRUE(NeighborSolicitation::parse(routed.icmp));
  EXPECT_FALSE(is_valid_nd(routed.packet, routed.icmp));

  const ByteView good = golden_frame("neighbor-solicitation-unicast");
  std::vector<std::uint8_t> damaged(good.begin(), good.end());
  ++damaged.back();
  const Message message(damaged);
  EXPECT_TRUE(is_valid_nd(Message(good).packet, Message(good).icmp));
  EXPECT_FALSE(is_valid_nd(message.packet, message.icmp));

  const Message echo(golden_inner_frame("icmpv6-echo-request"));
  EXPECT_FALSE(is_valid_nd(echo.packet, echo.icmp));
}

/// A datagram from `source` to `destination` with `value` in it, as a sender of whatever intent would build
/// it.
template <typename Value>
bool is_valid(const Value& value, const Ipv6& source, const Ipv6& destination) {
  std::vector<std::uint8_t> datagram(Ipv6Header::kSize + value.size(), 0xff);
  const Ipv6Header header{.source = source,
                          .destination = destination,
                          .next_header = kProtocolIcmpv6,
                          .hop_limit = 255,
                          .traffic_class = 0,
                          .flow_label = {}};
  header.emit(datagram);
  const ByteSpan message = ByteSpan(datagram).subspan(Ipv6Header::kSize);
  value.emit(message, pseudo_header_sum(source, destination, kProtocolIcmpv6,
                                        static_cast<std::uint32_t>(value.size())));
  return is_valid_nd(*Ipv6View::parse(datagram), *Icmpv6View::parse(message));
}

TEST(IsValidNd, KnowsWhichAddressesGoTogether) {
  const Ipv6 unspecified;
  const Ipv6 link_local = *Ipv6::parse("fe80::1");
  const Ipv6 all_nodes = *Ipv6::parse("ff02::1");
  const Ipv6 all_routers = *Ipv6::parse("ff02::2");

  EXPECT_TRUE(is_valid(RouterSolicitation{{}}, unspecified, all_routers));
  EXPECT_FALSE(is_valid(RouterSolicitation{kA}, unspecified, all_routers));

  EXPECT_TRUE(is_valid(RouterAdvertisement{}, link_local, all_nodes));
  EXPECT_FALSE(is_valid(RouterAdvertisement{}, *Ipv6::parse("2001:db8::1"), all_nodes));

  EXPECT_TRUE(is_valid(NeighborSolicitation{kB6, {}}, unspecified, *Ipv6::parse("ff02::1:ff00:2")));
  EXPECT_FALSE(is_valid(NeighborSolicitation{kB6, {}}, unspecified, *Ipv6::parse("ff02::1:ff00:3")));
  EXPECT_FALSE(is_valid(NeighborSolicitation{kB6, kA}, unspecified, *Ipv6::parse("ff02::1:ff00:2")));

  NeighborAdvertisement advertisement{.target = kB6, .solicited = true, .target_mac = kA};
  EXPECT_FALSE(is_valid(advertisement, kB6, all_nodes));
  EXPECT_TRUE(is_valid(advertisement, kB6, link_local));
  advertisement.solicited = false;
  EXPECT_TRUE(is_valid(advertisement, kB6, all_nodes));
}

}  // namespace
}  // namespace vtep
