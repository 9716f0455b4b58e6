// What became of a TAP's interface: people rename it, give it another address, or move it to a container.
#pragma once

#include <cstdint>
#include <string>

#include "base/ifindex.h"
#include "base/mac.h"

namespace vtep {

struct TapState {
  std::string name;
  IfIndex index;  ///< in the namespace where it lives: a move may change it
  MacAddr address;
  std::uint32_t mtu = 0;
  bool up = false;    ///< administratively
  bool away = false;  ///< in another network namespace than the calling thread's

  friend bool operator==(const TapState&, const TapState&) = default;
};

}  // namespace vtep
