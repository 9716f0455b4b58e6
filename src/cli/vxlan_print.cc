#include "cli/vxlan_print.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <iterator>
#include <optional>
#include <string_view>

#include "base/ip.h"
#include "cli/dsfield.h"

namespace vtep {

namespace {

// The defaults of RFC 7432 section 15.1.
constexpr std::uint32_t kMoveLimit = 5;
constexpr std::uint32_t kMoveWindow = 180;

// iproute2's JSON names the keys of IPv6 addresses differently.
std::string address_key(std::string_view key, const std::string& address) {
  const std::optional<IpAddr> ip = IpAddr::parse(address);
  return fmt::format("{}{}", key, ip && ip->is_v6() ? "6" : "");
}

std::string_view df_word(v1::Df df) {
  if (df == v1::DF_SET) return "set";
  if (df == v1::DF_INHERIT) return "inherit";
  return "unset";
}

std::string_view vlan_word(v1::VlanPolicy policy) {
  if (policy == v1::VLAN_ALLOW) return "allow";
  if (policy == v1::VLAN_DISCARD) return "discard";
  return "strip";
}

std::string hex(std::uint64_t number) {
  return fmt::format("{:#x}", number);
}

bool or_default(bool is_given, bool value, bool default_value) {
  return is_given ? value : default_value;
}

bool learns(const v1::LinkSpec& spec) {
  return or_default(spec.has_learning(), spec.learning(), true);
}
bool sums(const v1::LinkSpec& spec) {
  return or_default(spec.has_udp_csum(), spec.udp_csum(), true);
}
bool bypasses(const v1::LinkSpec& spec) {
  return or_default(spec.has_localbypass(), spec.localbypass(), true);
}
bool has_own_moves(const v1::LinkSpec& spec) {
  return (spec.has_move_limit() && spec.move_limit() != kMoveLimit) ||
         (spec.has_move_window() && spec.move_window() != kMoveWindow);
}

// Switches that are printed only when they are on: the word of the text and the key of the JSON.
template <typename Add>
void switches_in_front(const v1::LinkSpec& spec, Add add) {
  if (spec.proxy()) add("proxy", "proxy");
  if (spec.rsc()) add("rsc", "rsc");
  if (spec.l2miss()) add("l2miss", "l2miss");
  if (spec.l3miss()) add("l3miss", "l3miss");
}
template <typename Add>
void switches_behind(const v1::LinkSpec& spec, Add add) {
  if (spec.remcsum_tx()) add("remcsumtx", "remcsum_tx");
  if (spec.remcsum_rx()) add("remcsumrx", "remcsum_rx");
  if (spec.gbp()) add("gbp", "gbp");
}

// The rates of `limit` that are set: the word of the text and the key of the JSON.
template <typename Add>
void limits(const v1::LinkSpec& spec, Add add) {
  if (spec.limit_broadcast() != 0) add("broadcast", "limit_broadcast", spec.limit_broadcast());
  if (spec.limit_unknown() != 0) add("unknown", "limit_unknown", spec.limit_unknown());
  if (spec.limit_multicast() != 0) add("multicast", "limit_multicast", spec.limit_multicast());
}

std::string addresses_text(const v1::LinkSpec& spec) {
  std::string text;
  if (spec.has_group()) text += fmt::format("group {} ", spec.group());
  if (spec.has_remote()) text += fmt::format("remote {} ", spec.remote());
  if (spec.has_local()) text += fmt::format("local {} ", spec.local());
  if (spec.has_local6()) text += fmt::format("local {} ", spec.local6());
  if (spec.has_dev()) text += fmt::format("dev {} ", spec.dev());
  return text;
}

std::string header_text(const v1::LinkSpec& spec) {
  std::string text;
  if (spec.tos() == kTosInherit) {
    text += "tos inherit ";
  } else if (spec.tos() != 0) {
    text += fmt::format("tos {:#x} ", spec.tos());
  }
  if (spec.ttl_inherit()) {
    text += "ttl inherit ";
  } else {
    text += spec.ttl() == 0 ? "ttl auto " : fmt::format("ttl {} ", spec.ttl());
  }
  if (spec.df() != v1::DF_UNSET) text += fmt::format("df {} ", df_word(spec.df()));
  if (spec.flow_label_inherit()) {
    text += "flowlabel inherit ";
  } else if (spec.flow_label() != 0) {
    text += fmt::format("flowlabel {:#x} ", spec.flow_label());
  }
  return text;
}

std::string own_text(const v1::LinkSpec& spec) {
  std::string text;
  const auto end = std::back_inserter(text);
  if (spec.vlan() != v1::VLAN_STRIP) fmt::format_to(end, "vlan {} ", vlan_word(spec.vlan()));
  if (spec.mss_clamp()) text += "mssclamp ";
  if (spec.mcast_snooping()) text += "mcsnoop ";
  limits(spec, [end](std::string_view kind, std::string_view, std::uint32_t rate) {
    fmt::format_to(end, "limit {} {} ", kind, rate);
  });
  if (has_own_moves(spec)) {
    text += spec.move_limit() == 0 && spec.has_move_limit()
                ? "moves none "
                : fmt::format("moves {} {} ", spec.has_move_limit() ? spec.move_limit() : kMoveLimit,
                              spec.has_move_window() ? spec.move_window() : kMoveWindow);
  }
  for (const std::string& prefix : spec.allow().prefixes()) fmt::format_to(end, "allow {} ", prefix);
  for (const std::string& prefix : spec.deny().prefixes()) fmt::format_to(end, "deny {} ", prefix);
  if (spec.datapath() == v1::DATAPATH_KERNEL) text += "datapath kernel ";
  if (spec.control().names_size() > 0)
    fmt::format_to(end, "control {} ", fmt::join(spec.control().names(), ","));
  for (const std::string& prefix : spec.announce().prefixes()) fmt::format_to(end, "announce {} ", prefix);
  for (const std::string& prefix : spec.accept().prefixes()) fmt::format_to(end, "accept {} ", prefix);
  return text;
}

void add_addresses(const v1::LinkSpec& spec, Json& data) {
  if (spec.has_group()) data[address_key("group", spec.group())] = spec.group();
  if (spec.has_remote()) data[address_key("remote", spec.remote())] = spec.remote();
  if (spec.has_local()) data[address_key("local", spec.local())] = spec.local();
  if (spec.has_local6()) data[address_key("local", spec.local6())] = spec.local6();
  if (spec.has_dev()) data["link"] = spec.dev();
}

void add_header(const v1::LinkSpec& spec, Json& data) {
  if (spec.tos() != 0) data["tos"] = hex(spec.tos());
  if (!spec.ttl_inherit()) data["ttl"] = spec.ttl();  // iproute2 has no key for "inherit"
  data["df"] = df_word(spec.df());
  if (spec.flow_label_inherit()) {
    data["label"] = "inherit";
  } else if (spec.flow_label() != 0) {
    data["label"] = hex(spec.flow_label());
  }
}

void add_own(const v1::LinkSpec& spec, Json& data) {
  if (spec.vlan() != v1::VLAN_STRIP) data["vlan"] = vlan_word(spec.vlan());
  if (spec.mss_clamp()) data["mss_clamp"] = true;
  if (spec.mcast_snooping()) data["mcast_snooping"] = true;
  limits(spec, [&data](std::string_view, std::string_view key, std::uint32_t rate) {
    data[std::string(key)] = rate;
  });
  if (has_own_moves(spec)) {
    data["move_limit"] = spec.has_move_limit() ? spec.move_limit() : kMoveLimit;
    data["move_window"] = spec.has_move_window() ? spec.move_window() : kMoveWindow;
  }
  for (const std::string& prefix : spec.allow().prefixes()) data["allow"].push_back(prefix);
  for (const std::string& prefix : spec.deny().prefixes()) data["deny"].push_back(prefix);
  if (spec.datapath() == v1::DATAPATH_KERNEL) data["datapath"] = "kernel";
  for (const std::string& name : spec.control().names()) data["control"].push_back(name);
  for (const std::string& prefix : spec.announce().prefixes()) data["announce"].push_back(prefix);
  for (const std::string& prefix : spec.accept().prefixes()) data["accept"].push_back(prefix);
}

}  // namespace

std::string vxlan_text(const v1::LinkSpec& spec) {
  std::string text = "vxlan ";
  const auto add_word = [&text](std::string_view word, std::string_view) { (text += word) += ' '; };
  if (spec.external()) text += "external ";
  if (spec.vnifilter()) text += "vnifilter ";
  text += fmt::format("id {} ", spec.id()) + addresses_text(spec);
  text += fmt::format("srcport {} {} dstport {} ", spec.srcport_min(), spec.srcport_max(), spec.dstport());
  if (!learns(spec)) text += "nolearning ";
  switches_in_front(spec, add_word);
  text += header_text(spec);
  text += spec.ageing() == 0 ? "ageing none " : fmt::format("ageing {} ", spec.ageing());
  if (spec.max_address() != 0) text += fmt::format("maxaddr {} ", spec.max_address());
  if (spec.reserved_bits() != 0) text += fmt::format("reserved_bits {:#x} ", spec.reserved_bits());
  text += sums(spec) ? "udpcsum " : "noudpcsum ";
  text += spec.udp6_zero_csum_tx() ? "udp6zerocsumtx " : "noudp6zerocsumtx ";
  text += spec.udp6_zero_csum_rx() ? "udp6zerocsumrx " : "noudp6zerocsumrx ";
  switches_behind(spec, add_word);
  if (!bypasses(spec)) text += "nolocalbypass ";
  return text + own_text(spec);
}

Json vxlan_json(const v1::LinkSpec& spec) {
  Json data = Json::object();
  const auto add_key = [&data](std::string_view, std::string_view key) { data[std::string(key)] = true; };
  if (spec.external()) data["external"] = true;
  if (spec.vnifilter()) data["vnifilter"] = true;
  data["id"] = spec.id();
  add_addresses(spec, data);
  data["port_range"] = {{"low", spec.srcport_min()}, {"high", spec.srcport_max()}};
  data["port"] = spec.dstport();
  data["learning"] = learns(spec);
  switches_in_front(spec, add_key);
  add_header(spec, data);
  data["ageing"] = spec.ageing();
  if (spec.max_address() != 0) data["limit"] = spec.max_address();
  if (spec.reserved_bits() != 0) data["reserved_bits"] = hex(spec.reserved_bits());
  data["udp_csum"] = sums(spec);
  data["udp_zero_csum6_tx"] = spec.udp6_zero_csum_tx();
  data["udp_zero_csum6_rx"] = spec.udp6_zero_csum_rx();
  switches_behind(spec, add_key);
  if (!bypasses(spec)) data["localbypass"] = false;
  add_own(spec, data);
  return data;
}

}  // namespace vtep
