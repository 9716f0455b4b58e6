// One thing that an object waits for: a timer of the loop that goes with its owner.
//
// Thread safety: belongs to the loop's thread. The loop outlives it.
#pragma once

#include <optional>
#include <utility>

#include "base/time.h"
#include "io/loop.h"

namespace vtep {

class Timer {
 public:
  explicit Timer(Loop& loop) : loop_(loop) {}
  ~Timer() { cancel(); }
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  /// Calls `callback` once, after `delay`, in the place of whatever was waited for. The callback may set it
  /// again, or destroy it.
  void set(Duration delay, Loop::Callback callback) {
    cancel();
    id_ = loop_.at(loop_.now() + delay, [this, callback = std::move(callback)] {
      id_.reset();
      callback();
    });
  }
  /// The same, unless something is waited for already.
  void set_if_idle(Duration delay, Loop::Callback callback) {
    if (!is_set()) set(delay, std::move(callback));
  }
  bool is_set() const { return id_.has_value(); }
  /// Harmless if nothing is waited for.
  void cancel() {
    if (id_) loop_.cancel(*id_);
    id_.reset();
  }

 private:
  Loop& loop_;
  std::optional<Loop::TimerId> id_;
};

}  // namespace vtep
