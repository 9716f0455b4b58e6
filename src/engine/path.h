// What is known about the way to a remote VTEP: its path MTU, and whether its datagrams carry an outer
// checksum.
//
// A path MTU is learned from ICMP and forgotten after ten minutes (RFC 1191 section 6.3, RFC 8201
// section 5.3), or set by hand and kept. What is learned only ever lowers: a forged report can neither raise
// an MTU nor push it below what the protocol guarantees.
#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

#include "base/ip.h"
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

/// Counted references to the paths of distinct addresses. What was set by hand outlives its references.
/// Thread-compatible: belongs to the engine's thread.
class PathTable {
 public:
  static constexpr std::uint32_t kMinMtu4 = 552;   ///< Linux's ip_forward min_pmtu; RFC 791 promises 68
  static constexpr std::uint32_t kMinMtu6 = 1280;  ///< RFC 8200 section 5
  static constexpr Seconds kMtuLife = 600;

  PathId acquire(const IpAddr& address);
  void release(PathId id);
  /// Precondition: `id` is valid.
  const Path& operator[](PathId id) const { return slots_[id].path; }

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
    bool pinned = false;  // set by hand: holds one of the references
  };
  struct Hash {
    std::size_t operator()(const IpAddr& address) const;
  };
  void pin(PathId id);

  std::vector<Slot> slots_;
  std::vector<PathId> free_;
  std::unordered_map<IpAddr, PathId, Hash> ids_;
  std::optional<Seconds> next_expiry_;
};

}  // namespace vtep
