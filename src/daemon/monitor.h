// Fans changes out to whoever watches (`vtep monitor`). A watcher that does not keep up loses events, is told
// how many, and never slows the data path down.
//
// Thread safety: all members may be called from any thread.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "base/time.h"
#include "vtep/v1/vtep.pb.h"

namespace vtep {

/// Whether a request wants everything: it names nothing, or all there is.
bool wants_everything(const v1::MonitorRequest& request);

class Monitor {
 public:
  class Subscription {
   public:
    /// The next event, in order; empty after `patience` without one. When events were lost, the first answer
    /// after the gap says how many.
    std::optional<v1::Event> next(Duration patience);
    /// False once the monitor was closed and everything was read.
    bool is_open() const;

   private:
    friend class Monitor;
    static constexpr std::size_t kCapacity = 65536;
    void push(const v1::Event& event);
    void close();

    mutable std::mutex mutex_;
    std::condition_variable arrived_;
    std::deque<v1::Event> queue_;  // guarded by mutex_, as is all below
    std::uint64_t lost_ = 0;
    bool closed_ = false;
    v1::MonitorRequest wanted_;
  };

  /// `request` says what of; `initial` is not looked at.
  std::shared_ptr<Subscription> subscribe(const v1::MonitorRequest& request);
  /// Returns how many subscriptions are left.
  std::size_t unsubscribe(const std::shared_ptr<Subscription>& subscription);
  void publish(const v1::Event& event);
  /// No more events; everybody who waits is woken.
  void close();

 private:
  std::mutex mutex_;
  std::vector<std::shared_ptr<Subscription>> subscriptions_;  // guarded by mutex_
  bool closed_ = false;                                       // guarded by mutex_
};

}  // namespace vtep
