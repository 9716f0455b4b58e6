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

  /// Binds to `port` on all addresses. kInUse: somebody holds the port; the message names who (see
  /// port_holder.h) and what to do.
  static Result<std::unique_ptr<UdpReceiver>> open(Family family, Port port);
  ~UdpReceiver() override;
  UdpReceiver(const UdpReceiver&) = delete;
  UdpReceiver& operator=(const UdpReceiver&) = delete;

  /// A datagram larger than its buffer is delivered as an empty packet, so that whoever counts runts counts
  /// it.
  Result<std::size_t> receive(PacketBatch& batch) override;
  int fd() const override { return fd_; }

 private:
  struct Scratch;
  explicit UdpReceiver(int fd);
  const int fd_;
  std::unique_ptr<Scratch> scratch_;  // msghdr arrays, built once
};

}  // namespace vtep
