#include "io/vxlan_device.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/if_link.h>

#include "io/rtnetlink.h"
#include "io/test_namespace.h"

namespace vtep {
namespace {

using testing::HasSubstr;

TEST(VxlanAttributes, SayWhatDiffersFromTheDriversDefaults) {
  const VxlanAttributes bare = to_attributes({.vni = 6000_vni});
  EXPECT_TRUE(bare.contains(IFLA_VXLAN_ID));
  EXPECT_FALSE(bare.contains(IFLA_VXLAN_PROXY));
  EXPECT_FALSE(bare.contains(IFLA_VXLAN_UDP_CSUM));
  EXPECT_EQ(bare.at(IFLA_VXLAN_PORT), (std::vector<std::uint8_t>{0x21, 0x18}));  // 8472
  const VxlanAttributes full = to_attributes(
      {.vni = 1_vni, .remote = Ipv4(10, 0, 0, 2), .local = IpAddr::parse("fd00::1"), .proxy = true});
  EXPECT_EQ(full.at(IFLA_VXLAN_GROUP), (std::vector<std::uint8_t>{10, 0, 0, 2}));
  EXPECT_EQ(full.at(IFLA_VXLAN_LOCAL6).size(), 16U);
  EXPECT_EQ(full.at(IFLA_VXLAN_PROXY), (std::vector<std::uint8_t>{1}));
}

TEST(VxlanAttributes, OnlyChangesAreSaid) {
  const VxlanParameters before{.vni = 1_vni, .remote = Ipv4(10, 0, 0, 2), .ageing = 300, .proxy = true};
  VxlanParameters after = before;
  EXPECT_TRUE(attribute_changes(before, after)->empty());
  after.remote = Ipv4(10, 0, 0, 3);
  after.ageing = 60;
  EXPECT_EQ(attribute_changes(before, after)->size(), 2U);
  after = before;
  after.proxy = false;
  EXPECT_EQ(attribute_changes(before, after)->at(IFLA_VXLAN_PROXY), (std::vector<std::uint8_t>{0}));
  after = before;
  after.remote.reset();
  EXPECT_THAT(attribute_changes(before, after).error().message, HasSubstr("cannot take back"));
}

class VxlanDeviceTest : public NamespaceTest {};

TEST_F(VxlanDeviceTest, LivesAndDies) {
  const auto devices = VxlanDevices::create().value();
  const auto rtnetlink = Rtnetlink::create().value();
  const MacAddr mac = *MacAddr::parse("02:00:00:00:00:0a");
  ASSERT_TRUE(
      devices->add("vx", {.vni = 6000_vni, .remote = Ipv4(10, 0, 0, 2), .port = Port(4789)}, mac, 1400));
  const auto interface = rtnetlink->find("vx").value();
  EXPECT_EQ(interface.kind, "vxlan");
  EXPECT_EQ(interface.address, mac);
  EXPECT_EQ(interface.mtu, 1400U);
  EXPECT_EQ(devices->vni("vx").value(), 6000_vni);
  EXPECT_EQ(devices->vni("lo").error().kind, ErrorKind::kInvalid);
  EXPECT_EQ(devices->vni("none").error().kind, ErrorKind::kNotFound);

  const auto taken = devices->add("vx", {.vni = 1_vni}, {}, {});
  EXPECT_EQ(taken.error().kind, ErrorKind::kExists);
  const auto refused = devices->change(interface.index, to_attributes({.vni = 7_vni}));
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("VNI"));

  sh("ip link add br0 type bridge && ip link set vx master br0");
  EXPECT_TRUE(devices->set_port(interface.index, false, true));
  EXPECT_TRUE(devices->remove(interface.index));
  EXPECT_TRUE(devices->remove(interface.index));
  EXPECT_FALSE(rtnetlink->find("vx"));
}

}  // namespace
}  // namespace vtep
