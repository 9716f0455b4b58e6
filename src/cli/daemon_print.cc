#include "cli/daemon_print.h"

#include <fmt/format.h>

#include <cstdint>

#include "cli/duration.h"

namespace vtep {

namespace {

// In microseconds, as it is given.
std::string spin(std::uint64_t nanoseconds) {
  return nanoseconds == 0 ? "off" : fmt::format("{}us", nanoseconds / 1000);
}

}  // namespace

std::string daemon_text(const v1::Daemon& daemon) {
  std::string text = fmt::format("vtepd {} pid {} uptime {}\n", daemon.version(), daemon.pid(),
                                 duration_text(daemon.uptime()));
  text += fmt::format("    links {} fdb {} workers {} spin {}\n", daemon.links(), daemon.fdb_entries(),
                      daemon.workers(), spin(daemon.spin()));
  text += "    config " + (daemon.config_file().empty() ? "none" : daemon.config_file());
  if (!daemon.state_file().empty()) text += " state " + daemon.state_file();
  return text + '\n';
}

Json daemon_json(const v1::Daemon& daemon) {
  return {{"version", daemon.version()},         {"pid", daemon.pid()},
          {"uptime", daemon.uptime()},           {"links", daemon.links()},
          {"fdb_entries", daemon.fdb_entries()}, {"workers", daemon.workers()},
          {"spin", daemon.spin() / 1000},        {"config_file", daemon.config_file()},
          {"state_file", daemon.state_file()}};
}

}  // namespace vtep
