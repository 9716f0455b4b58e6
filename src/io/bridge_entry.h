// One entry of a forwarding table of the kernel: a vxlan device's own, or its bridge's.
#pragma once

#include <cstdint>
#include <optional>

#include "base/ifindex.h"
#include "base/ip.h"
#include "base/mac.h"
#include "base/port.h"
#include "base/vni.h"

namespace vtep {

struct BridgeEntry {
  /// `bridge fdb` prints them as "permanent", "static" and nothing.
  enum class State : std::uint8_t { kPermanent, kStatic, kDynamic };

  IfIndex device;    ///< the vxlan device; of a bridge's entry the port behind which the MAC is
  IfIndex bridge{};  ///< whose entry it is; not set: the device's own
  MacAddr mac;       ///< zero: the flood list of a vxlan device
  IpAddr remote{};   ///< of a vxlan device's entry; unspecified if it names a nexthop
  Port port{};       ///< zero: the device's own
  std::optional<Vni> vni{};
  IfIndex via{};
  std::uint32_t nexthop = 0;  ///< a nexthop group instead of `remote`; 0: none
  State state = State::kDynamic;
  bool extern_learn = false;  ///< NTF_EXT_LEARNED: a control plane says so
  bool router = false;        ///< NTF_ROUTER
  std::uint32_t used = 0;     ///< seconds since a frame was sent to it
  std::uint32_t updated = 0;  ///< seconds since it was set, learned or refreshed
  bool removed = false;       ///< the entry is gone; only where changes are reported

  friend bool operator==(const BridgeEntry&, const BridgeEntry&) = default;
};

}  // namespace vtep
