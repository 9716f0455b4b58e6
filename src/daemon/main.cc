// vtepd: see daemon.h. Exit status: 0 ended as asked, 1 the words make no sense, 2 the system refused.
#include <fmt/format.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>

#include "daemon/config_file.h"
#include "daemon/daemon.h"
#include "daemon/options.h"
#include "daemon/version.h"

namespace {

int fail_with(const vtep::Error& error) {
  fmt::print(stderr, "vtepd: {}\n", error.message);
  return error.kind == vtep::ErrorKind::kInvalid ? 1 : 2;
}

void set_up_log(const std::string& level) {
  spdlog::set_default_logger(spdlog::stderr_color_mt("vtepd"));
  spdlog::set_level(spdlog::level::from_str(level));
  // The journal has its own clock.
  const bool under_systemd = std::getenv("JOURNAL_STREAM") != nullptr;
  spdlog::set_pattern(under_systemd ? "%l: %v" : "%Y-%m-%d %H:%M:%S.%e vtepd[%P] %^%l%$: %v");
}

}  // namespace

int main(int argc, char** argv) {
  const auto options = vtep::parse_daemon_options(argc, argv);
  if (!options) return fail_with(options.error());
  if (options->show_help) {
    fmt::print("{}", vtep::kDaemonUsage);
    return 0;
  }
  if (options->show_version) {
    fmt::print("vtepd {}\n", vtep::kVersion);
    return 0;
  }
  if (options->check_config) {
    const auto config = vtep::load_config(options->config_file);
    if (!config) return fail_with(config.error());
    fmt::print("{}: {} links, all right\n", options->config_file, config->links_size());
    return 0;
  }
  set_up_log(options->log_level);

  // Asked for now: after an upgrade the running file is gone, and a restart is to start the new one.
  std::error_code no_such_path;
  const std::string program = std::filesystem::read_symlink("/proc/self/exe", no_such_path);
  auto end = vtep::Daemon::End::kExit;
  {
    auto daemon = vtep::Daemon::start(*options);
    if (!daemon) return fail_with(daemon.error());
    end = (*daemon)->run();
  }
  if (end == vtep::Daemon::End::kExit) return 0;
  spdlog::shutdown();
  ::execv(program.c_str(), argv);
  return fail_with(
      {vtep::ErrorKind::kSystem, fmt::format("cannot start {} anew: {}", program, std::strerror(errno))});
}
