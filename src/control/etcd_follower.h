// Follows all entries below one prefix of etcd: what there is, and then every change, for as long as it
// lives. When changes were lost (compacted, or another cluster's history), everything is listed again.
//
// Thread safety: belongs to the loop's thread, in which the handlers are called, never from within the
// constructor. A handler may destroy the follower. Client and loop outlive it.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "base/result.h"
#include "control/etcd_client.h"
#include "io/loop.h"
#include "io/timer.h"

namespace vtep {

class EtcdFollower {
 public:
  struct Handlers {
    /// Everything that there is: what is not among it is gone.
    std::function<void(const EtcdListing&)> on_listing;
    std::function<void(std::span<const EtcdEvent>)> on_events;
    std::function<void()> on_connected;
    /// After each try that failed. It goes on trying.
    std::function<void(const Error&)> on_trouble;
  };

  EtcdFollower(Loop& loop, EtcdClient& etcd, std::string prefix, Handlers handlers);
  ~EtcdFollower();
  EtcdFollower(const EtcdFollower&) = delete;
  EtcdFollower& operator=(const EtcdFollower&) = delete;

 private:
  void list();
  void watch(std::int64_t from_revision);
  void try_again(const Error& why);

  EtcdClient& etcd_;
  const std::string prefix_;
  const Handlers handlers_;
  std::unique_ptr<EtcdWatch> watch_;
  Timer timer_;
  std::size_t failures_ = 0;
  const std::shared_ptr<char> alive_ = std::make_shared<char>();  // whoever calls back looks whether we are
};

}  // namespace vtep
