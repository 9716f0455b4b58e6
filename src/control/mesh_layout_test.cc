#include "control/mesh_layout.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace vtep {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const MacAddr kMac = *MacAddr::parse("02:00:00:00:0a:01");

TEST(MeshLayout, Keys) {
  const MeshLayout layout("/vtep/v1");
  EXPECT_EQ(layout.node("host-a"), "/vtep/v1/nodes/host-a");
  EXPECT_EQ(layout.vni(6000_vni), "/vtep/v1/vnis/6000/");
  EXPECT_EQ(layout.member(6000_vni, "host-a"), "/vtep/v1/vnis/6000/nodes/host-a");
  EXPECT_EQ(layout.station(6000_vni, kMac, "host-a"), "/vtep/v1/vnis/6000/macs/02:00:00:00:0a:01/host-a");
}

TEST(MeshKey, IsReadAsItIsWritten) {
  EXPECT_EQ(*MeshKey::parse("nodes/host-a"), (MeshKey{.node = "host-a"}));
  EXPECT_EQ(*MeshKey::parse("macs/02:00:00:00:0a:01/host.b_2"), (MeshKey{"host.b_2", kMac}));
}

struct BadText {
  const char* text;
  const char* why;
};

class MeshBadKey : public testing::TestWithParam<BadText> {};
TEST_P(MeshBadKey, IsRefusedByName) {
  const auto key = MeshKey::parse(GetParam().text);
  ASSERT_FALSE(key) << GetParam().text;
  EXPECT_EQ(key.error().kind, ErrorKind::kInvalid);
  EXPECT_THAT(key.error().message, HasSubstr(GetParam().why));
}
INSTANTIATE_TEST_SUITE_P(All, MeshBadKey,
                         testing::Values(BadText{"", "neither a node nor a station"},
                                         BadText{"node/a", "neither a node nor a station"},
                                         BadText{"nodes/", "\"\" is no name of a node"},
                                         BadText{"nodes/a b", "no name of a node"},
                                         BadText{"nodes/a/b", "no name of a node"},
                                         BadText{"macs/", "no address of a station"},
                                         BadText{"macs/02:00:00:00:0a:01", "no name of a node"},
                                         BadText{"macs/02:00:00:00:0a:01/", "no name of a node"},
                                         BadText{"macs/02:00:00:00:0A:01/a", "is written 02:00:00:00:0a:01"},
                                         BadText{"macs/ff:ff:ff:ff:ff:ff/a", "no address of a station"},
                                         BadText{"macs/00:00:00:00:00:00/a", "no address of a station"},
                                         BadText{"macs/02:00:00:00:0a/a", "no address of a station"}));

TEST(MeshNodeName, HasLimits) {
  EXPECT_TRUE(is_node_name(std::string(63, 'x')));
  EXPECT_FALSE(is_node_name(std::string(64, 'x')));
  EXPECT_FALSE(is_node_name("é"));
}

TEST(MeshMember, IsReadAsItIsWritten) {
  const MeshMember member{{Ipv4(10, 0, 0, 1), *IpAddr::parse("fd00::1")}};
  EXPECT_EQ(member.value(), R"({"vteps":["10.0.0.1","fd00::1"]})");
  EXPECT_EQ(*MeshMember::parse(member.value()), member);
  EXPECT_EQ(MeshMember::parse(R"({"VTEPs":["10.0.0.1"],"comment":"ours"})")->vteps.size(), 1U)
      << "more is no harm";
  EXPECT_FALSE(MeshMember::parse(R"({"vteps":["10.0.0.1","10.0.0.2"]})"));
  EXPECT_EQ(MeshMember::parse_any(R"({"vteps":["10.0.0.1","10.0.0.2"]})")->vteps.size(), 2U);
}

class MeshBadMember : public testing::TestWithParam<BadText> {};
TEST_P(MeshBadMember, IsRefusedByName) {
  const auto member = MeshMember::parse(GetParam().text);
  ASSERT_FALSE(member) << GetParam().text;
  EXPECT_THAT(member.error().message, HasSubstr(GetParam().why));
}
INSTANTIATE_TEST_SUITE_P(
    All, MeshBadMember,
    testing::Values(BadText{"", "not JSON"}, BadText{"[]", "no object"}, BadText{"{}", "vteps is empty"},
                    BadText{R"({"vteps":[]})", "vteps is empty"},
                    BadText{R"({"vteps":"10.0.0.1"})", "vteps is no list of texts"},
                    BadText{R"({"vteps":[1]})", "vteps is no list of texts"},
                    BadText{R"({"vteps":["10.0.0"]})", "\"10.0.0\" is no address of a host"},
                    BadText{R"({"vteps":["239.1.1.1"]})", "no address of a host"},
                    BadText{R"({"vteps":["0.0.0.0"]})", "no address of a host"},
                    BadText{R"({"vteps":["::"]})", "no address of a host"},
                    BadText{R"({"vteps":["10.0.0.1","10.0.0.1"]})", "there twice"}));

TEST(MeshStation, IsReadAsItIsWritten) {
  EXPECT_EQ(MeshStation{}.value(), "{}");
  const MeshStation station{
      .sticky = true,
      .sequence = 4294967295,
      .addresses = {{Ipv4(192, 168, 5, 1), false}, {*IpAddr::parse("fd00:5::1"), true}}};
  EXPECT_EQ(
      station.value(),
      R"({"ips":["192.168.5.1","fd00:5::1"],"routers":["fd00:5::1"],"sequence":4294967295,"sticky":true})");
  EXPECT_EQ(*MeshStation::parse(station.value()), station);
  EXPECT_EQ(*MeshStation::parse("{}"), MeshStation{});
}

class MeshBadStation : public testing::TestWithParam<BadText> {};
TEST_P(MeshBadStation, IsRefusedByName) {
  const auto station = MeshStation::parse(GetParam().text);
  ASSERT_FALSE(station) << GetParam().text;
  EXPECT_THAT(station.error().message, HasSubstr(GetParam().why));
}
INSTANTIATE_TEST_SUITE_P(
    All, MeshBadStation,
    testing::Values(BadText{"{", "not JSON"}, BadText{R"({"sequence":-1})", "sequence is no number"},
                    BadText{R"({"sequence":4294967296})", "sequence is no number from 0 to 4294967295"},
                    BadText{R"({"sequence":"1"})", "sequence is no number"},
                    BadText{R"({"sticky":1})", "sticky is neither true nor false"},
                    BadText{R"({"ips":["x"]})", "\"x\" is no address of a host"},
                    BadText{R"({"ips":["224.0.0.1"]})", "no address of a host"},
                    BadText{R"({"ips":["fd00::1"],"routers":["fd00::2"]})",
                            "routers: fd00::2 is not in ips"}));

}  // namespace
}  // namespace vtep
