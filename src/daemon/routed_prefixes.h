// Prefixes behind other VTEPs, as the host's kernel and our FDB have them: for each a permanent neighbour
// (the router, under an address that stands for it), an FDB entry (the router's MAC address is behind the
// VTEP) and a route through that neighbour. It is what flannel programs, in the same order.
//
// A reconciler: it compares what there should be with what there is, adds, mends and removes, and is called
// at start, when what there should be changes, when the kernel says that something else changed, and from
// time to time. What it finds on the interface of its own kind is its own: routes and neighbours of our
// protocol, and entries of the source; on an interface that is wholly its own, every permanent neighbour.
//
// Thread safety: belongs to the loop's thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "base/result.h"
#include "control/fact.h"
#include "daemon/overlay.h"
#include "io/host_routes.h"
#include "io/neighbour_table.h"

namespace vtep {

class RoutedPrefixes {
 public:
  struct Wanted {
    PrefixFact fact;
    IpAddr gateway{};  ///< that stands for its router, of the prefix's family
  };
  using AllWanted = std::map<Prefix, Wanted>;

  /// Where they go.
  struct Place {
    std::string link;         ///< the tunnel's interface
    IfIndex interface;        ///< and its number
    IfIndex underlay{};       ///< for prefixes that are routed without the tunnel
    bool is_whole = false;    ///< the interface is there for nothing else
    std::set<Prefix> left{};  ///< of an earlier daemon: their routes stay although nobody wants them
    /// Whose entries are written; not set: somebody else does.
    std::optional<std::uint8_t> source{};
  };
  struct Outcome {
    std::size_t changed = 0;  ///< that had to be added, mended or removed
    std::size_t failed = 0;
    std::string first_failure;
  };

  RoutedPrefixes(Overlay& overlay, NeighbourTable& neighbours, HostRoutes& routes)
      : overlay_(overlay), neighbours_(neighbours), routes_(routes) {}

  Outcome reconcile(const Place& place, const AllWanted& wanted);
  /// To what our routes through the interface lead.
  std::set<Prefix> list(IfIndex interface);

 private:
  using Entries = std::map<MacAddr, IpAddr>;
  Result<Entries> list_entries(const Place& place);
  Result<void> write_entry(const Place& place, const ExternalMac& entry);

  Overlay& overlay_;
  NeighbourTable& neighbours_;
  HostRoutes& routes_;
};

}  // namespace vtep
