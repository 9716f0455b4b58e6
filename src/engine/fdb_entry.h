// The words in which the FDB speaks to the rest: states, entries as seen from outside, filters.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/mac.h"
#include "engine/ids.h"
#include "engine/remote.h"

namespace vtep {

/// The kernel's neighbour states as `bridge fdb` names them. Values are never 0: that marks a free slot.
enum class FdbState : std::uint8_t {
  kPermanent = 1,  ///< NUD_PERMANENT, "permanent"
  kStatic = 2,     ///< NUD_NOARP, "static"
  kDynamic = 3,    ///< NUD_REACHABLE, printed as nothing
};

/// One remote of one entry, as a copy.
struct FdbEntry {
  LinkId link = 0;
  MacAddr mac;
  Remote remote;
  FdbState state = FdbState::kDynamic;
  std::uint32_t group = 0;    ///< a nexthop group instead of `remote`; 0: none
  bool router = false;        ///< the MAC is a router's (NTF_ROUTER)
  std::uint8_t source = 0;    ///< the control plane that says so (NTF_EXT_LEARNED); 0: none
  bool frozen = false;        ///< moved too often
  std::uint32_t used = 0;     ///< seconds since a frame was sent to it
  std::uint32_t updated = 0;  ///< seconds since it was set, learned or refreshed
};

/// What an entry is to say: a remote, or one of a nexthop group by flow.
struct FdbTarget {
  FdbTarget() = default;
  FdbTarget(const Remote& to) : remote(to) {}  // NOLINT(google-explicit-constructor): a remote is a target

  Remote remote{};
  std::uint32_t group = 0;  ///< not 0: instead of `remote`
  bool router = false;
  std::uint8_t source = 0;  ///< up to 63. Not 0: whatever its state, the entry neither ages nor moves
};

/// Compares only what is set.
struct RemoteFilter {
  std::optional<IpAddr> address{};
  std::optional<Port> port{};  ///< as stored: zero means "the link's own"
  std::optional<Vni> vni{};
  bool link_vni = false;  ///< only remotes without a VNI of their own
  std::optional<IfIndex> via{};
  std::optional<std::uint32_t> group{};  ///< only entries that name this nexthop group

  /// Whether it asks for nothing that an entry with a nexthop group has not.
  bool matches_group(std::uint32_t id) const {
    return !address && !port && !vni && !via && (!group || *group == id);
  }
  bool matches(const Remote& remote) const {
    return !group && (!address || *address == remote.address) && (!port || *port == remote.port) &&
           (!vni || remote.vni == vni) && (!link_vni || !remote.vni) && (!via || *via == remote.via);
  }
};

struct FdbFilter {
  std::vector<FdbState> states{};  ///< empty: any
  std::optional<bool> router{};
  std::optional<MacAddr> mac{};
  RemoteFilter remote{};
};

}  // namespace vtep
