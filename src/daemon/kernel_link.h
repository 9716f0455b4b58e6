// A link whose data path is the kernel's driver, as the daemon holds it: what was asked for, and what is
// known of its tables. The tables themselves are the kernel's.
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>

#include "base/ifindex.h"
#include "daemon/control_words.h"
#include "daemon/link_spec.h"
#include "engine/ids.h"
#include "io/vxlan_device.h"
#include "vtep/v1/vtep.pb.h"

namespace vtep {

struct KernelLink {
  std::string name;
  v1::LinkSpec spec;
  LinkSettings settings{};
  VxlanParameters parameters{};  ///< of the device as it is

  LinkId id = 0;                     ///< of no link of the engine
  IfIndex interface{};               ///< not set: there is none yet
  IfIndex bridge{};                  ///< that it is a port of; not set: none
  bool can_have_neighbours = false;  ///< the interface that has them is up

  // What control planes say, and the kernel has.
  std::map<MacAddr, ExternalMac> macs;
  std::map<IpAddr, ExternalFlood> floods;
  std::map<IpAddr, ExternalNeighbour> neighbours;
  /// The last daemon's, which count until control planes have had the time to say them again.
  std::set<std::pair<MacAddr, IpAddr>> left;

  std::set<std::pair<MacAddr, IpAddr>> by_hand;  ///< entries that somebody has set: theirs
  /// Those of them that were set through vtep, for a device that has to be made anew.
  std::map<std::pair<MacAddr, IpAddr>, v1::FdbEntry> remembered;

  std::map<MacAddr, IfIndex> stations;                    ///< behind other ports of the bridge
  std::map<MacAddr, std::set<IpAddr>> station_addresses;  ///< that this host has heard of on the bridge
  std::map<IpAddr, MacAddr> address_owners;               ///< the same, the other way round

  /// Where this host's own addresses in the overlay are, and its neighbours.
  IfIndex host_interface() const { return bridge.is_set() ? bridge : interface; }
};

}  // namespace vtep
