#include "daemon/options.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "daemon/tuning.h"

namespace vtep {

const char* const kDaemonUsage =
    R"(Usage: vtepd [ OPTIONS ]

The VXLAN tunnel endpoint: holds overlay interfaces and moves their frames. `vtep` talks to it.

OPTIONS:
    -c, --config FILE    links and entries to start with (see vtepd.yaml(5)); SIGHUP reads it again
        --check-config   say whether the file is right, and end
        --socket PATH    where `vtep` finds this daemon (default /run/vtep/vtepd.sock); what it has to
                         remember over a crash lies beside it in a file ending in .state
        --workers W      threads that move packets: auto (default), one for each processor up to 8, or a
                         number
        --spin S         how long they go on looking for packets before they sleep: auto (default), off, or
                         microseconds; an idle tunnel takes no processor time whatever this is
        --log-level L    trace, debug, info (default), warn or error
    -V, --version
    -h, --help

SIGTERM ends it and removes its interfaces. `vtep daemon restart` keeps them.
)";

std::string DaemonOptions::state_path() const {
  constexpr std::string_view kSuffix = ".sock";
  std::string_view stem = socket_path;
  if (stem.ends_with(kSuffix)) stem.remove_suffix(kSuffix.size());
  return std::string(stem) + ".state";
}

Result<DaemonOptions> parse_daemon_options(int argc, const char* const* argv) {
  DaemonOptions options;
  for (int i = 1; i < argc; ++i) {
    std::string_view word = argv[i];
    std::string_view value;
    bool has_value = false;
    if (const std::size_t equals = word.find('=');
        word.starts_with("--") && equals != std::string_view::npos) {
      value = word.substr(equals + 1);
      word = word.substr(0, equals);
      has_value = true;
    }
    const bool wants_value = word == "-c" || word == "--config" || word == "--socket" ||
                             word == "--log-level" || word == "--workers" || word == "--spin";
    if (wants_value && !has_value) {
      if (++i == argc) return fail(ErrorKind::kInvalid, fmt::format("{} needs a value", word));
      value = argv[i];
    } else if (!wants_value && has_value) {
      return fail(ErrorKind::kInvalid, fmt::format("{} takes no value", word));
    }

    if (word == "-c" || word == "--config") {
      options.config_file = value;
    } else if (word == "--socket") {
      options.socket_path = value;
    } else if (word == "--log-level") {
      constexpr std::array<std::string_view, 5> kLevels = {"trace", "debug", "info", "warn", "error"};
      if (std::ranges::find(kLevels, value) == kLevels.end()) {
        return fail(ErrorKind::kInvalid,
                    fmt::format("--log-level \"{}\" is none of trace, debug, info, warn, error", value));
      }
      options.log_level = value;
    } else if (word == "--workers") {
      options.workers = parse_workers(value);
      if (!options.workers) {
        return fail(ErrorKind::kInvalid,
                    fmt::format("--workers \"{}\" is none of: {}", value, workers_words()));
      }
    } else if (word == "--spin") {
      options.spin = parse_spin(value);
      if (!options.spin) {
        return fail(ErrorKind::kInvalid, fmt::format("--spin \"{}\" is none of: {}", value, spin_words()));
      }
    } else if (word == "--check-config") {
      options.check_config = true;
    } else if (word == "-V" || word == "--version") {
      options.show_version = true;
    } else if (word == "-h" || word == "--help") {
      options.show_help = true;
    } else {
      return fail(ErrorKind::kInvalid, fmt::format("unknown option \"{}\": try 'vtepd --help'", argv[i]));
    }
  }
  if (options.check_config && options.config_file.empty()) {
    return fail(ErrorKind::kInvalid, "--check-config needs --config FILE");
  }
  // sockaddr_un::sun_path, with its terminator
  if (options.socket_path.empty() || options.socket_path.size() > 107) {
    return fail(ErrorKind::kInvalid,
                fmt::format("--socket \"{}\" is empty or longer than 107 bytes", options.socket_path));
  }
  return options;
}

}  // namespace vtep
