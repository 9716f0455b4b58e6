// ARP and ND suppression (`proxy`; RFC 9161): requests of local stations are answered from what is known
// about remote ones instead of being flooded, and what is known is learned from what remote stations say.
//
// Answered, as the owner itself would, its MAC in the Ethernet source too (only then do bridges and switches
// on the way keep knowing where it is):
//   * broadcast ARP requests, and neighbour solicitations to the target's solicited-node group;
//   * probes of duplicate address detection for what is somebody else's (RFC 5227 section 2.1.1, RFC 4862
//     section 5.4.3), neighbour advertisements then to all nodes (RFC 4861 section 7.2.4).
// Passed on, because only others can hear or answer them:
//   * announcements, and whatever asks for the asker's own address or for one that is known to be its own;
//   * unicast requests: they ask whether that one station is still there (RFC 4861 section 7.3);
//   * solicitations for a neighbour whose R flag nobody has seen;
//   * what is odd: VLAN tags, extension headers, invalid ND (RFC 4861 section 7.1), addresses that no station
//     has.
//
// Answering does not allocate. Frames come with their checksum finished, and with their own layers.
#pragma once

#include <expected>

#include "base/bytes.h"
#include "base/ip.h"
#include "base/mac.h"
#include "base/packet.h"
#include "engine/ids.h"
#include "engine/neighbours.h"
#include "engine/stations.h"
#include "wire/layers.h"

namespace vtep {

/// Whether the functions below can have anything to do with a frame: it is ARP or ICMPv6. `layers` is
/// classify(frame).
bool speaks_of_neighbours(const Layers& layers);

enum class Suppression : std::uint8_t {
  kNotARequest,  ///< neither an ARP request nor a neighbour solicitation
  kAnswered,     ///< the reply goes back where the frame came from, and the frame nowhere
  kUnknown,      ///< a request for an address that nobody knows: goes on, and is a miss
  kPass,         ///< a request that goes on like any frame
};

/// A request that may be answered for its target.
struct AddressRequest {
  IpAddr target;
  IpAddr asker;  ///< unspecified, of the target's family: duplicate address detection
  MacAddr asker_mac;

  /// The error is why suppress() has nothing to do: kNotARequest or kPass.
  static std::expected<AddressRequest, Suppression> read(ByteView frame, const Layers& layers);
  bool is_answered_by(const Neighbour& known) const;
  /// Preconditions: is_answered_by(known), `reply` is empty and has kMaxReply bytes of room.
  void answer(const Neighbour& known, Packet& reply) const;
};

inline constexpr std::size_t kMaxReply = 128;

/// `frame` comes from a local port. `is_remote(MacAddr)` says whether the FDB has the MAC behind a remote
/// VTEP; heard neighbours answer only then, because one that is not may be local by now and answers itself.
/// What people and the system have entered answers in any case, as with the kernel's driver. `reply` is
/// empty, with kMaxReply bytes of room; written with kAnswered. `missed`, unless null, is written with
/// kUnknown.
template <typename IsRemote>
Suppression suppress(const Neighbours& neighbours, LinkId link, ByteView frame, const Layers& layers,
                     Seconds now, const IsRemote& is_remote, Packet& reply, IpAddr* missed) {
  const auto request = AddressRequest::read(frame, layers);
  if (!request) return request.error();
  const auto known = neighbours.find(link, request->target, now);
  if (!known) {
    if (missed != nullptr) *missed = request->target;
    return Suppression::kUnknown;
  }
  if (known->origin == NeighbourOrigin::kHeard && !is_remote(known->mac)) return Suppression::kPass;
  if (!request->is_answered_by(*known)) return Suppression::kPass;
  request->answer(*known, reply);
  return Suppression::kAnswered;
}

/// Learns from ARP and ND in a frame from the underlay what its sender says about itself, if its MAC is the
/// Ethernet source. An advertisement without the override flag changes no MAC, and makes no entry: that is
/// what anycast addresses and proxies send (RFC 4861 section 7.2.5).
void snoop_neighbours(Neighbours& neighbours, LinkId link, ByteView frame, const Layers& layers, Seconds now);

/// The same for a frame from a local port: what a local station says that it has is no longer heard from
/// elsewhere. Without this, the old owner's MAC would be given to those who ask for an address that has come
/// here.
void forget_local_neighbours(Neighbours& neighbours, LinkId link, ByteView frame, const Layers& layers);

/// And what it says is noted, for others to be told; an IPv6 address once it has said whether it is a router.
void snoop_station(Stations& stations, LinkId link, ByteView frame, const Layers& layers, Seconds now);

}  // namespace vtep
