// ARP, neighbour discovery and group membership in Ethernet frames, for the engine's tests. Test-only.
#pragma once

#include <algorithm>

#include "engine/test_frames.h"
#include "wire/arp.h"
#include "wire/igmp.h"
#include "wire/mld.h"
#include "wire/multicast.h"
#include "wire/nd.h"

namespace vtep::test {

inline Bytes arp_frame(const ArpMessage& message, MacAddr destination = kBroadcastMac) {
  Bytes bytes(EthernetHeader::kSize + ArpMessage::kSize);
  EthernetHeader{destination, message.sender_mac, kEthertypeArp}.emit(bytes);
  message.emit(ByteSpan(bytes).subspan(EthernetHeader::kSize));
  return bytes;
}

/// A whole ICMPv6 message as RFC 4861 wants it; of MLD with the hop limit and the router alert of RFC 3810
/// section 5.
template <typename Message>
Bytes icmpv6_frame(const Message& message, MacAddr source, const Ipv6& from, const Ipv6& to,
                   MacAddr destination, bool is_mld) {
  const std::size_t extension = is_mld ? 8 : 0;
  const std::size_t start = EthernetHeader::kSize + Ipv6Header::kSize + extension;
  Bytes bytes(start + message.size());
  const ByteSpan frame(bytes);
  EthernetHeader{destination, source, kEthertypeIpv6}.emit(frame);
  Ipv6Header header;
  header.source = from;
  header.destination = to;
  header.next_header = is_mld ? kProtocolHopByHop : kProtocolIcmpv6;
  header.hop_limit = is_mld ? 1 : 255;
  header.emit(frame.subspan(EthernetHeader::kSize));
  if (is_mld) {
    constexpr std::uint8_t kAlert[] = {kProtocolIcmpv6, 0, 5, 2, 0, 0, 1, 0};
    std::copy(std::begin(kAlert), std::end(kAlert), frame.data() + start - extension);
  }
  message.emit(frame.subspan(start),
               pseudo_header_sum(from, to, kProtocolIcmpv6, static_cast<std::uint32_t>(message.size())));
  return bytes;
}

template <typename Message>
Bytes nd_frame(const Message& message, MacAddr source, const Ipv6& from, const Ipv6& to,
               MacAddr destination) {
  return icmpv6_frame(message, source, from, to, destination, false);
}
/// To a multicast destination.
template <typename Message>
Bytes nd_frame(const Message& message, MacAddr source, const Ipv6& from, const Ipv6& to) {
  return nd_frame(message, source, from, to, multicast_mac(to));
}

template <typename Message>
Bytes mld_frame(const Message& message, MacAddr source, const Ipv6& from, const Ipv6& to) {
  return icmpv6_frame(message, source, from, to, multicast_mac(to), true);
}

/// With the router alert option, which IGMPv2 and later have (RFC 3376 section 4).
template <typename Message>
Bytes igmp_frame(const Message& message, MacAddr source, Ipv4 from, Ipv4 to) {
  constexpr std::size_t kAlertSize = 4;
  constexpr std::uint32_t kAlert = 0x94040000;
  constexpr std::size_t kHeader = Ipv4Header::kSize + kAlertSize;
  Bytes bytes(EthernetHeader::kSize + kHeader + message.size());
  EthernetHeader{multicast_mac(to), source, kEthertypeIpv4}.emit(bytes);
  const ByteSpan datagram = ByteSpan(bytes).subspan(EthernetHeader::kSize);
  Ipv4Header header;
  header.source = from;
  header.destination = to;
  header.protocol = kProtocolIgmp;
  header.ttl = 1;
  header.emit(datagram);
  datagram[0] = 0x46;  // version 4, six words
  store_be32(datagram.data() + Ipv4Header::kSize, kAlert);
  store_be16(datagram.data() + Ipv4Header::kChecksum, 0);
  store_be16(datagram.data() + Ipv4Header::kChecksum, internet_checksum(datagram.first(kHeader)));
  message.emit(datagram.subspan(kHeader));
  return bytes;
}

}  // namespace vtep::test
