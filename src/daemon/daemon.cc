#include "daemon/daemon.h"

#include <fmt/format.h>
#include <grpcpp/resource_quota.h>
#include <grpcpp/server_builder.h>
#include <spdlog/spdlog.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <random>

#include "daemon/config_file.h"
#include "daemon/version.h"
#include "engine/inner_checksum.h"
#include "io/source_ports.h"
#include "io/udp_receiver.h"
#include "io/udp_sender.h"

namespace vtep {
namespace {

constexpr int kMaxApiThreads = 64;
constexpr auto kGrace = std::chrono::milliseconds(500);

std::uint64_t random_seed() {
  std::random_device source;
  return std::uint64_t{source()} << 32 | source();
}

Result<void> make_directory_of(const std::string& path) {
  const std::filesystem::path directory = std::filesystem::path(path).parent_path();
  std::error_code error;
  if (!directory.empty()) std::filesystem::create_directories(directory, error);
  if (error) {
    return fail(ErrorKind::kPermission,
                fmt::format("cannot create {}: {}: run vtepd as root or give another --socket",
                            directory.string(), error.message()));
  }
  return {};
}

/// IPv4 and, where the host has it, IPv6: the remotes of one VNI may be of both.
Result<std::vector<DataPlane::Receivers>> open_receivers(Port port, std::size_t workers) {
  std::vector<DataPlane::Receivers> receivers(workers);
  for (const auto family : {UdpReceiver::Family::kV4, UdpReceiver::Family::kV6}) {
    auto group = UdpReceiver::open_group(family, port, workers, {.is_super_frame = is_tunnelled_super_frame});
    if (!group && group.error().kind != ErrorKind::kUnavailable) return std::unexpected(group.error());
    for (std::size_t i = 0; group && i < workers; ++i) {
      const std::string trouble = i == 0 ? (*group)[i]->receive_buffer_trouble() : "";
      if (!trouble.empty()) spdlog::warn("UDP port {}: {}", port.value(), trouble);
      receivers[i].push_back(std::move((*group)[i]));
    }
  }
  if (receivers.front().empty()) {
    return fail(ErrorKind::kUnavailable, "this host has neither IPv4 nor IPv6");
  }
  return receivers;
}

}  // namespace

Daemon::Daemon(const DaemonOptions& options) : options_(options) {}

Daemon::~Daemon() {
  if (shutdown_.joinable()) shutdown_.join();
  if (signal_fd_ >= 0) ::close(signal_fd_);
}

Result<std::unique_ptr<Daemon>> Daemon::start(const DaemonOptions& options) {
  std::unique_ptr<Daemon> daemon(new Daemon(options));
  if (auto opened = daemon->open(); !opened) return std::unexpected(opened.error());
  return daemon;
}

Result<void> Daemon::open() {
  v1::Config config;
  if (!options_.config_file.empty()) {
    auto loaded = load_config(options_.config_file);
    if (!loaded) return std::unexpected(loaded.error());
    config = std::move(*loaded);
  }
  if (auto made = make_directory_of(options_.socket_path); !made) return made;
  auto journal = Journal::open(options_.state_path());
  if (!journal) return std::unexpected(journal.error());
  journal_ = std::move(*journal);

  auto loop = Loop::create();
  if (!loop) return std::unexpected(loop.error());
  loop_ = std::move(*loop);
  started_ = loop_->now();
  if (auto watched = watch_signals(); !watched) return watched;

  auto rtnetlink = Rtnetlink::create();
  if (!rtnetlink) return std::unexpected(rtnetlink.error());
  rtnetlink_ = std::move(*rtnetlink);
  if (auto watched = loop_->watch(rtnetlink_->fd(), [this] { rtnetlink_->dispatch(); }); !watched)
    return watched;

  auto neighbours = NeighbourTable::create();
  if (!neighbours) return std::unexpected(neighbours.error());
  neighbours_ = std::move(*neighbours);
  if (auto watched = loop_->watch(neighbours_->fd(), [this] { neighbours_->dispatch(); }); !watched)
    return watched;

  if (auto started = start_data_plane(config); !started) return started;
  overlay_ = std::make_unique<Overlay>(*loop_, *rtnetlink_, *neighbours_, *data_plane_, *journal_);
  control_plane_ = std::make_unique<ControlPlane>(
      *loop_, *overlay_, std::filesystem::absolute(options_.socket_path).string() + ".gobgpd");
  // Before anything is made that would have to be unmade. Calls that arrive now wait for the loop to run.
  if (auto listening = listen(); !listening) return listening;
  overlay_->restore();
  if (!options_.config_file.empty()) {
    if (auto applied = apply(config); !applied) {
      // Links whose part of the world is missing are no reason to leave the others without a daemon.
      spdlog::error("the configuration was applied in part: {}", applied.error().message);
    }
  }
  return {};
}

/// As far as it goes; the first error is returned.
Result<void> Daemon::apply(const v1::Config& config) {
  auto links = overlay_->apply_config(config);
  auto sources = control_plane_->apply_config(config);
  return links ? sources : links;
}

/// The command line is stronger than the file.
Tuning Daemon::tuning_of(const v1::Config& config) const {
  Tuning tuning;
  if (config.has_workers()) tuning.workers = config.workers();
  if (config.has_spin()) tuning.spin = Duration(config.spin());
  tuning.workers = options_.workers.value_or(tuning.workers);
  tuning.spin = options_.spin.value_or(tuning.spin);
  return tuning;
}

Result<void> Daemon::start_data_plane(const v1::Config& config) {
  tuning_ = tuning_of(config);
  const std::size_t workers = tuning_.worker_count();
  const auto ports = std::make_shared<SourcePorts>();
  auto plane = DataPlane::start(
      *loop_,
      {.fdb = {.hash_seed = random_seed()},
       .workers = workers,
       .spin = tuning_.spin,
       .open_receivers = [workers](Port port) { return open_receivers(port, workers); },
       .make_sender = [ports] { return std::make_unique<UdpSender>(SenderOptions{.ports = ports}); }});
  if (!plane) return std::unexpected(plane.error());
  data_plane_ = std::move(*plane);
  return {};
}

Result<void> Daemon::listen() {
  struct stat there{};
  if (::lstat(options_.socket_path.c_str(), &there) == 0 && !S_ISSOCK(there.st_mode)) {
    return fail(ErrorKind::kExists,
                fmt::format("{} exists and is not a socket: give another --socket", options_.socket_path));
  }
  // The journal's lock says that no other daemon lives here: a socket that is left over is dead.
  if (::unlink(options_.socket_path.c_str()) != 0 && errno != ENOENT) {
    return fail(ErrorKind::kPermission,
                fmt::format("cannot replace {}: {}", options_.socket_path, std::strerror(errno)));
  }
  service_ = std::make_unique<Service>(
      *loop_, *overlay_,
      Service::Host{.describe = [this] { return describe(); },
                    .list_sources = [this](const std::string& name) { return control_plane_->list(name); },
                    .stop = [this](v1::StopDaemonRequest::Mode mode) { stop(mode); }});
  grpc::ResourceQuota quota;
  quota.SetMaxThreads(kMaxApiThreads);
  grpc::ServerBuilder builder;
  builder.SetResourceQuota(quota);
  builder.AddListeningPort("unix:" + options_.socket_path, grpc::InsecureServerCredentials());
  builder.RegisterService(service_.get());
  const mode_t old_mask = ::umask(0117);  // root and its group: the API can do what CAP_NET_ADMIN can
  server_ = builder.BuildAndStart();
  ::umask(old_mask);
  if (!server_) {
    return fail(ErrorKind::kPermission,
                fmt::format("cannot listen on {}: is its directory writable?", options_.socket_path));
  }
  return {};
}

Result<void> Daemon::watch_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, signal);
  // Before any thread is started: all of them inherit the mask.
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal_fd_ = ::signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC);
  if (signal_fd_ < 0) return fail(ErrorKind::kSystem, fmt::format("signalfd: {}", std::strerror(errno)));
  return loop_->watch(signal_fd_, [this] { signal_arrived(); });
}

void Daemon::signal_arrived() {
  signalfd_siginfo info;
  while (::read(signal_fd_, &info, sizeof info) == sizeof info) {
    if (info.ssi_signo == SIGHUP) {
      reload();
    } else {
      stop(v1::StopDaemonRequest::MODE_STOP);
    }
  }
}

void Daemon::reload() {
  if (options_.config_file.empty()) {
    spdlog::warn("SIGHUP: there is no configuration file to read again (start with --config FILE)");
    return;
  }
  sd_notify(0, "RELOADING=1");
  if (auto config = load_config(options_.config_file); !config) {
    spdlog::error("{}; nothing was changed", config.error().message);
  } else if (auto applied = apply(*config); !applied) {
    spdlog::error("the configuration was applied in part: {}", applied.error().message);
  } else {
    if (tuning_of(*config) != tuning_) {
      spdlog::warn("workers and spin are taken up by a restart: vtep daemon restart");
    }
    spdlog::info("{} applied", options_.config_file);
  }
  sd_notify(0, "READY=1");
}

Daemon::End Daemon::run() {
  spdlog::info("vtepd {} answers on {}", kVersion, options_.socket_path);
  sd_notify(0, "READY=1");
  loop_->run();

  shutdown_.join();
  const bool remove = mode_ == v1::StopDaemonRequest::MODE_STOP;
  control_plane_->close(remove);
  overlay_->close(remove);
  ::unlink(options_.socket_path.c_str());
  spdlog::info("{}", remove ? "ended; interfaces removed" : "ended; interfaces left for the next daemon");
  return mode_ == v1::StopDaemonRequest::MODE_RESTART ? End::kRestart : End::kExit;
}

void Daemon::stop(v1::StopDaemonRequest::Mode mode) {
  if (mode_ != v1::StopDaemonRequest::MODE_UNSPECIFIED) return;
  mode_ = mode;
  sd_notify(0, mode == v1::StopDaemonRequest::MODE_RESTART ? "RELOADING=1" : "STOPPING=1");
  service_->close();
  // Calls under way need the loop to end, so somebody else waits for them.
  shutdown_ = std::thread([this] {
    server_->Shutdown(std::chrono::system_clock::now() + kGrace);
    server_->Wait();
    loop_->stop();
  });
}

v1::Daemon Daemon::describe() const {
  v1::Daemon daemon;
  daemon.set_version(kVersion);
  daemon.set_pid(static_cast<std::uint32_t>(::getpid()));
  daemon.set_uptime(static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::seconds>(loop_->now() - started_).count()));
  daemon.set_config_file(options_.config_file);
  daemon.set_state_file(options_.state_path());
  daemon.set_links(static_cast<std::uint32_t>(overlay_->link_count()));
  daemon.set_fdb_entries(overlay_->fdb_size());
  daemon.set_workers(static_cast<std::uint32_t>(data_plane_->workers()));
  daemon.set_spin(static_cast<std::uint64_t>(tuning_.spin.count()));
  return daemon;
}

}  // namespace vtep
