// A flannel network as its database describes it: the network's configuration and what each node says of
// itself (flannel's etcd v3 layout; docs/control-flannel.md has it whole). Pure: text in, values out, and
// back.
//
// Everything here comes from a database that others write to: nothing is believed before it was checked.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/ip.h"
#include "base/mac.h"
#include "base/port.h"
#include "base/prefix.h"
#include "base/result.h"
#include "base/vni.h"

namespace vtep {

/// Of one address family: the network, and how it is cut into the nodes' subnets.
struct FlannelRange {
  Prefix network;
  unsigned subnet_length = 0;
  IpAddr first;  ///< address of the first subnet that may be given to a node
  IpAddr last;   ///< and of the last

  /// Whether it may be a node's: aligned, of the right length, between first and last.
  bool contains(const Prefix& subnet) const;
};

/// `PREFIX/config`.
struct FlannelNetwork {
  std::optional<FlannelRange> range4;
  std::optional<FlannelRange> range6;
  Vni vni = 1_vni;
  Port port = kLinuxVxlanPort;
  bool direct_routing =
      false;  ///< nodes that are neighbours in the underlay route to each other without a tunnel

  /// kInvalid says what is wrong: no JSON, a backend that is not vxlan, impossible numbers.
  static Result<FlannelNetwork> parse(std::string_view json);
};

/// What a node has for one address family.
struct FlannelEnd {
  Prefix subnet;
  IpAddr vtep;     ///< where its tunnel packets go (PublicIP)
  MacAddr router;  ///< of its tunnel device (VtepMAC)

  friend bool operator==(const FlannelEnd&, const FlannelEnd&) = default;
};

/// `PREFIX/subnets/…`: one node.
struct FlannelLease {
  Vni vni;
  std::optional<FlannelEnd> end4;
  std::optional<FlannelEnd> end6;

  friend bool operator==(const FlannelLease&, const FlannelLease&) = default;

  /// What stands behind `PREFIX/subnets/`: `10.244.47.0-24`, with both families `10.244.47.0-24&fd00:1::-64`.
  std::string key() const;
  std::string value() const;
  /// What a key takes, whatever its value says; empty if it names no subnet.
  static std::vector<Prefix> subnets(std::string_view key);
  /// IPv4 first; one or both.
  std::vector<FlannelEnd> ends() const;
  /// kInvalid says what is wrong. kNotFound: a node of another backend, which is none of our business.
  static Result<FlannelLease> parse(std::string_view key, std::string_view value);
};

/// A subnet that nobody has: one of the first hundred, by a random number, so that nodes that start together
/// seldom want the same. Empty: all are taken.
std::optional<Prefix> pick_subnet(const FlannelRange& range, std::span<const Prefix> taken,
                                  std::uint64_t random);

/// What container plugins read: `/run/flannel/subnet.env`.
struct FlannelSubnetFile {
  std::optional<FlannelRange> range4;
  std::optional<FlannelRange> range6;
  std::optional<Prefix> subnet4;
  std::optional<Prefix> subnet6;
  std::uint32_t mtu = 0;
  bool masquerade = false;

  std::string to_string() const;
  /// The subnets that a node had before, as far as the text says so; whatever else it holds is ignored.
  static FlannelSubnetFile parse(std::string_view text);
};

/// The first address of a subnet, which is the node's own on its bridge: 10.244.47.1.
IpAddr first_host(const Prefix& subnet);

}  // namespace vtep
