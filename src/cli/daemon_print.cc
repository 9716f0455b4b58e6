#include "cli/daemon_print.h"

#include <fmt/format.h>

#include <cstdint>

namespace vtep {

namespace {

constexpr std::uint64_t kMinute = 60;
constexpr std::uint64_t kHour = 60 * kMinute;
constexpr std::uint64_t kDay = 24 * kHour;

// 1d 02:03:04
std::string duration(std::uint64_t seconds) {
  const std::string days = seconds < kDay ? "" : fmt::format("{}d ", seconds / kDay);
  return fmt::format("{}{:02}:{:02}:{:02}", days, seconds % kDay / kHour, seconds % kHour / kMinute,
                     seconds % kMinute);
}

// In microseconds, as it is given.
std::string spin(std::uint64_t nanoseconds) {
  return nanoseconds == 0 ? "off" : fmt::format("{}us", nanoseconds / 1000);
}

}  // namespace

std::string daemon_text(const v1::Daemon& daemon) {
  std::string text =
      fmt::format("vtepd {} pid {} uptime {}\n", daemon.version(), daemon.pid(), duration(daemon.uptime()));
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
