#include "engine_frames.h"

#include "engine/test_control_frames.h"
#include "engine/too_big.h"
#include "wire/icmpv4.h"
#include "wire/icmpv6.h"

namespace vtep::fuzz {
namespace {

using test::Bytes;
using test::TestFrame;

const Ipv4 kStations4[] = {Ipv4(10, 0, 0, 1), Ipv4(10, 0, 0, 2), Ipv4(10, 0, 0, 3), Ipv4()};
const Ipv6 kStations6[] = {test::ip("fd00::1").v6(), test::ip("fd00::2").v6(), test::ip("fe80::1").v6(),
                           Ipv6()};
const Ipv4 kGroups4[] = {Ipv4(239, 1, 1, 1), Ipv4(239, 1, 1, 2), Ipv4(224, 0, 0, 1), Ipv4(239, 1, 1, 3)};
const Ipv6 kGroups6[] = {test::ip("ff0e::1:101").v6(), test::ip("ff0e::1:102").v6(), test::ip("ff02::1").v6(),
                         test::ip("ff02::16").v6()};

/// A SYN whose only option says `mss`. Precondition: TCP with four bytes of options.
void make_syn(const TestFrame& shape, std::uint16_t mss, Bytes& bytes) {
  std::uint8_t* const tcp = bytes.data() + shape.l4();
  tcp[TcpHeader::kFlags] = tcp_flag::kSyn;
  tcp[TcpHeader::kSize] = tcp_option::kMaxSegmentSize;
  tcp[TcpHeader::kSize + 1] = 4;
  store_be16(tcp + TcpHeader::kSize + 2, mss);
  store_be16(tcp + TcpHeader::kChecksum, 0);
  const ByteView segment = ByteView(bytes).first(shape.end()).subspan(shape.l4());
  store_be16(tcp + TcpHeader::kChecksum,
             static_cast<std::uint16_t>(~checksum_fold(checksum_partial(segment, shape.pseudo_sum()))));
}

Bytes data_frame(Input& in, std::uint8_t shape) {
  const std::uint8_t to = in.byte();
  TestFrame frame{.destination = mac(to), .source = mac(in.byte())};
  frame.tags.assign(shape % 4, kEthertypeVlan);
  const bool is_v6 = (shape & 0x04) != 0;
  if (is_v6) {
    frame.from = kStations6[0];
    frame.to = kStations6[1];
  }
  if (to == 2) frame.to = is_v6 ? IpAddr(in.one_of(kGroups6)) : IpAddr(in.one_of(kGroups4));
  if ((shape & 0x08) != 0) frame.protocol = kProtocolTcp;
  frame.sum = static_cast<test::Sum>(shape >> 4 & 3);
  frame.payload = in.word() % 12000;
  frame.source_port = Port(in.byte());
  const std::uint8_t extras = in.byte();
  frame.tcp_options = (extras & 0x07) * 4U;
  frame.padding = extras >> 3 & 0x0f;
  if ((extras & 0x80) != 0) frame.fragment = in.word();
  Bytes bytes = frame.build();
  if (frame.protocol == kProtocolTcp && frame.tcp_options == 4) make_syn(frame, in.word(), bytes);
  return bytes;
}

template <typename Address, std::size_t N>
GroupRecord<Address> some_record(Input& in, const Address (&groups)[N], const Address& source) {
  GroupRecord<Address> record{static_cast<RecordType>(in.byte() % 7), in.one_of(groups), {}};
  record.sources.assign(in.byte() % 4, source);
  return record;
}

/// Of ARP, ND, IGMP or MLD.
Bytes control_frame(Input& in) {
  const std::uint8_t kind = in.byte() % 13;
  const MacAddr source = mac(in.byte());
  const Ipv4& from4 = in.one_of(kStations4);
  const Ipv6 from6 = kStations6[&from4 - kStations4];
  switch (kind) {
    case 0:
    case 1: {
      const ArpMessage arp{.operation = kind == 0 ? ArpOperation::kRequest : ArpOperation::kReply,
                           .sender_mac = source,
                           .sender_ip = from4,
                           .target_mac = {},
                           .target_ip = in.one_of(kStations4)};
      return test::arp_frame(arp, mac(in.byte()));
    }
    case 2: {
      const Ipv6 target = in.one_of(kStations6);
      const bool is_detection = from6.is_unspecified();
      const NeighborSolicitation message{target, is_detection ? std::nullopt : std::optional(source)};
      return test::nd_frame(message, source, from6, solicited_node_group(target));
    }
    case 3: {
      const std::uint8_t flags = in.byte();
      const NeighborAdvertisement message{
          .target = in.one_of(kStations6),
          .router = (flags & 1) != 0,
          .solicited = (flags & 2) != 0,
          .override_cache = (flags & 4) != 0,
          .target_mac = (flags & 8) != 0 ? std::optional(source) : std::nullopt};
      return test::nd_frame(message, source, from6, in.one_of(kStations6), mac(in.byte()));
    }
    case 4: {
      RouterAdvertisement message;
      if (in.flag()) message.source_mac = source;
      return test::nd_frame(message, source, from6, kGroups6[2]);
    }
    case 5: {
      IgmpQuery query;
      query.version = static_cast<std::uint8_t>(in.byte() % 3 + 1);
      query.max_response = query.version == 1 ? 100 : in.byte();
      if (in.flag()) query.group = in.one_of(kGroups4);
      if (query.version == 3) query.interval = in.byte();
      return test::igmp_frame(query, source, from4, kAllSystems);
    }
    case 6: {
      const Ipv4 group = in.one_of(kGroups4);
      return test::igmp_frame(IgmpReport{static_cast<std::uint8_t>(in.flag() ? 1 : 2), group}, source, from4,
                              group);
    }
    case 7:
      return test::igmp_frame(IgmpLeave{in.one_of(kGroups4)}, source, from4, Ipv4(224, 0, 0, 2));
    case 8: {
      IgmpReportV3 report;
      for (std::uint8_t n = in.byte() % 4; n > 0; --n)
        report.records.push_back(some_record(in, kGroups4, kStations4[0]));
      return test::igmp_frame(report, source, from4, kAllIgmpv3Routers);
    }
    case 9: {
      MldQuery query;
      query.version = in.flag() ? 1 : 2;
      query.max_response = in.word();
      if (in.flag()) query.group = in.one_of(kGroups6);
      if (query.version == 2) query.interval = in.byte();
      return test::mld_frame(query, source, from6, kGroups6[2]);
    }
    case 10: {
      const Ipv6 group = in.one_of(kGroups6);
      return test::mld_frame(MldReport{group}, source, from6, group);
    }
    case 11:
      return test::mld_frame(MldDone{in.one_of(kGroups6)}, source, from6, test::ip("ff02::2").v6());
    default: {
      MldReportV2 report;
      for (std::uint8_t n = in.byte() % 4; n > 0; --n)
        report.records.push_back(some_record(in, kGroups6, kStations6[0]));
      return test::mld_frame(report, source, from6, kGroups6[3]);
    }
  }
}

void require_arp_reply(ByteView frame, const Layers& layers) {
  const auto arp = ArpView::parse(frame.subspan(layers.l3));
  REQUIRE(arp && arp->message());
  REQUIRE(arp->message()->operation == ArpOperation::kReply);
  REQUIRE(arp->sender_mac() == EthernetView::parse(frame)->source());
  REQUIRE(arp->target_mac() == EthernetView::parse(frame)->destination());
}

void require_icmpv4(ByteView frame, const Layers& layers) {
  const auto ip = Ipv4View::parse(frame.subspan(layers.l3));
  REQUIRE(ip && ip->is_checksum_right() && !ip->is_truncated() && ip->dont_fragment());
  REQUIRE(ip->protocol() == kProtocolIcmp && layers.l4 != 0);
  const auto icmp = Icmpv4View::parse(ip->payload());
  REQUIRE(icmp && icmp->is_checksum_right());
  REQUIRE(icmp->type() == icmpv4_type::kUnreachable && icmp->code() == Icmpv4Header::kFragmentationNeeded);
  REQUIRE(icmp->next_hop_mtu() >= 68);
}

void require_icmpv6(ByteView frame, const Layers& layers) {
  const auto ip = Ipv6View::parse(frame.subspan(layers.l3));
  REQUIRE(ip && !ip->is_truncated() && layers.protocol == kProtocolIcmpv6 && layers.l4 != 0);
  const ByteView message = frame.first(layers.end).subspan(layers.l4);
  const std::uint64_t sum = pseudo_header_sum(ip->source(), ip->destination(), kProtocolIcmpv6,
                                              static_cast<std::uint32_t>(message.size()));
  REQUIRE(checksum_fold(checksum_partial(message, sum)) == 0xffff);
  const auto icmp = Icmpv6View::parse(message);
  REQUIRE(icmp);
  if (icmp->type() == icmpv6_type::kPacketTooBig) {
    REQUIRE(load_be32(message.data() + Icmpv6Header::kSize) >= 1280);
  } else {
    REQUIRE(NeighborAdvertisement::parse(*icmp) && is_valid_nd(*ip, *icmp));
  }
}

}  // namespace

test::Bytes some_frame(Input& in) {
  const std::uint8_t shape = in.byte();
  if ((shape & 0x80) != 0) return test::to_bytes(in.bytes(in.word() % 2048));
  Bytes bytes = (shape & 0x40) != 0 ? control_frame(in) : data_frame(in, shape);
  for (std::uint8_t patches = in.byte() % 8; patches > 0; --patches) {
    const std::size_t at = in.word() % bytes.size();
    bytes[at] = in.byte();
  }
  return bytes;
}

void require_reply(ByteView frame) {
  REQUIRE(frame.size() <= kMaxTooBigAnswer);
  const auto ethernet = EthernetView::parse(frame);
  REQUIRE(ethernet && ethernet->source().is_unicast() && !ethernet->destination().is_zero());
  const Layers layers = classify(frame);
  REQUIRE(layers.end == frame.size());
  if (layers.ip == Layers::Ip::kV4) return require_icmpv4(frame, layers);
  if (layers.ip == Layers::Ip::kV6) return require_icmpv6(frame, layers);
  REQUIRE(layers.ethertype == kEthertypeArp);
  require_arp_reply(frame, layers);
}

}  // namespace vtep::fuzz
