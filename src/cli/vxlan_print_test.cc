// What iproute2 6.1 does not know; the rest is held against its output in link_print_test.cc.
#include "cli/vxlan_print.h"

#include <gtest/gtest.h>

namespace vtep {
namespace {

constexpr std::string_view kKernels =
    "vxlan id 7 srcport 0 0 dstport 4789 ttl auto ageing 300 udpcsum noudp6zerocsumtx noudp6zerocsumrx ";

v1::LinkSpec spec() {
  v1::LinkSpec result;
  result.set_id(7);
  result.set_dstport(4789);
  result.set_ageing(300);
  return result;
}

// What stands behind the kernel's options.
std::string own(const v1::LinkSpec& all) {
  const std::string text = vxlan_text(all);
  EXPECT_TRUE(text.starts_with(kKernels)) << text;
  return text.substr(kKernels.size());
}

TEST(VxlanText, DefaultsAreNotSaid) {
  v1::LinkSpec all = spec();
  all.set_udp_csum(true);
  all.set_localbypass(true);
  all.set_reserved_bits(0);
  all.set_vlan(v1::VLAN_STRIP);
  all.set_mss_clamp(false);
  all.set_mcast_snooping(false);
  all.set_limit_broadcast(0);
  all.set_move_limit(5);
  all.set_move_window(180);
  all.mutable_allow();
  all.mutable_deny();
  EXPECT_EQ(vxlan_text(all), kKernels);
  EXPECT_EQ(vxlan_json(all).dump(), vxlan_json(spec()).dump());
  EXPECT_EQ(vxlan_json(all).dump(),
            R"({"id":7,"port_range":{"low":0,"high":0},"port":4789,"learning":true,"ttl":0,"df":"unset",)"
            R"("ageing":300,"udp_csum":true,"udp_zero_csum6_tx":false,"udp_zero_csum6_rx":false})");
}

TEST(VxlanText, OwnOptions) {
  v1::LinkSpec all = spec();
  all.set_vlan(v1::VLAN_ALLOW);
  all.set_mss_clamp(true);
  all.set_mcast_snooping(true);
  all.set_limit_broadcast(1000);
  all.set_limit_unknown(2000);
  all.set_limit_multicast(3000);
  all.set_move_limit(3);
  all.set_move_window(60);
  all.mutable_allow()->add_prefixes("10.0.0.0/8");
  all.mutable_allow()->add_prefixes("fd00::/8");
  all.mutable_deny()->add_prefixes("10.1.0.0/16");
  all.mutable_control()->add_names("mesh");
  all.mutable_control()->add_names("other");
  all.mutable_announce()->add_prefixes("10.20.1.0/24");
  all.mutable_accept()->add_prefixes("10.20.0.0/16");
  EXPECT_EQ(
      own(all),
      "vlan allow mssclamp mcsnoop limit broadcast 1000 limit unknown 2000 limit multicast 3000 "
      "moves 3 60 allow 10.0.0.0/8 allow fd00::/8 deny 10.1.0.0/16 control mesh,other announce 10.20.1.0/24 "
      "accept 10.20.0.0/16 ");
  const std::string json = vxlan_json(all).dump();
  EXPECT_TRUE(json.ends_with(
      R"(,"vlan":"allow","mss_clamp":true,"mcast_snooping":true,"limit_broadcast":1000,"limit_unknown":2000,)"
      R"("limit_multicast":3000,"move_limit":3,"move_window":60,"allow":["10.0.0.0/8","fd00::/8"],)"
      R"("deny":["10.1.0.0/16"],"control":["mesh","other"],"announce":["10.20.1.0/24"],)"
      R"("accept":["10.20.0.0/16"]})"))
      << json;
}

TEST(VxlanText, Moves) {
  v1::LinkSpec all = spec();
  all.set_move_limit(0);
  EXPECT_EQ(own(all), "moves none ");
  all.set_move_limit(9);
  EXPECT_EQ(own(all), "moves 9 180 ");
  all.clear_move_limit();
  all.set_move_window(60);
  EXPECT_EQ(own(all), "moves 5 60 ");
}

TEST(VxlanText, OptionsOfNewerVersionsOfIproute2) {
  v1::LinkSpec all = spec();
  all.set_localbypass(false);
  EXPECT_EQ(own(all), "nolocalbypass ");
  EXPECT_EQ(vxlan_json(all).at("localbypass"), false);

  all = spec();
  all.set_reserved_bits(0xf7ffffff000000ff);
  all.set_flow_label_inherit(true);
  EXPECT_EQ(vxlan_text(all),
            "vxlan id 7 srcport 0 0 dstport 4789 ttl auto flowlabel inherit ageing 300 reserved_bits "
            "0xf7ffffff000000ff udpcsum noudp6zerocsumtx noudp6zerocsumrx ");
  EXPECT_EQ(vxlan_json(all).at("reserved_bits"), "0xf7ffffff000000ff");
  EXPECT_EQ(vxlan_json(all).at("label"), "inherit");
}

TEST(VxlanText, TwoSourceAddresses) {
  v1::LinkSpec all = spec();
  all.set_remote("10.0.0.2");
  all.set_local("10.0.0.1");
  all.set_local6("fd00::1");
  EXPECT_TRUE(
      vxlan_text(all).starts_with("vxlan id 7 remote 10.0.0.2 local 10.0.0.1 local fd00::1 srcport "));
  EXPECT_EQ(vxlan_json(all).at("local"), "10.0.0.1");
  EXPECT_EQ(vxlan_json(all).at("local6"), "fd00::1");
}

}  // namespace
}  // namespace vtep
