// The control messages of a datagram that is sent: what holds for it alone, since all links share a socket.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstddef>
#include <cstdint>

#include "base/datagram.h"

namespace vtep {

/// The larger of both families: source address and device, TTL, TOS.
inline constexpr std::size_t kSendControlSize =
    CMSG_SPACE(sizeof(in6_pktinfo)) + CMSG_SPACE(sizeof(int)) + CMSG_SPACE(sizeof(int));

/// Room for them, aligned as the kernel wants it.
struct alignas(cmsghdr) SendControl {
  std::uint8_t bytes[kSendControlSize];
};

/// Points `header` at what `route` needs in `control`, or at nothing: a route without wishes costs nothing.
void store_control(const Route& route, SendControl& control, msghdr& header);

}  // namespace vtep
