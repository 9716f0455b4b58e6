// A time span as people read it.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string>

namespace vtep {

/// 02:03:04, or from a day on 1d 02:03:04
inline std::string duration_text(std::uint64_t seconds) {
  constexpr std::uint64_t kMinute = 60;
  constexpr std::uint64_t kHour = 60 * kMinute;
  constexpr std::uint64_t kDay = 24 * kHour;
  const std::string days = seconds < kDay ? "" : fmt::format("{}d ", seconds / kDay);
  return fmt::format("{}{:02}:{:02}:{:02}", days, seconds % kDay / kHour, seconds % kHour / kMinute,
                     seconds % kMinute);
}

}  // namespace vtep
