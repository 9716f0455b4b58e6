// A TAP interface: the local port behind `vxlan0`. This is what can be asked of it and done to it as a whole;
// its frames move through its queues (tap_queue.h), which go to whoever reads them.
//
// The kernel keeps a flow on the queue through which its other direction was last written, and spreads what
// it has not seen by hash. A queue that nobody reads loses what is spread to it.
//
// Thread safety: belongs to one thread, each queue to one as well, and those may be different ones.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "io/frame_port.h"
#include "io/network_namespace.h"
#include "io/tap_state.h"

namespace vtep {

class Tap {
 public:
  /// Creates the interface, or attaches to a persistent one of that name (left by a crash, or made with `ip
  /// tuntap`). kInvalid: no interface can have that name. kExists: the name belongs to an interface that is
  /// no TAP. kInUse: another process is attached; the message names it. kPermission: no CAP_NET_ADMIN, or no
  /// /dev/net/tun; the message says what to do. A persistent interface that was made for one queue has one,
  /// whatever `queues` says: the first reads and writes it, the others only write.
  static Result<std::unique_ptr<Tap>> open(std::string_view name, std::size_t queues = 1);
  ~Tap();
  Tap(const Tap&) = delete;
  Tap& operator=(const Tap&) = delete;

  /// The queues, all attached, the first time; nothing from then on. The interface stays as long as the Tap
  /// or one of them does.
  std::vector<std::unique_ptr<FramePort>> take_queues();
  /// Whether the kernel takes UDP segmentation from us, and leaves it to us (Linux 6.2).
  bool takes_udp_segments() const { return takes_udp_segments_; }

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

 private:
  explicit Tap(int control);
  Result<TapState> state_here() const;

  const int control_;  // the first queue's file: what is asked of one is answered for the interface
  bool takes_udp_segments_ = false;
  std::vector<std::unique_ptr<FramePort>> queues_;  // until they are taken
};

}  // namespace vtep
