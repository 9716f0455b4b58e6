// A watch of etcd's keys, which outlives its connections: no event is lost and none comes twice, whatever
// servers do.
//
// A watch that loses its server goes on at once with the next one, from the revision that it has seen; if all
// are away it tries again and again, at most every few seconds. It ends only if what it needs is no longer
// there (EtcdWatchEnd), or if it is not let in.
//
// Thread safety: belongs to the loop's thread, in which the handlers are called, never from within the
// constructor. A handler may destroy the watch; after that none is called any more.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "base/result.h"
#include "base/time.h"
#include "control/etcd_entry.h"

namespace vtep {

class EtcdCluster;

/// Each may be empty.
struct EtcdWatchHandlers {
  /// What happened, in order; all events of one revision are in one batch. Everything up to `revision` has
  /// been told with it. From time to time, when nothing happens, a batch is empty: only the revision is new.
  std::function<void(std::int64_t revision, std::span<const EtcdEvent> events)> on_events = {};
  std::function<void()> on_connected = {};
  /// After each try that failed, with the reason; `since` stays the same until it is connected again.
  std::function<void(Time since, const Error& reason)> on_disconnected = {};
  /// The last call.
  std::function<void(const EtcdWatchEnd& end)> on_end = {};
};

class EtcdWatch {
 public:
  /// Of the keys that begin with `prefix`, from `from_revision` on; 0: from when it is connected first.
  EtcdWatch(std::shared_ptr<EtcdCluster> cluster, std::string prefix, std::int64_t from_revision,
            EtcdWatchHandlers handlers);
  ~EtcdWatch();
  EtcdWatch(const EtcdWatch&) = delete;
  EtcdWatch& operator=(const EtcdWatch&) = delete;

  bool is_connected() const;
  /// Everything up to it has been told; 0 if it is not known yet.
  std::int64_t revision() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace vtep
