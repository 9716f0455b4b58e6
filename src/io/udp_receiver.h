// One UDP socket per VXLAN port and family, shared by all VNIs on that port; recvmmsg.
//
// It hears every multicast group that anybody on this host has joined (IP_MULTICAST_ALL), so memberships can
// live on sockets of their own (memberships.h). Neither SO_REUSEADDR nor SO_REUSEPORT is set: a second holder
// of the port is an error and not a thief of datagrams.
#pragma once

#include <memory>

#include "base/port.h"
#include "io/underlay.h"

namespace vtep {

class UdpReceiver final : public UnderlayReceiver {
 public:
  enum class Family { kV4, kV6 };

  /// Binds to `port` on all addresses of one family; both families may hold one port. kInUse: somebody holds
  /// the port; the message names who (see port_holder.h) and what to do. kUnavailable: this host, or this
  /// network namespace, has no IPv6. `zero_checksum6`: see accept_zero_checksum6().
  static Result<std::unique_ptr<UdpReceiver>> open(Family family, Port port, bool zero_checksum6 = false);
  ~UdpReceiver() override;
  UdpReceiver(const UdpReceiver&) = delete;
  UdpReceiver& operator=(const UdpReceiver&) = delete;

  /// Whether IPv6 datagrams without a UDP checksum are received (RFC 6935, RFC 7348 section 5) or dropped by
  /// the kernel (RFC 8200 section 8.1). Without effect on IPv4, where they always are received.
  Result<void> accept_zero_checksum6(bool accept) override;

  /// A datagram larger than its buffer is delivered as an empty packet, so that whoever counts runts counts
  /// it.
  Result<std::size_t> receive(PacketBatch& batch) override;
  int fd() const override { return fd_; }

 private:
  struct Scratch;
  UdpReceiver(Family family, int fd);
  const Family family_;
  const int fd_;
  std::unique_ptr<Scratch> scratch_;  // msghdr arrays, built once
};

}  // namespace vtep
