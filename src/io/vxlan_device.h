// The kernel's vxlan devices: made, changed and removed; and what the bridge does at the port that one is.
//
// Thread safety: belongs to one thread. Everything happens in the network namespace in which it was created.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/ifindex.h"
#include "base/ip.h"
#include "base/mac.h"
#include "base/port.h"
#include "base/result.h"
#include "base/vni.h"

namespace vtep {

/// What the driver is told of a device, in the terms of `ip link add … type vxlan`. What is not set is left
/// to the driver.
struct VxlanParameters {
  Vni vni{};
  std::optional<IpAddr> remote{};  ///< or the group
  std::optional<IpAddr> local{};
  IfIndex device{};
  Port port = kLinuxVxlanPort;
  std::optional<Port> source_port_min{}, source_port_max{};
  std::uint8_t ttl = 0;
  bool ttl_inherit = false;
  std::uint8_t tos = 0;  ///< 1: inherit
  std::uint8_t df = 0;   ///< enum ifla_vxlan_df
  std::uint32_t flow_label = 0;
  std::uint32_t ageing = 300;  ///< seconds; 0: never
  std::uint32_t max_addresses = 0;
  bool learning = true;
  bool proxy = false, rsc = false, l2miss = false, l3miss = false;
  bool checksum4 = true, no_checksum6_tx = false, no_checksum6_rx = false;
  bool remcsum_tx = false, remcsum_rx = false;
  bool gbp = false;
  bool localbypass = true;
};

/// Netlink attributes (IFLA_VXLAN_*) and their payloads.
using VxlanAttributes = std::map<std::uint16_t, std::vector<std::uint8_t>>;

/// Pure. Only what differs from the driver's own defaults, for old ones refuse what they do not know.
VxlanAttributes to_attributes(const VxlanParameters& parameters);

/// From what a device has to what it should have. kInvalid: something would have to be taken back that the
/// driver cannot take back (a remote).
Result<VxlanAttributes> attribute_changes(const VxlanParameters& before, const VxlanParameters& after);

class VxlanDevices {
 public:
  static Result<std::unique_ptr<VxlanDevices>> create();
  ~VxlanDevices();
  VxlanDevices(const VxlanDevices&) = delete;
  VxlanDevices& operator=(const VxlanDevices&) = delete;

  /// Down, without a master. kExists: the name, or another device has the VNI on this port.
  Result<void> add(const std::string& name, const VxlanParameters& parameters,
                   const std::optional<MacAddr>& address, std::optional<std::uint32_t> mtu);
  /// The driver's own sentence where it does not want to (VNI, port and some switches are for ever).
  Result<void> change(IfIndex device, const VxlanAttributes& changes);
  /// That there is none is success.
  Result<void> remove(IfIndex device);
  /// Whether the VNI is the one that the device has; kNotFound: no such device; kInvalid: it is none of the
  /// driver's.
  Result<Vni> vni(const std::string& name);

  /// What the bridge does at this port: whether it learns there, and answers ARP and ND instead of flooding
  /// them to it.
  Result<void> set_port(IfIndex device, bool learning, bool suppresses_neighbours);

 private:
  struct Impl;
  explicit VxlanDevices(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace vtep
