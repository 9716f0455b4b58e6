// How long to wait before the next try.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <random>

#include "base/time.h"

namespace vtep {

/// `first`, twice that, and so on with each of so many failures, and `longest` in the end.
inline Duration doubled(Duration first, std::size_t failures, Duration longest) {
  constexpr std::size_t kEnough = 16;
  return std::min(first * (1 << std::min(failures, kEnough)), longest);
}

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
    const Duration longest = doubled(kFirst, failures - at_once - 1, kLast);
    return std::uniform_int_distribution<Duration::rep>((longest / 2).count(), longest.count())(random_) *
           Duration(1);
  }

 private:
  std::minstd_rand random_;
};

}  // namespace vtep
