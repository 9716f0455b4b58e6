// Where a MAC lives: a remote VTEP. Interned, because a million MACs live behind a few hundred VTEPs.
#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

#include "base/ifindex.h"
#include "base/ip.h"
#include "base/port.h"
#include "base/vni.h"
#include "engine/path.h"

namespace vtep {

/// One destination of an FDB entry. What is not set is the link's own.
struct Remote {
  IpAddr address{};          ///< unicast VTEP or multicast group
  Port port{};               ///< zero: the link's port
  std::optional<Vni> vni{};  ///< not set: the link's VNI
  IfIndex via{};             ///< not set: the routing table decides

  friend bool operator==(const Remote&, const Remote&) = default;
};

using RemoteId = std::uint32_t;

/// Counted references to distinct remotes. A RemoteId is valid while at least one reference is held.
/// Thread-compatible: belongs to the engine's thread.
class RemoteTable {
 public:
  /// The id of `remote`, new or known, with one more reference.
  RemoteId acquire(const Remote& remote);
  /// Precondition: `id` is valid.
  void add_reference(RemoteId id) { ++slots_[id].references; }
  void release(RemoteId id);
  const Remote& operator[](RemoteId id) const { return slots_[id].remote; }
  /// The way there, shared by all remotes of one address.
  const Path& path(RemoteId id) const { return paths_[slots_[id].path]; }
  PathId path_id(RemoteId id) const { return slots_[id].path; }
  PathTable& paths() { return paths_; }
  const PathTable& paths() const { return paths_; }

  /// An underlay device came back under another number: every remote via `from` now goes via `to`.
  void move_device(IfIndex from, IfIndex to);

  /// Whether a remote that is held has this address and, of this port and VNI, those that it has of its own.
  /// O(remotes).
  bool has_override(const IpAddr& address, Port port, Vni vni) const;

  /// Whether a remote that is held goes via `device`.
  bool uses_device(IfIndex device) const;

  /// Remotes held. Two that became equal by move_device() still count as two.
  std::size_t size() const { return slots_.size() - free_.size(); }

 private:
  struct Slot {
    Remote remote;
    std::uint32_t references = 0;
    PathId path = 0;
  };
  struct Hash {
    std::size_t operator()(const Remote& remote) const;
  };

  PathTable paths_;
  std::vector<Slot> slots_;
  std::vector<RemoteId> free_;
  std::unordered_map<Remote, RemoteId, Hash> ids_;
};

}  // namespace vtep
