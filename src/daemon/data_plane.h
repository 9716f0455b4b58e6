// Moves packets between the local ports, the engine and the underlay. All packet work of the daemon happens
// here, in callbacks of the event loop: a readable file is drained in batches, at most kBatchesPerWakeup of
// them, so that a flood on one link cannot starve the others (epoll is level-triggered and comes back).
//
// Thread safety: belongs to the loop's thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "base/packet.h"
#include "base/result.h"
#include "engine/engine.h"
#include "io/frame_port.h"
#include "io/loop.h"
#include "io/underlay.h"

namespace vtep {

class DataPlane {
 public:
  /// Opens the receiver of one UDP port.
  using OpenReceiver = std::function<Result<std::unique_ptr<UnderlayReceiver>>(Port)>;
  using PortLost = std::function<void(LinkId)>;

  /// `loop` must outlive it.
  DataPlane(Loop& loop, const Fdb::Options& fdb, std::unique_ptr<UnderlaySender> sender,
            OpenReceiver open_receiver);
  ~DataPlane();
  DataPlane(const DataPlane&) = delete;
  DataPlane& operator=(const DataPlane&) = delete;

  Engine& engine() { return engine_; }

  /// One more user of the receiver on `port`; the first one opens it. Errors are those of OpenReceiver.
  Result<void> acquire_receiver(Port port);
  /// The last user closes it.
  void release_receiver(Port port);
  std::vector<Port> receiver_ports() const;

  /// The link's frames come from and go to `port` from now on.
  Result<void> attach(LinkId link, std::unique_ptr<FramePort> port);
  /// Frames for the link are dropped (interface_down) until another port is attached. Harmless if none is.
  void detach(LinkId link);
  bool is_attached(LinkId link) const { return ports_.contains(link); }
  /// Called when a port says that its interface is gone; it has been detached by then.
  void on_port_lost(PortLost callback) { port_lost_ = std::move(callback); }

  /// Called after every batch and every table change that may have left events in the engine.
  void on_events(std::function<void()> callback) { events_ = std::move(callback); }
  /// Drains everything once, readable or not: for ports and receivers that cannot be waited on (in-memory
  /// ones).
  void poll();

  /// Arms the timer for the engine's next deadline; call it after changing tables from outside.
  void schedule();

 private:
  struct Receiver {
    std::unique_ptr<UnderlayReceiver> socket;
    std::size_t users = 0;
  };

  Result<void> watch(int fd, Loop::Callback on_readable);
  void frames_readable(LinkId link);
  void datagrams_readable(Port port);
  void send();
  void deliver(LinkId link, std::span<Packet> frames);

  Loop& loop_;
  Engine engine_;
  const std::unique_ptr<UnderlaySender> sender_;
  const OpenReceiver open_receiver_;
  PortLost port_lost_ = [](LinkId) {};
  std::function<void()> events_ = [] {};

  std::map<Port, Receiver> receivers_;
  std::map<LinkId, std::unique_ptr<FramePort>> ports_;

  PacketBatch batch_;
  std::vector<LinkId> links_;         // decapsulate() writes them, one per packet of batch_
  std::vector<Datagram> datagrams_;   // encapsulate() writes them; keeps its capacity
  std::vector<FailedSend> failures_;  // send() writes them; keeps its capacity
  std::optional<Loop::TimerId> timer_;
  std::optional<Time> timer_deadline_;  // the engine's deadline for which timer_ was armed
};

}  // namespace vtep
