#include "io/route_message.h"

#include <gtest/gtest.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <random>

#include "io/test_netlink_payload.h"

namespace vtep {
namespace {

using Bytes = NetlinkPayload::Bytes;

rtmsg header_of(std::uint8_t family, std::uint8_t length) {
  rtmsg header{};
  header.rtm_family = family;
  header.rtm_dst_len = length;
  header.rtm_table = RT_TABLE_MAIN;
  header.rtm_protocol = kRouteProtocol;
  header.rtm_type = RTN_UNICAST;
  return header;
}

NetlinkPayload message(const Prefix& destination) {
  const bool is_v4 = destination.address().is_v4();
  NetlinkPayload payload(
      header_of(is_v4 ? AF_INET : AF_INET6, static_cast<std::uint8_t>(destination.length())));
  payload.add_ip(RTA_DST, destination.address());
  return payload;
}

Bytes number(std::uint32_t value) {
  return NetlinkPayload::bytes_of(value);
}

const Prefix kSubnet = *Prefix::parse("10.244.1.0/24");
const Prefix kSubnet6 = *Prefix::parse("fd00:1::/64");
const IpAddr kGateway = Ipv4(10, 244, 1, 0);

NetlinkPayload complete() {
  rtmsg header = header_of(AF_INET, 24);
  header.rtm_flags = RTNH_F_ONLINK;
  NetlinkPayload payload(header);
  payload.add(RTA_TABLE, number(RT_TABLE_MAIN)).add_ip(RTA_DST, kSubnet.address());
  payload.add_ip(RTA_GATEWAY, kGateway).add(RTA_OIF, number(7)).add(RTA_PRIORITY, number(5));
  return payload;
}

TEST(RouteMessage, ReadsARouteThroughAGateway) {
  const auto message = parse_route(complete().bytes());
  ASSERT_TRUE(message);
  EXPECT_EQ(message->table, RT_TABLE_MAIN);
  EXPECT_EQ(
      message->route,
      (HostRoute{
          .destination = kSubnet, .gateway = kGateway, .device = IfIndex(7), .onlink = true, .metric = 5}));
}

TEST(RouteMessage, NoMetricOfIpv6IsTheDefault) {
  EXPECT_EQ(parse_route(message(kSubnet6).add(RTA_PRIORITY, number(1024)).bytes())->route,
            HostRoute{.destination = kSubnet6});
  EXPECT_EQ(parse_route(message(kSubnet6).add(RTA_PRIORITY, number(1023)).bytes())->route.metric, 1023U);
  EXPECT_EQ(parse_route(message(kSubnet).add(RTA_PRIORITY, number(1024)).bytes())->route.metric, 1024U);
}

TEST(RouteMessage, TheDefaultRouteHasNoDestinationInItsMessage) {
  EXPECT_EQ(parse_route(NetlinkPayload(header_of(AF_INET, 0)).bytes())->route.destination,
            Prefix::parse("0.0.0.0/0"));
  EXPECT_EQ(parse_route(NetlinkPayload(header_of(AF_INET6, 0)).bytes())->route.destination,
            Prefix::parse("::/0"));
  EXPECT_FALSE(parse_route(NetlinkPayload(header_of(AF_INET, 24)).bytes())) << "not any other's";
}

TEST(RouteMessage, TheTableMayBeBeyondTheHeadersByte) {
  EXPECT_EQ(parse_route(message(kSubnet).add(RTA_TABLE, number(1000)).bytes())->table, 1000U);
}

TEST(RouteMessage, AGatewayMayBeOfTheOtherFamily) {
  const IpAddr gateway = *IpAddr::parse("fe80::1");
  Bytes via = NetlinkPayload::bytes_of(std::uint16_t{AF_INET6});
  via.insert(via.end(), gateway.octets().begin(), gateway.octets().end());
  EXPECT_EQ(parse_route(message(kSubnet).add(RTA_VIA, via).bytes())->route.gateway, gateway);
  EXPECT_FALSE(parse_route(message(kSubnet).add(RTA_VIA, {AF_INET6}).bytes())->route.gateway);
}

TEST(RouteMessage, ARouteOverSeveralHopsIsNoneOverTheFirst) {
  const auto message = parse_route(complete().add(RTA_MULTIPATH, Bytes(16)).bytes());
  ASSERT_TRUE(message);
  EXPECT_FALSE(message->route.gateway);
  EXPECT_FALSE(message->route.device.is_set());
}

TEST(RouteMessage, RefusesWhatIsKeptApart) {
  rtmsg header = header_of(AF_INET, 0);
  EXPECT_TRUE(parse_route(NetlinkPayload(header).bytes()));
  header.rtm_tos = 4;
  EXPECT_FALSE(parse_route(NetlinkPayload(header).bytes()));
  header = header_of(AF_INET6, 0);
  header.rtm_src_len = 64;
  EXPECT_FALSE(parse_route(NetlinkPayload(header).bytes()));
  header = header_of(AF_INET6, 0);
  header.rtm_flags = RTM_F_CLONED;
  EXPECT_FALSE(parse_route(NetlinkPayload(header).bytes()));
  EXPECT_FALSE(parse_route(NetlinkPayload(header_of(AF_MPLS, 0)).bytes()));
}

TEST(RouteMessage, RefusesDamage) {
  EXPECT_FALSE(parse_route({}));
  EXPECT_FALSE(parse_route(NetlinkPayload(header_of(AF_INET, 33)).add_ip(RTA_DST, kGateway).bytes()));
  EXPECT_FALSE(parse_route(NetlinkPayload(header_of(AF_INET6, 24)).add_ip(RTA_DST, kGateway).bytes()));
  Bytes beyond = message(kSubnet).bytes();
  beyond[sizeof(rtmsg)] = 9;
  EXPECT_FALSE(parse_route(beyond)) << "a length beyond the end";
}

/// In buffers of their own size: ASan sees one byte too many.
TEST(RouteMessage, NeverReadsBeyondWhatItGets) {
  const Bytes whole = complete().add(RTA_VIA, {AF_INET, 0, 10, 0, 0, 1}).bytes();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    parse_route(Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)));
  }
  std::mt19937 random(1);
  for (int round = 0; round < 20000; ++round) {
    Bytes changed = whole;
    for (int i = 0; i < 3; ++i) changed[random() % changed.size()] = static_cast<std::uint8_t>(random());
    changed.resize(random() % (changed.size() + 1));
    const auto message = parse_route(changed);
    if (!message) continue;
    const Prefix& destination = message->route.destination;
    EXPECT_LE(destination.length(), destination.address().is_v4() ? 32U : 128U);
  }
}

TEST(HostRoute, IsWrittenAsIpRouteDoes) {
  HostRoute route{.destination = kSubnet, .gateway = kGateway, .device = IfIndex(7), .onlink = true};
  EXPECT_EQ(to_string(route, "flannel.6000"), "10.244.1.0/24 via 10.244.1.0 dev flannel.6000");
  route = {.destination = kSubnet6, .metric = 5};
  EXPECT_EQ(to_string(route, ""), "fd00:1::/64 metric 5");
}

}  // namespace
}  // namespace vtep
