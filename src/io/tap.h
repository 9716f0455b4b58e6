// A TAP interface: the local port behind `vxlan0`. Opened multi-queue and with a virtio header from the
// start, so that offloads and workers need no other device later.
//
// Thread safety: one queue belongs to one thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "io/frame_port.h"
#include "io/network_namespace.h"
#include "io/tap_state.h"

namespace vtep {

class Tap final : public FramePort {
 public:
  /// Creates the interface, or attaches to a persistent one of that name (left by a crash, or made with `ip
  /// tuntap`). kInvalid: no interface can have that name. kExists: the name belongs to an interface that is
  /// no TAP. kInUse: another process is attached; the message names it. kPermission: no CAP_NET_ADMIN, or no
  /// /dev/net/tun; the message says what to do.
  static Result<std::unique_ptr<Tap>> open(std::string_view name);
  ~Tap() override;
  Tap(const Tap&) = delete;
  Tap& operator=(const Tap&) = delete;

  /// A persistent interface survives the process; one that is not vanishes when it is closed.
  Result<void> set_persistent(bool persistent);
  /// The name the kernel gave, or has now after a rename. Works in whatever namespace the interface lives.
  /// kUnavailable: the interface has been deleted.
  Result<std::string> current_name() const;

  /// Where the interface lives now. kUnavailable: the interface has been deleted. kInvalid: the kernel cannot
  /// tell (before Linux 5.2). kPermission: no CAP_NET_ADMIN there.
  Result<NetworkNamespace> device_namespace() const;
  /// What the interface is now, in whatever namespace it lives. Asks the kernel anew, by a short-lived thread
  /// if it lives elsewhere. Fails as device_namespace(), and with kPermission if that namespace cannot be
  /// entered.
  Result<TapState> state() const;

  /// A frame larger than its buffer is delivered as an empty packet, so that whoever counts runts counts it.
  Result<std::size_t> read(PacketBatch& batch) override;
  WriteReport write(std::span<Packet> frames) override;
  int fd() const override { return fd_; }

 private:
  explicit Tap(int fd);
  Result<TapState> state_here() const;
  const int fd_;
};

}  // namespace vtep
