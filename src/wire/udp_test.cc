#include "wire/udp.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "wire/checksum.h"
#include "wire/golden_frames.h"
#include "wire/ip_protocol.h"

namespace vtep {
namespace {

std::uint64_t pseudo_sum(std::size_t length) {
  return pseudo_header_sum(Ipv4(192, 0, 2, 1), Ipv4(192, 0, 2, 2), kProtocolUdp,
                           static_cast<std::uint32_t>(length));
}

TEST(UdpView, ReadsTheKernelsOuterHeader) {
  const auto view = UdpView::parse(golden_frame("multicast-arp-request").subspan(34));
  ASSERT_TRUE(view);
  EXPECT_EQ(view->source(), Port(40103));
  EXPECT_EQ(view->destination(), kIanaVxlanPort);
  EXPECT_EQ(view->length(), 58);
  EXPECT_EQ(view->payload().size(), 50U);
  // Linux sums the outer datagram unless it is told `noudpcsum`.
  const std::uint64_t outer = pseudo_header_sum(Ipv4(10, 138, 36, 66), Ipv4(239, 1, 1, 1), kProtocolUdp, 58);
  EXPECT_NE(view->checksum(), 0);
  EXPECT_TRUE(view->is_checksum_right(outer));
  EXPECT_FALSE(view->is_checksum_right(outer + 1));
}

TEST(UdpView, VerifiesTheChecksum) {
  const auto view = UdpView::parse(golden_frame("udp4").subspan(34));
  EXPECT_NE(view->checksum(), 0);
  EXPECT_TRUE(view->is_checksum_right(pseudo_sum(15)));
  EXPECT_FALSE(view->is_checksum_right(pseudo_sum(16)));
}

TEST(UdpView, TakesNoChecksumForARightOne) {
  const auto view = UdpView::parse(golden_frame("udp4-no-checksum").subspan(34));
  EXPECT_EQ(view->checksum(), 0);
  EXPECT_TRUE(view->is_checksum_right(pseudo_sum(15)));
  EXPECT_TRUE(view->is_checksum_right(pseudo_sum(16)));
}

TEST(UdpView, ComparesTheLengthWithWhatIsThere) {
  const auto padded = UdpView::parse(golden_frame("udp4-padded").subspan(34));
  EXPECT_EQ(padded->payload().size(), 7U);
  EXPECT_TRUE(padded->is_checksum_right(pseudo_sum(15)));
  const auto fragment = UdpView::parse(golden_frame("udp4-first-fragment").subspan(34));
  EXPECT_TRUE(fragment->is_truncated());
  EXPECT_FALSE(fragment->is_checksum_right(pseudo_sum(fragment->length())));
}

// What is missing may be zeros, which would not change the sum.
TEST(UdpView, VouchesForNoTruncatedDatagram) {
  std::vector<std::uint8_t> datagram(UdpHeader::kSize + 4, 0);
  UdpHeader{Port(1), Port(2)}.emit(datagram, pseudo_sum(datagram.size()));
  EXPECT_TRUE(UdpView::parse(datagram)->is_checksum_right(pseudo_sum(12)));
  EXPECT_FALSE(UdpView::parse(ByteView(datagram).first(10))->is_checksum_right(pseudo_sum(12)));
}

TEST(UdpView, RefusesImpossibleLengths) {
  EXPECT_FALSE(UdpView::parse(golden_frame("udp4-length-too-small").subspan(34)));
  EXPECT_FALSE(UdpView::parse(golden_frame("udp4-cut-off").subspan(34)));
}

TEST(UdpHeader, EmitsWithAndWithoutAChecksum) {
  for (const char* name : {"udp4", "udp4-no-checksum"}) {
    const ByteView expected = golden_frame(name).subspan(34);
    std::vector<std::uint8_t> out(expected.begin(), expected.end());
    std::fill_n(out.begin(), UdpHeader::kSize, std::uint8_t{0xff});
    const UdpHeader header{Port(1000), Port(2000)};
    if (std::string_view(name) == "udp4") {
      header.emit(out, pseudo_sum(out.size()));
    } else {
      header.emit(out);
    }
    EXPECT_TRUE(std::equal(out.begin(), out.end(), expected.begin(), expected.end())) << name;
  }
}

TEST(UdpHeader, NeverSaysNoChecksumWhenThereIsOne) {
  std::vector<std::uint8_t> out(UdpHeader::kSize + 2, 0xff);
  const UdpHeader header{Port(1), Port(2)};
  store_be16(out.data() + UdpHeader::kSize, 0);
  header.emit(out, 0);
  // A payload that makes the sum all ones, the complement of which is zero.
  store_be16(out.data() + UdpHeader::kSize, load_be16(out.data() + UdpHeader::kChecksum));
  header.emit(out, 0);
  EXPECT_EQ(UdpView::parse(out)->checksum(), 0xffff);
  EXPECT_TRUE(UdpView::parse(out)->is_checksum_right(0));
}

}  // namespace
}  // namespace vtep
