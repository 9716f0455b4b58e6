// How much of the machine the data plane may take: threads, and how patiently they wait for work.
//
// Words, as the command line and the configuration file have them: `workers: auto|N`, `spin:
// auto|off|MICROSECONDS`.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"

namespace vtep {

/// Our own limit; a tunnel that keeps so many processors busy is limited by something else.
inline constexpr std::size_t kMaxWorkers = 32;
/// What `auto` stops at: each worker has a queue of every interface and sockets of its own.
inline constexpr std::size_t kMaxAutoWorkers = 8;
inline constexpr Duration kMaxSpin = std::chrono::milliseconds(10);
/// What `auto` means for spinning: some wake-ups' worth.
inline constexpr Duration kAutoSpin = std::chrono::microseconds(50);

struct Tuning {
  std::size_t workers = 0;  ///< 0: `auto`, one for each processor that we may use
  Duration spin = kAutoSpin;

  /// Of this process on this machine: at least one.
  std::size_t worker_count() const;

  friend bool operator==(const Tuning&, const Tuning&) = default;
};

/// Empty: no such word.
std::optional<std::size_t> parse_workers(std::string_view word);
std::optional<Duration> parse_spin(std::string_view word);
/// What they take, for whoever wrote something else.
std::string workers_words();
std::string spin_words();

}  // namespace vtep
