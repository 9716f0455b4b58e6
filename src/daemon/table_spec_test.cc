#include "daemon/table_spec.h"

#include <gtest/gtest.h>

namespace vtep {
namespace {

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
  EXPECT_EQ(request->target.remote.via, IfIndex(7));
  EXPECT_EQ(request->filter.port, Port(4790));
  const FdbEntry entry{
      .link = 1, .mac = request->mac, .remote = request->target.remote, .state = request->state};
  const v1::FdbEntry back = to_proto(entry, "vxlan0", [](IfIndex) { return std::string("eno1"); });
  EXPECT_EQ(back.SerializeAsString(), entry_with_everything().SerializeAsString());
}

TEST(FdbEntry, TheLinksOwnPortAndVniAreTheSameAsNoneGiven) {
  LinkConfig link;
  link.port = Port(4790);
  link.vni = 7_vni;
  const auto request = parse_fdb_entry(entry_with_everything(), link, index_of);
  ASSERT_TRUE(request);
  EXPECT_TRUE(request->target.remote.port.is_zero());
  EXPECT_FALSE(request->target.remote.vni);
  EXPECT_TRUE(request->filter.matches(request->target.remote));
  Remote other = request->target.remote;
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

TEST(FdbEntry, ANexthopGroupTakesTheRemotesPlace) {
  v1::FdbEntry entry;
  entry.set_mac("00:11:22:33:44:56");
  entry.set_nhid(10);
  entry.set_router(true);
  entry.set_src_vni(7);
  const auto request = parse_fdb_entry(entry, LinkConfig(), index_of);
  ASSERT_TRUE(request);
  EXPECT_EQ(request->target.group, 10U);
  EXPECT_TRUE(request->target.router);
  EXPECT_EQ(request->source_vni, 7_vni);
  entry.set_dst("10.1.1.1");
  EXPECT_FALSE(parse_fdb_entry(entry, LinkConfig(), index_of)) << "one or the other";
}

TEST(NexthopSpec, GoesThroughTypesAndBack) {
  v1::Nexthop group;
  group.set_id(10);
  group.add_members()->set_id(1);
  group.mutable_members(0)->set_weight(3);
  const auto parsed = parse_nexthop(group);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(to_proto(*parsed).SerializeAsString(), group.SerializeAsString());
  EXPECT_FALSE(parse_nexthop({})) << "neither via nor members";
  group.set_via("10.1.1.1");
  EXPECT_FALSE(parse_nexthop(group)) << "both";
}

TEST(MdbSpec, RefusesWhatMakesNoSense) {
  v1::MdbEntry entry;
  entry.set_group("239.1.1.1");
  entry.set_dst("10.1.1.1");
  EXPECT_TRUE(parse_mdb_entry(entry, LinkConfig(), index_of));
  entry.set_source("fd00::1");
  EXPECT_FALSE(parse_mdb_entry(entry, LinkConfig(), index_of)) << "another family";
  entry.clear_source();
  entry.set_group("nonsense");
  EXPECT_FALSE(parse_mdb_entry(entry, LinkConfig(), index_of));
}

TEST(NeighbourSpec, RefusesWhatMakesNoSense) {
  v1::Neighbour neighbour;
  neighbour.set_ip("10.1.1.1");
  EXPECT_TRUE(parse_neighbour(neighbour));
  neighbour.set_mac("01:00:5e:00:00:01");
  EXPECT_FALSE(parse_neighbour(neighbour)) << "a group's MAC";
  neighbour.set_ip("239.1.1.1");
  EXPECT_FALSE(parse_neighbour(neighbour)) << "a group";
}

TEST(RemoteSpec, SaysWhenAPathMtuIsForgotten) {
  const Path path{.address = Ipv4(10, 1, 1, 1), .mtu = 1400, .mtu_until = 700, .checksum = false};
  const v1::Remote remote = to_proto(path, 100);
  EXPECT_EQ(remote.mtu(), 1400U);
  EXPECT_EQ(remote.mtu_expires(), 600U);
  EXPECT_TRUE(remote.has_udp_csum());
  EXPECT_FALSE(remote.udp_csum());
}

}  // namespace
}  // namespace vtep
