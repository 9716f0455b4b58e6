#include "wire/tcp.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "wire/checksum.h"
#include "wire/golden_frames.h"
#include "wire/ip_protocol.h"
#include "wire/options.h"

namespace vtep {
namespace {

/// A segment of the captured connection, and its pseudo-header's sum.
struct Captured {
  explicit Captured(std::string_view name)
      : bytes(golden_inner_frame(name).subspan(34)),
        view(*TcpView::parse(bytes)),
        pseudo_sum(pseudo_header_sum(Ipv4(192, 168, 5, 10), Ipv4(192, 168, 5, 12), kProtocolTcp,
                                     static_cast<std::uint32_t>(bytes.size()))) {}
  ByteView bytes;
  TcpView view;
  std::uint64_t pseudo_sum;
};

TEST(TcpView, ReadsACapturedSyn) {
  const Captured syn("tcp-syn");
  EXPECT_EQ(syn.view.destination(), Port(5001));
  EXPECT_EQ(syn.view.flags(), tcp_flag::kSyn);
  EXPECT_EQ(syn.view.acknowledgment(), 0U);
  EXPECT_EQ(syn.view.header_length(), 40U);
  EXPECT_TRUE(syn.view.payload().empty());
  EXPECT_TRUE(syn.view.is_checksum_right(syn.pseudo_sum));
  EXPECT_FALSE(syn.view.is_checksum_right(syn.pseudo_sum + 1));
  const auto mss = OptionCursor(syn.view.options()).next();
  ASSERT_TRUE(mss);
  EXPECT_EQ(mss->kind, tcp_option::kMaxSegmentSize);
  EXPECT_EQ(load_be16(mss->data.data()), 1410);  // what an MTU of 1450 leaves
}

TEST(TcpView, ReadsCapturedData) {
  const Captured data("tcp-data");
  EXPECT_EQ(data.view.flags(), tcp_flag::kPsh | tcp_flag::kAck);
  const ByteView payload = data.view.payload();
  EXPECT_EQ(std::string(payload.begin(), payload.end()), "hello vtep");
}

TEST(TcpView, RefusesImpossibleDataOffsets) {
  EXPECT_FALSE(TcpView::parse(golden_frame("tcp-bad-data-offset").subspan(34)));
  EXPECT_FALSE(TcpView::parse(golden_frame("tcp-options-cut-off").subspan(34)));
  EXPECT_FALSE(TcpView::parse(golden_frame("tcp-cut-off").subspan(34)));
}

TEST(TcpHeader, EmitsWhatTheKernelSent) {
  for (const char* name : {"tcp-syn", "tcp-ack", "tcp-data", "tcp-fin"}) {
    const Captured captured(name);
    std::vector<std::uint8_t> out(captured.bytes.begin(), captured.bytes.end());
    std::fill_n(out.begin(), captured.view.header_length(), std::uint8_t{0xff});
    captured.view.header().emit(out, captured.view.options(), captured.pseudo_sum);
    EXPECT_TRUE(std::equal(out.begin(), out.end(), captured.bytes.begin(), captured.bytes.end())) << name;
  }
}

TEST(TcpHeader, SurvivesEmitAndParse) {
  const TcpHeader header{.source = Port(65535),
                         .destination = Port(1),
                         .sequence = 0xfffffffe,
                         .acknowledgment = 0x01020304,
                         .flags = 0xff,
                         .window = 0xabcd,
                         .urgent = 0x1234};
  const std::vector<std::uint8_t> options(TcpHeader::kMaxOptions, Option::kNop);
  std::vector<std::uint8_t> out(20 + 40 + 7, 0xff);
  header.emit(out, options, 0);
  const auto view = TcpView::parse(out);
  ASSERT_TRUE(view);
  EXPECT_EQ(view->header(), header);
  EXPECT_EQ(view->options().size(), 40U);
  EXPECT_EQ(view->payload().size(), 7U);
  EXPECT_TRUE(view->is_checksum_right(0));
}

}  // namespace
}  // namespace vtep
