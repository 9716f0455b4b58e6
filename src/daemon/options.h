// The command line of vtepd.
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "base/time.h"

namespace vtep {

struct DaemonOptions {
  std::string config_file;  ///< empty: none
  std::string socket_path = "/run/vtep/vtepd.sock";
  std::string log_level = "info";
  /// Not set: what the configuration file says, or `auto`.
  std::optional<std::size_t> workers{};
  std::optional<Duration> spin{};
  bool check_config = false;
  bool show_help = false;
  bool show_version = false;

  /// The journal lies beside the socket: daemons with different sockets have different memories.
  std::string state_path() const;
};

/// kInvalid: the words make no sense; the message says which.
Result<DaemonOptions> parse_daemon_options(int argc, const char* const* argv);

extern const char* const kDaemonUsage;

}  // namespace vtep
