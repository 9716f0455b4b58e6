// How many frames a second a link may flood, by why it floods them (see FloodLimits): a storm in one tenant's
// segment must not take the underlay from the others.
//
// A token bucket a kind. Credit is counted in billionths of a frame: each nanosecond earns as many of them as
// the limit is frames a second. Nothing is ever rounded, so there is no drift however long it runs.
//
// Thread safety: under the lock of the engine's tables. Knows no clock; the time is passed in.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/time.h"
#include "engine/link.h"

namespace vtep {

enum class FloodKind : std::uint8_t { kBroadcast, kUnknown, kMulticast };

class FloodLimiter {
 public:
  /// Without limits.
  FloodLimiter() = default;

  /// A kind whose limit changes starts with a whole burst; one whose limit stays keeps its credit, so that
  /// writing the same configuration again and again opens no gap.
  void configure(const FloodLimits& limits);

  /// Whether `frames` more may be flooded, all of them or none: the segments of a super-frame, of which one
  /// that exceeds what may ever come at once passes when the bucket is full. A time before that of an earlier
  /// call earns nothing.
  bool admit(FloodKind kind, Time now, std::size_t frames = 1) {
    Bucket& bucket = buckets_[static_cast<std::size_t>(kind)];
    return bucket.rate == 0 || take(bucket, now, frames);
  }

 private:
  struct Bucket {
    std::uint32_t rate = 0;  ///< frames a second; 0: no limit
    bool started = false;    ///< `refilled` and `credit` mean something
    Time refilled{};
    std::uint64_t credit = 0;  ///< billionths of a frame
  };

  static bool take(Bucket& bucket, Time now, std::size_t frames);

  std::array<Bucket, 3> buckets_;  ///< by FloodKind
};

}  // namespace vtep
