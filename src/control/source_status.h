// How a control plane's source is doing, for people: `vtep source list`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "base/result.h"
#include "base/time.h"

namespace vtep {

struct SourceStatus {
  /// That are remembered by name: whoever writes nonsense does not get all our memory.
  static constexpr std::size_t kMostRefusals = 1000;

  bool is_connected = false;
  Time since{};                                   ///< connected, or not connected any more
  std::string state;                              ///< what it does or waits for, in a few words
  std::string last_error;                         ///< empty: none yet
  std::optional<Time> error_at{};                 ///< when that was
  std::uint64_t refused = 0;                      ///< what made no sense, all told
  std::map<std::string, std::string> refusals{};  ///< what makes none now, by its name there, and why

  void connect(Time now) {
    if (!is_connected) since = now;
    is_connected = true;
  }
  void disconnect(Time now, std::string reason) {
    if (is_connected) since = now;
    is_connected = false;
    fail(now, std::move(reason));
  }
  void fail(Time now, std::string reason) {
    last_error = std::move(reason);
    error_at = now;
  }
  /// Something went wrong: the server is not there, or says otherwise.
  void trouble(Time now, const Error& why) {
    why.kind == ErrorKind::kUnavailable ? disconnect(now, why.message) : fail(now, why.message);
  }
  void refuse(const std::string& name, std::string reason) {
    ++refused;
    if (refusals.size() < kMostRefusals || refusals.contains(name)) refusals[name] = std::move(reason);
  }
};

}  // namespace vtep
