#include "wire/checksum.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "wire/golden_frames.h"
#include "wire/ip_protocol.h"

namespace vtep {
namespace {

std::uint16_t naive_fold(ByteView bytes) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) sum += i % 2 == 0 ? bytes[i] * 256U : bytes[i];
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(sum);
}

std::vector<std::uint8_t> random_bytes(std::mt19937& random, std::size_t size) {
  std::vector<std::uint8_t> bytes(size);
  for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(random());
  return bytes;
}

TEST(Checksum, MatchesTheExampleOfRfc1071) {
  const std::uint8_t bytes[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};
  EXPECT_EQ(checksum_fold(checksum_partial(bytes)), 0xddf2);
  EXPECT_EQ(internet_checksum(bytes), 0x220d);
}

TEST(Checksum, OfNothingIsAllOnes) {
  EXPECT_EQ(checksum_partial({}), 0U);
  EXPECT_EQ(internet_checksum({}), 0xffff);
}

TEST(Checksum, MatchesANaiveSumAtEveryLengthAndAlignment) {
  std::mt19937 random(1);
  for (std::size_t size = 0; size < 300; ++size) {
    for (std::size_t shift = 0; shift < 8; ++shift) {
      const auto bytes = random_bytes(random, shift + size);
      const ByteView view = ByteView(bytes).subspan(shift);
      ASSERT_EQ(checksum_fold(checksum_partial(view)), naive_fold(view))
          << size << " bytes, shifted by " << shift;
    }
  }
}

// Where a carry gets lost if it ever does.
TEST(Checksum, KeepsEveryCarry) {
  for (const std::size_t size : {7U, 8U, 31U, 32U, 33U, 64U, 1450U, 65535U}) {
    const std::vector<std::uint8_t> ones(size, 0xff);
    EXPECT_EQ(checksum_fold(checksum_partial(ones)), naive_fold(ones)) << size;
    EXPECT_EQ(checksum_fold(checksum_partial(ones, 0xffffffff)), naive_fold(ones)) << size;
  }
}

TEST(Checksum, AddsPartsOfEvenLength) {
  std::mt19937 random(2);
  const auto bytes = random_bytes(random, 101);
  const ByteView view(bytes);
  for (std::size_t cut = 0; cut <= view.size(); cut += 2) {
    const std::uint64_t front = checksum_partial(view.first(cut));
    EXPECT_EQ(checksum_fold(checksum_partial(view.subspan(cut), front)), naive_fold(view)) << cut;
    EXPECT_EQ(checksum_fold(front + checksum_partial(view.subspan(cut))), naive_fold(view)) << cut;
  }
}

TEST(Checksum, UpdatesLikeAFullSum) {
  std::mt19937 random(3);
  for (int round = 0; round < 2000; ++round) {
    auto bytes = random_bytes(random, 40);
    const std::uint16_t before_all = internet_checksum(bytes);
    const std::size_t at = random() % 20 * 2;
    const std::uint16_t before = load_be16(bytes.data() + at);
    const auto after = static_cast<std::uint16_t>(random() % 3 == 0 ? 0xffff * (random() & 1) : random());
    store_be16(bytes.data() + at, after);
    ASSERT_EQ(checksum_update(before_all, before, after), internet_checksum(bytes)) << round;
  }
}

// The case for which RFC 1624 corrects RFC 1141: the sum becomes zero.
TEST(Checksum, UpdatesTheExampleOfRfc1624) {
  EXPECT_EQ(checksum_update(0xdd2f, 0x5555, 0x3285), 0x0000);
}

TEST(Checksum, StandsForZeroAsAllOnesInUdp) {
  EXPECT_EQ(checksum_finish(0xffff), 0x0000);
  EXPECT_EQ(checksum_finish_udp(0xffff), 0xffff);
  EXPECT_EQ(checksum_finish_udp(0x1234), 0xedcb);
}

// What a kernel sent: the sum over everything with the checksum in it is all ones.
TEST(Checksum, AcceptsCapturedPackets) {
  const ByteView ping = golden_inner_frame("icmp-echo-request");
  EXPECT_EQ(internet_checksum(ping.subspan(14, 20)), 0);
  EXPECT_EQ(internet_checksum(ping.subspan(34)), 0);

  const ByteView syn = golden_inner_frame("tcp-syn").subspan(34);
  const auto length = static_cast<std::uint32_t>(syn.size());
  const std::uint64_t v4 =
      pseudo_header_sum(Ipv4(192, 168, 5, 10), Ipv4(192, 168, 5, 12), kProtocolTcp, length);
  EXPECT_EQ(checksum_fold(checksum_partial(syn, v4)), 0xffff);
  EXPECT_NE(checksum_fold(checksum_partial(syn, v4 + 1)), 0xffff);

  const ByteView solicitation = golden_inner_frame("router-solicitation");
  const std::uint64_t v6 = pseudo_header_sum(Ipv6::load(solicitation.data() + 22),
                                             Ipv6::load(solicitation.data() + 38), kProtocolIcmpv6, 16);
  EXPECT_EQ(checksum_fold(checksum_partial(solicitation.subspan(54), v6)), 0xffff);
}

}  // namespace
}  // namespace vtep
