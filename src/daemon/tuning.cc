#include "daemon/tuning.h"

#include <fmt/format.h>
#include <sched.h>

#include <algorithm>

#include "base/number.h"

namespace vtep {
namespace {

constexpr auto kMaxSpinMicroseconds = kMaxSpin / std::chrono::microseconds(1);

}  // namespace

std::size_t Tuning::worker_count() const {
  if (workers != 0) return workers;
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof(set), &set) != 0) return 1;
  return std::clamp<std::size_t>(static_cast<std::size_t>(CPU_COUNT(&set)), 1, kMaxAutoWorkers);
}

std::optional<std::size_t> parse_workers(std::string_view word) {
  if (word == "auto") return 0;
  const auto number = parse_number(word, kMaxWorkers);
  if (!number || *number == 0) return std::nullopt;
  return static_cast<std::size_t>(*number);
}

std::optional<Duration> parse_spin(std::string_view word) {
  if (word == "auto") return kAutoSpin;
  if (word == "off") return Duration::zero();
  const auto number = parse_number(word, kMaxSpinMicroseconds);
  if (!number) return std::nullopt;
  return std::chrono::microseconds(*number);
}

std::string workers_words() {
  return fmt::format("auto, or a number from 1 to {}", kMaxWorkers);
}

std::string spin_words() {
  return fmt::format("auto, off, or microseconds up to {}", kMaxSpinMicroseconds);
}

}  // namespace vtep
