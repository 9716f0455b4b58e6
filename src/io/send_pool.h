// The sockets of a UdpSender for one address family: which one carries which source port.
//
// Thread safety: belongs to one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/port.h"

namespace vtep {

class SendPool {
 public:
  /// Bounds what a hostile configuration can take of the process's files.
  static constexpr std::size_t kMaxSockets = 256;

  /// `family` is AF_INET or AF_INET6.
  explicit SendPool(int family);
  ~SendPool();
  SendPool(const SendPool&) = delete;
  SendPool& operator=(const SendPool&) = delete;

  /// Which socket stands for `source_port` (0: any free port); opened if there is none yet. The answer for a
  /// port never changes once given. -1 if no socket of this family can be opened.
  int socket_for(Port source_port) {
    const std::uint16_t slot = slot_of_port_[source_port.value()];
    return slot != 0 ? slot - 1 : add(source_port);
  }

  std::size_t size() const { return files_.size(); }
  /// Precondition: socket < size().
  int fd(std::size_t socket) const { return files_[socket]; }

 private:
  int add(Port source_port);
  int remember(Port source_port, std::size_t socket);

  const int family_;
  std::vector<int> files_;
  std::unique_ptr<std::uint16_t[]> slot_of_port_;  // index into files_ plus one; 0: not asked for yet
};

}  // namespace vtep
