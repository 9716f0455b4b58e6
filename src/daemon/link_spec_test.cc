#include "daemon/link_spec.h"

#include <gtest/gtest.h>

namespace vtep {
namespace {

v1::LinkSpec spec_of_the_first_experiment() {
  v1::LinkSpec spec;
  spec.set_id(6000);
  spec.set_group("239.1.1.1");
  spec.set_dev("eno1");
  spec.set_dstport(4789);
  return spec;
}

/// The sentence with which a changed spec is refused; empty if it is not.
template <typename Change>
std::string refusal(Change change) {
  v1::LinkSpec spec = spec_of_the_first_experiment();
  change(spec);
  const auto settings = parse_link_spec(spec);
  if (settings) return "";
  EXPECT_EQ(settings.error().kind, ErrorKind::kInvalid);
  return settings.error().message;
}

TEST(LinkSpec, BecomesSettings) {
  const auto settings = parse_link_spec(spec_of_the_first_experiment());
  ASSERT_TRUE(settings);
  EXPECT_EQ(settings->engine.vni, 6000_vni);
  EXPECT_EQ(settings->engine.port, kIanaVxlanPort);
  EXPECT_EQ(settings->engine.flood, IpAddr(Ipv4(239, 1, 1, 1)));
  EXPECT_TRUE(settings->is_group);
  EXPECT_EQ(settings->engine.ageing, 300U);
  EXPECT_TRUE(settings->engine.learning);
  EXPECT_EQ(settings->engine.source_ports, PortRange{});
  EXPECT_EQ(settings->device, "eno1");
}

TEST(LinkSpec, WithoutAPortGetsTheOneOfLinux) {
  v1::LinkSpec spec;
  spec.set_id(1);
  EXPECT_EQ(parse_link_spec(spec)->engine.port, kLinuxVxlanPort);
  spec.set_dstport(0);
  EXPECT_EQ(parse_link_spec(spec)->engine.port, kLinuxVxlanPort);
}

TEST(LinkSpec, RefusesWhatMakesNoSense) {
  EXPECT_NE(refusal([](v1::LinkSpec& s) { s.clear_id(); }), "");
  EXPECT_NE(refusal([](v1::LinkSpec& s) { s.set_id(16777216); }), "");
  EXPECT_EQ(refusal([](v1::LinkSpec& s) { s.set_id(16777215); }), "");
  EXPECT_EQ(refusal([](v1::LinkSpec& s) { s.set_remote("10.0.0.1"); }),
            "vxlan: both group and remote cannot be specified");
  EXPECT_NE(refusal([](v1::LinkSpec& s) { s.set_group("10.1.1.1"); }), "");
  EXPECT_NE(refusal([](v1::LinkSpec& s) { s.set_group("nonsense"); }), "");
  EXPECT_EQ(refusal([](v1::LinkSpec& s) { s.clear_dev(); }), "vxlan: 'group' requires 'dev' to be specified");
  EXPECT_NE(refusal([](v1::LinkSpec& s) { s.set_local("fd00::1"); }), "");
  EXPECT_NE(refusal([](v1::LinkSpec& s) { s.set_local("239.1.1.1"); }), "");
  EXPECT_NE(refusal([](v1::LinkSpec& s) { s.set_dstport(65536); }), "");
  EXPECT_NE(refusal([](v1::LinkSpec& s) {
              s.set_srcport_min(9);
              s.set_srcport_max(3);
            }),
            "");
  EXPECT_NE(refusal([](v1::LinkSpec& s) { s.set_ttl(256); }), "");
  EXPECT_NE(refusal([](v1::LinkSpec& s) { s.set_address("01:00:5e:00:00:01"); }), "");
  EXPECT_NE(refusal([](v1::LinkSpec& s) { s.set_mtu(67); }), "");
  EXPECT_NE(refusal([](v1::LinkSpec& s) { s.set_dev("a/b"); }), "");
}

TEST(LinkSpec, AChangeWinsAndGroupAndRemoteTakeEachOthersPlace) {
  v1::LinkSpec change;
  change.set_remote("10.0.0.1");
  change.set_ageing(30);
  const v1::LinkSpec merged = merge_link_spec(spec_of_the_first_experiment(), change);
  EXPECT_FALSE(merged.has_group());
  EXPECT_EQ(merged.remote(), "10.0.0.1");
  EXPECT_EQ(merged.ageing(), 30U);
  EXPECT_EQ(merged.id(), 6000U);

  change.set_group("239.2.2.2");
  EXPECT_FALSE(parse_link_spec(merge_link_spec(spec_of_the_first_experiment(), change)));
}

TEST(LinkSpec, EffectiveSpecWritesDefaultsOutAndParsesToTheSame) {
  const auto settings = parse_link_spec(spec_of_the_first_experiment());
  const v1::LinkSpec effective = effective_link_spec(*settings);
  EXPECT_EQ(effective.srcport_min(), 0U);
  EXPECT_EQ(effective.ageing(), 300U);
  EXPECT_TRUE(effective.learning());
  EXPECT_EQ(effective.group(), "239.1.1.1");
  EXPECT_FALSE(effective.has_remote());
}

TEST(LinkName, IsWhatLinuxTakes) {
  EXPECT_TRUE(check_link_name("vxlan0"));
  EXPECT_TRUE(check_link_name("fifteen_letters"));
  for (const char* bad : {"", ".", "..", "sixteen_letters_", "a/b", "a b", "a\tb", "a\x7f", "a%d"}) {
    EXPECT_FALSE(check_link_name(bad)) << bad;
  }
}

TEST(LinkSpec, MayHaveASourceAddressOfEachFamily) {
  v1::LinkSpec spec = spec_of_the_first_experiment();
  spec.set_local("10.84.0.1");
  spec.set_local6("fd00::1");
  const auto settings = parse_link_spec(spec);
  ASSERT_TRUE(settings);
  EXPECT_EQ(settings->engine.local4.to_string(), "10.84.0.1");
  EXPECT_EQ(settings->engine.local6.to_string(), "fd00::1");
  EXPECT_EQ(settings->overhead(), 70U) << "remotes of either family may come";
  EXPECT_NE(refusal([](v1::LinkSpec& s) { s.set_local6("10.84.0.1"); }), "");
}

TEST(LinkSpec, CountsTheHeadersOfItsFamily) {
  v1::LinkSpec spec;
  spec.set_id(1);
  EXPECT_EQ(parse_link_spec(spec)->overhead(), 50U);
  spec.set_remote("fd00::2");
  EXPECT_EQ(parse_link_spec(spec)->overhead(), 70U);
}

TEST(LinkSpec, EveryOptionSurvivesTheWayThroughTypes) {
  v1::LinkSpec spec = spec_of_the_first_experiment();
  spec.set_ttl_inherit(true);
  spec.set_tos(1);
  spec.set_df(v1::DF_INHERIT);
  spec.set_local6("fd00::1");
  spec.set_local("10.84.0.1");
  spec.set_flow_label(0xfffff);
  spec.set_udp_csum(false);
  spec.set_udp6_zero_csum_tx(true);
  spec.set_udp6_zero_csum_rx(true);
  spec.set_max_address(1000);
  for (const auto set :
       {&v1::LinkSpec::set_proxy, &v1::LinkSpec::set_rsc, &v1::LinkSpec::set_l2miss,
        &v1::LinkSpec::set_l3miss, &v1::LinkSpec::set_remcsum_tx, &v1::LinkSpec::set_remcsum_rx,
        &v1::LinkSpec::set_gbp, &v1::LinkSpec::set_mss_clamp, &v1::LinkSpec::set_mcast_snooping}) {
    (spec.*set)(true);
  }
  spec.set_localbypass(false);
  spec.set_reserved_bits(0x7700000000000000);
  spec.set_vlan(v1::VLAN_DISCARD);
  spec.set_limit_broadcast(10);
  spec.set_limit_unknown(20);
  spec.set_limit_multicast(30);
  spec.set_move_limit(7);
  spec.set_move_window(60);
  spec.mutable_allow()->add_prefixes("10.0.0.0/8");
  spec.mutable_deny()->add_prefixes("fd00::/8");
  const auto settings = parse_link_spec(spec);
  ASSERT_TRUE(settings);
  EXPECT_TRUE(settings->engine.outer.tos_inherit && settings->engine.outer.ttl_inherit);
  v1::LinkSpec effective = effective_link_spec(*settings);
  effective.clear_address();  // the interface's, and there is none here
  const auto again = parse_link_spec(effective);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->engine, settings->engine);
  EXPECT_EQ(again->zero_checksum6_rx, settings->zero_checksum6_rx);
  EXPECT_EQ(again->localbypass, settings->localbypass);
  for (const auto* field :
       {"proxy", "rsc", "gbp", "reserved_bits", "vlan", "limit_multicast", "allow", "deny"}) {
    const auto* description = v1::LinkSpec::descriptor()->FindFieldByName(field);
    EXPECT_TRUE(v1::LinkSpec::GetReflection()->HasField(effective, description)) << field;
  }
}

TEST(LinkSpec, AControlPlaneMakesALinkAnswerAndNotLearn) {
  v1::LinkSpec spec = spec_of_the_first_experiment();
  spec.set_local("10.84.0.1");
  spec.mutable_control()->add_names("mesh");
  spec.mutable_control()->add_names("mesh");
  const auto settings = parse_link_spec(spec);
  ASSERT_TRUE(settings);
  EXPECT_THAT(settings->control, testing::ElementsAre("mesh"));
  EXPECT_TRUE(settings->engine.stations && settings->engine.proxy && !settings->engine.learning);
  EXPECT_EQ(effective_link_spec(*settings).control().names_size(), 1);
  spec.set_proxy(false);
  spec.set_learning(true);
  const auto otherwise = parse_link_spec(spec);
  ASSERT_TRUE(otherwise);
  EXPECT_TRUE(otherwise->engine.stations && !otherwise->engine.proxy && otherwise->engine.learning);
  v1::LinkSpec none;
  none.mutable_control();
  EXPECT_FALSE(parse_link_spec(merge_link_spec(spec, none))->engine.stations);
  EXPECT_EQ(refusal([](v1::LinkSpec& s) { s.mutable_control()->add_names("nobody"); }),
            "control \"nobody\": there is only mesh and evpn");
  EXPECT_EQ(refusal([](v1::LinkSpec& s) {
              s.clear_local();
              s.mutable_control()->add_names("mesh");
            }),
            "control needs 'local': the others must be told where to send to");
}

TEST(LinkSpec, PrefixesAreEvpns) {
  v1::LinkSpec spec = spec_of_the_first_experiment();
  spec.set_local("10.84.0.1");
  spec.mutable_control()->add_names("evpn");
  spec.mutable_announce()->add_prefixes("10.20.1.0/24");
  spec.mutable_accept()->add_prefixes("10.20.0.0/16");
  const auto settings = parse_link_spec(spec);
  ASSERT_TRUE(settings);
  EXPECT_THAT(settings->announce, testing::ElementsAre(*Prefix::parse("10.20.1.0/24")));
  EXPECT_EQ(effective_link_spec(*settings).accept().prefixes(0), "10.20.0.0/16");
  v1::LinkSpec other;
  other.mutable_accept()->add_prefixes("fd20::/16");
  other.mutable_announce();
  const auto changed = parse_link_spec(merge_link_spec(spec, other));
  ASSERT_TRUE(changed);
  EXPECT_TRUE(changed->announce.empty());
  EXPECT_THAT(changed->accept, testing::ElementsAre(*Prefix::parse("fd20::/16")));
  EXPECT_EQ(refusal([](v1::LinkSpec& s) {
              s.mutable_control()->add_names("mesh");
              s.mutable_accept()->add_prefixes("::/0");
            }),
            "announce and accept need 'control evpn': the prefixes are EVPN's");
  EXPECT_EQ(refusal([](v1::LinkSpec& s) { s.mutable_accept()->add_prefixes("10.0.0.0/33"); }),
            "accept \"10.0.0.0/33\" is not a prefix");
}

TEST(LinkSpec, RefusesOptionsOutOfRangeOrAgainstEachOther) {
  EXPECT_NE(refusal([](v1::LinkSpec& s) { s.set_ttl(256); }), "");
  EXPECT_NE(refusal([](v1::LinkSpec& s) { s.set_tos(256); }), "");
  EXPECT_NE(refusal([](v1::LinkSpec& s) { s.set_flow_label(0x100000); }), "");
  EXPECT_NE(refusal([](v1::LinkSpec& s) { s.set_flow_label(5); }), "") << "without IPv6";
  EXPECT_NE(refusal([](v1::LinkSpec& s) { s.set_df(static_cast<v1::Df>(9)); }), "");
  EXPECT_NE(refusal([](v1::LinkSpec& s) { s.set_vlan(static_cast<v1::VlanPolicy>(9)); }), "");
  EXPECT_NE(refusal([](v1::LinkSpec& s) { s.mutable_allow()->add_prefixes("10.0.0.0/33"); }), "");
  EXPECT_NE(refusal([](v1::LinkSpec& s) { s.set_move_window(0); }), "");
  EXPECT_NE(refusal([](v1::LinkSpec& s) { s.set_reserved_bits(1U << 8); }), "") << "a bit of the VNI";
  EXPECT_EQ(refusal([](v1::LinkSpec& s) { s.set_reserved_bits(0xf7ffffff000000ff); }), "");
  EXPECT_NE(refusal([](v1::LinkSpec& s) { s.set_external(true); }), "") << "without vnifilter";
  EXPECT_NE(refusal([](v1::LinkSpec& s) { s.set_vnifilter(true); }), "") << "without external";
  const auto filtered = [](auto change) {
    v1::LinkSpec spec;
    spec.set_external(true);
    spec.set_vnifilter(true);
    change(spec);
    return parse_link_spec(spec).has_value();
  };
  EXPECT_TRUE(filtered([](v1::LinkSpec&) {}));
  EXPECT_FALSE(filtered([](v1::LinkSpec& s) { s.set_id(1); }));
  EXPECT_FALSE(filtered([](v1::LinkSpec& s) { s.set_remote("10.0.0.1"); }));
}

TEST(LinkSpec, AChangedListTakesTheOldOnesPlace) {
  v1::LinkSpec spec;
  spec.mutable_allow()->add_prefixes("10.0.0.0/8");
  v1::LinkSpec change;
  change.mutable_allow()->add_prefixes("192.0.2.0/24");
  EXPECT_EQ(merge_link_spec(spec, change).allow().prefixes_size(), 1);
  change.mutable_allow()->clear_prefixes();
  EXPECT_EQ(merge_link_spec(spec, change).allow().prefixes_size(), 0) << "said to be empty";
}

}  // namespace
}  // namespace vtep
