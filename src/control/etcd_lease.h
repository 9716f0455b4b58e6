// A lease of etcd's that lasts for as long as this does: taken, refreshed, and taken anew when it was lost.
// While etcd is away it may end; who put keys under it writes them again when there is a new one.
//
// Thread safety: belongs to the loop's thread. Client and loop outlive it. When it goes, the lease stays
// until it ends by itself, unless revoke() was called.
#pragma once

#include <cstdint>
#include <functional>

#include "base/result.h"
#include "control/etcd_client.h"
#include "io/loop.h"
#include "io/timer.h"

namespace vtep {

class EtcdLease {
 public:
  struct Handlers {
    /// There is one, another one than before if there was one before.
    std::function<void(std::int64_t lease)> on_taken;
    /// It could not be taken or refreshed; it is tried again.
    std::function<void(const Error&)> on_trouble;
  };

  EtcdLease(Loop& loop, EtcdClient& etcd, std::chrono::seconds ttl, Handlers handlers);
  ~EtcdLease();
  EtcdLease(const EtcdLease&) = delete;
  EtcdLease& operator=(const EtcdLease&) = delete;

  /// 0: there is none now.
  std::int64_t id() const { return id_; }
  /// Somebody was told that there is no such lease any more: takes another one.
  void lost();
  /// Ends it, with all that is under it, and calls `done` in any case.
  void revoke(std::function<void()> done);

 private:
  void take();
  void refresh();

  EtcdClient& etcd_;
  const std::chrono::seconds ttl_;
  const Handlers handlers_;
  std::int64_t id_ = 0;
  bool is_ending_ = false;
  Timer timer_;
};

}  // namespace vtep
