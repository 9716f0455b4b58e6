#include "control/evpn_route.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "gobgp/api.pb.h"

namespace vtep {
namespace {

namespace pb = apipb;
using testing::HasSubstr;

const RouteDistinguisher kRd = *RouteTarget::parse("10.0.0.1:2");
const MacAddr kMac = *MacAddr::parse("02:00:00:00:00:01");

EvpnRoute mac_route() {
  return {.kind = EvpnRoute::Kind::kMac,
          .distinguisher = kRd,
          .mac = kMac,
          .vni = 6000_vni,
          .vtep = Ipv4(10, 0, 0, 1),
          .targets = {*RouteTarget::parse("65000:6000")}};
}

EvpnRoute multicast_route() {
  return {.kind = EvpnRoute::Kind::kMulticast,
          .distinguisher = kRd,
          .ip = Ipv4(10, 0, 0, 1),
          .vni = 6000_vni,
          .vtep = Ipv4(10, 0, 0, 1),
          .targets = {*RouteTarget::parse("65000:6000"), *RouteTarget::parse("10.0.0.1:7"),
                      *RouteTarget::parse("70000:8")}};
}

EvpnRoute prefix_route() {
  return {.kind = EvpnRoute::Kind::kPrefix,
          .distinguisher = *RouteTarget::parse("65000:9"),
          .prefix = *Prefix::parse("192.168.7.0/24"),
          .vni = 50_vni,
          .vtep = Ipv4(10, 0, 0, 1),
          .targets = {*RouteTarget::parse("65000:50")},
          .router_mac = kMac};
}

void expect_same(const EvpnRoute& route) {
  const auto read = EvpnRoute::from_path(route.to_path());
  ASSERT_TRUE(read) << read.error().message;
  ASSERT_TRUE(read->has_value());
  EXPECT_EQ(**read, route) << route.key();
}

TEST(EvpnRoute, IsReadAsItIsWritten) {
  expect_same(mac_route());
  expect_same(multicast_route());
  expect_same(prefix_route());
  EvpnRoute moved = mac_route();
  moved.ip = *IpAddr::parse("fd00::5");
  moved.router = true;
  moved.sequence = 7;
  moved.sticky = true;
  moved.tag = 5;
  moved.distinguisher = *RouteTarget::parse("70000:1");
  expect_same(moved);
  EvpnRoute six = multicast_route();
  six.vtep = *IpAddr::parse("fd00:84::1");
  six.ip = six.vtep;
  expect_same(six);
}

TEST(EvpnRoute, NamesWhatItIsAbout) {
  EXPECT_EQ(mac_route().key(), "[2]:[10.0.0.1:2]:[0]:[02:00:00:00:00:01]:[]");
  EXPECT_EQ(multicast_route().key(), "[3]:[10.0.0.1:2]:[0]:[10.0.0.1]");
  EXPECT_EQ(prefix_route().key(), "[5]:[65000:9]:[0]:[192.168.7.0/24]");
  EXPECT_EQ(EvpnRoute::describe(mac_route().to_path()), mac_route().key());
  pb::Path other;
  other.mutable_nlri()->set_type_url("type.googleapis.com/apipb.IPAddressPrefix");
  EXPECT_EQ(EvpnRoute::describe(other), "apipb.IPAddressPrefix");
}

TEST(EvpnRoute, AWithdrawalHasOnlyWhatItIsAbout) {
  for (const EvpnRoute& route : {mac_route(), multicast_route(), prefix_route()}) {
    pb::Path path = route.to_path();
    path.clear_pattrs();
    path.set_is_withdraw(true);
    const auto read = EvpnRoute::from_path(path);
    ASSERT_TRUE(read && *read) << route.key();
    EXPECT_EQ((*read)->key(), route.key());
  }
}

TEST(EvpnRoute, OtherKindsAreNoneOfOurBusiness) {
  pb::Path path;
  path.mutable_nlri()->set_type_url("type.googleapis.com/apipb.EVPNEthernetAutoDiscoveryRoute");
  const auto read = EvpnRoute::from_path(path);
  ASSERT_TRUE(read);
  EXPECT_FALSE(read->has_value());
}

template <typename Nlri>
pb::Path with_nlri(const EvpnRoute& route, const std::function<void(Nlri&)>& change) {
  pb::Path path = route.to_path();
  Nlri nlri;
  path.nlri().UnpackTo(&nlri);
  change(nlri);
  path.mutable_nlri()->PackFrom(nlri);
  return path;
}

template <typename Attribute>
pb::Path with_attribute(const EvpnRoute& route, const std::function<void(Attribute&)>& change) {
  pb::Path path = route.to_path();
  for (auto& any : *path.mutable_pattrs()) {
    Attribute attribute;
    if (!any.Is<Attribute>()) continue;
    any.UnpackTo(&attribute);
    change(attribute);
    any.PackFrom(attribute);
  }
  return path;
}

template <typename Attribute>
pb::Path without_attribute(const EvpnRoute& route) {
  const pb::Path whole = route.to_path();
  pb::Path path = whole;
  path.clear_pattrs();
  for (const auto& any : whole.pattrs()) {
    if (!any.Is<Attribute>()) *path.add_pattrs() = any;
  }
  return path;
}

std::string why(const pb::Path& path) {
  const auto read = EvpnRoute::from_path(path);
  return read ? "" : read.error().message;
}

TEST(EvpnRoute, WhatMakesNoSenseIsRefusedByName) {
  using Mac = pb::EVPNMACIPAdvertisementRoute;
  using Prefix5 = pb::EVPNIPPrefixRoute;
  const auto mac = [](const std::function<void(Mac&)>& change) {
    return why(with_nlri<Mac>(mac_route(), change));
  };
  EXPECT_THAT(mac([](Mac& m) { m.set_mac_address("ff:ff:ff:ff:ff:ff"); }),
              HasSubstr("no address of a station"));
  EXPECT_THAT(mac([](Mac& m) { m.set_mac_address("\x1b[2J"); }), HasSubstr("\"?[2J\" is no address"));
  EXPECT_THAT(mac([](Mac& m) { m.set_ip_address("239.1.1.1"); }), HasSubstr("no address of a host"));
  EXPECT_THAT(mac([](Mac& m) { m.set_ip_address("10.0.0"); }), HasSubstr("no address of a host"));
  EXPECT_EQ(mac([](Mac& m) { m.set_ip_address("<nil>"); }), "") << "GoBGP's word for none";
  EXPECT_THAT(mac([](Mac& m) { m.clear_labels(); }), HasSubstr("no label"));
  EXPECT_THAT(mac([](Mac& m) { m.set_labels(0, 1 << 24); }), HasSubstr("16777216 is no VNI"));
  EXPECT_THAT(mac([](Mac& m) { m.mutable_esi()->set_value("\x01"); }), HasSubstr("Ethernet segment"));
  EXPECT_THAT(mac([](Mac& m) { m.clear_rd(); }), HasSubstr("no distinguisher"));
  const auto prefix = [](const std::function<void(Prefix5&)>& change) {
    return why(with_nlri<Prefix5>(prefix_route(), change));
  };
  EXPECT_THAT(prefix([](Prefix5& p) { p.set_ip_prefix_len(33); }),
              HasSubstr("192.168.7.0/33\" is no prefix"));
  EXPECT_THAT(prefix([](Prefix5& p) { p.set_ip_prefix("192.168.7.1"); }), HasSubstr("no prefix"));
  EXPECT_THAT(prefix([](Prefix5& p) { p.set_gw_address("10.0.0.1"); }), HasSubstr("gateway"));
  EXPECT_THAT(why(without_attribute<pb::NextHopAttribute>(mac_route())), HasSubstr("no next hop"));
  EXPECT_THAT(why(without_attribute<pb::PmsiTunnelAttribute>(multicast_route())),
              HasSubstr("no PMSI tunnel"));
  EXPECT_THAT(why(without_attribute<pb::ExtendedCommunitiesAttribute>(prefix_route())),
              HasSubstr("MAC address its router"));
  using Pmsi = pb::PmsiTunnelAttribute;
  const auto tunnel = [](const std::function<void(Pmsi&)>& change) {
    return why(with_attribute<Pmsi>(multicast_route(), change));
  };
  EXPECT_THAT(tunnel([](Pmsi& t) { t.set_type(3); }), HasSubstr("tunnels of type 3"));
  EXPECT_THAT(tunnel([](Pmsi& t) { t.set_id("abc"); }), HasSubstr("3 bytes"));
  EXPECT_THAT(tunnel([](Pmsi& t) { t.set_id(std::string(4, '\0')); }), HasSubstr("no host"));
  EXPECT_THAT(tunnel([](Pmsi& t) { t.set_label(1 << 24); }), HasSubstr("is no VNI"));
  using Communities = pb::ExtendedCommunitiesAttribute;
  EXPECT_THAT(why(with_attribute<Communities>(mac_route(),
                                              [](Communities& c) {
                                                c.clear_communities();
                                                pb::EncapExtended mpls;
                                                mpls.set_tunnel_type(10);
                                                c.add_communities()->PackFrom(mpls);
                                              })),
              HasSubstr("not VXLAN"));
}

}  // namespace
}  // namespace vtep
