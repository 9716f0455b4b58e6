#include "io/receive_control.h"

#include <linux/udp.h>
#include <netinet/in.h>

#include <cstring>

namespace vtep {
namespace {

int read_int(cmsghdr* one) {
  int value = 0;
  if (one->cmsg_len >= CMSG_LEN(sizeof(value))) std::memcpy(&value, CMSG_DATA(one), sizeof(value));
  return value;
}

}  // namespace

Received read_control(msghdr& header) {
  Received received;
  for (cmsghdr* one = CMSG_FIRSTHDR(&header); one != nullptr; one = CMSG_NXTHDR(&header, one)) {
    if (one->cmsg_level == IPPROTO_IP && one->cmsg_type == IP_TOS && one->cmsg_len >= CMSG_LEN(1)) {
      received.tos = *CMSG_DATA(one);  // one byte, where IPv6 has an int
    } else if (one->cmsg_level == IPPROTO_IPV6 && one->cmsg_type == IPV6_TCLASS) {
      received.tos = static_cast<std::uint8_t>(read_int(one));
    } else if (one->cmsg_level == IPPROTO_UDP && one->cmsg_type == UDP_GRO) {
      received.segment_size = static_cast<std::size_t>(read_int(one));
    }
  }
  return received;
}

}  // namespace vtep
