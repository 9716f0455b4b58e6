// How long to wait before the next try.
#pragma once

#include <algorithm>
#include <random>

#include "base/time.h"

namespace vtep {

/// At once, then after 100 ms, twice that, and so on up to 5 s; each between half and all of it, so that many
/// who lost the same server do not come back together.
class Backoff {
 public:
  static constexpr Duration kFirst = std::chrono::milliseconds(100);
  static constexpr Duration kLast = std::chrono::seconds(5);

  explicit Backoff(std::uint32_t seed) : random_(seed) {}

  /// After the `failures`-th failure in a row, the first being 1, of which `at_once` cost nothing.
  Duration after(std::size_t failures, std::size_t at_once) {
    if (failures <= at_once) return Duration(0);
    constexpr std::size_t kDoublings = 6;
    const std::size_t doublings = std::min(failures - at_once - 1, kDoublings);
    const Duration longest = std::min(kFirst * (1 << doublings), kLast);
    return std::uniform_int_distribution<Duration::rep>((longest / 2).count(), longest.count())(random_) *
           Duration(1);
  }

 private:
  std::minstd_rand random_;
};

}  // namespace vtep
