// What a datagram asks of its whole socket, because no control message can say it: DF and the checksum.
#pragma once

#include "base/datagram.h"

namespace vtep {

struct SocketMode {
  bool dont_fragment = false;  ///< IPv4 only: IPv6 is never fragmented on its way
  bool checksum = true;

  static SocketMode of(const Route& route) {
    return {.dont_fragment = route.dont_fragment && route.remote.is_v4(), .checksum = route.checksum};
  }
  friend bool operator==(const SocketMode&, const SocketMode&) = default;
};

/// Sets both, whatever the socket had. False if the kernel refuses. `family` is AF_INET or AF_INET6.
bool set_mode(int fd, int family, SocketMode mode);
/// Sets what differs, and keeps `current` true even when the kernel refuses half of it.
bool change_mode(int fd, int family, SocketMode& current, SocketMode wanted);

}  // namespace vtep
