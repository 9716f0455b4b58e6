// Moves packets between local ports, the engine and the underlay: one lane, one queue of every interface, one
// socket of every UDP port and a sender of its own. All packet work of the daemon happens here, in callbacks
// of its loop: a readable file is drained in batches, and only so many of them before others have their turn,
// so that a flood on one link cannot starve the rest (epoll is level-triggered and comes back).
//
// Thread safety: belongs to its loop's thread. What it shares with other workers is the engine (lane.h), and
// the callbacks, which may be called by any of them.
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
#include "engine/coalesce.h"
#include "engine/lane.h"
#include "io/frame_port.h"
#include "io/loop.h"
#include "io/underlay.h"
#include "wire/vlan.h"

namespace vtep {

/// A VNI of an interface that has several: its frames carry this tag on the interface, or none.
struct VlanMember {
  LinkId link = 0;
  std::optional<VlanId> vlan{};
};

class Worker {
 public:
  struct Callbacks {
    /// The engine may have events to tell, and something new to be done at some time.
    std::function<void()> news;
    /// This attachment of a link's port (see attach()) says that its interface is gone; it has been detached
    /// here.
    std::function<void(LinkId link, std::uint64_t attachment)> port_lost;
  };

  /// `loop` and `engine` must outlive it.
  Worker(Loop& loop, Engine& engine, std::unique_ptr<UnderlaySender> sender, Callbacks callbacks);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  /// The link's frames come from and go to `port` from now on, in the place of another one. `attachment` is
  /// the caller's number for it.
  Result<void> attach(LinkId link, std::unique_ptr<FramePort> port, std::uint64_t attachment);
  /// Closes the port. Frames for the link are dropped (interface_down) until another is attached. Harmless if
  /// there is none.
  void detach(LinkId link);
  /// The link's interface is shared by these from now on; frames of other VLANs are dropped (vlan_unknown).
  void set_members(LinkId link, std::span<const VlanMember> members);

  Result<void> add_receiver(Port port, std::unique_ptr<UnderlayReceiver> receiver);
  /// Closes all of that port.
  void remove_receivers(Port port);
  void for_each_receiver(Port port, const std::function<void(UnderlayReceiver&)>& visit);

  /// Drains everything once, readable or not: for ports and receivers that cannot be waited on (in-memory
  /// ones).
  void poll();

 private:
  struct Attached {
    std::unique_ptr<FramePort> port;
    std::uint64_t attachment = 0;
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
  void encapsulate(LinkId link, std::span<Packet> frames);
  void send();
  void deliver_replies(LinkId link);
  void take_reports();
  void datagrams_readable(Port port, UnderlayReceiver& receiver);
  void decapsulate(Port port);
  void deliver(LinkId link, std::span<Packet> frames, std::span<const Layers> layers);
  FramePort* port_of(LinkId link) const;
  void write(LinkId link, std::span<Packet> frames);
  void tell_news();

  Loop& loop_;
  Engine& engine_;
  Lane lane_;
  const std::unique_ptr<UnderlaySender> sender_;
  const Callbacks callbacks_;

  std::map<LinkId, Attached> ports_;
  std::map<Port, std::vector<std::unique_ptr<UnderlayReceiver>>> receivers_;
  std::map<LinkId, VlanMap> vlans_;         // of interfaces that are shared
  std::unordered_map<LinkId, Home> homes_;  // of the links that share one

  // All of these keep their capacity.
  PacketBatch batch_;
  PacketBatch replies_;               // the engine's own frames for the interface at hand
  std::vector<LinkId> links_;         // decapsulate() writes them, one per packet of batch_,
  std::vector<Layers> layers_;        // and these
  Coalescer coalescer_;               // holds what merged frames continue with, until the next merge
  std::vector<Datagram> datagrams_;   // encapsulate() writes them
  std::vector<FailedSend> failures_;  // send() writes them
  std::vector<PathReport> reports_;   // take_reports() writes them
};

}  // namespace vtep
