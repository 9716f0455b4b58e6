// What must hold for any bytes whatever, one function a parser. The fuzz targets call these with what the
// fuzzer invents; the unit tests with every golden frame, cut off at every length.
//
// Each one parses, calls every getter (so that a sanitizer sees what is read), and where a value comes out,
// emits it into a dirty buffer and parses it again. A broken promise prints a sentence and ends the program.
#pragma once

#include "base/bytes.h"

namespace vtep {

/// An Ethernet frame with its VLAN tags.
void check_ethernet(ByteView frame);
/// What follows the Ethernet header.
void check_arp(ByteView packet);
void check_ipv4(ByteView datagram);
void check_ipv6(ByteView datagram);
/// What follows the IP header.
void check_icmpv4(ByteView message);
void check_tcp(ByteView segment);
void check_udp(ByteView datagram);
/// An IPv6 datagram that holds ICMPv6, neighbour discovery included.
void check_icmpv6(ByteView datagram);
/// An IPv4 datagram that holds IGMP.
void check_igmp(ByteView datagram);
/// An IPv6 datagram that holds MLD.
void check_mld(ByteView datagram);
/// What follows the UDP header.
void check_vxlan(ByteView payload);
/// An Ethernet frame.
void check_print(ByteView frame);
/// An Ethernet frame.
void check_classify(ByteView frame);
/// Against a naive sum.
void check_checksum(ByteView bytes);

}  // namespace vtep
