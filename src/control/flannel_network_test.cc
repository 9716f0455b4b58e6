#include "control/flannel_network.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace vtep {
namespace {

using testing::HasSubstr;

Prefix prefix(std::string_view text) {
  return *Prefix::parse(text);
}
IpAddr ip(std::string_view text) {
  return *IpAddr::parse(text);
}

constexpr std::string_view kUsual =
    R"({"Network":"10.244.0.0/16","SubnetLen":24,"Backend":{"Type":"vxlan","VNI":6000,"Port":4789,"DirectRouting":true}})";

TEST(FlannelNetworkTest, AnUsualConfiguration) {
  const auto network = FlannelNetwork::parse(kUsual);
  ASSERT_TRUE(network) << network.error().message;
  EXPECT_EQ(network->vni, 6000_vni);
  EXPECT_EQ(network->port, kIanaVxlanPort);
  EXPECT_TRUE(network->direct_routing);
  ASSERT_TRUE(network->range4);
  EXPECT_FALSE(network->range6);
  EXPECT_EQ(network->range4->network, prefix("10.244.0.0/16"));
  EXPECT_EQ(network->range4->subnet_length, 24U);
  EXPECT_EQ(network->range4->first, ip("10.244.1.0")) << "the first subnet is left out";
  EXPECT_EQ(network->range4->last, ip("10.244.255.0"));
}

TEST(FlannelNetworkTest, WhatIsNotSaidIsAsFlannelHasIt) {
  const auto network = FlannelNetwork::parse(R"({"network":"10.0.0.0/8","backend":{"type":"vxlan"}})");
  ASSERT_TRUE(network) << network.error().message;
  EXPECT_EQ(network->vni, 1_vni);
  EXPECT_EQ(network->port, kLinuxVxlanPort);
  EXPECT_FALSE(network->direct_routing);
  EXPECT_EQ(network->range4->subnet_length, 24U);
  EXPECT_EQ(
      FlannelNetwork::parse(R"({"Network":"10.0.0.0/24","Backend":{"Type":"vxlan"}})")->range4->subnet_length,
      26U);
}

TEST(FlannelNetworkTest, BothFamilies) {
  const auto network = FlannelNetwork::parse(
      R"({"EnableIPv6":true,"Network":"10.244.0.0/16","IPv6Network":"fd00:10:244::/48","Backend":{"Type":"vxlan"}})");
  ASSERT_TRUE(network) << network.error().message;
  ASSERT_TRUE(network->range4 && network->range6);
  EXPECT_EQ(network->range6->subnet_length, 64U);
  EXPECT_EQ(network->range6->first, ip("fd00:10:244:1::"));
  EXPECT_EQ(network->range6->last, ip("fd00:10:244:ffff::"));
  const auto only6 = FlannelNetwork::parse(
      R"({"EnableIPv4":false,"EnableIPv6":true,"IPv6Network":"fd00::/56","Backend":{"Type":"vxlan"}})");
  ASSERT_TRUE(only6) << only6.error().message;
  EXPECT_FALSE(only6->range4);
}

TEST(FlannelNetworkTest, BoundsMayBeGiven) {
  const auto network = FlannelNetwork::parse(
      R"({"Network":"10.244.0.0/16","SubnetMin":"10.244.10.0","SubnetMax":"10.244.12.0","Backend":{"Type":"vxlan"}})");
  ASSERT_TRUE(network) << network.error().message;
  EXPECT_EQ(network->range4->first, ip("10.244.10.0"));
  EXPECT_EQ(network->range4->last, ip("10.244.12.0"));
}

struct Bad {
  std::string_view text, says;
};
class FlannelBadConfig : public testing::TestWithParam<Bad> {};

TEST_P(FlannelBadConfig, IsRefusedByName) {
  const auto network = FlannelNetwork::parse(GetParam().text);
  ASSERT_FALSE(network);
  EXPECT_EQ(network.error().kind, ErrorKind::kInvalid);
  EXPECT_THAT(network.error().message, HasSubstr(GetParam().says));
}

INSTANTIATE_TEST_SUITE_P(
    All, FlannelBadConfig,
    testing::Values(
        Bad{"", "not JSON"}, Bad{"{", "not JSON"}, Bad{"[]", "no object"}, Bad{"null", "no object"},
        Bad{"{}", "Network"}, Bad{R"({"Network":"10.244.0.0/16"})", "no Backend"},
        Bad{R"({"Network":"10.244.0.0/16","Backend":{"Type":"host-gw"}})", "host-gw"},
        Bad{R"({"Network":"10.244.0.0/16","Backend":7})", "Backend"},
        Bad{R"({"Network":7,"Backend":{"Type":"vxlan"}})", "Network"},
        Bad{R"({"Network":"10.244.0.0","Backend":{"Type":"vxlan"}})", "Network"},
        Bad{R"({"Network":"fd00::/48","Backend":{"Type":"vxlan"}})", "IPv4"},
        Bad{R"({"Network":"10.244.0.0/30","Backend":{"Type":"vxlan"}})", "subnets"},
        Bad{R"({"Network":"0.0.0.0/0","Backend":{"Type":"vxlan"}})", "subnets"},
        Bad{R"({"Network":"10.244.0.0/16","SubnetLen":17,"Backend":{"Type":"vxlan"}})", "length 17"},
        Bad{R"({"Network":"10.244.0.0/16","SubnetLen":31,"Backend":{"Type":"vxlan"}})", "SubnetLen"},
        Bad{R"({"Network":"10.244.0.0/16","SubnetLen":-1,"Backend":{"Type":"vxlan"}})", "SubnetLen"},
        Bad{R"({"Network":"10.244.0.0/16","SubnetMin":"10.245.0.0","Backend":{"Type":"vxlan"}})",
            "SubnetMin"},
        Bad{R"({"Network":"10.244.0.0/16","SubnetMin":"10.244.1.7","Backend":{"Type":"vxlan"}})", "begins"},
        Bad{R"({"Network":"10.244.0.0/16","SubnetMin":"10.244.9.0","SubnetMax":"10.244.8.0","Backend":{"Type":"vxlan"}})",
            "behind"},
        Bad{R"({"Network":"10.244.0.0/16","Backend":{"Type":"vxlan","VNI":16777216}})", "VNI"},
        Bad{R"({"Network":"10.244.0.0/16","Backend":{"Type":"vxlan","Port":65536}})", "Port"},
        Bad{R"({"Network":"10.244.0.0/16","Backend":{"Type":"vxlan","DirectRouting":"yes"}})",
            "DirectRouting"},
        Bad{R"({"EnableIPv4":false,"Backend":{"Type":"vxlan"}})", "neither"}));

/// As a real flanneld wrote it.
constexpr std::string_view kLease =
    R"({"PublicIP":"10.84.0.1","PublicIPv6":null,"BackendType":"vxlan","BackendData":{"VNI":6000,"VtepMAC":"6e:29:5d:04:91:73"}})";

TEST(FlannelLeaseTest, IsReadAndWrittenAsFlannelDoes) {
  const auto lease = FlannelLease::parse("10.244.47.0-24", kLease);
  ASSERT_TRUE(lease) << lease.error().message;
  EXPECT_EQ(lease->vni, 6000_vni);
  ASSERT_TRUE(lease->end4);
  EXPECT_EQ(lease->end4->subnet, prefix("10.244.47.0/24"));
  EXPECT_EQ(lease->end4->vtep, ip("10.84.0.1"));
  EXPECT_EQ(lease->end4->router.to_string(), "6e:29:5d:04:91:73");
  EXPECT_FALSE(lease->end6);
  EXPECT_EQ(lease->key(), "10.244.47.0-24");
  EXPECT_EQ(lease->value(), kLease);
}

TEST(FlannelLeaseTest, OfBothFamilies) {
  FlannelLease lease{.vni = 1_vni, .end4 = {}, .end6 = {}};
  lease.end4 = {prefix("10.244.1.0/24"), ip("10.0.0.1"), *MacAddr::parse("02:00:00:00:00:01")};
  lease.end6 = {prefix("fd00:1::/64"), ip("2001:db8::1"), *MacAddr::parse("02:00:00:00:00:02")};
  EXPECT_EQ(lease.key(), "10.244.1.0-24&fd00:1::-64");
  const auto again = FlannelLease::parse(lease.key(), lease.value());
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(*again, lease);
}

TEST(FlannelLeaseTest, OfAnotherBackendIsNoneOfOurs) {
  const auto lease =
      FlannelLease::parse("10.244.47.0-24", R"({"PublicIP":"10.84.0.1","BackendType":"host-gw"})");
  ASSERT_FALSE(lease);
  EXPECT_EQ(lease.error().kind, ErrorKind::kNotFound);
}

TEST(FlannelLeaseTest, WhatMakesNoSenseIsRefused) {
  for (const std::string_view key :
       {"", "-", "10.244.47.0", "10.244.47.0-", "10.244.47.0-33", "10.244.47.1-24", "10.244.47.0-0", "x-24",
        "10.244.47.0-24&", "10.244.47.0-24&10.244.48.0-24", "fd00::-64&10.244.47.0-24", "10.244.47.0/24"}) {
    EXPECT_FALSE(FlannelLease::parse(key, kLease)) << key;
  }
  for (
      const std::string_view value :
      {"", "nonsense", "{}", "7", R"({"BackendType":"vxlan"})",
       R"({"PublicIP":"10.84.0.1","BackendType":"vxlan"})",
       R"({"PublicIP":"0.0.0.0","BackendType":"vxlan","BackendData":{"VNI":1,"VtepMAC":"02:00:00:00:00:01"}})",
       R"({"PublicIP":"239.1.1.1","BackendType":"vxlan","BackendData":{"VNI":1,"VtepMAC":"02:00:00:00:00:01"}})",
       R"({"PublicIP":"fd00::1","BackendType":"vxlan","BackendData":{"VNI":1,"VtepMAC":"02:00:00:00:00:01"}})",
       R"({"PublicIP":"10.84.0.1","BackendType":"vxlan","BackendData":{"VNI":1,"VtepMAC":"01:00:00:00:00:01"}})",
       R"({"PublicIP":"10.84.0.1","BackendType":"vxlan","BackendData":{"VNI":1,"VtepMAC":"00:00:00:00:00:00"}})",
       R"({"PublicIP":"10.84.0.1","BackendType":"vxlan","BackendData":{"VNI":16777216,"VtepMAC":"02:00:00:00:00:01"}})",
       R"({"PublicIP":"10.84.0.1","BackendType":"vxlan","BackendData":{"VNI":"1","VtepMAC":"02:00:00:00:00:01"}})",
       R"({"PublicIP":"10.84.0.1","BackendType":"vxlan","BackendData":"x"})"}) {
    EXPECT_FALSE(FlannelLease::parse("10.244.47.0-24", value)) << value;
  }
  EXPECT_FALSE(FlannelLease::parse("10.244.47.0-24", std::string(100000, '[')));
}

TEST(FlannelSubnetTest, IsOneThatNobodyHas) {
  const auto network = FlannelNetwork::parse(
      R"({"Network":"10.244.0.0/16","SubnetMin":"10.244.1.0","SubnetMax":"10.244.4.0","Backend":{"Type":"vxlan"}})");
  const FlannelRange& range = *network->range4;
  std::vector<Prefix> taken = {prefix("10.244.2.0/24"), prefix("10.250.0.0/24"), prefix("192.168.0.0/24")};
  std::set<std::string> picked;
  for (std::uint64_t random = 0; random < 10; ++random)
    picked.insert(pick_subnet(range, taken, random)->to_string());
  EXPECT_EQ(picked, (std::set<std::string>{"10.244.1.0/24", "10.244.3.0/24", "10.244.4.0/24"}));
  taken.push_back(prefix("10.244.0.0/22"));
  EXPECT_EQ(pick_subnet(range, taken, 7), prefix("10.244.4.0/24"))
      << "a larger one takes all that it touches";
  taken.push_back(prefix("10.244.4.128/25"));
  EXPECT_EQ(pick_subnet(range, taken, 7), std::nullopt);
}

TEST(FlannelSubnetTest, IsOneOfTheFirstHundred) {
  const auto network = FlannelNetwork::parse(kUsual);
  EXPECT_EQ(pick_subnet(*network->range4, {}, 99), prefix("10.244.100.0/24"));
  EXPECT_EQ(pick_subnet(*network->range4, {}, 100), prefix("10.244.1.0/24"));
}

TEST(FlannelSubnetTest, MayBeANodesOnlyBetweenTheBounds) {
  const FlannelRange range = *FlannelNetwork::parse(kUsual)->range4;
  EXPECT_TRUE(range.contains(prefix("10.244.1.0/24")));
  EXPECT_FALSE(range.contains(prefix("10.244.0.0/24")));
  EXPECT_FALSE(range.contains(prefix("10.244.1.0/25")));
  EXPECT_FALSE(range.contains(prefix("10.245.1.0/24")));
}

TEST(FlannelSubnetFileTest, IsWrittenAsFlannelDoesAndReadBack) {
  const auto network = FlannelNetwork::parse(
      R"({"EnableIPv6":true,"Network":"10.244.0.0/16","IPv6Network":"fd00:10:244::/48","Backend":{"Type":"vxlan"}})");
  FlannelSubnetFile file{
      network->range4, network->range6, prefix("10.244.47.0/24"), prefix("fd00:10:244:7::/64"), 1450, false};
  EXPECT_EQ(file.to_string(),
            "FLANNEL_NETWORK=10.244.0.0/16\nFLANNEL_SUBNET=10.244.47.1/24\n"
            "FLANNEL_IPV6_NETWORK=fd00:10:244::/48\nFLANNEL_IPV6_SUBNET=fd00:10:244:7::1/64\n"
            "FLANNEL_MTU=1450\nFLANNEL_IPMASQ=false\n");
  const auto again = FlannelSubnetFile::parse(file.to_string());
  EXPECT_EQ(again.subnet4, file.subnet4);
  EXPECT_EQ(again.subnet6, file.subnet6);
  EXPECT_EQ(FlannelSubnetFile::parse("FLANNEL_SUBNET=nonsense\n=\nx").subnet4, std::nullopt);
}

}  // namespace
}  // namespace vtep
