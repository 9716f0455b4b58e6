// A route of EVPN (RFC 7432, RFC 8365 for VXLAN, RFC 9136 for prefixes) as a value, and as GoBGP speaks of
// it. Pure.
//
//   RFC 8365 section 5.1.3: the label of a route is the VNI, 24 bits as they are.
//   RFC 8365 section 5.1.2: a route for VXLAN carries the encapsulation community of type 8. Without any it
//   is taken for one, for some speakers leave it out; with others only it is refused.
//
// Everything here comes from a speaker that repeats what strangers say: nothing is believed before it was
// checked.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/ip.h"
#include "base/mac.h"
#include "base/prefix.h"
#include "base/result.h"
#include "base/vni.h"
#include "control/route_target.h"

namespace apipb {
class Path;
}  // namespace apipb

namespace vtep {

/// Whose routes are whose (RFC 4364 section 4.2). The same three kinds as route targets have.
using RouteDistinguisher = RouteTarget;

struct EvpnRoute {
  enum class Kind : std::uint8_t {
    kMac = 2,        ///< a MAC address, perhaps with an IP address (RFC 7432 section 7.2)
    kMulticast = 3,  ///< a VTEP takes part (section 7.3)
    kPrefix = 5,     ///< an IP prefix (RFC 9136 section 3.1)
  };

  // What it is about: a withdrawal has no more than that.
  Kind kind = Kind::kMulticast;
  RouteDistinguisher distinguisher{};
  std::uint32_t tag = 0;       ///< Ethernet tag; 0: the VNI says it all
  MacAddr mac{};               ///< with kMac
  std::optional<IpAddr> ip{};  ///< with kMac: if it has one; with kMulticast: the originator
  Prefix prefix{};             ///< with kPrefix

  // What it says.
  Vni vni{};
  IpAddr vtep{};  ///< where frames go: the next hop, or with kMulticast the end of the tunnel
  std::vector<RouteTarget> targets{};
  bool sticky = false;  ///< MAC mobility (RFC 7432 section 7.7)
  std::uint32_t sequence = 0;
  bool router = false;                  ///< of an IPv6 address (RFC 9047)
  std::optional<MacAddr> router_mac{};  ///< with kPrefix (RFC 9135 section 8.1)

  friend bool operator==(const EvpnRoute&, const EvpnRoute&) = default;

  /// Of all that it is about: the same for an update and a withdrawal of one route, and for people to read.
  std::string key() const;

  /// As GoBGP takes it.
  apipb::Path to_path() const;
  /// Empty result: a route of another kind, which is none of our business. kInvalid says what is wrong with
  /// it. Of a withdrawal only what it is about is read.
  static Result<std::optional<EvpnRoute>> from_path(const apipb::Path& path);
  /// What it is about, as far as that can be told, for naming what was refused.
  static std::string describe(const apipb::Path& path);
};

}  // namespace vtep
