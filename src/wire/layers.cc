#include "wire/layers.h"

#include "wire/ethernet.h"
#include "wire/icmpv4.h"
#include "wire/icmpv6.h"
#include "wire/ip_protocol.h"
#include "wire/ipv4.h"
#include "wire/ipv6.h"
#include "wire/tcp.h"
#include "wire/udp.h"
#include "wire/vlan.h"

namespace vtep {
namespace {

bool has_whole_header(Layers::Ip ip, std::uint8_t protocol, ByteView segment) {
  switch (protocol) {
    case kProtocolTcp:
      return TcpView::parse(segment).has_value();
    case kProtocolUdp:
      return segment.size() >= UdpHeader::kSize;
    case kProtocolIcmp:
      return ip == Layers::Ip::kV4 && segment.size() >= Icmpv4Header::kSize;
    case kProtocolIcmpv6:
      return ip == Layers::Ip::kV6 && segment.size() >= Icmpv6Header::kSize;
    default:
      return false;
  }
}

}  // namespace

Layers classify(ByteView frame) {
  Layers layers;
  layers.end = static_cast<std::uint32_t>(frame.size());
  const auto ethernet = EthernetView::parse(frame);
  if (!ethernet) return layers;
  layers.ethertype = ethernet->ethertype();
  layers.l3 = EthernetHeader::kSize;
  while (is_vlan_ethertype(layers.ethertype) && layers.vlan_tags < kMaxVlanTags) {
    const auto tag = VlanView::parse(frame.subspan(layers.l3));
    if (!tag) return layers;
    layers.ethertype = tag->ethertype();
    layers.l3 += VlanHeader::kSize;
    ++layers.vlan_tags;
  }

  ByteView payload;                      // of IP
  std::optional<std::size_t> upper = 0;  // offset of the upper layer in it
  if (layers.ethertype == kEthertypeIpv4) {
    const auto ip = Ipv4View::parse(frame.subspan(layers.l3));
    if (!ip) return layers;
    layers.ip = Layers::Ip::kV4;
    layers.protocol = ip->protocol();
    layers.fragment = ip->is_fragment();
    if (ip->fragment_offset() != 0) upper.reset();
    payload = ip->payload();
  } else if (layers.ethertype == kEthertypeIpv6) {
    const auto ip = Ipv6View::parse(frame.subspan(layers.l3));
    if (!ip) return layers;
    const Ipv6Upper walked = ip->upper();
    layers.ip = Layers::Ip::kV6;
    layers.protocol = walked.protocol;
    layers.fragment = walked.fragment;
    upper = walked.offset;
    payload = ip->payload();
  } else {
    return layers;
  }

  const auto start = static_cast<std::size_t>(payload.data() - frame.data());
  layers.end = static_cast<std::uint32_t>(start + payload.size());
  if (upper && has_whole_header(layers.ip, layers.protocol, payload.subspan(*upper))) {
    layers.l4 = static_cast<std::uint16_t>(start + *upper);
  }
  return layers;
}

}  // namespace vtep
