#include "daemon/kernel_spec.h"

#include <fmt/format.h>
#include <linux/if_link.h>

#include <string_view>
#include <utility>

namespace vtep {
namespace {

std::uint8_t to_df(DontFragment df) {
  switch (df) {
    case DontFragment::kSet:
      return VXLAN_DF_SET;
    case DontFragment::kInherit:
      return VXLAN_DF_INHERIT;
    case DontFragment::kUnset:
      break;
  }
  return VXLAN_DF_UNSET;
}

/// What the driver does not have: named, not ignored.
Result<void> check(const v1::LinkSpec& spec, const LinkSettings& settings) {
  const LinkConfig& engine = settings.engine;
  const std::pair<bool, std::string_view> own_words[] = {
      {!engine.has_vni, "vnifilter"},
      {spec.has_local6(), "a second local address"},
      {engine.vlan != VlanPolicy::kStrip, "vlan"},
      {engine.mss_clamp, "mssclamp"},
      {engine.snooping, "mcsnoop"},
      {engine.limits != FloodLimits{}, "limit"},
      {engine.move_limit != MoveLimit{}, "moves"},
      {!engine.sources.is_empty(), "allow and deny"},
      {engine.reserved_bits != 0, "reserved_bits"},
      {engine.outer.flow_label_inherit, "'flowlabel inherit'"},
  };
  for (const auto& [is_said, word] : own_words) {
    if (is_said) {
      return fail(ErrorKind::kInvalid,
                  fmt::format("the kernel's driver has no {}: leave it out, or 'datapath kernel'", word));
    }
  }
  return {};
}

}  // namespace

Result<VxlanParameters> to_vxlan_parameters(const v1::LinkSpec& spec, const LinkSettings& settings,
                                            IfIndex device) {
  if (auto checked = check(spec, settings); !checked) return std::unexpected(checked.error());
  constexpr std::uint8_t kInheritTos = 1;
  const LinkConfig& engine = settings.engine;
  VxlanParameters out;
  out.vni = engine.vni;
  out.remote = engine.flood;
  if (!engine.local4.is_unspecified()) out.local = engine.local4;
  if (!engine.local6.is_unspecified()) out.local = engine.local6;
  out.device = device;
  out.port = engine.port;
  if (engine.source_ports != PortRange{}) {
    out.source_port_min = engine.source_ports.min;
    out.source_port_max = engine.source_ports.max;
  }
  out.ttl = engine.outer.ttl;
  out.ttl_inherit = engine.outer.ttl_inherit;
  out.tos = engine.outer.tos_inherit ? kInheritTos : engine.outer.tos;
  out.df = to_df(engine.outer.dont_fragment);
  out.flow_label = engine.outer.flow_label;
  out.ageing = engine.ageing;
  out.max_addresses = engine.max_addresses;
  out.learning = engine.learning;
  out.proxy = engine.proxy;
  out.rsc = engine.rsc;
  out.l2miss = engine.l2miss;
  out.l3miss = engine.l3miss;
  out.checksum4 = engine.outer.checksum4;
  out.no_checksum6_tx = !engine.outer.checksum6;
  out.no_checksum6_rx = settings.zero_checksum6_rx;
  out.remcsum_tx = engine.remcsum_tx;
  out.remcsum_rx = engine.remcsum_rx;
  out.gbp = engine.gbp;
  out.localbypass = settings.localbypass;
  return out;
}

}  // namespace vtep
