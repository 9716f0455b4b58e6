// The sockets of a UdpSender for one address family: which one carries which source port.
//
// Thread safety: belongs to one thread.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "base/port.h"
#include "io/socket_mode.h"
#include "io/source_ports.h"

namespace vtep {

class SendPool {
 public:
  /// Bounds what a hostile configuration can take of the process's files.
  static constexpr std::size_t kMaxSockets = 256;
  /// One refusal in so many is not felt.
  static constexpr std::size_t kPlainMessages = 10000;

  /// `family` is AF_INET or AF_INET6. `on_open` is told of every socket before anything is sent from it. Null
  /// `ports`: they are shared with nobody.
  explicit SendPool(int family, std::function<void(int fd)> on_open = {},
                    std::shared_ptr<SourcePorts> ports = nullptr);
  ~SendPool();
  SendPool(const SendPool&) = delete;
  SendPool& operator=(const SendPool&) = delete;

  /// Which socket stands for `source_port` (0: any free port); opened if there is none yet. The answer for a
  /// port never changes once given. -1 if no socket of this family can be opened.
  int socket_for(Port source_port) {
    const std::uint16_t slot = slot_of_port_[source_port.value()];
    return slot != 0 ? slot - 1 : add(source_port);
  }

  std::size_t size() const { return sockets_.size(); }
  /// Precondition: socket < size().
  int fd(std::size_t socket) const { return sockets_[socket].fd; }
  /// Whether runs may be sent as segments from now on; at first they may.
  bool may_segment(std::size_t socket) const { return sockets_[socket].plain_left == 0; }
  /// The kernel would not have it, for this socket's mode, device or remote. One of them may change, and
  /// others may be served by the same socket: it is tried again after kPlainMessages.
  void stop_segments(std::size_t socket) { sockets_[socket].plain_left = kPlainMessages; }
  void count_plain(std::size_t socket, std::size_t messages) {
    sockets_[socket].plain_left -= std::min(sockets_[socket].plain_left, messages);
  }

  /// What is sent from now on has this mode. Free if it has it already. False if the kernel refuses.
  bool set_mode(std::size_t socket, SocketMode mode);

 private:
  struct Socket {
    int fd;
    SocketMode mode;
    std::size_t plain_left = 0;  // messages until segments are tried again
  };

  int add(Port source_port);
  int remember(Port source_port, std::size_t socket);

  const int family_;
  const std::function<void(int fd)> on_open_;
  const std::shared_ptr<SourcePorts> ports_;
  std::vector<Socket> sockets_;
  std::unique_ptr<std::uint16_t[]> slot_of_port_;  // index into sockets_ plus one; 0: not asked for yet
};

}  // namespace vtep
