// A frame as `tcpdump -e -n -t` prints it, for people and for tests.
//
// Known to the last character: ARP, IPv4, IPv6, UDP, TCP (absolute sequence numbers, as with -S), echo,
// errors and neighbour discovery of ICMP, IGMP and MLD, mDNS questions, VLAN tags, and VXLAN,
// whose inner frame stands on a line of its own. What is not known ends early or shows its number. Differs
// from tcpdump on purpose: UDP port 8472 is VXLAN, as Linux uses it; there are no hexadecimal dumps, and no
// guesses by port number but those two and 5353.
#pragma once

#include <string>

#include "base/bytes.h"

namespace vtep {

/// Without a line end. Any bytes may be given; the text holds printable ASCII and line feeds only. Allocates:
/// not for hot paths.
std::string print_frame(ByteView frame);

}  // namespace vtep
