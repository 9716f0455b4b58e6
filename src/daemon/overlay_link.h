// One overlay link as the daemon holds it: what was asked for, and what the system has given so far.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "base/ifindex.h"
#include "daemon/spec.h"
#include "engine/fdb_entry.h"
#include "io/tap.h"
#include "vtep/v1/vtep.pb.h"

namespace vtep {

/// What can be wrong with a link that was once right. Each is logged when it comes and when it goes.
enum class Trouble : std::uint8_t { kInterfaceMissing, kDevice, kReceiver, kMembership };

struct OverlayLink {
  std::string name;
  v1::LinkSpec spec;      ///< as asked for, and the interface's MAC
  LinkSettings settings;  ///< parsed from it; `settings.engine` is what the engine has
  LinkId id = 0;

  Tap* tap = nullptr;  ///< owned by the data plane; null while the interface is missing
  IfIndex interface;   ///< not set while the interface is missing or in another network namespace
  bool has_receiver = false;
  bool has_member = false;        ///< joined settings.engine.flood on settings.engine.device
  std::uint32_t derived_mtu = 0;  ///< what we gave the interface; another value there is somebody's wish

  std::map<Trouble, std::string> troubles;
};

}  // namespace vtep
