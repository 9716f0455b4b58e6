// The error queues of the sockets that send (IP_RECVERR, IPV6_RECVERR): what routers say about datagrams on
// their way, and what the kernel itself says about one that it refused.
//
// The kernel hands a socket only those ICMP messages that quote a datagram from the socket's own port. Ports
// can be guessed, so a message must quote the VXLAN header as well, which whoever uses the reports compares
// with what is really sent (routers quote as much as they can: RFC 1812 section 4.3.2.3). Only "fragmentation
// needed" (RFC 1191) and "packet too big" (RFC 8201) become reports; all others are read and forgotten.
//
// All sockets are waited for through one epoll, edge-triggered: a pending error that has no message behind it
// cannot make a busy loop. Thread safety: belongs to one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "io/underlay.h"

namespace vtep {

class PathReports {
 public:
  /// What one take() handles at most; the rest comes with the next.
  static constexpr std::size_t kMaxSockets = 32;
  static constexpr std::size_t kMaxMessages = 64;  ///< of each socket
  /// Reports that wait for take(); more are lost.
  static constexpr std::size_t kMaxWaiting = 1024;

  PathReports();
  ~PathReports();
  PathReports(const PathReports&) = delete;
  PathReports& operator=(const PathReports&) = delete;

  /// From now on errors about `fd` are kept for take(). A socket for which that cannot be had sends as well,
  /// and never has reports. `family` is AF_INET or AF_INET6. Closing the socket ends it.
  void watch(int fd, int family);

  /// Readable while there is something to take; -1 if there never will be.
  int fd() const { return epoll_; }
  /// Appends what has come: a slice of each queue, and all that refused_mtu() met.
  void take(std::vector<PathReport>& reports);

  /// Right behind a send() on `fd` that failed with EMSGSIZE: the MTU of the device that refused the
  /// datagram, in bytes of IP packet. 0: the kernel did not say, so the error may be an earlier datagram's.
  /// Reports that are met on the way wait for take().
  std::uint32_t refused_mtu(int fd);

 private:
  /// Reads up to `limit` messages. True if the queue was found empty.
  bool drain(int fd, std::size_t limit, std::vector<PathReport>& reports, std::uint32_t& refused_mtu);

  int epoll_;
  int found_;                        // an eventfd: set while waiting_ is not empty
  std::vector<PathReport> waiting_;  // met by refused_mtu()
};

}  // namespace vtep
