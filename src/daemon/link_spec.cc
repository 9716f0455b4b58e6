#include "daemon/link_spec.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "daemon/spec_words.h"
#include "wire/vxlan.h"

namespace vtep {
namespace {

constexpr std::size_t kMaxName = 15;  // IFNAMSIZ − 1
constexpr auto kControlPlanes = std::to_array<std::string_view>({"mesh", "evpn"});

/// `local` is of either family, `local6` stands beside an IPv4 one.
Result<void> parse_locals(const v1::LinkSpec& spec, LinkConfig& engine) {
  const auto bad = [](const std::string& text) {
    return fail(ErrorKind::kInvalid, fmt::format("local \"{}\" is not a unicast IP address", text));
  };
  if (spec.has_local()) {
    const auto local = IpAddr::parse(spec.local());
    if (!local || local->is_multicast()) return bad(spec.local());
    if (!local->is_unspecified()) (local->is_v4() ? engine.local4 : engine.local6) = *local;
  }
  if (spec.has_local6()) {
    const auto local = IpAddr::parse(spec.local6());
    if (!local || local->is_multicast() || local->is_v4()) return bad(spec.local6());
    if (!engine.local6.is_unspecified()) {
      return fail(ErrorKind::kInvalid, "two IPv6 local addresses: give one of each family");
    }
    if (!local->is_unspecified()) engine.local6 = *local;
  }
  if (!engine.flood) return {};
  const IpAddr& other = engine.flood->is_v4() ? engine.local6 : engine.local4;
  const IpAddr& same = engine.flood->is_v4() ? engine.local4 : engine.local6;
  if (!other.is_unspecified() && same.is_unspecified()) {
    return fail(ErrorKind::kInvalid,
                fmt::format("local {} and {} {} are of different address families", other.to_string(),
                            spec.has_group() ? "group" : "remote", engine.flood->to_string()));
  }
  return {};
}

Result<void> parse_addresses(const v1::LinkSpec& spec, LinkSettings& settings) {
  if (spec.has_group() && spec.has_remote()) {
    return fail(ErrorKind::kInvalid, "vxlan: both group and remote cannot be specified");
  }
  if (spec.has_group() || spec.has_remote()) {
    const std::string& text = spec.has_group() ? spec.group() : spec.remote();
    const auto address = IpAddr::parse(text);
    if (!address || address->is_unspecified()) {
      return fail(ErrorKind::kInvalid, fmt::format("\"{}\" is not an IP address", text));
    }
    if (spec.has_group() && !address->is_multicast()) {
      return fail(
          ErrorKind::kInvalid,
          fmt::format("group {} is not a multicast address; a unicast VTEP is given by 'remote'", text));
    }
    if (spec.has_remote() && address->is_multicast()) {
      return fail(ErrorKind::kInvalid,
                  fmt::format("remote {} is a multicast address; a group is given by 'group'", text));
    }
    if (spec.has_group() && settings.device.empty()) {
      return fail(ErrorKind::kInvalid, "vxlan: 'group' requires 'dev' to be specified");
    }
    settings.engine.flood = address;
    settings.is_group = spec.has_group();
  }
  return parse_locals(spec, settings.engine);
}

Result<void> parse_ports(const v1::LinkSpec& spec, LinkSettings& settings) {
  const auto port = Port::from(spec.dstport());
  if (!port) return fail(ErrorKind::kInvalid, fmt::format("dstport {} is larger than 65535", spec.dstport()));
  settings.engine.port = port->is_zero() ? kLinuxVxlanPort : *port;

  const auto min = Port::from(spec.srcport_min());
  const auto max = Port::from(spec.srcport_max());
  if (!min || !max || *min > *max || (min->is_zero() && !max->is_zero())) {
    return fail(ErrorKind::kInvalid,
                fmt::format("srcport {} {} is not a range of ports", spec.srcport_min(), spec.srcport_max()));
  }
  if (!max->is_zero()) settings.engine.source_ports = {*min, *max};
  return {};
}

Result<void> parse_vni(const v1::LinkSpec& spec, LinkConfig& engine) {
  if (spec.external() && !spec.vnifilter()) {
    return fail(ErrorKind::kInvalid,
                "external: the metadata of the kernel's packets never reaches a TAP; with 'vnifilter' one "
                "interface has several VNIs, told apart by VLAN");
  }
  if (spec.vnifilter()) {
    if (!spec.external()) {
      return fail(ErrorKind::kInvalid, "vxlan: vnifilter needs 'external' beside it, as in Linux");
    }
    if (spec.has_id()) {
      return fail(ErrorKind::kInvalid,
                  "vxlan: vnifilter and 'id' exclude each other: add VNIs with 'vtep vni'");
    }
    if (spec.has_group() || spec.has_remote()) {
      return fail(ErrorKind::kInvalid,
                  "vxlan: vnifilter and group or remote exclude each other: give them to each VNI");
    }
    engine.has_vni = false;
    return {};
  }
  if (!spec.has_id()) return fail(ErrorKind::kInvalid, "a vxlan link needs a VNI: give 'id VNI'");
  const auto vni = Vni::from(spec.id());
  if (!vni) return fail(ErrorKind::kInvalid, fmt::format("id {} is larger than 16777215", spec.id()));
  engine.vni = *vni;
  return {};
}

Result<void> parse_outer(const v1::LinkSpec& spec, OuterPolicy& outer) {
  constexpr std::uint32_t kMaxFlowLabel = 0xfffff;
  constexpr std::uint32_t kInheritTos = 1;
  if (spec.ttl() > 255)
    return fail(ErrorKind::kInvalid, fmt::format("ttl {} is larger than 255", spec.ttl()));
  if (spec.tos() > 255)
    return fail(ErrorKind::kInvalid, fmt::format("tos {} is larger than 255", spec.tos()));
  if (spec.flow_label() > kMaxFlowLabel) {
    return fail(ErrorKind::kInvalid, fmt::format("flowlabel {} is larger than 1048575", spec.flow_label()));
  }
  outer.ttl = static_cast<std::uint8_t>(spec.ttl());
  outer.ttl_inherit = spec.ttl_inherit();
  outer.tos_inherit = spec.tos() == kInheritTos;
  outer.tos = outer.tos_inherit ? std::uint8_t{0} : static_cast<std::uint8_t>(spec.tos());
  outer.flow_label = spec.flow_label();
  outer.flow_label_inherit = spec.flow_label_inherit();
  switch (spec.df()) {
    case v1::DF_UNSET:
      break;
    case v1::DF_SET:
      outer.dont_fragment = DontFragment::kSet;
      break;
    case v1::DF_INHERIT:
      outer.dont_fragment = DontFragment::kInherit;
      break;
    default:
      return fail(ErrorKind::kInvalid, "df is one of unset, set and inherit");
  }
  if (spec.has_udp_csum()) outer.checksum4 = spec.udp_csum();
  outer.checksum6 = !spec.udp6_zero_csum_tx();
  return {};
}

Result<std::vector<Prefix>> parse_prefixes(const v1::PrefixList& list, std::string_view word) {
  constexpr int kMaxPrefixes = 256;  // looked at one by one for every datagram
  std::vector<Prefix> prefixes;
  if (list.prefixes_size() > kMaxPrefixes) {
    return fail(ErrorKind::kInvalid, fmt::format("{}: more than {} prefixes", word, kMaxPrefixes));
  }
  for (const std::string& text : list.prefixes()) {
    const auto prefix = Prefix::parse(text);
    if (!prefix) return fail(ErrorKind::kInvalid, fmt::format("{} \"{}\" is not a prefix", word, text));
    prefixes.push_back(*prefix);
  }
  return prefixes;
}

/// Who may send, what is learned of it, and how much is flooded.
Result<void> parse_trust(const v1::LinkSpec& spec, LinkConfig& engine) {
  auto allow = parse_prefixes(spec.allow(), "allow");
  if (!allow) return std::unexpected(allow.error());
  auto deny = parse_prefixes(spec.deny(), "deny");
  if (!deny) return std::unexpected(deny.error());
  engine.sources = {.allow = std::move(*allow), .deny = std::move(*deny)};
  engine.max_addresses = spec.max_address();
  if (spec.has_move_limit()) engine.move_limit.moves = spec.move_limit();
  if (spec.has_move_window()) engine.move_limit.window = spec.move_window();
  if (engine.move_limit.moves != 0 && engine.move_limit.window == 0) {
    return fail(ErrorKind::kInvalid, "moves: a window of 0 seconds holds no moves");
  }
  engine.limits = {.broadcast = spec.limit_broadcast(),
                   .unknown = spec.limit_unknown(),
                   .multicast = spec.limit_multicast()};
  return {};
}

/// What EVPN's routes of prefixes have to do with the link.
Result<void> parse_routing(const v1::LinkSpec& spec, LinkSettings& settings) {
  auto announce = parse_prefixes(spec.announce(), "announce");
  if (!announce) return std::unexpected(announce.error());
  auto accept = parse_prefixes(spec.accept(), "accept");
  if (!accept) return std::unexpected(accept.error());
  settings.announce = std::move(*announce);
  settings.accept = std::move(*accept);
  if (settings.announce.empty() && settings.accept.empty()) return {};
  if (std::ranges::find(settings.control, "evpn") == settings.control.end())
    return fail(ErrorKind::kInvalid, "announce and accept need 'control evpn': the prefixes are EVPN's");
  if (!settings.engine.has_vni)
    return fail(ErrorKind::kInvalid,
                "announce and accept need a link with one VNI: a route cannot name another");
  return {};
}

/// Who else is told of it, and fills its tables: then it answers for those who are elsewhere, and does not
/// learn from strangers, unless somebody wants it otherwise.
Result<void> parse_control(const v1::LinkSpec& spec, LinkSettings& settings) {
  LinkConfig& engine = settings.engine;
  for (const std::string& name : spec.control().names()) {
    if (std::ranges::find(kControlPlanes, name) == kControlPlanes.end()) {
      return fail(ErrorKind::kInvalid,
                  fmt::format("control \"{}\": there is only {}", name, fmt::join(kControlPlanes, " and ")));
    }
    if (std::ranges::find(settings.control, name) == settings.control.end()) settings.control.push_back(name);
  }
  engine.stations = !settings.control.empty();
  engine.proxy = spec.has_proxy() ? spec.proxy() : engine.stations;
  engine.learning = spec.has_learning() ? spec.learning() : !engine.stations;
  if (auto done = parse_routing(spec, settings); !done) return done;
  if (engine.stations && engine.local4.is_unspecified() && engine.local6.is_unspecified()) {
    return fail(ErrorKind::kInvalid, "control needs 'local': the others must be told where to send to");
  }
  return {};
}

Result<void> parse_features(const v1::LinkSpec& spec, LinkSettings& settings) {
  LinkConfig& engine = settings.engine;
  switch (spec.vlan()) {
    case v1::VLAN_STRIP:
      break;
    case v1::VLAN_ALLOW:
      engine.vlan = VlanPolicy::kAllow;
      break;
    case v1::VLAN_DISCARD:
      engine.vlan = VlanPolicy::kDiscard;
      break;
    default:
      return fail(ErrorKind::kInvalid, "vlan is one of strip, allow and discard");
  }
  engine.rsc = spec.rsc();
  engine.l2miss = spec.l2miss();
  engine.l3miss = spec.l3miss();
  engine.snooping = spec.mcast_snooping();
  engine.mss_clamp = spec.mss_clamp();
  engine.remcsum_tx = spec.remcsum_tx();
  engine.remcsum_rx = spec.remcsum_rx();
  engine.gbp = spec.gbp();
  engine.reserved_bits = spec.reserved_bits();
  const std::uint64_t used = vxlan_bits::kVxlan | (engine.gbp ? vxlan_bits::kGbp : 0) |
                             (engine.remcsum_rx ? vxlan_bits::kRemoteChecksum : 0);
  if ((engine.reserved_bits & used) != 0) {
    return fail(ErrorKind::kInvalid, fmt::format("reserved_bits {:#018x}: the link uses {:#018x} of them",
                                                 engine.reserved_bits, engine.reserved_bits & used));
  }
  settings.zero_checksum6_rx = spec.udp6_zero_csum_rx();
  if (spec.has_localbypass()) settings.localbypass = spec.localbypass();
  return {};
}

void add_prefixes(const std::vector<Prefix>& prefixes, v1::PrefixList& out) {
  for (const Prefix& prefix : prefixes) out.add_prefixes(prefix.to_string());
}

void describe_outer(const OuterPolicy& outer, v1::LinkSpec& spec) {
  spec.set_ttl(outer.ttl);
  if (outer.ttl_inherit) spec.set_ttl_inherit(true);
  spec.set_tos(outer.tos_inherit ? 1 : outer.tos);
  spec.set_df(outer.dont_fragment == DontFragment::kSet       ? v1::DF_SET
              : outer.dont_fragment == DontFragment::kInherit ? v1::DF_INHERIT
                                                              : v1::DF_UNSET);
  spec.set_flow_label(outer.flow_label);
  if (outer.flow_label_inherit) spec.set_flow_label_inherit(true);
  spec.set_udp_csum(outer.checksum4);
  spec.set_udp6_zero_csum_tx(!outer.checksum6);
}

void describe_features(const LinkSettings& settings, v1::LinkSpec& spec) {
  const LinkConfig& engine = settings.engine;
  spec.set_vlan(engine.vlan == VlanPolicy::kAllow     ? v1::VLAN_ALLOW
                : engine.vlan == VlanPolicy::kDiscard ? v1::VLAN_DISCARD
                                                      : v1::VLAN_STRIP);
  spec.set_max_address(engine.max_addresses);
  spec.set_proxy(engine.proxy);
  spec.set_rsc(engine.rsc);
  spec.set_l2miss(engine.l2miss);
  spec.set_l3miss(engine.l3miss);
  spec.set_udp6_zero_csum_rx(settings.zero_checksum6_rx);
  spec.set_remcsum_tx(engine.remcsum_tx);
  spec.set_remcsum_rx(engine.remcsum_rx);
  spec.set_localbypass(settings.localbypass);
  spec.set_gbp(engine.gbp);
  spec.set_external(!engine.has_vni);
  spec.set_vnifilter(!engine.has_vni);
  spec.set_reserved_bits(engine.reserved_bits);
  spec.set_mss_clamp(engine.mss_clamp);
  spec.set_mcast_snooping(engine.snooping);
  spec.set_limit_broadcast(engine.limits.broadcast);
  spec.set_limit_unknown(engine.limits.unknown);
  spec.set_limit_multicast(engine.limits.multicast);
  spec.set_move_limit(engine.move_limit.moves);
  spec.set_move_window(engine.move_limit.window);
  if (!engine.sources.allow.empty()) add_prefixes(engine.sources.allow, *spec.mutable_allow());
  if (!engine.sources.deny.empty()) add_prefixes(engine.sources.deny, *spec.mutable_deny());
}

}  // namespace

std::vector<IpAddr> LinkSettings::locals() const {
  std::vector<IpAddr> out;
  for (const IpAddr& local : {engine.local4, engine.local6}) {
    if (!local.is_unspecified()) out.push_back(local);
  }
  return out;
}

bool LinkSettings::has_v6() const {
  return !engine.local6.is_unspecified() || (engine.flood && engine.flood->is_v6());
}

std::uint32_t LinkSettings::overhead() const {
  constexpr std::uint32_t kBehindIp = 8 + 8 + 14;  // UDP, VXLAN, inner Ethernet
  return kBehindIp + (has_v6() ? 40 : 20);
}

Result<void> check_link_name(std::string_view name) {
  const auto bad = [](char c) {
    return c == '/' || c == '%' || static_cast<unsigned char>(c) <= ' ' || c == 0x7f;
  };
  if (name.empty() || name == "." || name == ".." || std::ranges::any_of(name, bad)) {
    return fail(ErrorKind::kInvalid, fmt::format("\"{}\" is not a valid interface name", name));
  }
  if (name.size() > kMaxName) {
    return fail(ErrorKind::kInvalid,
                fmt::format("interface name \"{}\" is longer than {} characters", name, kMaxName));
  }
  return {};
}

Result<LinkSettings> parse_link_spec(const v1::LinkSpec& spec) {
  LinkSettings settings;
  if (auto done = parse_vni(spec, settings.engine); !done) return std::unexpected(done.error());

  settings.device = spec.dev();
  if (spec.has_dev()) {
    if (auto checked = check_link_name(spec.dev()); !checked) return std::unexpected(checked.error());
  }
  if (auto done = parse_addresses(spec, settings); !done) return std::unexpected(done.error());
  if (auto done = parse_ports(spec, settings); !done) return std::unexpected(done.error());

  if (auto done = parse_outer(spec, settings.engine.outer); !done) return std::unexpected(done.error());
  if ((spec.flow_label() != 0 || spec.flow_label_inherit()) && !settings.has_v6()) {
    return fail(ErrorKind::kInvalid,
                "flowlabel is for IPv6: the link has no IPv6 group, remote or local address");
  }
  if (auto done = parse_trust(spec, settings.engine); !done) return std::unexpected(done.error());
  if (auto done = parse_features(spec, settings); !done) return std::unexpected(done.error());
  if (spec.has_ageing()) settings.engine.ageing = spec.ageing();
  settings.is_kernel = spec.datapath() == v1::DATAPATH_KERNEL;
  if (auto done = parse_control(spec, settings); !done) return std::unexpected(done.error());
  if (spec.has_address()) {
    const auto mac = parse_mac(spec.address());
    if (!mac) return std::unexpected(mac.error());
    if (!mac->is_unicast()) {
      return fail(ErrorKind::kInvalid, fmt::format("address {} is not a unicast address", spec.address()));
    }
    settings.address = *mac;
  }
  if (spec.has_mtu()) {
    if (spec.mtu() < 68 || spec.mtu() > 65535) {
      return fail(ErrorKind::kInvalid, fmt::format("mtu {} is not between 68 and 65535", spec.mtu()));
    }
    settings.mtu = spec.mtu();
  }
  return settings;
}

v1::LinkSpec merge_link_spec(v1::LinkSpec spec, const v1::LinkSpec& change) {
  // Two addresses in one request stay two, so that parsing refuses them; one of them takes the other's place.
  if (change.has_group() && !change.has_remote()) spec.clear_remote();
  if (change.has_remote() && !change.has_group()) spec.clear_group();
  if (change.has_ttl() && !change.has_ttl_inherit()) spec.clear_ttl_inherit();
  if (change.has_flow_label() && !change.has_flow_label_inherit()) spec.clear_flow_label_inherit();
  // A list is said as a whole.
  if (change.has_allow()) spec.clear_allow();
  if (change.has_deny()) spec.clear_deny();
  if (change.has_control()) spec.clear_control();
  if (change.has_announce()) spec.clear_announce();
  if (change.has_accept()) spec.clear_accept();
  spec.MergeFrom(change);
  return spec;
}

v1::LinkSpec effective_link_spec(const LinkSettings& settings) {
  const LinkConfig& engine = settings.engine;
  v1::LinkSpec spec;
  if (engine.has_vni) spec.set_id(engine.vni.value());
  if (engine.flood) {
    (settings.is_group ? *spec.mutable_group() : *spec.mutable_remote()) = engine.flood->to_string();
  }
  const bool has_local4 = !engine.local4.is_unspecified();
  if (has_local4) spec.set_local(engine.local4.to_string());
  if (!engine.local6.is_unspecified()) {
    (has_local4 ? *spec.mutable_local6() : *spec.mutable_local()) = engine.local6.to_string();
  }
  if (!settings.device.empty()) spec.set_dev(settings.device);
  spec.set_dstport(engine.port.value());
  const bool is_default = engine.source_ports == PortRange{};
  spec.set_srcport_min(is_default ? 0 : engine.source_ports.min.value());
  spec.set_srcport_max(is_default ? 0 : engine.source_ports.max.value());
  for (const std::string& name : settings.control) spec.mutable_control()->add_names(name);
  if (!settings.announce.empty()) add_prefixes(settings.announce, *spec.mutable_announce());
  if (!settings.accept.empty()) add_prefixes(settings.accept, *spec.mutable_accept());
  describe_outer(engine.outer, spec);
  describe_features(settings, spec);
  spec.set_datapath(settings.is_kernel ? v1::DATAPATH_KERNEL : v1::DATAPATH_USER);
  spec.set_ageing(engine.ageing);
  spec.set_learning(engine.learning);
  spec.set_address(engine.address.to_string());
  spec.set_mtu(engine.mtu);
  return spec;
}

}  // namespace vtep
