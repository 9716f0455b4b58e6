// The kernel's neighbour table: asked for, watched, changed. Beside Rtnetlink and on sockets of its own, so
// that only who wants it pays for it, and a storm of neighbours cannot make anybody lose a link's
// notification.
//
// Thread safety: belongs to one thread. Everything happens in the network namespace in which it was created.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "base/ifindex.h"
#include "base/result.h"
#include "io/neighbour.h"

namespace vtep {

class NeighbourTable {
 public:
  using Listener = std::function<void(const NeighbourEntry&)>;

  static Result<std::unique_ptr<NeighbourTable>> create();
  ~NeighbourTable();
  NeighbourTable(const NeighbourTable&) = delete;
  NeighbourTable& operator=(const NeighbourTable&) = delete;

  /// IPv4 and IPv6 entries of one device, or of all.
  Result<std::vector<NeighbourEntry>> neighbours(IfIndex device = {});

  /// Has a permanent entry for the address, whatever was there. kNotFound: no such device. kUnavailable: it
  /// is down.
  Result<void> set(IfIndex device, const IpAddr& ip, const MacAddr& mac);
  /// Has no entry for the address, permanent or not. That there is none is success.
  Result<void> remove(IfIndex device, const IpAddr& ip);
  /// Many at once, in order: removes those that are `removed` and sets the others, permanently or as a
  /// control plane's (`extern_learn`). Of what an entry says, device, addresses, `router`, `extern_learn` and
  /// `protocol` count. What becomes of each.
  std::vector<Result<void>> apply(std::span<const NeighbourEntry> entries);

  /// From now on called for every entry that comes, changes or goes (RTNLGRP_NEIGH). What was there before is
  /// not reported. After an overrun (ENOBUFS) every entry is reported anew, and what went meanwhile as
  /// removed.
  void on_neighbour(Listener listener);
  /// What to wait on; then call dispatch().
  int fd() const;
  void dispatch();

 private:
  struct Impl;
  explicit NeighbourTable(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace vtep
