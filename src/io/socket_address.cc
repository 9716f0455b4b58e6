#include "io/socket_address.h"

namespace vtep {

in_addr to_in_addr(Ipv4 address) {
  return in_addr{htonl(address.value())};
}

in6_addr to_in6_addr(const Ipv6& address) {
  in6_addr out;
  address.store(out.s6_addr);
  return out;
}

socklen_t store_address(const IpAddr& address, Port port, SocketAddress& out) {
  if (address.is_v4()) {
    out.v4 = {};
    out.v4.sin_family = AF_INET;
    out.v4.sin_port = htons(port.value());
    out.v4.sin_addr = to_in_addr(address.v4());
    return sizeof(out.v4);
  }
  out.v6 = {};
  out.v6.sin6_family = AF_INET6;
  out.v6.sin6_port = htons(port.value());
  out.v6.sin6_addr = to_in6_addr(address.v6());
  return sizeof(out.v6);
}

IpAddr load_address(const SocketAddress& in) {
  if (in.any.sa_family == AF_INET) return Ipv4(ntohl(in.v4.sin_addr.s_addr));
  if (in.any.sa_family == AF_INET6) return Ipv6::load(in.v6.sin6_addr.s6_addr);
  return {};
}

Port load_port(const SocketAddress& in) {
  if (in.any.sa_family == AF_INET) return Port(ntohs(in.v4.sin_port));
  if (in.any.sa_family == AF_INET6) return Port(ntohs(in.v6.sin6_port));
  return {};
}

}  // namespace vtep
