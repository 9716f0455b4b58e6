// Whether to look again or to sleep, when there is nothing to do just now. Waking a thread that sleeps costs
// tens of microseconds, on a virtual machine above all; looking again costs a processor.
//
// Theory of operation. Looking goes on for at most `limit` after the last work, and only while it has lately
// paid: when it finds nothing, the patience halves, so that a thread whose work comes seldom soon sleeps at
// once; when work wakes the thread so soon after the last that looking would have found it, patience is whole
// again. A thread that has nothing to do never looks.
//
// Thread safety: belongs to one thread. Knows no clock; the time is passed in.
#pragma once

#include <algorithm>

#include "base/time.h"

namespace vtep {

class Spinner {
 public:
  /// Zero: never look, always sleep.
  explicit Spinner(Duration limit = Duration::zero()) : limit_(limit) {}

  /// Whether it can ever say to look again.
  bool is_enabled() const { return limit_ > Duration::zero(); }

  /// There was work at `now`, and it came without sleeping.
  void found_work(Time now) {
    last_work_ = now;
    patience_ = limit_;
  }
  /// There was work at `now`, and it ended a sleep.
  void woke_to_work(Time now) {
    if (now - last_work_ <= limit_) patience_ = limit_;
    last_work_ = now;
  }
  /// There is nothing at `now`. False: sleep.
  bool should_look_again(Time now) {
    if (now - last_work_ < patience_) return true;
    patience_ = patience_ / 2 < limit_ / kLeastPart ? Duration::zero() : patience_ / 2;
    return false;
  }

 private:
  static constexpr int kLeastPart = 8;  // three vain looks, and it is over

  Duration limit_;
  Duration patience_{};
  Time last_work_{};
};

}  // namespace vtep
