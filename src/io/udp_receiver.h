// One UDP socket per VXLAN port and family, shared by all VNIs on that port; recvmmsg.
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

  Result<std::size_t> receive(PacketBatch& batch) override;
  int fd() const override { return fd_; }

 private:
  struct Scratch;
  UdpReceiver(int fd);
  const int fd_;
  std::unique_ptr<Scratch> scratch_;  // msghdr arrays, built once
};

}  // namespace vtep
