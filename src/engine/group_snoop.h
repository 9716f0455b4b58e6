// IGMP and MLD snooping (RFC 4541): reads the overlay's reports, queries and leaves, and tells the multicast
// database who listens to what behind which VTEP. Reads single frames; the state is all in Mdb.
//
// What a VTEP as a whole asked for is kept, not what each of its hosts did, so a report that excludes sources
// counts as one for the whole group: the VTEP gets what its hosts ignore, and never less than they asked for.
// The same holds for VLANs inside one link. Auxiliary data and unknown types of messages and records are
// passed over.
//
// Thread-compatible with the Mdb given.
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/ip.h"
#include "engine/ids.h"
#include "engine/mdb.h"
#include "wire/layers.h"

namespace vtep {

/// What a frame is to those who forward it, by its type alone.
enum class GroupControl : std::uint8_t {
  kNone,     ///< of other protocols: Mdb::find() says where it goes
  kMessage,  ///< of IGMP or MLD: to everybody, since each VTEP listens for itself; unknown types of IGMP too
             ///< (RFC 4541 section 2.1.1 item 3)
  /// A report of IGMPv1, IGMPv2 or MLDv1. To every VTEP as well, but the receiving one should hand it to its
  /// interface only if Mdb::has_local_querier(): a host that hears another's report keeps its own to itself
  /// (RFC 2236 section 3), and its VTEP would be forgotten (RFC 4541 section 2.1.1 item 1).
  kSilencingReport,
};
/// `layers` comes from classify(frame).
GroupControl group_control(ByteView frame, const Layers& layers);
inline bool is_group_control(ByteView frame, const Layers& layers) {
  return group_control(frame, layers) != GroupControl::kNone;
}

struct Snooped {
  bool valid = false;         ///< a legal message of IGMP, MLD or PIM; others change nothing
  std::uint32_t refused = 0;  ///< memberships that met a limit; their groups are flooded
};
/// Applies a frame that came from behind `vtep`, or with `vtep` unspecified from our own interface. From
/// there only queries matter: our own hosts need no copies by way of the underlay, but their querier is one.
Snooped snoop(Mdb& mdb, LinkId link, ByteView frame, const Layers& layers, const IpAddr& vtep, Seconds now);

}  // namespace vtep
