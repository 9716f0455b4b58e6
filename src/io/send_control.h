// The control messages of what is sent: what holds for it alone, since all links share a socket.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstddef>
#include <cstdint>

#include "base/datagram.h"

namespace vtep {

/// The larger of both families: source address and device, TTL, TOS; and the size of segments.
inline constexpr std::size_t kSendControlSize = CMSG_SPACE(sizeof(in6_pktinfo)) + CMSG_SPACE(sizeof(int)) +
                                                CMSG_SPACE(sizeof(int)) + CMSG_SPACE(sizeof(std::uint16_t));

/// Room for them, aligned as the kernel wants it.
struct alignas(cmsghdr) SendControl {
  std::uint8_t bytes[kSendControlSize];
};

/// Points `header` at what `route` needs in `control`, or at nothing: a route without wishes costs nothing.
/// `segment_size`: bytes of UDP payload in each of the datagrams that the kernel is to cut; 0: there is one.
void store_control(const Route& route, std::size_t segment_size, SendControl& control, msghdr& header);

}  // namespace vtep
