#include "daemon/kernel_spec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vtep {
namespace {

using testing::HasSubstr;

Result<VxlanParameters> parameters(const v1::LinkSpec& spec) {
  const auto settings = parse_link_spec(spec);
  EXPECT_TRUE(settings) << settings.error().message;
  return to_vxlan_parameters(spec, *settings, IfIndex(3));
}

v1::LinkSpec spec() {
  v1::LinkSpec out;
  out.set_id(6000);
  out.set_datapath(v1::DATAPATH_KERNEL);
  return out;
}

TEST(KernelSpec, Defaults) {
  const auto out = parameters(spec());
  ASSERT_TRUE(out);
  EXPECT_EQ(out->vni, 6000_vni);
  EXPECT_EQ(out->port, kLinuxVxlanPort);
  EXPECT_EQ(out->device, IfIndex(3));
  EXPECT_FALSE(out->source_port_min);
  EXPECT_TRUE(out->learning);
}

TEST(KernelSpec, Words) {
  v1::LinkSpec words = spec();
  words.set_remote("10.0.0.2");
  words.set_local("10.0.0.1");
  words.set_srcport_min(50000);
  words.set_srcport_max(60000);
  words.set_tos(1);
  words.set_df(v1::DF_SET);
  words.set_ageing(60);
  words.set_learning(false);
  words.set_udp_csum(false);
  const auto out = parameters(words);
  ASSERT_TRUE(out) << out.error().message;
  EXPECT_EQ(out->remote, IpAddr(Ipv4(10, 0, 0, 2)));
  EXPECT_EQ(out->local, IpAddr(Ipv4(10, 0, 0, 1)));
  EXPECT_EQ(out->source_port_max, Port(60000));
  EXPECT_EQ(out->tos, 1);
  EXPECT_EQ(out->df, 1);
  EXPECT_EQ(out->ageing, 60U);
  EXPECT_FALSE(out->learning);
  EXPECT_FALSE(out->checksum4);
}

TEST(KernelSpec, WhatTheDriverDoesNotHaveIsNamed) {
  const auto refused = [](auto change) {
    v1::LinkSpec words = spec();
    change(words);
    const auto out = parameters(words);
    return out ? "" : out.error().message;
  };
  EXPECT_THAT(refused([](v1::LinkSpec& s) { s.set_vlan(v1::VLAN_ALLOW); }), HasSubstr("no vlan"));
  EXPECT_THAT(refused([](v1::LinkSpec& s) { s.set_mss_clamp(true); }), HasSubstr("no mssclamp"));
  EXPECT_THAT(refused([](v1::LinkSpec& s) { s.set_limit_unknown(5); }), HasSubstr("no limit"));
  EXPECT_THAT(refused([](v1::LinkSpec& s) { s.mutable_deny()->add_prefixes("10.0.0.0/8"); }),
              HasSubstr("no allow and deny"));
  EXPECT_THAT(refused([](v1::LinkSpec& s) { s.set_reserved_bits(1); }), HasSubstr("no reserved_bits"));
  EXPECT_EQ(refused([](v1::LinkSpec& s) { s.set_gbp(true); }), "");
}

}  // namespace
}  // namespace vtep
