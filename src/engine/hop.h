// The prebuilt outer header of a link's frames to one remote: what is the same for all of them is worked out
// once (OVS calls it build_header and push_header).
//
// Thread safety: a cache belongs to one lane.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "base/datagram.h"
#include "engine/ids.h"
#include "engine/remote.h"

namespace vtep {

struct Hop {
  // For what it was built; links and remotes get new versions when anything about them changes.
  std::uint64_t link_version = 0;  ///< 0: for nothing
  std::uint64_t remotes_version = 0;
  RemoteId remote = 0;

  /// But for the frame, the source port, ECN, and what is inherited from the inner header.
  Datagram model{};
  std::uint32_t mtu = 0;       ///< of the path; 0: not known
  std::uint16_t overhead = 0;  ///< bytes from the outer IP header to the inner frame
  bool inherits = false;       ///< TTL, TOS, DF or flow label differ from frame to frame
};

class HopCache {
 public:
  /// Where the hop for these is, if it is anywhere; it may be another one's.
  Hop& place(LinkId link, RemoteId remote) { return (*hops_)[(remote + link * kLinkStep) % kHops]; }

 private:
  static constexpr std::size_t kHops = 1024;  // 100 KB: that many remotes at a time fit a second-level cache
  static constexpr std::uint32_t kLinkStep = 331;  // neighbouring links do not sit on each other's places

  std::unique_ptr<std::array<Hop, kHops>> hops_ = std::make_unique<std::array<Hop, kHops>>();
};

}  // namespace vtep
