// The words in which control planes and links speak to each other.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/ifindex.h"
#include "base/ip.h"
#include "base/mac.h"
#include "base/prefix.h"
#include "base/vni.h"
#include "engine/event.h"
#include "engine/fdb_entry.h"

namespace vtep {

/// Where a station is, and who says so; not set: nowhere, whoever said it.
struct ExternalMac {
  MacAddr mac;
  std::uint8_t source = 0;
  std::optional<IpAddr> vtep{};
};

/// A VTEP that takes part, and who says so; 0: it does not.
struct ExternalFlood {
  IpAddr vtep;
  std::uint8_t source = 0;
};

/// Whose an address is; not set: nobody's.
struct ExternalNeighbour {
  IpAddr ip;
  std::optional<MacAddr> mac{};
  bool router = false;
};

/// A VNI of a link of which control planes are told.
struct ControlledVni {
  Vni vni{};
  std::string dev;
  std::vector<std::string> control;  ///< which ones
  std::vector<IpAddr> vteps{};       ///< its own addresses in the underlay
  MacAddr address{};                 ///< of its interface
  std::vector<IpAddr> ips{};         ///< that its interface has
  IfIndex interface{};               ///< where the host routes through it; not set: it is not here
  std::vector<Prefix> announce{};    ///< that others are told to route to it
  std::vector<Prefix> accept{};      ///< what lies in them may be routed through it
};

/// Who wants to know what becomes of them. Called from the loop's thread.
class ControlWatcher {
 public:
  virtual ~ControlWatcher() = default;
  /// list_controlled() may say something else now.
  virtual void links_changed() = 0;
  virtual void station_changed(Vni vni, const StationEvent& event) = 0;
  /// An entry has left the table, whoever set it.
  virtual void entry_gone(Vni vni, const FdbEntry& entry) = 0;
};

}  // namespace vtep
