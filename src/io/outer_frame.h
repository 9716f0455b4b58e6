// Puts the headers around a UDP payload that our sockets never show us, so that a capture can be decoded.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/ip.h"
#include "base/port.h"

namespace vtep {

struct OuterAddresses {
  IpAddr source;  ///< of the destination's family, or unspecified
  IpAddr destination;
  Port source_port;
  Port destination_port;
  std::uint8_t ttl = 64;
  std::uint8_t tos = 0;          ///< IPv4 TOS or IPv6 traffic class
  bool dont_fragment = false;    ///< IPv4
  std::uint32_t flow_label = 0;  ///< IPv6, 20 bits
};

/// Ethernet, IP and UDP, and the parts of the payload one behind the other. The MAC addresses are made up
/// from the IP addresses (02:00: and the last four bytes; a group has its own, RFC 1112 section 6.4 and RFC
/// 2464 section 7). The UDP checksum is zero. Precondition: the payload fits a UDP datagram.
std::vector<std::uint8_t> make_outer_frame(const OuterAddresses& addresses,
                                           std::span<const ByteView> payload);

}  // namespace vtep
