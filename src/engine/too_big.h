// "Your packet is too big": what a VTEP tells the inner sender when a frame does not fit the tunnel.
//
// A VTEP must not fragment (RFC 7348 section 4.3), and a bridge has no address to send ICMP from. So the
// answer is made in the name of the inner destination, as Linux does (iptunnel_pmtud_check_icmp and _icmpv6):
// IPv4 gets "fragmentation needed and DF set" (RFC 1191 section 4), IPv6 "packet too big" (RFC 4443
// section 3.2).
//
// Differences to Linux: TTL and hop limit are 64, not those of the packet, which may have been about to
// expire; IPv4 has precedence 6 (RFC 1812 section 4.3.2.5 SHOULD); the smallest IPv4 MTU that is told is 68
// (RFC 791), not 576; a first fragment with DF is answered; the destination address has to satisfy what the
// source address has to, class E is refused, and the MAC addresses are looked at; damaged packets are not
// answered; VLAN tags are kept; Ethernet padding is not quoted.
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/packet.h"
#include "wire/ethernet.h"
#include "wire/layers.h"
#include "wire/vlan.h"

namespace vtep {

/// Bytes of the largest answer, which is IPv6's (RFC 4443 section 2.4 c) behind two VLAN tags.
inline constexpr std::size_t kMaxTooBigAnswer =
    EthernetHeader::kSize + kMaxVlanTags * VlanHeader::kSize + 1280;

/// Builds the answer to `frame`, addressed to its sender, in `reply`; `inner_mtu` is the size in bytes of the
/// largest IP packet that fits. False, and `reply` as it was, where no answer may or can be given:
///   * not IP, or IPv4 without DF, which is not ours to fragment but may be told nothing either;
///   * the packet fits, or the frame holds less than all of it, or IPv4's header checksum is wrong;
///   * a fragment other than the first, an ICMP error or an ICMPv6 redirect (RFC 1122 section 3.2.2, RFC 4443
///     section 2.4 e), or something whose upper layer cannot be read and might be one of those;
///   * an address, IP or MAC, at either end that does not name one host. RFC 4443 would allow an answer to
///     multicast; but it would have to come from the group's address, which no packet may have as its source;
///   * inner_mtu below 68 for IPv4 or below 1280 for IPv6. A sender must not go below these (RFC 791; RFC
///   8200
///     section 5) and discards a smaller figure (RFC 8201 section 4); and an answer of 1280 would be untrue:
///     packets of that size would be lost and answered again and again.
/// Whether answers come too often is the caller's to decide. `layers` is classify(frame). Precondition:
/// reply.room() >= kMaxTooBigAnswer, and `reply` is not the frame's buffer.
bool answer_too_big(ByteView frame, const Layers& layers, std::uint32_t inner_mtu, Packet& reply);

}  // namespace vtep
