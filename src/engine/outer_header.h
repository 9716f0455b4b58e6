// What the outer headers of a frame's datagrams say: TTL, DSCP and ECN, DF, flow label, checksum.
//
// "Inherit" reads the frame's own IP header, behind up to two VLAN tags; a frame that is not IP has nothing
// to inherit. The rules are those of Linux (vxlan_xmit_one), with two differences: ECN is RFC 6040's normal
// mode (see ecn.h), and DF is inherited from behind VLAN tags too, where Linux looks for the other fields but
// not for this one.
#pragma once

#include "base/bytes.h"
#include "base/datagram.h"
#include "engine/link.h"
#include "wire/layers.h"

namespace vtep {

/// Sets ttl, tos, dont_fragment, flow_label and checksum of `route` and leaves the rest alone. Nothing but
/// the two flags is asked about the remote, so one call serves many of a kind. `layers` is classify(frame).
void fill_outer(const OuterPolicy& policy, ByteView frame, const Layers& layers, bool remote_is_v4,
                bool remote_is_multicast, Route& route);

}  // namespace vtep
