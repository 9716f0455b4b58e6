#include "engine/flood_limiter.h"

#include <algorithm>

namespace vtep {
namespace {

constexpr std::uint64_t kFrame = 1'000'000'000;
constexpr Duration kSecond{1'000'000'000};

/// What a tenth of a second earns: the loop tells one time to a whole wake-up and may be away for many
/// milliseconds, and what was earned meanwhile must not be lost; a longer burst would make the limit one of
/// averages only. At least one frame, without which nothing would ever pass a limit below ten.
std::uint64_t burst(std::uint32_t rate) {
  return std::max<std::uint64_t>(std::uint64_t{rate} * (kFrame / 10), kFrame);
}

}  // namespace

void FloodLimiter::configure(const FloodLimits& limits) {
  const std::array rates = {limits.broadcast, limits.unknown, limits.multicast};  // in FloodKind's order
  for (std::size_t i = 0; i < buckets_.size(); ++i) {
    if (buckets_[i].rate != rates[i]) buckets_[i] = Bucket{.rate = rates[i]};
  }
}

bool FloodLimiter::take(Bucket& bucket, Time now, std::size_t frames) {
  const std::uint64_t full = burst(bucket.rate);
  if (!bucket.started) {
    bucket.started = true;
    bucket.refilled = now;
    bucket.credit = full;
  } else if (now > bucket.refilled) {
    // One second fills any bucket, so the product below stays under 2^62.
    const Duration elapsed = std::min(now - bucket.refilled, kSecond);
    const std::uint64_t earned = static_cast<std::uint64_t>(elapsed.count()) * bucket.rate;
    bucket.credit = std::min(bucket.credit + earned, full);
    bucket.refilled = now;
  }
  const std::uint64_t price = std::min(frames * kFrame, full);
  if (bucket.credit < price) return false;
  bucket.credit -= price;
  return true;
}

}  // namespace vtep
