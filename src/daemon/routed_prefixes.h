// Prefixes behind other VTEPs, as the host's kernel and our FDB have them: for each a permanent neighbour
// (the prefix's first address is the router's), an FDB entry (the router's MAC address is behind the VTEP)
// and a route through that neighbour. It is what flannel programs, in the same order.
//
// A reconciler: it compares what there should be with what there is, adds, mends and removes, and is called
// at start, when what there should be changes, when the kernel says that something else changed, and from
// time to time. What it finds on the interface of its own kind is its own: routes of our protocol, permanent
// neighbours, and entries of the source.
//
// Thread safety: belongs to the loop's thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "base/result.h"
#include "control/fact.h"
#include "daemon/overlay.h"
#include "io/host_routes.h"
#include "io/neighbour_table.h"

namespace vtep {

class RoutedPrefixes {
 public:
  using Wanted = std::map<IpAddr, std::pair<Prefix, PrefixFact>>;  // by the prefix's address

  /// Where they go.
  struct Place {
    std::string link;     ///< the tunnel's interface
    IfIndex interface;    ///< and its number
    IfIndex underlay;     ///< for prefixes that are routed without the tunnel
    std::uint8_t source;  ///< whose they are
  };
  struct Outcome {
    std::size_t changed = 0;  ///< that had to be added, mended or removed
    std::size_t failed = 0;
    std::string first_failure;
  };

  RoutedPrefixes(Overlay& overlay, NeighbourTable& neighbours, HostRoutes& routes)
      : overlay_(overlay), neighbours_(neighbours), routes_(routes) {}

  Outcome reconcile(const Place& place, const Wanted& wanted);

 private:
  Overlay& overlay_;
  NeighbourTable& neighbours_;
  HostRoutes& routes_;
};

}  // namespace vtep
