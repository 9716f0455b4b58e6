#include "wire/vxlan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "wire/golden_frames.h"

namespace vtep {
namespace {

ByteView payload(std::string_view name) {
  return golden_frame(name).subspan(42);
}

TEST(Vxlan, ReadsWhatTheKernelSent) {
  const auto view = VxlanView::parse(payload("multicast-arp-request"));
  ASSERT_TRUE(view);
  EXPECT_TRUE(view->has_vni());
  EXPECT_EQ(view->flags(), 0x08);
  EXPECT_EQ(view->vni(), 6000_vni);
  EXPECT_EQ(view->payload().size(), 42U);
  EXPECT_EQ(VxlanView::parse(payload("point-to-point-arp-request"))->vni(), 80000_vni);
}

TEST(Vxlan, EmitsWhatTheKernelSent) {
  std::array<std::uint8_t, VxlanHeader::kSize> out;
  out.fill(0xff);
  VxlanHeader{80000_vni}.emit(out);
  EXPECT_EQ(out, (std::array<std::uint8_t, 8>{0x08, 0, 0, 0, 0x01, 0x38, 0x80, 0}));
  EXPECT_TRUE(std::equal(out.begin(), out.end(), payload("point-to-point-arp-request").begin()));
}

TEST(Vxlan, SurvivesEmitAndParse) {
  for (const Vni vni : {0_vni, 1_vni, 0x010203_vni, 0xffffff_vni}) {
    std::array<std::uint8_t, VxlanHeader::kSize> out;
    out.fill(0xff);
    VxlanHeader{vni}.emit(out);
    EXPECT_EQ(VxlanView::parse(out)->vni(), vni);
    EXPECT_EQ(VxlanView::parse(out)->reserved1(), 0U);
    EXPECT_EQ(VxlanView::parse(out)->reserved2(), 0);
  }
}

// RFC 7348 section 5: ignored on receipt, yet here to be looked at.
TEST(Vxlan, ReadsReservedBitsWithoutMindingThem) {
  const auto view = VxlanView::parse(payload("vxlan-reserved-bits"));
  ASSERT_TRUE(view);
  EXPECT_TRUE(view->has_vni());
  EXPECT_EQ(view->vni(), 100_vni);
  EXPECT_EQ(view->flags(), 0xff);
  EXPECT_EQ(view->reserved1(), 0x123456U);
  EXPECT_EQ(view->reserved2(), 0x78);
}

TEST(Vxlan, SaysWhenTheFlagIsMissing) {
  EXPECT_FALSE(VxlanView::parse(payload("vxlan-without-i-flag"))->has_vni());
  const std::array<std::uint8_t, 8> all_but_i = {0xf7, 0, 0, 0, 0, 0, 1, 0};
  EXPECT_FALSE(VxlanView::parse(all_but_i)->has_vni());
}

TEST(Vxlan, NeedsAWholeHeader) {
  EXPECT_FALSE(VxlanView::parse(payload("vxlan-cut-off")));
  EXPECT_TRUE(VxlanView::parse(payload("vxlan-empty"))->payload().empty());
}

}  // namespace
}  // namespace vtep
