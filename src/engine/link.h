// A link: one overlay interface, its VNI, and how its frames travel. Configuration is passive data; the
// engine holds what it derives from it.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/counter.h"
#include "base/ifindex.h"
#include "base/ip.h"
#include "base/mac.h"
#include "base/port.h"
#include "base/prefix.h"
#include "base/vni.h"
#include "engine/drop.h"

namespace vtep {

/// Inclusive range of outer source ports.
struct PortRange {
  Port min{49152};  ///< RFC 7348 section 5: the dynamic/private range is RECOMMENDED
  Port max{65535};

  friend bool operator==(const PortRange&, const PortRange&) = default;
};

/// What happens to frames with a VLAN tag (RFC 7348 section 6.1).
enum class VlanPolicy : std::uint8_t {
  kStrip,    ///< "should strip the VLAN tag unless configured otherwise"; "SHOULD be discarded" when received
  kAllow,    ///< pass as they are
  kDiscard,  ///< discarded both ways
};

/// The outer IPv4 header's don't-fragment flag.
enum class DontFragment : std::uint8_t { kUnset, kSet, kInherit };

/// Frames a second that may be flooded, by why they are; 0: no limit.
struct FloodLimits {
  std::uint32_t broadcast = 0;
  std::uint32_t unknown = 0;
  std::uint32_t multicast = 0;

  friend bool operator==(const FloodLimits&, const FloodLimits&) = default;
};

/// Duplicate MAC detection (RFC 7432 section 15.1, whose values these are).
struct MoveLimit {
  std::uint32_t moves = 5;     ///< more than this many within the window freeze a MAC; 0: never
  std::uint32_t window = 180;  ///< seconds

  friend bool operator==(const MoveLimit&, const MoveLimit&) = default;
};

/// VTEPs that may send to a link, by outer source. `deny` is stronger; an empty `allow` means everybody.
struct SourcePolicy {
  std::vector<Prefix> allow{};
  std::vector<Prefix> deny{};

  bool permits(const IpAddr& source) const {
    const auto contains = [&source](const Prefix& prefix) { return prefix.contains(source); };
    if (std::ranges::any_of(deny, contains)) return false;
    return allow.empty() || std::ranges::any_of(allow, contains);
  }
  bool is_empty() const { return allow.empty() && deny.empty(); }

  friend bool operator==(const SourcePolicy&, const SourcePolicy&) = default;
};

/// How the outer headers of a link's datagrams look. "Inherit" is from the inner IP header.
struct OuterPolicy {
  std::uint8_t ttl = 0;  ///< 0: the system's default, for groups 1
  bool ttl_inherit = false;
  std::uint8_t tos = 0;  ///< DSCP bits; the ECN bits are the inner ones (RFC 6040 section 4.1)
  bool tos_inherit = false;
  DontFragment dont_fragment = DontFragment::kUnset;
  std::uint32_t flow_label = 0;  ///< IPv6
  bool flow_label_inherit = false;
  bool checksum4 = true;  ///< outer UDP checksum over IPv4
  bool checksum6 = true;  ///< and over IPv6 (RFC 6935 allows none)

  friend bool operator==(const OuterPolicy&, const OuterPolicy&) = default;
};

struct LinkConfig {
  Vni vni{};
  bool has_vni = true;  ///< false: an interface whose VNIs are links of their own; nothing is received for it
  Port port = kLinuxVxlanPort;  ///< on which we receive, and to which we send unless an entry says otherwise
  IpAddr local4{};              ///< outer source to IPv4 remotes; unspecified: the routing table's choice
  IpAddr local6{};              ///< and to IPv6 remotes
  IfIndex device{};             ///< underlay device; not set: the routing table's choice
  std::optional<IpAddr> flood{};  ///< `group` or `remote`: a permanent remote of the all-zero entry
  PortRange source_ports{};
  OuterPolicy outer{};
  std::uint32_t ageing = 300;       ///< seconds; 0: never
  bool learning = true;             ///< without it, only VTEPs that the FDB names may send
  std::uint32_t max_addresses = 0;  ///< entries of the link in the FDB; 0: no limit of its own
  SourcePolicy sources{};
  MoveLimit move_limit{};
  FloodLimits limits{};
  VlanPolicy vlan = VlanPolicy::kStrip;
  bool proxy = false;       ///< answers ARP and ND from what is known (RFC 9161)
  bool rsc = false;         ///< route short-circuit
  bool l2miss = false;      ///< unknown MAC addresses are reported
  bool l3miss = false;      ///< unknown IP addresses are reported
  bool snooping = false;    ///< of IGMP and MLD: the overlay's multicast goes where it was asked for
  bool stations = false;    ///< who sends through the interface is noted, for control planes to tell others
  bool mss_clamp = false;   ///< TCP's MSS is lowered to what fits the tunnel
  bool remcsum_tx = false;  ///< remote checksum offload (draft-herbert-vxlan-rco)
  bool remcsum_rx = false;
  bool gbp = false;                 ///< group policy extension: its bits are no reserved bits
  std::uint64_t reserved_bits = 0;  ///< bits of the VXLAN header that may not be set on receipt
  MacAddr address{};                ///< of the interface: frames that claim to come from it are dropped
  std::uint32_t mtu = 1500;         ///< of the interface: IP bytes in a frame

  friend bool operator==(const LinkConfig&, const LinkConfig&) = default;
};

/// One lane writes them, anybody may read them.
struct LinkCounters {
  Counter encapsulated_frames;  ///< copies handed to the underlay, of a super-frame its segments
  Counter encapsulated_bytes;   ///< inner bytes of those
  Counter decapsulated_frames;  ///< frames handed to the interface, before they are merged
  Counter decapsulated_bytes;
  Counter flooded_frames;  ///< frames that went to the flood list, whatever its length
  Counter learned;
  Counter moved;
  Counter learn_refused;    ///< not learned because the table holds its limit
  Counter reserved_bits;    ///< headers received with reserved bits, which were ignored
  Counter suppressed;       ///< requests that were answered instead of flooded
  Counter too_big_answers;  ///< ICMP messages to inner senders
  Counter frozen;           ///< MACs that moved too often
  DropCounters drops;

  LinkCounters& operator+=(const LinkCounters& other) {
    for (const auto field :
         {&LinkCounters::encapsulated_frames, &LinkCounters::encapsulated_bytes,
          &LinkCounters::decapsulated_frames, &LinkCounters::decapsulated_bytes,
          &LinkCounters::flooded_frames, &LinkCounters::learned, &LinkCounters::moved,
          &LinkCounters::learn_refused, &LinkCounters::reserved_bits, &LinkCounters::suppressed,
          &LinkCounters::too_big_answers, &LinkCounters::frozen}) {
      this->*field += other.*field;
    }
    drops += other.drops;
    return *this;
  }
};

}  // namespace vtep
