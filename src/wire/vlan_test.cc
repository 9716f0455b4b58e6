#include "wire/vlan.h"

#include <gtest/gtest.h>

#include <array>

#include "wire/ethernet.h"
#include "wire/golden_frames.h"

namespace vtep {
namespace {

TEST(Vlan, ReadsStackedTags) {
  const auto frame = EthernetView::parse(golden_frame("vlan-stacked"));
  EXPECT_EQ(frame->ethertype(), kEthertypeServiceVlan);
  const auto service = VlanView::parse(frame->payload());
  ASSERT_TRUE(service);
  EXPECT_EQ(service->id(), 100);
  EXPECT_EQ(service->priority(), VlanPriority::kBestEffort);
  EXPECT_EQ(service->ethertype(), kEthertypeVlan);
  const auto customer = VlanView::parse(service->payload());
  ASSERT_TRUE(customer);
  EXPECT_EQ(customer->id(), 5);
  EXPECT_EQ(customer->priority(), VlanPriority::kCriticalApplications);
  EXPECT_FALSE(customer->drop_eligible());
  EXPECT_EQ(customer->ethertype(), kEthertypeIpv4);
}

TEST(Vlan, KeepsTheFieldsApart) {
  const VlanHeader header{.id = *VlanId::from(4094),
                          .priority = VlanPriority::kNetworkControl,
                          .drop_eligible = true,
                          .ethertype = 0x0800};
  std::array<std::uint8_t, 4> out;
  out.fill(0xff);
  header.emit(out);
  EXPECT_EQ(out, (std::array<std::uint8_t, 4>{0xff, 0xfe, 0x08, 0x00}));
  EXPECT_EQ(VlanView::parse(out)->header(), header);

  for (unsigned priority = 0; priority < 8; ++priority) {
    const VlanHeader each{.id = *VlanId::from(1),
                          .priority = static_cast<VlanPriority>(priority),
                          .drop_eligible = false,
                          .ethertype = 0};
    each.emit(out);
    EXPECT_EQ(out[0], priority << 5);
    EXPECT_EQ(VlanView::parse(out)->header(), each);
  }
}

TEST(Vlan, RefusesTheReservedIdentifier) {
  EXPECT_TRUE(VlanId::from(0xffe));
  EXPECT_FALSE(VlanId::from(0xfff));
  const std::array<std::uint8_t, 4> reserved = {0x0f, 0xff, 0x08, 0x00};
  EXPECT_EQ(VlanView::parse(reserved)->id(), 0xfff);
  EXPECT_FALSE(VlanView::parse(reserved)->header());
  EXPECT_FALSE(VlanView::parse(ByteView(reserved).first(3)));
}

}  // namespace
}  // namespace vtep
