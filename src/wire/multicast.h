// Which Ethernet address a multicast group has, and which group a neighbour solicitation goes to.
#pragma once

#include <cassert>

#include "base/ip.h"
#include "base/mac.h"

namespace vtep {

/// 01:00:5e and the low 23 bits of the group (RFC 1112 section 6.4): 32 groups share an address.
/// Precondition: group.is_multicast().
constexpr MacAddr multicast_mac(Ipv4 group) {
  assert(group.is_multicast());
  return MacAddr::from_u64(0x01005e000000 | (group.value() & 0x7fffff));
}

/// 33:33 and the low 32 bits of the group (RFC 2464 section 7). Precondition: group.is_multicast().
constexpr MacAddr multicast_mac(const Ipv6& group) {
  assert(group.is_multicast());
  return MacAddr::from_u64(0x333300000000 | load_be32(group.octets().data() + 12));
}

/// ff02::1:ff00:0/104 and the low 24 bits of the address (RFC 4291 section 2.7.1).
constexpr Ipv6 solicited_node_group(const Ipv6& address) {
  const Ipv6::Octets& from = address.octets();
  return Ipv6({0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, from[13], from[14], from[15]});
}

}  // namespace vtep
