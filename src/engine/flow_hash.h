// From the inner headers to the outer source port, so that the underlay's load balancing sees flows.
//
// RFC 7348 section 5: "It is RECOMMENDED that the UDP source port number be calculated using a hash of fields
// from the inner packet" — "to enable a level of entropy for the ECMP/load-balancing of the VM-to-VM traffic
// across the VXLAN overlay". All frames of a flow get one port, and so do all fragments of a datagram; the
// two directions get the same.
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/port.h"
#include "engine/link.h"
#include "wire/layers.h"

namespace vtep {

/// Our own choice: a flow lands in one of this many source ports of the range. One UDP socket is one source
/// port, and runs of equal ports are what batching feeds on; 64 paths are more than underlays have.
inline constexpr std::uint32_t kSourcePorts = 64;

/// Addresses and, if it is no fragment, the protocol and the ports of TCP and UDP; MAC addresses and
/// ethertype if the frame is not IP. Symmetric. Precondition: `layers` is classify(frame), and the frame has
/// an Ethernet header.
std::uint64_t flow_hash(ByteView frame, const Layers& layers);

/// One of at most kSourcePorts ports, spread evenly over the range. Precondition: range.min <= range.max.
Port source_port(std::uint64_t hash, const PortRange& range);

}  // namespace vtep
