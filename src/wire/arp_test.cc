#include "wire/arp.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <vector>

#include "wire/golden_frames.h"

namespace vtep {
namespace {

const MacAddr kS20({0x4a, 0xbd, 0x99, 0x0c, 0x09, 0xb2});
const MacAddr kS3({0x62, 0x7a, 0xe6, 0x8f, 0xbc, 0x5c});

TEST(Arp, ReadsACapturedRequestAndItsReply) {
  const ArpMessage request{ArpOperation::kRequest, kS20, Ipv4(192, 168, 5, 10), MacAddr(),
                           Ipv4(192, 168, 5, 12)};
  const ArpMessage reply{ArpOperation::kReply, kS3, Ipv4(192, 168, 5, 12), kS20, Ipv4(192, 168, 5, 10)};
  EXPECT_EQ(ArpView::parse(golden_inner_frame("multicast-arp-request").subspan(14))->message(), request);
  EXPECT_EQ(ArpView::parse(golden_inner_frame("arp-reply").subspan(14))->message(), reply);
}

TEST(Arp, EmitsWhatTheKernelSent) {
  const ByteView captured = golden_inner_frame("arp-reply").subspan(14);
  std::array<std::uint8_t, ArpMessage::kSize> out;
  out.fill(0xff);
  ArpView::parse(captured)->message()->emit(out);
  EXPECT_TRUE(std::equal(out.begin(), out.end(), captured.begin(), captured.end()));
}

TEST(Arp, PassesOverPadding) {
  EXPECT_EQ(ArpView::parse(golden_frame("arp-padded").subspan(14))->sender_ip(), Ipv4(192, 0, 2, 1));
}

TEST(Arp, RefusesOtherKindsOfAddresses) {
  const ByteView good = golden_inner_frame("arp-reply").subspan(14);
  EXPECT_FALSE(ArpView::parse(good.first(27)));
  for (const std::size_t field : {1U, 2U, 4U, 5U}) {
    std::vector<std::uint8_t> bad(good.begin(), good.end());
    ++bad[field];
    EXPECT_FALSE(ArpView::parse(bad)) << "byte " << field;
  }
}

TEST(Arp, HasNoValueForOtherOperations) {
  const auto view = ArpView::parse(golden_frame("arp-other-operation").subspan(14));
  ASSERT_TRUE(view);
  EXPECT_EQ(view->operation(), 8);
  EXPECT_FALSE(view->message());
}

}  // namespace
}  // namespace vtep
