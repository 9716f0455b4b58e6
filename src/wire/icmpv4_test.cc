#include "wire/icmpv4.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "wire/golden_frames.h"

namespace vtep {
namespace {

TEST(Icmpv4, ReadsACapturedEcho) {
  const auto request = Icmpv4View::parse(golden_inner_frame("icmp-echo-request").subspan(34));
  ASSERT_TRUE(request);
  EXPECT_EQ(request->type(), icmpv4_type::kEchoRequest);
  EXPECT_TRUE(request->is_echo());
  EXPECT_EQ(request->identifier(), 61);
  EXPECT_EQ(request->sequence(), 1);
  EXPECT_EQ(request->payload().size(), 56U);
  EXPECT_TRUE(request->is_checksum_right());
}

TEST(Icmpv4, ReadsTheMtuOfARouter) {
  const auto error = Icmpv4View::parse(golden_frame("icmp-fragmentation-needed").subspan(34));
  ASSERT_TRUE(error);
  EXPECT_EQ(error->type(), icmpv4_type::kUnreachable);
  EXPECT_EQ(error->code(), Icmpv4Header::kFragmentationNeeded);
  EXPECT_EQ(error->next_hop_mtu(), 1450);
  EXPECT_FALSE(error->is_echo());
}

TEST(Icmpv4, EmitsWhatTheKernelSent) {
  const ByteView captured = golden_inner_frame("icmp-echo-reply").subspan(34);
  std::vector<std::uint8_t> out(captured.begin(), captured.end());
  std::fill_n(out.begin(), Icmpv4Header::kSize, std::uint8_t{0xff});
  Icmpv4View::parse(captured)->header().emit(out);
  EXPECT_TRUE(std::equal(out.begin(), out.end(), captured.begin(), captured.end()));
}

TEST(Icmpv4, SeesAChangedPayload) {
  const ByteView captured = golden_inner_frame("icmp-echo-reply").subspan(34);
  std::vector<std::uint8_t> changed(captured.begin(), captured.end());
  ++changed.back();
  EXPECT_FALSE(Icmpv4View::parse(changed)->is_checksum_right());
}

TEST(Icmpv4, NeedsAWholeHeader) {
  EXPECT_FALSE(Icmpv4View::parse(golden_inner_frame("icmp-echo-request").subspan(34, 7)));
}

}  // namespace
}  // namespace vtep
