// The composition root: puts loop, netlink, data plane, overlay and API together, runs them, and ends them.
//
// Threads: run() is the loop's thread and owns everything here; gRPC's threads only run Service's handlers,
// which post to the loop; one short-lived thread waits for gRPC to shut down while the loop still serves its
// last calls.
#pragma once

#include <grpcpp/server.h>

#include <memory>
#include <thread>

#include "daemon/control_plane.h"
#include "daemon/data_plane.h"
#include "daemon/journal.h"
#include "daemon/options.h"
#include "daemon/overlay.h"
#include "daemon/service.h"
#include "daemon/tuning.h"
#include "io/loop.h"
#include "io/neighbour_table.h"
#include "io/rtnetlink.h"

namespace vtep {

class Daemon {
 public:
  /// Everything that can be refused: files, sockets, permissions. The configuration is read but not applied
  /// yet.
  static Result<std::unique_ptr<Daemon>> start(const DaemonOptions& options);
  ~Daemon();
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  /// Serves until asked to end, and cleans up. What is to come after it.
  enum class End { kExit, kRestart };
  End run();

 private:
  explicit Daemon(const DaemonOptions& options);
  Result<void> open();
  Tuning tuning_of(const v1::Config& config) const;
  Result<void> start_data_plane(const v1::Config& config);
  Result<void> listen();
  Result<void> apply(const v1::Config& config);
  Result<void> watch_signals();
  void signal_arrived();
  void reload();
  void stop(v1::StopDaemonRequest::Mode mode);
  v1::Daemon describe() const;

  const DaemonOptions options_;
  Tuning tuning_;
  // In the order in which they need each other.
  std::unique_ptr<Loop> loop_;
  std::unique_ptr<Rtnetlink> rtnetlink_;
  std::unique_ptr<NeighbourTable> neighbours_;
  std::unique_ptr<Journal> journal_;
  std::unique_ptr<DataPlane> data_plane_;
  std::unique_ptr<Overlay> overlay_;
  std::unique_ptr<ControlPlane> control_plane_;
  std::unique_ptr<Service> service_;
  std::unique_ptr<grpc::Server> server_;
  int signal_fd_ = -1;
  Time started_;
  v1::StopDaemonRequest::Mode mode_ = v1::StopDaemonRequest::MODE_UNSPECIFIED;  // set once it is ending
  std::thread shutdown_;
};

}  // namespace vtep
