// What a control plane can say about an overlay. Facts speak of VNIs, not of links: whoever says them need
// not know what this host has.
//
// Each kind has a key (what it is about), a value (what is said of it), and an order between two values that
// contradict each other. Passive data.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>

#include "base/ip.h"
#include "base/mac.h"
#include "base/prefix.h"
#include "base/vni.h"

namespace vtep {

/// "VTEP R takes part in VNI n": flooded frames of n go there as well.
struct VtepFact {
  struct Key {
    Vni vni;
    IpAddr vtep;
    friend auto operator<=>(const Key&, const Key&) = default;
  };
  friend bool operator==(const VtepFact&, const VtepFact&) = default;
  /// There is nothing to contradict.
  static bool beats(const VtepFact&, const VtepFact&) { return false; }
};

/// "MAC m of VNI n is behind R."
struct MacFact {
  struct Key {
    Vni vni;
    MacAddr mac;
    friend auto operator<=>(const Key&, const Key&) = default;
  };
  IpAddr vtep;
  bool sticky = false;         ///< it is not expected to move (RFC 7432 section 15.2)
  std::uint32_t sequence = 0;  ///< of its moves (RFC 7432 section 7.7)
  friend bool operator==(const MacFact&, const MacFact&) = default;
  /// RFC 7432 section 15: sticky first, then the higher sequence number, then the lower address.
  static bool beats(const MacFact& a, const MacFact& b) {
    if (a.sticky != b.sticky) return a.sticky;
    if (a.sequence != b.sequence) return a.sequence > b.sequence;
    return a.vtep < b.vtep;
  }
};

/// "IP address a of VNI n is MAC m's", for those who ask with ARP or ND.
struct NeighbourFact {
  struct Key {
    Vni vni;
    IpAddr ip;
    friend auto operator<=>(const Key&, const Key&) = default;
  };
  MacAddr mac;
  bool router = false;         ///< for ND
  std::uint32_t sequence = 0;  ///< of the moves of the MAC that it came with
  friend bool operator==(const NeighbourFact&, const NeighbourFact&) = default;
  /// Two owners of one address: who moved last, then the lower MAC address, so that all hosts agree.
  static bool beats(const NeighbourFact& a, const NeighbourFact& b) {
    if (a.sequence != b.sequence) return a.sequence > b.sequence;
    return a.mac < b.mac;
  }
};

/// "Prefix p of VNI n is behind R": routed there, through a router whose MAC address is known.
struct PrefixFact {
  struct Key {
    Vni vni;
    Prefix prefix;
    friend auto operator<=>(const Key&, const Key&) = default;
  };
  IpAddr vtep;
  MacAddr router;
  bool direct = false;  ///< R is a neighbour in the underlay: routed to it without a tunnel
  friend bool operator==(const PrefixFact&, const PrefixFact&) = default;
  static bool beats(const PrefixFact& a, const PrefixFact& b) { return a.vtep < b.vtep; }
};

/// For tables by key.
struct FactHash {
  std::size_t operator()(const VtepFact::Key& key) const { return of(key.vni, key.vtep); }
  std::size_t operator()(const MacFact::Key& key) const {
    return mix(key.mac.to_u64() ^ std::uint64_t{key.vni.value()} << 40);
  }
  std::size_t operator()(const NeighbourFact::Key& key) const { return of(key.vni, key.ip); }
  std::size_t operator()(const PrefixFact::Key& key) const {
    return of(key.vni, key.prefix.address()) + key.prefix.length();
  }

 private:
  static std::size_t mix(std::uint64_t word) {
    return std::hash<std::uint64_t>()(word * 0x9e3779b97f4a7c15U);
  }
  static std::size_t of(Vni vni, const IpAddr& address) {
    const std::uint8_t* const bytes = address.octets().data();
    return mix(load_be64(bytes) ^ mix(load_be64(bytes + 8) + vni.value()));
  }
};

}  // namespace vtep
