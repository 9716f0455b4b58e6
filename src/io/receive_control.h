// The control messages of a datagram that is received.
#pragma once

#include <sys/socket.h>

#include <array>
#include <cstddef>
#include <cstdint>

namespace vtep {

/// Room for them, aligned as the kernel wants it.
struct alignas(cmsghdr) ReceiveControl {
  std::array<std::uint8_t, 2 * CMSG_SPACE(sizeof(int))> bytes;
};

struct Received {
  std::uint8_t tos = 0;          ///< IPv4 TOS or IPv6 traffic class
  std::size_t segment_size = 0;  ///< bytes of UDP payload; 0: it is a single datagram
};

/// What the kernel says of the datagram, or of those that it has merged: `header` as recvmmsg left it.
Received read_control(msghdr& header);

}  // namespace vtep
