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
#include <span>
#include <unordered_map>
#include <vector>

#include "base/packet.h"
#include "base/result.h"
#include "engine/engine.h"
#include "io/frame_port.h"
#include "io/loop.h"
#include "io/underlay.h"
#include "wire/vlan.h"

namespace vtep {

class DataPlane {
 public:
  using Receivers = std::vector<std::unique_ptr<UnderlayReceiver>>;
  /// Opens the receivers of one UDP port: one for each family that the host has.
  using OpenReceivers = std::function<Result<Receivers>(Port)>;
  using PortLost = std::function<void(LinkId)>;

  /// `loop` must outlive it.
  DataPlane(Loop& loop, const Fdb::Options& fdb, std::unique_ptr<UnderlaySender> sender,
            OpenReceivers open_receivers);
  ~DataPlane();
  DataPlane(const DataPlane&) = delete;
  DataPlane& operator=(const DataPlane&) = delete;

  Engine& engine() { return engine_; }

  /// One more user of the receivers on `port`; the first one opens them. Errors are those of OpenReceivers.
  Result<void> acquire_receiver(Port port);
  /// The last user closes them.
  void release_receiver(Port port);
  /// Whoever uses them.
  void close_receivers(Port port);
  /// For every receiver of the port.
  void for_each_receiver(Port port, const std::function<void(UnderlayReceiver&)>& visit);
  std::vector<Port> receiver_ports() const;

  /// The link's frames come from and go to `port` from now on.
  Result<void> attach(LinkId link, std::unique_ptr<FramePort> port);
  /// Frames for the link are dropped (interface_down) until another port is attached. Harmless if none is.
  void detach(LinkId link);
  bool is_attached(LinkId link) const { return ports_.contains(link); }

  /// A VNI of an interface that has several: its frames carry this tag on the interface, or none.
  struct Member {
    LinkId link = 0;
    std::optional<VlanId> vlan{};
  };
  /// The link's interface is shared by these from now on; frames of other VLANs are dropped (vlan_unknown).
  /// Precondition: tags are different.
  void set_members(LinkId link, std::span<const Member> members);
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
  struct PortReceivers {
    Receivers sockets;
    std::size_t users = 0;
  };
  /// Which interface a link's frames come from and go to, if it is not its own.
  struct Home {
    LinkId interface = 0;
    std::optional<VlanId> vlan{};
  };
  /// By VLAN identifier, 0 for frames without a tag; kNoLink where there is none.
  using VlanMap = std::vector<LinkId>;
  static constexpr LinkId kNoLink = 0xffffffff;

  Result<void> watch(int fd, Loop::Callback on_readable);
  void frames_readable(LinkId link);
  void encapsulate_tagged(LinkId interface, const VlanMap& vlans);
  void datagrams_readable(Port port, UnderlayReceiver& receiver);
  void encapsulate(LinkId link, std::span<Packet> frames);
  void send();
  void deliver_replies(LinkId link);
  void take_reports();
  void deliver(LinkId link, std::span<Packet> frames);

  Loop& loop_;
  Engine engine_;
  const std::unique_ptr<UnderlaySender> sender_;
  const OpenReceivers open_receivers_;
  PortLost port_lost_ = [](LinkId) {};
  std::function<void()> events_ = [] {};

  std::map<Port, PortReceivers> receivers_;
  std::map<LinkId, std::unique_ptr<FramePort>> ports_;
  std::map<LinkId, VlanMap> vlans_;         // of interfaces that are shared
  std::unordered_map<LinkId, Home> homes_;  // of the links that share one

  PacketBatch batch_;
  PacketBatch replies_;               // the engine's own frames for the interface at hand
  std::vector<LinkId> links_;         // decapsulate() writes them, one per packet of batch_
  std::vector<Datagram> datagrams_;   // encapsulate() writes them; keeps its capacity
  std::vector<FailedSend> failures_;  // send() writes them; keeps its capacity
  std::vector<PathReport> reports_;   // take_reports() writes them; keeps its capacity
  std::optional<Loop::TimerId> timer_;
  std::optional<Time> timer_deadline_;  // the engine's deadline for which timer_ was armed
};

}  // namespace vtep
