#include "engine/group_snoop.h"

#include <gtest/gtest.h>

#include <string>

#include "engine/test_frames.h"
#include "wire/igmp.h"
#include "wire/mld.h"
#include "wire/multicast.h"

namespace vtep {
namespace {

using test::Bytes;
using test::ip;

constexpr LinkId kLink = 0;
const IpAddr kGroup = ip("239.1.1.1");
const IpAddr kOther = ip("239.1.1.2");
const IpAddr kGroup6 = ip("ff0e::1:101");
const IpAddr kSource = ip("10.0.0.7");
const IpAddr kSource6 = ip("2001:db8::7");
const IpAddr kVtep = ip("192.0.2.1");
const IpAddr kVtep2 = ip("192.0.2.2");

/// A message of IGMP or PIM in an Ethernet frame.
struct Frame4 {
  Ipv4 from{10, 0, 0, 1};
  Ipv4 to{224, 0, 0, 1};
  std::uint8_t ttl = 1;
  std::uint8_t protocol = kProtocolIgmp;
  bool router_alert = true;
  bool tagged = false;

  template <typename Message>
  Bytes build(const Message& message) const {
    Bytes bytes(message.size());
    message.emit(bytes);
    return around(bytes);
  }
  Bytes around(const Bytes& message) const {
    const std::size_t header_size = router_alert ? 24 : 20;
    Bytes datagram(header_size + message.size());
    Ipv4Header header;
    header.source = from;
    header.destination = to;
    header.protocol = protocol;
    header.ttl = ttl;
    header.emit(datagram);
    if (router_alert) {
      datagram[0] = 0x46;
      store_be32(datagram.data() + 20, 0x94040000);
      store_be16(datagram.data() + Ipv4Header::kChecksum, 0);
      store_be16(datagram.data() + Ipv4Header::kChecksum,
                 internet_checksum(ByteView(datagram).first(header_size)));
    }
    std::copy(message.begin(), message.end(), datagram.begin() + static_cast<std::ptrdiff_t>(header_size));
    Bytes frame(14);
    EthernetHeader{multicast_mac(to), test::kMacA, tagged ? kEthertypeVlan : kEthertypeIpv4}.emit(frame);
    if (tagged) {
      frame.resize(18);
      VlanHeader tag;
      tag.ethertype = kEthertypeIpv4;
      tag.emit(ByteSpan(frame).subspan(14));
    }
    frame.insert(frame.end(), datagram.begin(), datagram.end());
    frame.resize(std::max<std::size_t>(frame.size(), 60));  // Ethernet padding
    return frame;
  }
};

/// Likewise of MLD or PIM.
struct Frame6 {
  Ipv6 from = ip("fe80::1").v6();
  Ipv6 to = ip("ff02::16").v6();
  std::uint8_t hop_limit = 1;
  std::uint8_t protocol = kProtocolIcmpv6;
  bool router_alert = true;

  template <typename Message>
  Bytes build(const Message& message) const {
    Bytes bytes(message.size());
    message.emit(bytes,
                 pseudo_header_sum(from, to, kProtocolIcmpv6, static_cast<std::uint32_t>(bytes.size())));
    return around(bytes);
  }
  Bytes around(const Bytes& message) const {
    const std::size_t extension = router_alert ? 8 : 0;
    Bytes frame(14 + 40 + extension + message.size());
    EthernetHeader{multicast_mac(to), test::kMacA, kEthertypeIpv6}.emit(frame);
    Ipv6Header header;
    header.source = from;
    header.destination = to;
    header.next_header = router_alert ? kProtocolHopByHop : protocol;
    header.hop_limit = hop_limit;
    header.emit(ByteSpan(frame).subspan(14));
    if (router_alert) {
      const std::uint8_t alert[] = {protocol, 0, 5, 2, 0, 0, 1, 0};
      std::copy(std::begin(alert), std::end(alert), frame.begin() + 54);
    }
    std::copy(message.begin(), message.end(), frame.end() - static_cast<std::ptrdiff_t>(message.size()));
    return frame;
  }
};

GroupRecord<Ipv4> record(RecordType type, const IpAddr& group, const std::vector<Ipv4>& sources = {}) {
  return {type, group.v4(), sources};
}
GroupRecord<Ipv6> record6(RecordType type, const IpAddr& group, const std::vector<Ipv6>& sources = {}) {
  return {type, group.v6(), sources};
}

class GroupSnoopTest : public ::testing::Test {
 protected:
  Snooped hear(const Bytes& frame, const IpAddr& vtep = kVtep) {
    return snoop(mdb_, kLink, frame, classify(frame), vtep, now_);
  }
  /// `GROUP[,SOURCE] VTEP` of each entry, and behind it when it ends.
  std::string entries() {
    std::string text;
    for (const MdbEntry& entry : mdb_.list(kLink, now_)) {
      text += (text.empty() ? "" : "; ") + entry.group.to_string();
      if (!entry.source.is_unspecified()) text += "," + entry.source.to_string();
      text += " " + entry.remote.address.to_string();
      if (entry.expires != Mdb::kMembership) text += " " + std::to_string(entry.expires);
    }
    return text;
  }
  void hear_querier() {
    EXPECT_TRUE(hear(Frame4{.from = {}}.build(IgmpQuery{})).valid);
    EXPECT_TRUE(hear(Frame6{.to = ip("ff02::1").v6()}.build(MldQuery{}), IpAddr()).valid);
  }

  RemoteTable remotes_;
  Mdb mdb_{remotes_, {}};
  Seconds now_ = 1000;
};

TEST_F(GroupSnoopTest, ReportsOfEveryVersionJoin) {
  EXPECT_TRUE(hear(Frame4{.to = kGroup.v4(), .router_alert = false}.build(IgmpReport{1, kGroup.v4()})).valid);
  EXPECT_EQ(entries(), "239.1.1.1 192.0.2.1");
  EXPECT_TRUE(hear(Frame4{.to = kOther.v4()}.build(IgmpReport{2, kOther.v4()})).valid);
  EXPECT_TRUE(hear(Frame6{.to = kGroup6.v6()}.build(MldReport{kGroup6.v6()})).valid);
  EXPECT_EQ(entries(), "239.1.1.1 192.0.2.1; 239.1.1.2 192.0.2.1; ff0e::1:101 192.0.2.1");
}

TEST_F(GroupSnoopTest, BehindATagAndOptions) {
  EXPECT_TRUE(hear(Frame4{.to = kGroup.v4(), .tagged = true}.build(IgmpReport{2, kGroup.v4()})).valid);
  EXPECT_EQ(entries(), "239.1.1.1 192.0.2.1");
}

TEST_F(GroupSnoopTest, RecordsOfIgmpv3) {
  const auto report = [](std::vector<GroupRecord<Ipv4>> records) {
    return Frame4{.to = kAllIgmpv3Routers}.build(IgmpReportV3{std::move(records)});
  };
  hear_querier();
  hear(report(
      {record(RecordType::kIsInclude, kGroup), record(RecordType::kAllow, kOther, {kSource.v4(), {}})}));
  EXPECT_EQ(entries(), "239.1.1.2,10.0.0.7 192.0.2.1")
      << "an empty list asks for nothing, 0.0.0.0 is no source";
  hear(report({record(RecordType::kBlock, kOther, {kSource.v4()})}));
  EXPECT_EQ(entries(), "239.1.1.2,10.0.0.7 192.0.2.1 3");
  hear(report(
      {record(RecordType::kIsExclude, kGroup, {kSource.v4()}), record(RecordType::kToExclude, kOther)}));
  EXPECT_EQ(entries(), "239.1.1.1 192.0.2.1; 239.1.1.2 192.0.2.1; 239.1.1.2,10.0.0.7 192.0.2.1 3");
  hear(report(
      {record(RecordType::kToInclude, kGroup), record(RecordType::kToInclude, kOther, {kSource.v4()})}));
  EXPECT_EQ(entries(), "239.1.1.1 192.0.2.1 3; 239.1.1.2 192.0.2.1 3; 239.1.1.2,10.0.0.7 192.0.2.1");
}

TEST_F(GroupSnoopTest, RecordsOfMldv2) {
  hear_querier();
  const MldReportV2 report{{record6(RecordType::kToExclude, kGroup6),
                            record6(RecordType::kAllow, ip("ff0e::2"), {kSource6.v6()}),
                            record6(RecordType::kToExclude, ip("ff02::1:ff00:1"))}};
  EXPECT_TRUE(hear(Frame6{}.build(report)).valid);
  EXPECT_EQ(entries(), "ff0e::2,2001:db8::7 192.0.2.1; ff0e::1:101 192.0.2.1");
  EXPECT_TRUE(hear(Frame6{.from = {}}.build(MldReportV2{{record6(RecordType::kToInclude, kGroup6)}})).valid);
  EXPECT_EQ(entries(), "ff0e::2,2001:db8::7 192.0.2.1; ff0e::1:101 192.0.2.1 3");
}

TEST_F(GroupSnoopTest, LeaveAndDone) {
  hear_querier();
  hear(Frame4{.to = kGroup.v4()}.build(IgmpReport{2, kGroup.v4()}));
  hear(Frame4{.to = kGroup.v4()}.build(IgmpReport{2, kGroup.v4()}), kVtep2);
  hear(Frame6{.to = kGroup6.v6()}.build(MldReport{kGroup6.v6()}));
  EXPECT_TRUE(hear(Frame4{.to = Ipv4(224, 0, 0, 2)}.build(IgmpLeave{kGroup.v4()})).valid);
  EXPECT_TRUE(hear(Frame6{.to = ip("ff02::2").v6()}.build(MldDone{kGroup6.v6()})).valid);
  EXPECT_EQ(entries(), "239.1.1.1 192.0.2.1 3; 239.1.1.1 192.0.2.2; ff0e::1:101 192.0.2.1 3");
}

// RFC 4541 section 2.1.1: whoever asks with an address is a router.
TEST_F(GroupSnoopTest, QueriesMakeRouters) {
  hear(Frame4{.from = {}}.build(IgmpQuery{}), kVtep2);
  EXPECT_EQ(entries(), "");
  hear(Frame4{}.build(IgmpQuery{.version = 1}), kVtep);
  hear(Frame6{.to = ip("ff02::1").v6()}.build(MldQuery{.version = 1}), kVtep2);
  EXPECT_EQ(entries(), ":: 192.0.2.2; 0.0.0.0 192.0.2.1");
}

TEST_F(GroupSnoopTest, TakesItsTimesFromTheQuerier) {
  hear(Frame4{.from = {}}.build(IgmpQuery{.max_response = 45, .robustness = 3, .interval = 400}), kVtep2);
  hear(Frame4{.to = kGroup.v4()}.build(IgmpReport{2, kGroup.v4()}));
  EXPECT_EQ(entries(), "239.1.1.1 192.0.2.1 1205") << "3 × 400 and 5";
  hear(Frame4{.to = kGroup.v4()}.build(IgmpQuery{.version = 2, .group = kGroup.v4(), .max_response = 25}));
  hear(Frame4{.to = Ipv4(224, 0, 0, 2)}.build(IgmpLeave{kGroup.v4()}));
  EXPECT_EQ(entries(), "239.1.1.1 192.0.2.1 7") << "2 × 3, and one for rounding";
}

TEST_F(GroupSnoopTest, PimHellosMakeRouters) {
  Bytes hello = {0x20, 0, 0, 0, 0, 1, 0, 2, 0, 105};
  const auto mend = [&hello](std::uint64_t sum) {
    store_be16(hello.data() + 2, 0);
    store_be16(hello.data() + 2, checksum_finish(checksum_partial(hello, sum)));
  };
  mend(0);
  const Frame4 frame4{.to = Ipv4(224, 0, 0, 13), .protocol = 103, .router_alert = false};
  EXPECT_TRUE(hear(frame4.around(hello)).valid);
  EXPECT_EQ(entries(), "0.0.0.0 192.0.2.1");
  Frame6 frame6{.to = ip("ff02::d").v6(), .protocol = 103, .router_alert = false};
  EXPECT_FALSE(hear(frame6.around(hello)).valid) << "no pseudo-header in the checksum";
  mend(pseudo_header_sum(frame6.from, frame6.to, 103, static_cast<std::uint32_t>(hello.size())));
  EXPECT_TRUE(hear(frame6.around(hello)).valid);
  EXPECT_EQ(entries(), ":: 192.0.2.1; 0.0.0.0 192.0.2.1");
  hello[0] = 0x23;  // join/prune
  mend(0);
  EXPECT_FALSE(hear(frame4.around(hello), kVtep2).valid);
}

TEST_F(GroupSnoopTest, OfOurOwnOnlyQueriesMatter) {
  EXPECT_TRUE(hear(Frame4{.to = kGroup.v4()}.build(IgmpReport{2, kGroup.v4()}), IpAddr()).valid);
  EXPECT_TRUE(hear(Frame6{}.build(MldReportV2{{record6(RecordType::kToExclude, kGroup6)}}), IpAddr()).valid);
  EXPECT_TRUE(hear(Frame4{}.build(IgmpQuery{}), IpAddr()).valid);
  EXPECT_EQ(entries(), "");
  EXPECT_TRUE(mdb_.has_local_querier(kLink, GroupProtocol::kIgmp, now_));
  EXPECT_FALSE(mdb_.has_local_querier(kLink, GroupProtocol::kMld, now_));
}

TEST_F(GroupSnoopTest, IllegalMessagesChangeNothing) {
  const Bytes report = Frame4{.to = kGroup.v4()}.build(IgmpReport{2, kGroup.v4()});
  Bytes flipped = report;
  flipped[14 + 24 + 7] ^= 1;
  EXPECT_FALSE(hear(flipped).valid) << "checksum";
  EXPECT_FALSE(hear(Frame4{.to = kGroup.v4(), .ttl = 2}.build(IgmpReport{2, kGroup.v4()})).valid);
  EXPECT_FALSE(hear(Frame4{.to = kGroup.v4()}.build(IgmpReport{2, kSource.v4()})).valid) << "no group";
  EXPECT_FALSE(hear(Frame4{}.around(Bytes(4))).valid) << "cut off";
  EXPECT_FALSE(
      hear(Frame6{.router_alert = false}.build(MldReportV2{{record6(RecordType::kToExclude, kGroup6)}}))
          .valid);
  EXPECT_FALSE(hear(Frame6{.from = kSource6.v6()}.build(MldReport{kGroup6.v6()})).valid);
  EXPECT_FALSE(hear(test::TestFrame{.to = kGroup}.build()).valid) << "UDP";
  EXPECT_FALSE(hear({}).valid);

  // The first record alone would be good: all or nothing.
  Bytes message(
      IgmpReportV3{{record(RecordType::kToExclude, kGroup), record(RecordType::kToExclude, kOther)}}.size());
  IgmpReportV3{{record(RecordType::kToExclude, kGroup), record(RecordType::kToExclude, kOther)}}.emit(
      message);
  message[7] = 3;
  store_be16(message.data() + 2, 0);
  store_be16(message.data() + 2, internet_checksum(message));
  EXPECT_FALSE(hear(Frame4{.to = kAllIgmpv3Routers}.around(message)).valid);
  EXPECT_EQ(entries(), "");
  EXPECT_TRUE(hear(report).valid);
}

TEST_F(GroupSnoopTest, CountsWhatWasRefused) {
  Mdb small(remotes_, {.max_groups = 2});
  const IgmpReportV3 report{
      {record(RecordType::kToExclude, ip("239.0.0.1")), record(RecordType::kToExclude, ip("239.0.0.2")),
       record(RecordType::kToExclude, ip("239.0.0.3")), record(RecordType::kToExclude, ip("239.0.0.4"))}};
  const Bytes frame = Frame4{.to = kAllIgmpv3Routers}.build(report);
  EXPECT_EQ(snoop(small, kLink, frame, classify(frame), kVtep, now_).refused, 2U);
  EXPECT_EQ(small.size(), 2U);
}

// Each cut lives in an allocation of its own size, so that a sanitizer sees the first byte read behind it.
TEST_F(GroupSnoopTest, CutOffAtEveryLength) {
  const IgmpReportV3 report4{{record(RecordType::kAllow, kGroup, {kSource.v4()})}};
  const MldReportV2 report6{{record6(RecordType::kAllow, kGroup6, {kSource6.v6()})}};
  for (const Bytes& whole : {Frame4{}.build(report4), Frame6{}.build(report6)}) {
    const std::size_t end = classify(whole).end;
    for (std::size_t size = 0; size < end; ++size) {
      const Bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
      EXPECT_FALSE(hear(cut).valid) << size;
      (void)group_control(cut, classify(cut));
    }
  }
  EXPECT_EQ(entries(), "");
}

TEST(GroupControl, TellsMessagesFromData) {
  const auto what = [](const Bytes& frame) { return group_control(frame, classify(frame)); };
  EXPECT_EQ(what(Frame4{}.build(IgmpQuery{})), GroupControl::kMessage);
  EXPECT_EQ(what(Frame4{}.build(IgmpLeave{kGroup.v4()})), GroupControl::kMessage);
  EXPECT_EQ(what(Frame4{}.build(IgmpReportV3{})), GroupControl::kMessage);
  EXPECT_EQ(what(Frame4{}.around({0x30, 1, 0, 0, 0, 0, 0, 0})), GroupControl::kMessage) << "unknown to us";
  EXPECT_EQ(what(Frame4{}.build(IgmpReport{1, kGroup.v4()})), GroupControl::kSilencingReport);
  EXPECT_EQ(what(Frame4{}.build(IgmpReport{2, kGroup.v4()})), GroupControl::kSilencingReport);
  EXPECT_EQ(what(Frame6{}.build(MldReport{kGroup6.v6()})), GroupControl::kSilencingReport);
  EXPECT_EQ(what(Frame6{}.build(MldReportV2{})), GroupControl::kMessage);
  EXPECT_EQ(what(Frame6{}.build(MldQuery{})), GroupControl::kMessage);
  EXPECT_EQ(what(Frame6{}.around({136, 0, 0, 0, 0, 0, 0, 0})), GroupControl::kNone) << "neighbour discovery";
  const Bytes udp = test::TestFrame{.to = kGroup}.build();
  EXPECT_FALSE(is_group_control(udp, classify(udp)));
  EXPECT_FALSE(is_group_control({}, classify({})));
}

}  // namespace
}  // namespace vtep
