#include "io/socket_mode.h"

#include <linux/udp.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace vtep {
namespace {

bool set_option(int fd, int level, int name, int value) {
  return ::setsockopt(fd, level, name, &value, sizeof(value)) == 0;
}

/// VTEPs must not fragment (RFC 7348 section 4.3): an oversize datagram is EMSGSIZE in every mode. What the
/// kernel believes about the path is ignored in every mode, too: whoever owns the socket reads the reports
/// (path_reports.h) and decides. PMTUDISC_INTERFACE leaves DF clear, so routers may fragment; PMTUDISC_PROBE
/// sets it. With PMTUDISC_INTERFACE an IPv6 socket would not even be told of a "packet too big".
bool set_dont_fragment(int fd, int family, bool on) {
  if (family == AF_INET6) return set_option(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_PROBE);
  return set_option(fd, IPPROTO_IP, IP_MTU_DISCOVER, on ? IP_PMTUDISC_PROBE : IP_PMTUDISC_INTERFACE);
}

bool set_checksum(int fd, int family, bool on) {
  const int off = on ? 0 : 1;
  if (family == AF_INET) return set_option(fd, SOL_SOCKET, SO_NO_CHECK, off);
  return set_option(fd, IPPROTO_UDP, UDP_NO_CHECK6_TX, off);
}

}  // namespace

bool set_mode(int fd, int family, SocketMode mode) {
  return set_dont_fragment(fd, family, mode.dont_fragment) && set_checksum(fd, family, mode.checksum);
}

bool change_mode(int fd, int family, SocketMode& current, SocketMode wanted) {
  if (current.dont_fragment != wanted.dont_fragment) {
    if (!set_dont_fragment(fd, family, wanted.dont_fragment)) return false;
    current.dont_fragment = wanted.dont_fragment;
  }
  if (current.checksum != wanted.checksum) {
    if (!set_checksum(fd, family, wanted.checksum)) return false;
    current.checksum = wanted.checksum;
  }
  return true;
}

}  // namespace vtep
