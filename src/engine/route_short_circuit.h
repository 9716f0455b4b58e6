// Route short-circuit (`rsc`): a frame for a router whose IP destination is a neighbour on the same overlay
// goes to that neighbour at once, as if it had come back from the router. What the kernel's driver does:
// destination MAC to the neighbour's, source MAC to the router's, the IP header untouched (so the router
// counts as no hop).
#pragma once

#include "base/ip.h"
#include "base/packet.h"
#include "engine/ids.h"
#include "engine/neighbours.h"
#include "wire/layers.h"

namespace vtep {

/// True if the frame was rewritten; its destination has to be looked up again then. Does not allocate.
/// `missed`, unless null, is written only if the IP destination could be a neighbour and is not known as one.
/// Precondition: the FDB entry of the frame's destination MAC is flagged as a router's.
bool short_circuit(Packet& frame, const Layers& layers, const Neighbours& neighbours, LinkId link,
                   Seconds now, IpAddr* missed);

}  // namespace vtep
