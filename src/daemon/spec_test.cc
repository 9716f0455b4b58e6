#include "daemon/spec.h"

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

Result<IfIndex> index_of(const std::string& name) {
  if (name == "eno1") return IfIndex(7);
  return fail(ErrorKind::kNotFound, "Cannot find device \"" + name + "\"");
}

v1::FdbEntry entry_with_everything() {
  v1::FdbEntry entry;
  entry.set_mac("00:11:22:33:44:56");
  entry.set_dev("vxlan0");
  entry.set_dst("10.1.1.1");
  entry.set_port(4790);
  entry.set_vni(7);
  entry.set_via("eno1");
  entry.set_state(v1::FDB_STATE_STATIC);
  return entry;
}

TEST(FdbEntry, GoesThroughTypesAndBack) {
  const auto request = parse_fdb_entry(entry_with_everything(), LinkConfig(), index_of);
  ASSERT_TRUE(request);
  EXPECT_EQ(request->remote.via, IfIndex(7));
  EXPECT_EQ(request->filter.port, Port(4790));
  const FdbEntry entry{.link = 1, .mac = request->mac, .remote = request->remote, .state = request->state};
  const v1::FdbEntry back = to_proto(entry, "vxlan0", [](IfIndex) { return std::string("eno1"); });
  EXPECT_EQ(back.SerializeAsString(), entry_with_everything().SerializeAsString());
}

TEST(FdbEntry, TheLinksOwnPortAndVniAreTheSameAsNoneGiven) {
  LinkConfig link;
  link.port = Port(4790);
  link.vni = 7_vni;
  const auto request = parse_fdb_entry(entry_with_everything(), link, index_of);
  ASSERT_TRUE(request);
  EXPECT_TRUE(request->remote.port.is_zero());
  EXPECT_FALSE(request->remote.vni);
  EXPECT_TRUE(request->filter.matches(request->remote));
  Remote other = request->remote;
  other.vni = 8_vni;
  EXPECT_FALSE(request->filter.matches(other));
}

TEST(FdbEntry, WhatIsNotSaidIsNotCompared) {
  v1::FdbEntry entry;
  entry.set_mac("00:11:22:33:44:56");
  const auto request = parse_fdb_entry(entry, LinkConfig(), index_of);
  ASSERT_TRUE(request);
  EXPECT_EQ(request->state, FdbState::kPermanent);
  EXPECT_FALSE(request->filter.address || request->filter.port || request->filter.vni || request->filter.via);
}

TEST(FdbEntry, RefusesWhatMakesNoSense) {
  const auto refused = [](auto change) {
    v1::FdbEntry entry = entry_with_everything();
    change(entry);
    return !parse_fdb_entry(entry, LinkConfig(), index_of);
  };
  EXPECT_FALSE(refused([](v1::FdbEntry&) {}));
  EXPECT_TRUE(refused([](v1::FdbEntry& e) { e.set_mac("00:11:22:33:44:zz"); }));
  EXPECT_TRUE(refused([](v1::FdbEntry& e) { e.set_dst("10.1.1"); }));
  EXPECT_TRUE(refused([](v1::FdbEntry& e) { e.set_port(65536); }));
  EXPECT_TRUE(refused([](v1::FdbEntry& e) { e.set_vni(16777216); }));
  EXPECT_TRUE(refused([](v1::FdbEntry& e) { e.set_via("nope"); }));
  EXPECT_TRUE(refused([](v1::FdbEntry& e) { e.set_state(static_cast<v1::FdbState>(99)); }));
}

TEST(FdbFlush, FiltersByWhatIsSaid) {
  v1::FlushFdbRequest request;
  request.add_states(v1::FDB_STATE_DYNAMIC);
  request.set_dst("10.1.1.1");
  const auto filter = parse_fdb_flush(request, LinkConfig(), index_of);
  ASSERT_TRUE(filter);
  EXPECT_EQ(filter->states, std::vector{FdbState::kDynamic});
  EXPECT_EQ(filter->remote.address, IpAddr(Ipv4(10, 1, 1, 1)));
  EXPECT_FALSE(filter->mac);
}

}  // namespace
}  // namespace vtep
