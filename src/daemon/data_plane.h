// The data plane as the rest of the daemon sees it: one engine, and workers that move packets through it.
// What is asked of it is done by every worker before the call returns.
//
// Thread safety: belongs to the loop's thread. Workers belong to threads of their own; what they have to tell
// (events, lost interfaces) is posted to the loop.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "base/result.h"
#include "daemon/worker.h"
#include "daemon/worker_thread.h"
#include "engine/engine.h"
#include "io/frame_port.h"
#include "io/loop.h"
#include "io/underlay.h"

namespace vtep {

/// The engine, locked as long as this lives: keep it short, and never across a call of DataPlane's that says
/// so.
class LockedEngine {
 public:
  explicit LockedEngine(Engine& engine) : lock_(engine.mutex()), engine_(engine) {}
  Engine* operator->() const { return &engine_; }
  Engine& operator*() const { return engine_; }

 private:
  std::unique_lock<std::recursive_mutex> lock_;
  Engine& engine_;
};

class DataPlane {
 public:
  using Member = VlanMember;
  using Receivers = std::vector<std::unique_ptr<UnderlayReceiver>>;
  using PortLost = std::function<void(LinkId)>;

  struct Options {
    Fdb::Options fdb{};
    /// Threads that move packets; 0: it is done in the caller's loop, by poll() where nothing can be waited
    /// on.
    std::size_t workers = 0;
    Duration spin{};  ///< see io/spinner.h
    /// The receivers of one UDP port, for each worker those of each family that the host has.
    std::function<Result<std::vector<Receivers>>(Port)> open_receivers;
    std::function<std::unique_ptr<UnderlaySender>()> make_sender;  ///< one for each worker
  };

  /// `loop` must outlive it.
  static Result<std::unique_ptr<DataPlane>> start(Loop& loop, Options options);
  ~DataPlane();
  DataPlane(const DataPlane&) = delete;
  DataPlane& operator=(const DataPlane&) = delete;

  LockedEngine engine() { return LockedEngine(engine_); }
  /// At least one, whatever the options.
  std::size_t workers() const { return workers_.size(); }

  // --- not with the engine locked: workers may be waiting for it

  /// One more user of the receivers on `port`; the first one opens them. Errors are those of open_receivers.
  Result<void> acquire_receiver(Port port);
  /// The last user closes them.
  void release_receiver(Port port);
  /// Whoever uses them.
  void close_receivers(Port port);
  /// For every receiver of the port, on its worker's thread.
  void for_each_receiver(Port port, const std::function<void(UnderlayReceiver&)>& visit);

  /// The link's frames come from and go to `queues` of one interface from now on, one for each worker; if
  /// there are fewer, the first worker writes for all, and the others' queues stay empty.
  Result<void> attach(LinkId link, std::vector<std::unique_ptr<FramePort>> queues);
  /// Closes the queues. Frames for the link are dropped (interface_down) until others are attached. Harmless
  /// if there are none.
  void detach(LinkId link);
  /// The link's interface is shared by these from now on; frames of other VLANs are dropped (vlan_unknown).
  /// Precondition: tags are different.
  void set_members(LinkId link, std::span<const Member> members);

  /// Drains everything once, readable or not. Only without threads.
  void poll();

  // --- in any case

  std::vector<Port> receiver_ports() const;
  bool is_attached(LinkId link) const { return attachments_.contains(link); }
  /// Called when an interface is gone; it has been detached by then.
  void on_port_lost(PortLost callback) { port_lost_ = std::move(callback); }
  /// Called after every batch and every table change that may have left events in the engine.
  void on_events(std::function<void()> callback) { events_ = std::move(callback); }
  /// Arms the timer for the engine's next deadline; call it after changing tables from outside.
  void schedule();

 private:
  DataPlane(Loop& loop, Options options);
  Result<void> start_workers();
  std::unique_ptr<Worker> make_worker(Loop& loop);
  void on_each(const std::function<void(Worker&)>& work);
  void news();       // by any worker
  void take_news();  // by the loop's thread
  void port_lost(LinkId link, std::uint64_t attachment);

  Loop& loop_;
  const Options options_;
  Engine engine_;
  PortLost port_lost_ = [](LinkId) {};
  std::function<void()> events_ = [] {};

  std::map<Port, std::size_t> users_;            // of a port's receivers
  std::map<LinkId, std::uint64_t> attachments_;  // the number of what is attached to a link
  std::uint64_t last_attachment_ = 0;
  std::optional<Loop::TimerId> timer_;
  std::optional<Time> timer_deadline_;  // the engine's deadline for which timer_ was armed

  std::atomic<bool> has_news_ = false;                  // and the loop will hear of it
  std::shared_ptr<DataPlane*> alive_;                   // for what was posted: null when this is gone
  std::vector<std::unique_ptr<WorkerThread>> workers_;  // they go first
};

}  // namespace vtep
