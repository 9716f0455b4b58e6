// While one exists, the lane may look at shared tables; see base/epochs.h.
#pragma once

#include "engine/lane.h"

namespace vtep {

class Lane::Batch {
 public:
  explicit Batch(Lane& lane) : lane_(lane) { lane_.reader_.enter(); }
  ~Batch() {
    if (lane_.lock_.owns_lock()) lane_.lock_.unlock();
    lane_.reader_.leave();
  }
  Batch(const Batch&) = delete;
  Batch& operator=(const Batch&) = delete;

 private:
  Lane& lane_;
};

}  // namespace vtep
