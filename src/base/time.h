// Time as a parameter. Only the event loop and the command read a clock; everything else is told the time.
#pragma once

#include <chrono>

namespace vtep {

using Duration = std::chrono::nanoseconds;
/// Monotonic time, arbitrary epoch. Read once per wake-up and passed down.
using Time = std::chrono::time_point<std::chrono::steady_clock, Duration>;

}  // namespace vtep
