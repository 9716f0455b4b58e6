// Where a MAC lives: a remote VTEP. Interned, because a million MACs live behind a few hundred VTEPs.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <unordered_map>
#include <utility>

#include "base/epochs.h"
#include "base/ifindex.h"
#include "base/ip.h"
#include "base/port.h"
#include "base/stable_vector.h"
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

/// Counted references to distinct remotes. A RemoteId is valid while at least one reference is held; for a
/// reader of epochs() that has seen it in a table, until that reader leaves.
///
/// Thread safety: operator[], facts() and version() for readers of epochs(); everything else under the lock
/// of the engine's tables.
class RemoteTable {
 public:
  RemoteTable() = default;
  ~RemoteTable();
  RemoteTable(const RemoteTable&) = delete;
  RemoteTable& operator=(const RemoteTable&) = delete;

  /// Of everybody who looks at remotes, and at the tables that name them, without the lock.
  Epochs& epochs() { return epochs_; }

  /// The id of `remote`, new or known, with one more reference.
  RemoteId acquire(const Remote& remote);
  /// Precondition: `id` is valid.
  void add_reference(RemoteId id) { ++slots_[id].references; }
  void release(RemoteId id);
  const Remote& operator[](RemoteId id) const { return *slots_[id].remote.load(); }
  /// The way there, shared by all remotes of one address.
  const Path& path(RemoteId id) const { return paths_[path_id(id)]; }
  PathFacts facts(RemoteId id) const { return paths_.facts(path_id(id)); }
  PathId path_id(RemoteId id) const { return slots_[id].path.load(std::memory_order_relaxed); }
  PathTable& paths() { return paths_; }
  const PathTable& paths() const { return paths_; }
  /// Changes whenever what an id stands for, or facts() of it, may have.
  std::uint64_t version() const {
    return std::uint64_t{version_.load(std::memory_order_acquire)} << 32 | paths_.version();
  }

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
  // What a slot says never changes while somebody may look: a remote that moves becomes another object.
  struct Slot {
    std::atomic<const Remote*> remote = nullptr;  // owned
    std::atomic<PathId> path = 0;
    std::uint32_t references = 0;
  };
  struct Hash {
    std::size_t operator()(const Remote& remote) const;
  };
  void set(Slot& slot, const Remote& remote);
  bool is_held(const Slot& slot) const { return slot.references != 0; }

  Epochs epochs_;
  std::atomic<std::uint32_t> version_ = 1;
  PathTable paths_{epochs_};
  StableVector<Slot> slots_;
  std::deque<std::pair<Epochs::Number, RemoteId>> free_;  // usable once their time is over
  std::unordered_map<Remote, RemoteId, Hash> ids_;
};

}  // namespace vtep
