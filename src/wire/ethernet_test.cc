#include "wire/ethernet.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "wire/golden_frames.h"

namespace vtep {
namespace {

TEST(Ethernet, ReadsACapturedHeader) {
  const ByteView frame = golden_frame("multicast-arp-request");
  const auto view = EthernetView::parse(frame);
  ASSERT_TRUE(view);
  EXPECT_EQ(view->destination(), MacAddr({0x01, 0x00, 0x5e, 0x01, 0x01, 0x01}));
  EXPECT_EQ(view->source(), MacAddr({0xbb, 0x6b, 0x8c, 0x86, 0x6d, 0x83}));
  EXPECT_EQ(view->ethertype(), kEthertypeIpv4);
  EXPECT_EQ(view->payload().data(), frame.data() + 14);
  EXPECT_EQ(view->payload().size(), 78U);
}

TEST(Ethernet, EmitsWhatWasThere) {
  const ByteView frame = golden_frame("underlay-arp-reply");
  std::array<std::uint8_t, 14> out;
  out.fill(0xff);
  EthernetView::parse(frame)->header().emit(out);
  EXPECT_TRUE(std::equal(out.begin(), out.end(), frame.begin()));
}

TEST(Ethernet, NeedsAWholeHeader) {
  const ByteView frame = golden_frame("udp4");
  EXPECT_FALSE(EthernetView::parse(frame.first(13)));
  EXPECT_TRUE(EthernetView::parse(frame.first(14))->payload().empty());
}

}  // namespace
}  // namespace vtep
