#include "wire/ipv4.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "wire/golden_frames.h"
#include "wire/ip_protocol.h"
#include "wire/options.h"

namespace vtep {
namespace {

ByteView datagram(std::string_view name) {
  return golden_frame(name).subspan(14);
}

TEST(Ipv4View, ReadsACapturedHeader) {
  const auto view = Ipv4View::parse(datagram("multicast-arp-request"));
  ASSERT_TRUE(view);
  EXPECT_EQ(view->source(), Ipv4(10, 138, 36, 66));
  EXPECT_EQ(view->destination(), Ipv4(239, 1, 1, 1));
  EXPECT_EQ(view->protocol(), kProtocolUdp);
  EXPECT_EQ(view->total_length(), 78);
  EXPECT_EQ(view->ttl(), 1);
  EXPECT_EQ(view->payload().size(), 58U);
  EXPECT_TRUE(view->is_checksum_right());
  EXPECT_FALSE(view->is_fragment());
  EXPECT_FALSE(view->is_truncated());
}

TEST(Ipv4View, SeesAWrongChecksum) {
  EXPECT_FALSE(Ipv4View::parse(datagram("ipv4-bad-checksum"))->is_checksum_right());
}

TEST(Ipv4View, ReadsOptions) {
  const auto view = Ipv4View::parse(datagram("udp4-options"));
  ASSERT_TRUE(view);
  EXPECT_EQ(view->header_length(), 24U);
  EXPECT_EQ(view->payload().size(), 9U);
  EXPECT_TRUE(view->is_checksum_right());
  EXPECT_EQ(OptionCursor(view->options()).next()->kind, 0x94);  // router alert (RFC 2113)
  EXPECT_FALSE(view->header());
}

TEST(Ipv4View, ReadsFragments) {
  const auto first = Ipv4View::parse(datagram("udp4-first-fragment"));
  EXPECT_TRUE(first->is_fragment());
  EXPECT_TRUE(first->more_fragments());
  EXPECT_EQ(first->fragment_offset(), 0U);
  EXPECT_FALSE(first->header());
  const auto later = Ipv4View::parse(datagram("udp4-later-fragment"));
  EXPECT_TRUE(later->is_fragment());
  EXPECT_FALSE(later->more_fragments());
  EXPECT_EQ(later->fragment_offset(), 1408U);
}

TEST(Ipv4View, ComparesTheTotalLengthWithWhatIsThere) {
  const auto padded = Ipv4View::parse(datagram("udp4-padded"));
  EXPECT_EQ(padded->payload().size(), 15U);
  EXPECT_FALSE(padded->is_truncated());
  const auto truncated = Ipv4View::parse(datagram("ipv4-truncated"));
  EXPECT_EQ(truncated->total_length(), 100);
  EXPECT_EQ(truncated->payload().size(), 15U);
  EXPECT_TRUE(truncated->is_truncated());
}

TEST(Ipv4View, RefusesImpossibleHeaders) {
  EXPECT_FALSE(Ipv4View::parse(datagram("ipv4-bad-header-length")));
  EXPECT_FALSE(Ipv4View::parse(datagram("ipv4-wrong-version")));
  EXPECT_FALSE(Ipv4View::parse(datagram("ipv4-total-length-too-small")));
  EXPECT_FALSE(Ipv4View::parse(datagram("ipv4-cut-off")));
  EXPECT_FALSE(Ipv4View::parse(datagram("udp4-options").first(23)));  // in the middle of the options
}

TEST(Ipv4Header, EmitsWhatTheKernelSent) {
  const ByteView captured = datagram("icmp-echo-request");
  const auto header = Ipv4View::parse(captured)->header();
  ASSERT_TRUE(header);
  std::vector<std::uint8_t> out(captured.size(), 0xff);
  header->emit(out);
  EXPECT_TRUE(std::equal(out.begin(), out.begin() + 20, captured.begin()));
  EXPECT_TRUE(std::all_of(out.begin() + 20, out.end(), [](std::uint8_t byte) { return byte == 0xff; }));
}

TEST(Ipv4Header, SurvivesEmitAndParse) {
  const Ipv4Header header{.source = Ipv4(10, 0, 0, 1),
                          .destination = Ipv4(255, 255, 255, 255),
                          .protocol = 255,
                          .ttl = 1,
                          .traffic_class = 0xb9,
                          .identification = 0xfedc,
                          .dont_fragment = true};
  for (const std::size_t size : {std::size_t{20}, std::size_t{1500}, Ipv4Header::kMaxDatagram}) {
    std::vector<std::uint8_t> out(size, 0xff);
    header.emit(out);
    const auto view = Ipv4View::parse(out);
    ASSERT_TRUE(view);
    EXPECT_EQ(view->header(), header);
    EXPECT_EQ(view->total_length(), size);
    EXPECT_TRUE(view->is_checksum_right());
  }
}

}  // namespace
}  // namespace vtep
