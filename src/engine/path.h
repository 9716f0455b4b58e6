// What is known about the way to a remote VTEP: its path MTU, and whether its datagrams carry an outer
// checksum.
//
// A path MTU is learned from ICMP and forgotten after ten minutes (RFC 1191 section 6.3, RFC 8201
// section 5.3), or set by hand and kept. What is learned only ever lowers: a forged report can neither raise
// an MTU nor push it below what the protocol guarantees.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/epochs.h"
#include "base/ip.h"
#include "base/stable_vector.h"
#include "engine/ids.h"

namespace vtep {

struct Path {
  IpAddr address{};
  std::uint32_t mtu = 0;           ///< of an outer IP packet, in bytes; 0: not known
  Seconds mtu_until = 0;           ///< forgotten then; kByHand: never
  std::optional<bool> checksum{};  ///< instead of the link's; not set: the link's

  static constexpr Seconds kByHand = 0xffffffff;
};

using PathId = std::uint32_t;

/// What the data path has to know of a way.
struct PathFacts {
  std::uint32_t mtu = 0;
  std::optional<bool> checksum{};

  friend bool operator==(const PathFacts&, const PathFacts&) = default;
};

/// Counted references to the paths of distinct addresses. What was set by hand outlives its references.
///
/// Thread safety: facts() for any reader of `epochs` that has got the id since it entered; everything else
/// under the lock of the engine's tables.
class PathTable {
 public:
  explicit PathTable(Epochs& epochs) : epochs_(epochs) {}

  static constexpr std::uint32_t kMinMtu4 = 552;   ///< Linux's ip_forward min_pmtu; RFC 791 promises 68
  static constexpr std::uint32_t kMinMtu6 = 1280;  ///< RFC 8200 section 5
  static constexpr Seconds kMtuLife = 600;

  PathId acquire(const IpAddr& address);
  void release(PathId id);
  /// Precondition: `id` is valid.
  const Path& operator[](PathId id) const { return slots_[id].path; }
  PathFacts facts(PathId id) const { return unpack(slots_[id].facts.load(std::memory_order_relaxed)); }
  /// Changes whenever facts() of any path may have.
  std::uint32_t version() const { return version_.load(std::memory_order_acquire); }

  /// What a router, or the kernel about its own device, has said. False if nothing changed: the address is in
  /// no table, or an MTU that is as small is known.
  bool learn_mtu(const IpAddr& address, std::uint32_t mtu, Seconds now);
  /// By hand; 0 forgets what is known, also what was learned.
  void set_mtu(const IpAddr& address, std::uint32_t mtu);
  /// Every path MTU that was learned: the underlay is not what it was.
  void forget_learned();
  void set_checksum(const IpAddr& address, std::optional<bool> checksum);

  /// Forgets path MTUs whose time has come. O(paths).
  void age(Seconds now);
  /// When age() has work; empty: never.
  std::optional<Seconds> next_deadline() const { return next_expiry_; }

  std::optional<PathId> id_of(const IpAddr& address) const;
  /// Null if nothing is known and nobody refers to it.
  const Path* find(const IpAddr& address) const;
  /// Every path that is referred to or was set by hand.
  std::vector<Path> list() const;

 private:
  struct Slot {
    Path path;
    std::uint32_t references = 0;
    bool pinned = false;                   // set by hand: holds one of the references
    std::atomic<std::uint64_t> facts = 0;  // packed, for readers without the lock
  };
  struct Hash {
    std::size_t operator()(const IpAddr& address) const;
  };
  void pin(PathId id);
  void publish(PathId id);
  static std::uint64_t pack(const PathFacts& facts);
  static PathFacts unpack(std::uint64_t packed);

  Epochs& epochs_;
  std::atomic<std::uint32_t> version_ = 1;
  StableVector<Slot> slots_;
  std::deque<std::pair<Epochs::Number, PathId>> free_;  // usable once their time is over
  std::unordered_map<IpAddr, PathId, Hash> ids_;
  std::optional<Seconds> next_expiry_;
};

}  // namespace vtep
