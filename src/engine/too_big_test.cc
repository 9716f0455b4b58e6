#include "engine/too_big.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "engine/test_frames.h"
#include "wire/golden_frames.h"
#include "wire/icmpv4.h"
#include "wire/icmpv6.h"

namespace vtep {
namespace {

using test::Bytes;
using test::TestFrame;
using test::TestPackets;

constexpr std::uint32_t kMtu = 1450;
constexpr std::uint16_t kDf = Ipv4Header::kDontFragment;

/// The answer, or nothing. Built into a dirty buffer of exactly the promised size.
std::optional<Bytes> answer(ByteView frame, std::uint32_t inner_mtu) {
  TestPackets packets;
  Packet& question = packets.add(frame, 0);
  std::vector<std::uint8_t> buffer(kMaxTooBigAnswer, 0xd1);
  Packet reply(buffer, 0);
  reply.offload.needs_checksum = true;
  if (!answer_too_big(question.view(), classify(question.view()), inner_mtu, reply)) {
    EXPECT_EQ(reply.size(), 0U);
    EXPECT_EQ(buffer, Bytes(kMaxTooBigAnswer, 0xd1));
    return std::nullopt;
  }
  EXPECT_EQ(test::to_bytes(question.view()), test::to_bytes(frame));
  EXPECT_EQ(reply.offload, Offload());
  return test::to_bytes(reply.view());
}

TestFrame ipv4_shape(std::size_t payload = 1472) {
  return {.payload = payload, .fragment = kDf};
}

TestFrame ipv6_shape(std::size_t payload = 1452) {
  return {.from = test::ip("fd00::1"), .to = test::ip("fd00::2"), .payload = payload};
}

void fix_ipv4_checksum(Bytes& frame, std::size_t l3) {
  std::uint8_t* const header = frame.data() + l3;
  store_be16(header + Ipv4Header::kChecksum, 0);
  store_be16(header + Ipv4Header::kChecksum, internet_checksum(ByteView(header, Ipv4Header::kSize)));
}

TEST(TooBig, BuildsWhatScapyBuilds) {
  const std::pair<std::string, std::uint32_t> cases[] = {
      {"ipv4-small", 68}, {"ipv4-tagged", 1450}, {"ipv6", 1430}, {"ipv6-two-tags", 1280}};
  for (const auto& [name, mtu] : cases) {
    const auto built = answer(golden_frame(name), mtu);
    ASSERT_TRUE(built) << name;
    EXPECT_EQ(*built, test::to_bytes(golden_frame(name + "-answer"))) << name;
  }
}

TEST(TooBig, AnIpv4AnswerParses) {
  const TestFrame shape = ipv4_shape();
  const Bytes frame = shape.build();
  const auto built = answer(frame, kMtu);
  ASSERT_TRUE(built);
  const auto ethernet = EthernetView::parse(*built);
  EXPECT_EQ(ethernet->header(), (EthernetHeader{shape.source, shape.destination, kEthertypeIpv4}));
  const auto ip = Ipv4View::parse(ethernet->payload());
  ASSERT_TRUE(ip);
  EXPECT_EQ(ip->source(), shape.to.v4());
  EXPECT_EQ(ip->destination(), shape.from.v4());
  EXPECT_EQ(ip->ttl(), 64);
  EXPECT_EQ(ip->total_length(), 576);
  EXPECT_FALSE(ip->is_truncated());
  EXPECT_TRUE(ip->is_checksum_right());
  const auto message = Icmpv4View::parse(ip->payload());
  ASSERT_TRUE(message);
  EXPECT_EQ(message->type(), icmpv4_type::kUnreachable);
  EXPECT_EQ(message->code(), Icmpv4Header::kFragmentationNeeded);
  EXPECT_EQ(message->rest(), kMtu) << "the unused half is zero";
  EXPECT_TRUE(message->is_checksum_right());
  EXPECT_EQ(test::to_bytes(message->payload()), test::to_bytes(ByteView(frame).subspan(shape.l3(), 548)));
}

TEST(TooBig, AnIpv6AnswerParses) {
  const TestFrame shape = ipv6_shape();
  const Bytes frame = shape.build();
  const auto built = answer(frame, kMtu);
  ASSERT_TRUE(built);
  const auto ethernet = EthernetView::parse(*built);
  EXPECT_EQ(ethernet->header(), (EthernetHeader{shape.source, shape.destination, kEthertypeIpv6}));
  const auto ip = Ipv6View::parse(ethernet->payload());
  ASSERT_TRUE(ip);
  EXPECT_EQ(ip->source(), shape.to.v6());
  EXPECT_EQ(ip->destination(), shape.from.v6());
  EXPECT_EQ(ip->hop_limit(), 64);
  EXPECT_EQ(Ipv6Header::kSize + ip->payload_length(), 1280U);
  EXPECT_FALSE(ip->is_truncated());
  const auto message = Icmpv6View::parse(ip->payload());
  ASSERT_TRUE(message);
  EXPECT_EQ(message->header(), (Icmpv6Header{icmpv6_type::kPacketTooBig, 0}));
  EXPECT_EQ(load_be32(message->body().data()), kMtu);
  EXPECT_TRUE(message->is_checksum_right(pseudo_header_sum(ip->source(), ip->destination(), kProtocolIcmpv6,
                                                           static_cast<std::uint32_t>(message->size()))));
  EXPECT_EQ(test::to_bytes(message->body().subspan(4)),
            test::to_bytes(ByteView(frame).subspan(shape.l3(), 1232)));
}

TEST(TooBig, QuotesNoEthernetPadding) {
  TestFrame shape = ipv4_shape(72);
  const auto bare = answer(shape.build(), 68);
  ASSERT_TRUE(bare);
  EXPECT_EQ(bare->size(), 14U + 20 + 8 + 100);
  shape.padding = 30;
  shape.padding_byte = 0xa5;
  EXPECT_EQ(answer(shape.build(), 68), bare);
}

TEST(TooBig, WhatFitsIsNotAnswered) {
  EXPECT_FALSE(answer(ipv4_shape(kMtu - 28).build(), kMtu));
  EXPECT_TRUE(answer(ipv4_shape(kMtu - 27).build(), kMtu));
  EXPECT_FALSE(answer(ipv6_shape(kMtu - 48).build(), kMtu));
  EXPECT_TRUE(answer(ipv6_shape(kMtu - 47).build(), kMtu));
  TestFrame padded = ipv4_shape(100);
  padded.padding = 3000;
  EXPECT_FALSE(answer(padded.build(), kMtu)) << "its IP packet is small";
}

TEST(TooBig, NoMtuBelowTheFamilysMinimum) {
  EXPECT_FALSE(answer(ipv4_shape().build(), 67));
  EXPECT_TRUE(answer(ipv4_shape().build(), 68));
  EXPECT_FALSE(answer(ipv4_shape().build(), 0));
  EXPECT_FALSE(answer(ipv6_shape().build(), 1279));
  EXPECT_TRUE(answer(ipv6_shape().build(), 1280));
}

TEST(TooBig, Ipv4NeedsDfAndNoOffset) {
  const std::pair<std::uint16_t, bool> fields[] = {
      {0, false},      {kDf, true},           {kDf | 0x2000, true},
      {0x2000, false}, {kDf | 0x2001, false}, {kDf | 1, false}};
  for (const auto& [field, answered] : fields) {
    TestFrame shape = ipv4_shape();
    shape.fragment = field;
    EXPECT_EQ(answer(shape.build(), kMtu).has_value(), answered) << field;
  }
}

/// An IPv6 frame whose payload starts with an extension header of these 8 bytes, of type `type`.
Bytes with_extension(std::uint8_t type, const Bytes& header) {
  const TestFrame shape = ipv6_shape();
  Bytes frame = shape.build();
  frame[shape.l3() + Ipv6Header::kNextHeader] = type;
  std::copy(header.begin(), header.end(), frame.begin() + static_cast<std::ptrdiff_t>(shape.l4()));
  return frame;
}

TEST(TooBig, Ipv6FragmentsButTheFirstAndWhatCannotBeReadAreNotAnswered) {
  EXPECT_TRUE(answer(with_extension(kProtocolFragment, {kProtocolUdp, 0, 0, 1, 0, 0, 0, 9}), kMtu))
      << "first";
  EXPECT_FALSE(answer(with_extension(kProtocolFragment, {kProtocolUdp, 0, 0, 9, 0, 0, 0, 9}), kMtu))
      << "second";
  EXPECT_FALSE(answer(with_extension(kProtocolFragment, {kProtocolUdp, 0, 0, 8, 0, 0, 0, 9}), kMtu))
      << "last";
  EXPECT_TRUE(answer(with_extension(kProtocolHopByHop, {kProtocolUdp, 0, 1, 4, 0, 0, 0, 0}), kMtu));
  EXPECT_FALSE(answer(with_extension(kProtocolHopByHop, {kProtocolUdp, 255, 1, 4, 0, 0, 0, 0}), kMtu))
      << "broken";
  EXPECT_FALSE(answer(with_extension(kProtocolNoNextHeader, {}), kMtu));
}

TEST(TooBig, IcmpErrorsAreNotAnswered) {
  for (unsigned type = 0; type < 256; ++type) {
    TestFrame four = ipv4_shape();
    four.protocol = kProtocolIcmp;
    Bytes frame = four.build();
    frame[four.l4()] = static_cast<std::uint8_t>(type);
    const bool error4 = type == 3 || type == 4 || type == 5 || type == 11 || type == 12;
    EXPECT_EQ(answer(frame, kMtu).has_value(), !error4) << type;

    TestFrame six = ipv6_shape();
    six.protocol = kProtocolIcmpv6;
    frame = six.build();
    frame[six.l4()] = static_cast<std::uint8_t>(type);
    EXPECT_EQ(answer(frame, kMtu).has_value(), type >= 128 && type != 137) << type;

    // The numbers of the other family mean nothing.
    four.protocol = kProtocolIcmpv6;
    frame = four.build();
    frame[four.l4()] = static_cast<std::uint8_t>(type);
    EXPECT_TRUE(answer(frame, kMtu)) << type;
  }
}

TEST(TooBig, AnIcmpErrorBehindExtensionHeadersIsSeen) {
  const Bytes options = {kProtocolIcmpv6, 0, 1, 4, 0, 0, 0, 0};
  Bytes frame = with_extension(kProtocolHopByHop, options);
  frame[ipv6_shape().l4() + options.size()] = icmpv6_type::kTimeExceeded;
  EXPECT_FALSE(answer(frame, kMtu));
  frame[ipv6_shape().l4() + options.size()] = icmpv6_type::kEchoRequest;
  EXPECT_TRUE(answer(frame, kMtu));
}

TEST(TooBig, BothEndsMustBeOneHost) {
  const auto answered = [](TestFrame shape, const char* address) {
    TestFrame from = shape;
    from.from = test::ip(address);
    TestFrame to = shape;
    to.to = test::ip(address);
    const bool as_source = answer(from.build(), kMtu).has_value();
    EXPECT_EQ(answer(to.build(), kMtu).has_value(), as_source) << address;
    return as_source;
  };
  for (const char* address : {"0.0.0.0", "0.1.2.3", "127.0.0.1", "127.255.255.255", "224.0.0.1",
                              "239.255.255.255", "240.0.0.1", "255.255.255.255"})
    EXPECT_FALSE(answered(ipv4_shape(), address)) << address;
  for (const char* address : {"1.0.0.1", "126.0.0.1", "128.0.0.1", "169.254.1.1", "223.255.255.1"})
    EXPECT_TRUE(answered(ipv4_shape(), address)) << address;
  for (const char* address : {"::", "::1", "ff02::1", "ff0e::1234"})
    EXPECT_FALSE(answered(ipv6_shape(), address)) << address;
  for (const char* address : {"::2", "fe80::1", "2001:db8::1"})
    EXPECT_TRUE(answered(ipv6_shape(), address)) << address;
}

TEST(TooBig, BothMacAddressesMustBeOneStation) {
  for (const TestFrame& shape : {ipv4_shape(), ipv6_shape()}) {
    for (const MacAddr& bad :
         {MacAddr(), kBroadcastMac, MacAddr({0x01, 0, 0x5e, 0, 0, 1}), MacAddr({0x33, 0x33, 0, 0, 0, 1})}) {
      TestFrame from = shape;
      from.source = bad;
      EXPECT_FALSE(answer(from.build(), kMtu)) << bad.to_string();
      TestFrame to = shape;
      to.destination = bad;
      EXPECT_FALSE(answer(to.build(), kMtu)) << bad.to_string();
    }
  }
}

TEST(TooBig, DamagedPacketsAreNotAnswered) {
  const TestFrame shape = ipv4_shape();
  Bytes frame = shape.build();
  frame[shape.l3() + Ipv4Header::kTtl] ^= 1;
  EXPECT_FALSE(answer(frame, kMtu)) << "header checksum";
  fix_ipv4_checksum(frame, shape.l3());
  EXPECT_TRUE(answer(frame, kMtu));
  EXPECT_FALSE(answer(ByteView(frame).first(frame.size() - 1), kMtu)) << "cut off";
  const Bytes six = ipv6_shape().build();
  EXPECT_FALSE(answer(ByteView(six).first(six.size() - 1), kMtu)) << "cut off";
}

TEST(TooBig, OnlyIpIsAnswered) {
  EXPECT_FALSE(answer({}, kMtu));
  EXPECT_FALSE(answer(Bytes(3000, 0x22), kMtu));
  Bytes arp = ipv4_shape().build();
  store_be16(arp.data() + EthernetHeader::kEthertype, kEthertypeArp);
  EXPECT_FALSE(answer(arp, kMtu));
  TestFrame three_tags = ipv4_shape();
  three_tags.tags = {kEthertypeVlan, kEthertypeVlan, kEthertypeVlan};
  EXPECT_FALSE(answer(three_tags.build(), kMtu));
}

TEST(TooBig, TakesSuperFrames) {
  TestFrame shape = ipv4_shape(60'000);
  shape.protocol = kProtocolTcp;
  EXPECT_TRUE(answer(shape.build(), kMtu));
  TestFrame six = ipv6_shape(65'000);
  six.protocol = kProtocolTcp;
  EXPECT_TRUE(answer(six.build(), kMtu));
}

TEST(TooBig, TakesEveryTruncationAndFlippedByte) {
  std::mt19937_64 random(7);
  int answered = 0;
  for (TestFrame shape : {ipv4_shape(100), ipv6_shape(1300)}) {
    shape.tags = {kEthertypeServiceVlan, kEthertypeVlan};
    const Bytes whole = shape.build();
    const std::uint32_t mtu = shape.from.is_v4() ? 68 : 1280;
    ASSERT_TRUE(answer(whole, mtu));
    for (std::size_t size = 0; size < whole.size(); ++size)
      EXPECT_FALSE(answer(ByteView(whole).first(size), mtu)) << size;
    for (int i = 0; i < 5000; ++i) {
      Bytes mutated = whole;
      for (std::uint32_t n = test::pick(random, 1, 3); n > 0; --n)
        mutated[test::pick(random, 0, 79)] = static_cast<std::uint8_t>(random());
      const auto built = answer(mutated, mtu);
      if (!built) continue;
      ++answered;
      // Whatever it was, the answer is an answer to an answer's rules: it is never answered itself.
      EXPECT_FALSE(answer(*built, 68));
      EXPECT_LE(built->size(), kMaxTooBigAnswer);
    }
  }
  EXPECT_GT(answered, 500);
}

}  // namespace
}  // namespace vtep
