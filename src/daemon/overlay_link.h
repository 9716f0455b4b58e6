// One overlay link as the daemon holds it: what was asked for, and what the system has given so far.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/ifindex.h"
#include "daemon/link_spec.h"
#include "engine/fdb_entry.h"
#include "io/tap.h"
#include "io/tap_state.h"
#include "vtep/v1/vtep.pb.h"
#include "wire/vlan.h"

namespace vtep {

/// What can be wrong with a link that was once right. Each is logged when it comes and when it goes.
enum class Trouble : std::uint8_t { kInterfaceMissing, kDevice, kReceiver, kMembership };

/// One VNI of a link that has several: a link of its own to the engine.
struct OverlayVni {
  LinkId id = 0;
  std::optional<VlanId> vlan{};  ///< its frames' tag on the interface; not set: they have none
  std::optional<IpAddr> flood{};
  bool has_member = false;  ///< joined `flood`, which is a group
};

struct OverlayLink {
  std::string name;
  v1::LinkSpec spec;      ///< as asked for, and the interface's MAC
  LinkSettings settings;  ///< parsed from it; `settings.engine` is what the engine has
  LinkId id = 0;
  std::map<Vni, OverlayVni> vnis;  ///< of a vnifilter link; `id` is its interface then

  std::unique_ptr<Tap> tap;      ///< its queues are the data plane's; null while the interface is missing
  IfIndex interface;             ///< not set while the interface is missing or in another network namespace
  std::optional<TapState> away;  ///< set while it is in another network namespace: what it looked like last
  bool has_receiver = false;
  bool has_member = false;        ///< joined settings.engine.flood on settings.engine.device
  std::uint32_t derived_mtu = 0;  ///< what we gave the interface; another value there is somebody's wish

  std::map<Trouble, std::string> troubles;

  bool is_vnifilter() const { return !settings.engine.has_vni; }
};

}  // namespace vtep
