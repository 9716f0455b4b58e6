// IpAddr and Port to and from the kernel's socket addresses.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include "base/ip.h"
#include "base/port.h"

namespace vtep {

/// Room for either family.
union SocketAddress {
  sockaddr any;
  sockaddr_in v4;
  sockaddr_in6 v6;
};

/// Overwrites `out`; returns the size of the part used.
socklen_t store_address(const IpAddr& address, Port port, SocketAddress& out);

/// Unspecified for any other family.
IpAddr load_address(const SocketAddress& in);
Port load_port(const SocketAddress& in);

in_addr to_in_addr(Ipv4 address);
in6_addr to_in6_addr(const Ipv6& address);

}  // namespace vtep
