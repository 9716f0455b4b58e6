// The UDP ports that datagrams are sent from, where several senders (one a worker) use the same ones.
//
// Each sender has a socket of its own on a port. They let each other in with SO_REUSEPORT, but only while one
// of them is being bound: a port is taken only if it is free or ours, and stays closed to everybody else. The
// sockets must not receive (SO_ATTACH_FILTER): what is sent to their port goes to any of them.
//
// Thread safety: fully; it locks.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

#include "base/port.h"

namespace vtep {

class SourcePorts {
 public:
  /// Binds `fd` to `wish` (0: any port) or, if another program has that one, to the next of the dynamic ports
  /// that is free or another sender's, and that the caller `has` not got already. 0 if all are taken, and for
  /// a wish of 0. `family` is AF_INET or AF_INET6.
  Port bind(int fd, int family, Port wish, const std::function<bool(Port)>& has);
  /// Before `fd` is closed.
  void release(int fd);

 private:
  bool bind_to(int fd, int family, Port port);

  std::mutex mutex_;
  std::map<std::pair<int, Port>, std::vector<int>> sockets_;  // by family and port
};

}  // namespace vtep
