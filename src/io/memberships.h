// Multicast groups this host listens to, per device (IGMP, RFC 3376). Counted: several links may share a
// group.
//
// Memberships live on sockets of their own, apart from the receiver: the kernel delivers a group's datagrams
// to every socket bound to the port, and one socket may hold only 20 memberships (igmp_max_memberships).
// Thread safety: belongs to one thread.
#pragma once

#include <memory>

#include "base/ifindex.h"
#include "base/ip.h"
#include "base/result.h"

namespace vtep {

class Memberships {
 public:
  Memberships();
  ~Memberships();
  Memberships(const Memberships&) = delete;
  Memberships& operator=(const Memberships&) = delete;

  /// Joins on the first call for (group, device), counts after that. Precondition: group.is_multicast().
  Result<void> join(const IpAddr& group, IfIndex device);
  /// Leaves when the last user is gone. Harmless if never joined, or if the device has gone.
  void leave(const IpAddr& group, IfIndex device);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace vtep
