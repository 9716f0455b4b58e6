// From the words of the API about a link (LinkSpec) to the engine's types, checked; and back.
//
// Pure: what needs the system (does the device exist?) is checked elsewhere. Errors are kInvalid and say
// which word is wrong.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/link.h"
#include "vtep/v1/vtep.pb.h"

namespace vtep {

/// A link's settings in types. What depends on the interface and its underlay device (MAC, MTU, interface
/// indexes) is filled in later, into `engine`.
struct LinkSettings {
  LinkConfig engine;
  std::string device;                  ///< name of the underlay device; empty: none given
  std::optional<MacAddr> address;      ///< wished for
  std::optional<std::uint32_t> mtu;    ///< wished for
  bool is_group = false;               ///< engine.flood is a multicast group
  bool zero_checksum6_rx = false;      ///< datagrams over IPv6 need no checksum
  std::vector<std::string> control{};  ///< control planes that fill its tables, by name
  std::vector<Prefix> announce{};      ///< prefixes of which EVPN says that this host routes them
  std::vector<Prefix> accept{};        ///< within which prefixes of others are routed through the link
  bool is_kernel = false;              ///< the kernel's driver moves its frames
  bool localbypass = true;             ///< only said: what goes to a local VTEP takes the loopback either way

  /// Source addresses that were given, IPv4's first.
  std::vector<IpAddr> locals() const;
  /// Whether one of the link's own addresses is IPv6.
  bool has_v6() const;
  /// Bytes that the outer headers take of the underlay's MTU: 50, or 70 if the link's own addresses are IPv6.
  std::uint32_t overhead() const;
};

/// Up to 15 bytes, no slash, no percent sign (a template to the kernel), no white space, no control
/// characters, not "." or ".." (dev_valid_name() of Linux).
Result<void> check_link_name(std::string_view name);

Result<LinkSettings> parse_link_spec(const v1::LinkSpec& spec);

/// `change` laid over `spec`: what is set wins; a new `group` removes `remote` and the other way round.
v1::LinkSpec merge_link_spec(v1::LinkSpec spec, const v1::LinkSpec& change);

/// The spec with every default written out, as `vtep -d link show` wants it.
v1::LinkSpec effective_link_spec(const LinkSettings& settings);

}  // namespace vtep
