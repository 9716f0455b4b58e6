// The sockets of a UdpSender for one address family: which one carries which source port.
//
// Thread safety: belongs to one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "base/port.h"
#include "io/socket_mode.h"

namespace vtep {

class SendPool {
 public:
  /// Bounds what a hostile configuration can take of the process's files.
  static constexpr std::size_t kMaxSockets = 256;

  /// `family` is AF_INET or AF_INET6. `on_open` is told of every socket before anything is sent from it.
  explicit SendPool(int family, std::function<void(int fd)> on_open = {});
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
  /// What is sent from now on has this mode. Free if it has it already. False if the kernel refuses.
  bool set_mode(std::size_t socket, SocketMode mode);

 private:
  struct Socket {
    int fd;
    SocketMode mode;
  };

  int add(Port source_port);
  int remember(Port source_port, std::size_t socket);

  const int family_;
  const std::function<void(int fd)> on_open_;
  std::vector<Socket> sockets_;
  std::unique_ptr<std::uint16_t[]> slot_of_port_;  // index into sockets_ plus one; 0: not asked for yet
};

}  // namespace vtep
