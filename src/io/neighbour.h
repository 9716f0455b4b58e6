// What the kernel's neighbour table (ARP, ND) says about one address.
#pragma once

#include <cstdint>

#include "base/ifindex.h"
#include "base/ip.h"
#include "base/mac.h"

namespace vtep {

struct NeighbourEntry {
  IfIndex device;
  IpAddr ip;
  MacAddr mac;             ///< zero if the kernel knows none
  bool valid = false;      ///< has an address that the kernel would send to
  bool permanent = false;  ///< set by somebody, never aged
  bool router = false;     ///< RFC 4861: the neighbour says that it is a router
  bool extern_learn =
      false;  ///< NTF_EXT_LEARNED: a control plane says so, and it neither ages nor is asked for
  std::uint8_t protocol = 0;  ///< NDA_PROTOCOL: whose it is, as with routes; 0: nobody has said (Linux 5.2)
  bool removed = false;       ///< the entry is gone; only where changes are reported

  friend bool operator==(const NeighbourEntry&, const NeighbourEntry&) = default;
};

}  // namespace vtep
