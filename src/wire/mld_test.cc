#include "wire/mld.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include "wire/checksum.h"
#include "wire/golden_frames.h"
#include "wire/ip_protocol.h"

namespace vtep {
namespace {

const Ipv6 kGroup = *Ipv6::parse("ff0e::1:101");
const Ipv6 kOther = *Ipv6::parse("ff0e::1:102");
const Ipv6 kSource = *Ipv6::parse("2001:db8::9");

using Bytes = std::vector<std::uint8_t>;

/// An IPv6 datagram with an ICMPv6 message behind whatever headers.
struct Message {
  explicit Message(ByteView datagram)
      : packet(*Ipv6View::parse(datagram)),
        icmp(*Icmpv6View::parse(packet.payload().subspan(*packet.upper().offset))) {}
  std::uint64_t pseudo_sum() const {
    return pseudo_header_sum(packet.source(), packet.destination(), kProtocolIcmpv6,
                             static_cast<std::uint32_t>(icmp.size()));
  }
  bool is_valid() const { return is_valid_mld(packet, icmp); }
  Ipv6View packet;
  Icmpv6View icmp;
};

ByteView datagram(std::string_view name) {
  return golden_frame(name).subspan(14);
}
Message golden(std::string_view name) {
  return Message(datagram(name));
}

template <typename Value>
void expect_same_bytes(std::string_view name) {
  const Message message = golden(name);
  const auto value = Value::parse(message.icmp);
  ASSERT_TRUE(value) << name;
  Bytes out(value->size(), 0xff);
  value->emit(out, message.pseudo_sum());
  const ByteView expected = message.packet.payload().last(message.icmp.size());
  EXPECT_TRUE(std::equal(out.begin(), out.end(), expected.begin(), expected.end())) << name;
}

TEST(Mld, EmitsWhatItParsed) {
  for (const auto* name : {"mld-query", "mld-query-group", "mldv2-query", "mldv2-query-sources"})
    expect_same_bytes<MldQuery>(name);
  expect_same_bytes<MldReport>("mld-report");
  expect_same_bytes<MldDone>("mld-done");
  expect_same_bytes<MldReportV2>("mldv2-report-sources");
}

TEST(Mld, QueryVersions) {
  EXPECT_EQ(MldQuery::parse(golden("mld-query-group").icmp),
            (MldQuery{.version = 1, .group = kGroup, .max_response = 1000}));
  EXPECT_EQ(MldQuery::parse(golden("mldv2-query-sources").icmp), (MldQuery{.version = 2,
                                                                           .group = kGroup,
                                                                           .max_response = 40768,
                                                                           .suppress = true,
                                                                           .robustness = 2,
                                                                           .interval = 256,
                                                                           .sources = {kSource}}));
  EXPECT_FALSE(MldQuery::parse(golden("mld-query-length-26").icmp));
  EXPECT_FALSE(MldQuery::parse(golden("mldv2-query-sources-cut-off").icmp));
  EXPECT_FALSE(MldQuery::parse(golden("mld-report").icmp));
}

TEST(Mld, ReportsAndDone) {
  EXPECT_EQ(MldReport::parse(golden("mld-report").icmp), MldReport{kGroup});
  EXPECT_EQ(MldDone::parse(golden("mld-done").icmp), MldDone{kGroup});
  EXPECT_FALSE(MldReport::parse(golden("mld-done").icmp));
  EXPECT_FALSE(MldDone::parse(golden("mld-report").icmp));
  EXPECT_FALSE(MldReport::parse(golden("mld-report-cut-off").icmp));
  Bytes bytes(MldReport::size());
  MldReport{kSource}.emit(bytes, 0);
  EXPECT_FALSE(MldReport::parse(*Icmpv6View::parse(bytes))) << "no group";
}

TEST(Mld, RecordsOfVersion2) {
  const MldReportV2 expected{{{RecordType::kBlock, kGroup, {kSource}}, {RecordType::kToInclude, kOther, {}}}};
  EXPECT_EQ(MldReportV2::parse(golden("mldv2-report-sources").icmp), expected);
  EXPECT_FALSE(MldReportV2::parse(golden("mldv2-report-cut-off").icmp));
  EXPECT_FALSE(MldReportV2::parse(golden("mld-done").icmp));
  EXPECT_FALSE(mld_records(golden("mld-done").icmp).next());
}

TEST(Mld, HostileLengths) {
  const MldReportV2 report{{{RecordType::kAllow, kGroup, {kSource}}}};
  Bytes good(report.size());
  report.emit(good, 0);
  const auto with = [&](std::size_t at, std::uint8_t value) {
    auto bytes = good;
    bytes[at] = value;
    return MldReportV2::parse(*Icmpv6View::parse(bytes));
  };
  EXPECT_TRUE(with(1, 9)) << "the code is ignored";
  EXPECT_FALSE(with(6, 0xff));  // records
  EXPECT_FALSE(with(7, 2));
  EXPECT_FALSE(with(9, 1));      // auxiliary words
  EXPECT_FALSE(with(10, 0xff));  // sources
  EXPECT_FALSE(with(11, 2));
  for (std::size_t size = 4; size < good.size(); ++size) {
    EXPECT_FALSE(MldReportV2::parse(*Icmpv6View::parse(ByteView(good).first(size)))) << size;
  }
}

TEST(Mld, ValidPackets) {
  for (const auto* name : {"mld-query", "mld-query-group", "mld-report", "mld-done", "mldv2-query",
                           "mldv2-query-sources", "mldv2-report-sources"}) {
    EXPECT_TRUE(golden(name).is_valid()) << name;
  }
}

/// A message of `name` in another packet, the checksum mended.
struct Packet {
  Ipv6 source = *Ipv6::parse("fe80::1");
  Ipv6 destination = *Ipv6::parse("ff02::1");
  std::uint8_t hop_limit = 1;
  Bytes hop_by_hop{};  ///< options; 6 bytes, or none for no such header

  Bytes build(ByteView message) const {
    const std::size_t extension = hop_by_hop.empty() ? 0 : 8;
    Bytes bytes(40 + extension + message.size());
    Ipv6Header header;
    header.source = source;
    header.destination = destination;
    header.next_header = kProtocolIcmpv6;
    header.hop_limit = hop_limit;
    if (extension != 0) header.next_header = kProtocolHopByHop;
    header.emit(bytes);
    if (extension != 0) {
      bytes[40] = kProtocolIcmpv6;
      std::copy(hop_by_hop.begin(), hop_by_hop.end(), bytes.begin() + 42);
    }
    std::copy(message.begin(), message.end(), bytes.end() - static_cast<std::ptrdiff_t>(message.size()));
    const ByteSpan copy = ByteSpan(bytes).last(message.size());
    const auto size = static_cast<std::uint32_t>(message.size());
    Icmpv6Header{message[0], message[1]}.emit(copy,
                                              pseudo_header_sum(source, destination, kProtocolIcmpv6, size));
    return bytes;
  }
};

const Bytes kAlert = {5, 2, 0, 0, 1, 0};

TEST(Mld, WhereAMessageMayComeFrom) {
  const auto valid = [](std::string_view name, const Packet& packet) {
    const ByteView good = golden(name).packet.payload();
    const Bytes bytes = packet.build(good.last(golden(name).icmp.size()));
    return Message(bytes).is_valid();
  };
  const Ipv6 global = *Ipv6::parse("2001:db8::1");
  EXPECT_TRUE(valid("mldv2-query", {.hop_by_hop = kAlert}));
  EXPECT_FALSE(valid("mldv2-query", {.hop_limit = 255, .hop_by_hop = kAlert}));
  EXPECT_FALSE(valid("mldv2-query", {.source = global, .hop_by_hop = kAlert}));
  EXPECT_FALSE(valid("mldv2-query", {.source = Ipv6(), .hop_by_hop = kAlert}));
  EXPECT_FALSE(valid("mldv2-query", {.destination = global, .hop_by_hop = kAlert}));
  EXPECT_FALSE(valid("mldv2-query", {})) << "version 2 without Router Alert";
  EXPECT_TRUE(valid("mld-query", {})) << "version 1 without";
  EXPECT_TRUE(valid("mldv2-report-sources", {.source = Ipv6(), .hop_by_hop = kAlert})) << "RFC 3590";
  EXPECT_TRUE(valid("mld-report", {.source = Ipv6()}));
  EXPECT_TRUE(valid("mld-done", {.source = Ipv6()}));
  EXPECT_FALSE(valid("mld-report", {.source = global}));
}

TEST(Mld, RouterAlertAmongOtherOptions) {
  const ByteView query = golden("mldv2-query").packet.payload().last(28);
  const auto valid = [&](const Bytes& options) {
    return Message(Packet{.hop_by_hop = options}.build(query)).is_valid();
  };
  EXPECT_TRUE(valid({5, 2, 0, 0, 1, 0}));
  EXPECT_TRUE(valid({0, 0, 5, 2, 0, 0}));
  EXPECT_TRUE(valid({1, 0, 5, 2, 0, 0}));
  EXPECT_FALSE(valid({5, 2, 0, 1, 1, 0})) << "for RSVP";
  EXPECT_FALSE(valid({1, 4, 5, 2, 0, 0})) << "inside of another option";
  EXPECT_FALSE(valid({1, 9, 5, 2, 0, 0})) << "an option that never ends";
  EXPECT_FALSE(valid({0, 0, 0, 0, 0, 5})) << "cut off";
  EXPECT_FALSE(valid({0, 0, 0, 0, 5, 2}));
}

TEST(Mld, BrokenPackets) {
  const ByteView good = datagram("mld-report");
  Bytes bytes(good.begin(), good.end());
  ASSERT_TRUE(Message(bytes).is_valid());
  bytes.back() ^= 1;
  EXPECT_FALSE(Message(bytes).is_valid()) << "checksum";
  bytes.back() ^= 1;
  bytes[5] = static_cast<std::uint8_t>(bytes[5] + 1);
  EXPECT_FALSE(Message(bytes).is_valid()) << "promises another byte";
}

}  // namespace
}  // namespace vtep
