#include "daemon/config_link.h"

#include <fmt/format.h>

#include <array>
#include <limits>
#include <string>

#include "base/number.h"
#include "base/prefix.h"
#include "daemon/config_words.h"

namespace vtep {
namespace {

constexpr auto kLimitKeys = std::to_array<std::string_view>({"broadcast", "unknown", "multicast"});
// What the kernel takes for a TAP (drivers/net/tun.c): ETH_MIN_MTU, and 65535 without an Ethernet header.
constexpr std::uint32_t kMinMtu = 68;
constexpr std::uint32_t kMaxMtu = 65521;
constexpr std::uint32_t kMaxUint32 = std::numeric_limits<std::uint32_t>::max();
constexpr std::uint32_t kMaxFlowLabel = (1U << 20) - 1;  // 20 bits (RFC 8200 section 3)
constexpr std::uint32_t kTosInherit = 1;                 // as Linux has it

bool is(const YamlField& field, std::string_view word) {
  return field.node().text == word;
}

/// A number, or the one word that stands for zero.
std::uint32_t number_or(const YamlField& field, std::string_view zero, std::uint32_t max,
                        std::string_view wanted) {
  return is(field, zero) ? 0 : field.number(0, max, wanted);
}

std::string prefix_of(const YamlField& field) {
  const std::optional<Prefix> prefix = Prefix::parse(field.node().text);
  if (!prefix) field.refuse_value("a prefix, like 10.0.0.0/8 or fd00::/8");
  return prefix.value_or(Prefix()).to_string();
}

void read_source_ports(const YamlField& field, v1::LinkSpec& spec) {
  constexpr std::string_view kWanted = "two UDP ports, like [49152, 65535]";
  if (field.node().kind != YamlNode::Kind::kSequence || field.node().children.size() != 2) {
    return field.refuse_value(kWanted);
  }
  const std::vector<YamlField> ports = field.items(kWanted);
  const Port min = ports[0].port();
  const Port max = ports[1].port();
  if (min > max) {
    field.refuse(fmt::format("{} is larger than {}; write the smaller port first", min.value(), max.value()));
  }
  spec.set_srcport_min(min.value());
  spec.set_srcport_max(max.value());
}

/// One address, or one of each family; of two the IPv6 one is `local6`.
void read_local(const YamlField& field, v1::LinkSpec& spec) {
  if (field.node().kind != YamlNode::Kind::kSequence) return spec.set_local(unicast_of(field).to_string());
  constexpr std::string_view kWanted = "one address, or an IPv4 and an IPv6 one like [10.0.0.1, fd00::1]";
  const std::vector<YamlField> items = field.items(kWanted);
  if (items.size() != 2) return field.refuse_value(kWanted);
  IpAddr first = unicast_of(items[0]);
  IpAddr second = unicast_of(items[1]);
  if (first.is_v4() == second.is_v4()) {
    return items[1].refuse(
        fmt::format("'{}' is of the same address family as '{}'; write one IPv4 and one IPv6 address",
                    shortened(items[1].node().text), shortened(items[0].node().text)));
  }
  if (first.is_v6()) std::swap(first, second);
  spec.set_local(first.to_string());
  spec.set_local6(second.to_string());
}

/// Precondition: what `map` says of them is in `spec`.
void check_families(const YamlMap& map, const YamlField& peer, const v1::LinkSpec& spec) {
  const bool is_v4 = peer.ip().is_v4();
  const auto local = map.find("local");
  if (local && !spec.has_local6() && local->ip().is_v4() != is_v4) {
    local->refuse(
        fmt::format("'{}' is not of the address family of {}; write both as IPv4 or both as IPv6, or a "
                    "list of one address of either",
                    shortened(local->node().text), peer.key()));
  }
}

/// Where a link sends to, and from: the fields that have to agree with each other.
void read_underlay(const YamlMap& map, v1::LinkSpec& spec) {
  const auto group = map.find("group");
  const auto remote = map.find("remote");
  const auto dev = map.find("dev");
  if (dev) spec.set_dev(dev->device());
  if (const auto local = map.find("local")) read_local(*local, spec);
  if (group) spec.set_group(group_of(*group).to_string());
  if (remote) spec.set_remote(unicast_of(*remote).to_string());

  if (group && remote) {
    remote->refuse("stands beside group; keep one of them, and write further remotes under fdb");
  }
  if (group && !dev) group->refuse("needs the device on which to join it; write dev as well");
  if (const auto& peer = group ? group : remote) check_families(map, *peer, spec);
}

/// One VNI, or several that are listed under `vnis`.
void read_segment(const YamlMap& map, v1::LinkSpec& spec) {
  const auto external = map.find("external");
  const auto vnifilter = map.find("vnifilter");
  if (external) spec.set_external(external->flag());
  if (vnifilter) spec.set_vnifilter(vnifilter->flag());
  if (spec.external() && !spec.vnifilter()) {
    external->refuse(
        "alone has nothing to work on: tunnel metadata of the kernel's packets never reaches a TAP; "
        "write vnifilter: true as well");
  }
  if (!spec.vnifilter()) {
    if (const auto id = map.require("id", "a VNI, 0 to 16777215")) spec.set_id(vni_of(*id));
    if (const auto vnis = map.find("vnis")) {
      vnis->refuse("needs a link of several VNIs; write external: true and vnifilter: true as well");
    }
    return;
  }
  if (!spec.external()) vnifilter->refuse("is valid only with external; write external: true as well");
  // The kernel's default with `external`, whose VNIs come from elsewhere.
  if (!map.find("learning")) spec.set_learning(false);
  for (const std::string_view key : {"id", "group", "remote"}) {
    if (const auto field = map.find(key))
      field->refuse("stands beside vnifilter; write it under vnis, for each VNI");
  }
}

bool has_ipv4_only(const v1::LinkSpec& spec) {
  const std::string& peer = spec.has_group() ? spec.group() : spec.remote();
  bool has_v4 = false;
  for (const std::string* text : {&spec.local(), &spec.local6(), &peer}) {
    const std::optional<IpAddr> ip = IpAddr::parse(*text);
    if (ip && ip->is_v6()) return false;
    has_v4 = has_v4 || ip;
  }
  return has_v4;
}

/// Fields of the outer headers.
void read_outer(const YamlMap& map, v1::LinkSpec& spec) {
  if (const auto ttl = map.find("ttl")) {
    if (is(*ttl, "inherit")) {
      spec.set_ttl_inherit(true);
    } else {
      spec.set_ttl(number_or(*ttl, "auto", 255, "auto, inherit, or a number from 1 to 255"));
    }
  }
  if (const auto tos = map.find("tos")) {
    spec.set_tos(is(*tos, "inherit") ? kTosInherit
                                     : tos->number(0, 255, "inherit, or a number from 0 to 255"));
  }
  if (const auto df = map.find("df")) {
    if (!is(*df, "unset") && !is(*df, "set") && !is(*df, "inherit"))
      df->refuse_value("unset, set or inherit");
    spec.set_df(is(*df, "set") ? v1::DF_SET : is(*df, "inherit") ? v1::DF_INHERIT : v1::DF_UNSET);
  }
  const auto label = map.find("flowlabel");
  if (!label) return;
  if (is(*label, "inherit")) {
    spec.set_flow_label_inherit(true);
  } else {
    spec.set_flow_label(label->number(0, kMaxFlowLabel, "inherit, or a number from 0 to 1048575"));
  }
  if (has_ipv4_only(spec)) label->refuse("is a field of IPv6, and the link's addresses are IPv4; remove it");
}

void read_switches(const YamlMap& map, v1::LinkSpec& spec) {
  struct Switch {
    std::string_view key;
    void (v1::LinkSpec::*set)(bool);
  };
  static constexpr Switch kSwitches[] = {
      {"learning", &v1::LinkSpec::set_learning},
      {"proxy", &v1::LinkSpec::set_proxy},
      {"rsc", &v1::LinkSpec::set_rsc},
      {"l2miss", &v1::LinkSpec::set_l2miss},
      {"l3miss", &v1::LinkSpec::set_l3miss},
      {"udpcsum", &v1::LinkSpec::set_udp_csum},
      {"udp6zerocsumtx", &v1::LinkSpec::set_udp6_zero_csum_tx},
      {"udp6zerocsumrx", &v1::LinkSpec::set_udp6_zero_csum_rx},
      {"remcsumtx", &v1::LinkSpec::set_remcsum_tx},
      {"remcsumrx", &v1::LinkSpec::set_remcsum_rx},
      {"localbypass", &v1::LinkSpec::set_localbypass},
      {"gbp", &v1::LinkSpec::set_gbp},
      {"mssclamp", &v1::LinkSpec::set_mss_clamp},
      {"mcsnoop", &v1::LinkSpec::set_mcast_snooping},
  };
  for (const auto& [key, set] : kSwitches) {
    if (const auto field = map.find(key)) (spec.*set)(field->flag());
  }
  if (const auto gpe = map.find("gpe"); gpe && gpe->flag()) {
    gpe->refuse("its payload need not be Ethernet, and a TAP carries Ethernet only; remove it");
  }
  if (const auto mcroute = map.find("mcroute"); mcroute && mcroute->flag()) {
    mcroute->refuse(
        "routing the encapsulated multicast on this host is the kernel's own path, which a socket cannot "
        "take; remove it");
  }
}

/// Bits that the link reads may not be reserved as well: it would drop what it is for (RFC 7348 section 5,
/// draft-smith-vxlan-group-policy-05 section 2.1, draft-herbert-vxlan-rco-00 section 2.1).
void read_reserved_bits(const YamlField& field, v1::LinkSpec& spec) {
  const auto bits = parse_number(field.node().text, std::numeric_limits<std::uint64_t>::max());
  if (!bits) return field.refuse_value("the 64 bits of the VXLAN header, like 0xf7ffffff000000ff");
  std::uint64_t used = 0x0800'0000'ffff'ff00;
  if (spec.gbp()) used |= 0x80ff'ffff'0000'0000;
  if (spec.remcsum_rx()) used |= 0x0020'0000'0000'00ff;
  if ((*bits & used) != 0)
    field.refuse(fmt::format("{:#x} of it is in use by this link; leave these bits out", *bits & used));
  spec.set_reserved_bits(*bits);
}

void read_limits(const YamlField& field, v1::LinkSpec& spec) {
  constexpr std::string_view kRate = "none, or frames a second";
  const YamlMap map(field, kLimitKeys, "rates, like { broadcast: 1000 }");
  if (const auto rate = map.find("broadcast"))
    spec.set_limit_broadcast(number_or(*rate, "none", kMaxUint32, kRate));
  if (const auto rate = map.find("unknown"))
    spec.set_limit_unknown(number_or(*rate, "none", kMaxUint32, kRate));
  if (const auto rate = map.find("multicast"))
    spec.set_limit_multicast(number_or(*rate, "none", kMaxUint32, kRate));
}

void read_moves(const YamlField& field, v1::LinkSpec& spec) {
  if (is(field, "none")) return spec.set_move_limit(0);
  constexpr std::string_view kWanted = "none, or moves and seconds like [5, 180]";
  if (field.node().kind != YamlNode::Kind::kSequence || field.node().children.size() != 2) {
    return field.refuse_value(kWanted);
  }
  const std::vector<YamlField> items = field.items(kWanted);
  spec.set_move_limit(items[0].number(0, kMaxUint32, "a number of moves, or 0 for no limit"));
  spec.set_move_window(items[1].number(1, kMaxUint32, "a number of seconds, at least 1"));
}

void read_prefixes(const YamlField& field, v1::PrefixList& list) {
  for (const YamlField& item : field.items("a list of prefixes, like [10.0.0.0/8]")) {
    list.add_prefixes(prefix_of(item));
  }
}

/// Which there are, the daemon knows.
void read_control(const YamlField& field, v1::NameList& list) {
  constexpr std::string_view kWanted = "a control plane, like mesh, or a list of them";
  if (field.node().kind == YamlNode::Kind::kSequence) {
    for (const YamlField& item : field.items(kWanted)) list.add_names(std::string(item.word(kWanted)));
  } else if (!is(field, "none")) {
    list.add_names(std::string(field.word(kWanted)));
  }
}

/// What only vtep has, the switches excepted.
void read_own(const YamlMap& map, v1::LinkSpec& spec) {
  if (const auto vlan = map.find("vlan")) {
    if (!is(*vlan, "strip") && !is(*vlan, "allow") && !is(*vlan, "discard"))
      vlan->refuse_value("strip, allow or discard");
    spec.set_vlan(is(*vlan, "allow")     ? v1::VLAN_ALLOW
                  : is(*vlan, "discard") ? v1::VLAN_DISCARD
                                         : v1::VLAN_STRIP);
  }
  if (const auto limit = map.find("limit")) read_limits(*limit, spec);
  if (const auto moves = map.find("moves")) read_moves(*moves, spec);
  if (const auto allow = map.find("allow")) read_prefixes(*allow, *spec.mutable_allow());
  if (const auto deny = map.find("deny")) read_prefixes(*deny, *spec.mutable_deny());
  if (const auto datapath = map.find("datapath")) spec.set_datapath(datapath_of(*datapath));
  if (const auto announce = map.find("announce")) read_prefixes(*announce, *spec.mutable_announce());
  if (const auto accept = map.find("accept")) read_prefixes(*accept, *spec.mutable_accept());
  if (const auto control = map.find("control")) read_control(*control, *spec.mutable_control());
}

}  // namespace

v1::LinkSpec read_link_spec(const YamlMap& map) {
  v1::LinkSpec spec;
  read_segment(map, spec);
  read_underlay(map, spec);
  if (const auto dstport = map.find("dstport")) spec.set_dstport(dstport->port().value());
  if (const auto srcport = map.find("srcport")) read_source_ports(*srcport, spec);
  read_outer(map, spec);
  if (const auto ageing = map.find("ageing")) {
    spec.set_ageing(ageing->number(0, kMaxUint32, "seconds, or 0 for never"));
  }
  if (const auto most = map.find("maxaddress")) {
    spec.set_max_address(number_or(*most, "unlimited", kMaxUint32, "unlimited, or a number of addresses"));
  }
  read_switches(map, spec);
  if (const auto bits = map.find("reserved_bits")) read_reserved_bits(*bits, spec);
  read_own(map, spec);
  if (const auto address = map.find("address")) spec.set_address(station_of(*address).to_string());
  if (const auto mtu = map.find("mtu")) spec.set_mtu(mtu->number(kMinMtu, kMaxMtu, "bytes, 68 to 65521"));
  return spec;
}

}  // namespace vtep
