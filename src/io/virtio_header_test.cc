#include "io/virtio_header.h"

#include <gtest/gtest.h>

#include <vector>

#include "base/packet.h"

namespace vtep {
namespace {

using Header = std::array<std::uint8_t, kVirtioHeaderSize>;

constexpr std::size_t kTcpStart = 14 + 20;

/// Ethernet, IPv4 and a TCP header of `tcp_words` words; only the data offset matters here.
std::vector<std::uint8_t> tcp_frame(std::uint8_t tcp_words, std::size_t payload) {
  std::vector<std::uint8_t> frame(kTcpStart + 4U * tcp_words + payload);
  frame[kTcpStart + 12] = static_cast<std::uint8_t>(tcp_words << 4);
  return frame;
}

TEST(VirtioHeader, ReadsAPlainFrame) {
  const std::vector<std::uint8_t> frame(60);
  EXPECT_EQ(parse_virtio_header(Header{}, frame), Offload{});
  EXPECT_EQ(parse_virtio_header(Header{}, ByteView{}), Offload{});
}

TEST(VirtioHeader, ReadsAPartialChecksum) {
  // As a TAP gives it for a UDP datagram: csum_start 34, csum_offset 6.
  const Header header = {1, 0, 0, 0, 0, 0, 34, 0, 6, 0, 0, 0};
  const auto offload = parse_virtio_header(header, std::vector<std::uint8_t>(42));
  ASSERT_TRUE(offload);
  EXPECT_EQ(*offload, (Offload{.needs_checksum = true, .checksum_start = 34, .checksum_offset = 6}));
}

TEST(VirtioHeader, ReadsASuperFrameWithTheHeaderLengthOfTheFrame) {
  // hdr_len says 0x100, as the kernel does when that much lies in the linear part.
  const Header header = {1, 1, 0, 1, 0x78, 5, 34, 0, 16, 0, 0, 0};
  const auto offload = parse_virtio_header(header, tcp_frame(8, 5000));
  ASSERT_TRUE(offload);
  EXPECT_EQ(*offload, (Offload{.needs_checksum = true,
                               .segmentation = Segmentation::kTcp4,
                               .segment_size = 1400,
                               .header_length = kTcpStart + 32,
                               .checksum_start = 34,
                               .checksum_offset = 16}));
}

TEST(VirtioHeader, RefusesWhatDoesNotFitTheFrame) {
  const auto frame = tcp_frame(5, 3000);
  const auto with = [](std::size_t at, std::uint8_t value) {
    Header header = {1, 1, 54, 0, 0x78, 5, 34, 0, 16, 0, 0, 0};
    header[at] = value;
    return header;
  };
  ASSERT_TRUE(parse_virtio_header(with(0, 1), frame));
  EXPECT_FALSE(parse_virtio_header(with(0, 0), frame)) << "segmentation without a checksum";
  EXPECT_FALSE(parse_virtio_header(with(1, 3), frame)) << "UFO was never offered";
  EXPECT_FALSE(parse_virtio_header(with(1, 0x7f), frame)) << "unknown type";
  EXPECT_FALSE(parse_virtio_header(with(6, 13), frame)) << "checksum in the Ethernet header";
  EXPECT_FALSE(parse_virtio_header(with(7, 0xff), frame)) << "checksum starts behind the frame";
  EXPECT_FALSE(parse_virtio_header(with(9, 0xff), frame)) << "checksum field behind the frame";
  Header no_size = with(4, 0);
  no_size[5] = 0;
  EXPECT_FALSE(parse_virtio_header(no_size, frame)) << "segments of nothing";
  EXPECT_FALSE(parse_virtio_header(with(0, 1), tcp_frame(4, 3000))) << "TCP header too short";
  EXPECT_FALSE(parse_virtio_header(with(0, 1), tcp_frame(15, 0))) << "no payload";
}

TEST(VirtioHeader, SegmentsNeedTheChecksumOfTheirProtocol) {
  const Header tcp_at_udp = {1, 1, 54, 0, 0x78, 5, 34, 0, 6, 0, 0, 0};
  const Header udp_at_tcp = {1, 5, 54, 0, 0x78, 5, 34, 0, 16, 0, 0, 0};
  EXPECT_FALSE(parse_virtio_header(tcp_at_udp, tcp_frame(5, 3000)));
  EXPECT_FALSE(parse_virtio_header(udp_at_tcp, tcp_frame(5, 3000)));
}

TEST(VirtioHeader, WhatMakesNoSenseLiesOutsideEveryFrame) {
  Header header;
  store_virtio_header(kSenselessOffload, ByteView(), header.data());
  EXPECT_FALSE(parse_virtio_header(header, std::vector<std::uint8_t>(kMaxFrame)));
}

TEST(VirtioHeader, SaysThatTheFirstSegmentHasCwr) {
  auto frame = tcp_frame(5, 3000);
  Offload offload{.needs_checksum = true,
                  .segmentation = Segmentation::kTcp4,
                  .segment_size = 1000,
                  .header_length = 54,
                  .checksum_start = 34,
                  .checksum_offset = 16};
  Header header;
  frame[kTcpStart + 13] = 0x80;
  store_virtio_header(offload, frame, header.data());
  EXPECT_EQ(header[1], 0x81);
  EXPECT_EQ(parse_virtio_header(header, frame), offload) << "the flag is in the frame";
  store_virtio_header(offload, ByteView(frame).first(kTcpStart + 13), header.data());
  EXPECT_EQ(header[1], 1) << "too short to tell";
  offload.segmentation = Segmentation::kUdp;
  store_virtio_header(offload, frame, header.data());
  EXPECT_EQ(header[1], 5) << "UDP has no such bit";
}

TEST(VirtioHeader, RefusesEveryTruncationWithoutReadingBeyond) {
  const Header header = {1, 1, 54, 0, 0x78, 5, 34, 0, 16, 0, 0, 0};
  const auto frame = tcp_frame(5, 1);
  for (std::size_t size = 0; size < frame.size(); ++size) {
    const std::vector<std::uint8_t> cut(frame.begin(), frame.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_FALSE(parse_virtio_header(header, cut)) << size;
  }
  EXPECT_TRUE(parse_virtio_header(header, frame));
}

TEST(VirtioHeader, EveryOffloadSurvivesTheRoundTripIntoADirtyBuffer) {
  const auto tcp = tcp_frame(5, 3000);
  const Offload offloads[] = {
      {},
      {.checksum_valid = true},
      {.needs_checksum = true, .checksum_start = 34, .checksum_offset = 16},
      {.needs_checksum = true,
       .segmentation = Segmentation::kTcp4,
       .segment_size = 1448,
       .header_length = 54,
       .checksum_start = 34,
       .checksum_offset = 16},
      {.needs_checksum = true,
       .segmentation = Segmentation::kTcp6,
       .segment_size = 1428,
       .header_length = 54,
       .checksum_start = 34,
       .checksum_offset = 16},
      {.needs_checksum = true,
       .segmentation = Segmentation::kUdp,
       .segment_size = 1000,
       .header_length = 42,
       .checksum_start = 34,
       .checksum_offset = 6},
  };
  for (const Offload& offload : offloads) {
    Header header;
    header.fill(0xa5);
    store_virtio_header(offload, tcp, header.data());
    EXPECT_EQ(parse_virtio_header(header, tcp), offload);
  }
}

}  // namespace
}  // namespace vtep
