#include "daemon/config_evpn.h"

#include <array>
#include <limits>
#include <string>
#include <string_view>

#include "control/route_target.h"
#include "daemon/config_etcd.h"
#include "daemon/config_words.h"

namespace vtep {
namespace {

constexpr auto kKeys = std::to_array<std::string_view>(
    {"gobgpd", "as", "router_id", "listen", "port", "neighbours", "route_targets", "vnis"});
constexpr auto kNeighbourKeys = std::to_array<std::string_view>(
    {"address", "as", "port", "local", "passive", "multihop", "password_file"});
constexpr auto kVniKeys = std::to_array<std::string_view>({"vni", "import", "export"});
constexpr std::uint32_t kMaxUint32 = std::numeric_limits<std::uint32_t>::max();
constexpr std::string_view kAs = "a number of an autonomous system, from 1 to 4294967295";

std::string read_host(const YamlField& field) {
  const IpAddr address = field.ip();
  if (address.is_unspecified() || address.is_multicast()) field.refuse_value("an address of a host");
  return address.to_string();
}

void read_neighbour(const YamlField& item, v1::EvpnConfig::Neighbour& out) {
  const YamlMap map(item, kNeighbourKeys, "a neighbour, like { address: 10.0.0.9, as: 65000 }");
  if (const auto address = map.require("address", "the IP address of a BGP speaker"))
    out.set_address(read_host(*address));
  if (const auto as = map.require("as", kAs)) out.set_as(as->number(1, kMaxUint32, kAs));
  if (const auto port = map.find("port")) out.set_port(port->port().value());
  if (const auto local = map.find("local")) out.set_local(read_host(*local));
  if (const auto passive = map.find("passive")) out.set_passive(passive->flag());
  if (const auto multihop = map.find("multihop")) out.set_multihop(multihop->flag());
  out.set_password_file(read_word(map, "password_file", "a file with the password of the session"));
}

template <typename Targets>
void read_targets(const YamlField& field, Targets* targets) {
  constexpr std::string_view kWanted = "a list of route targets, each like 65000:6000";
  for (const YamlField& item : field.items(kWanted)) {
    const std::string_view text = item.word(kWanted);
    if (!RouteTarget::parse(text)) item.refuse_value("a route target, like 65000:6000 or 10.0.0.1:100");
    *targets->Add() = std::string(text);
  }
}

void read_vni(const YamlField& item, v1::EvpnConfig::Targets& out) {
  const YamlMap map(item, kVniKeys,
                    "a VNI's route targets, like { vni: 6000, import: [65000:1], export: [65000:1] }");
  if (const auto vni = map.require("vni", "a VNI, 0 to 16777215")) out.set_vni(vni_of(*vni));
  if (const auto import = map.find("import")) read_targets(*import, out.mutable_import_targets());
  if (const auto exported = map.find("export")) read_targets(*exported, out.mutable_export_targets());
}

}  // namespace

v1::EvpnConfig read_evpn(const YamlField& field) {
  const YamlMap map(field, kKeys, "EVPN's settings, which begin with as: or gobgpd:");
  v1::EvpnConfig evpn;
  evpn.set_gobgpd(
      read_word(map, "gobgpd", "where gobgpd answers, like unix:///run/gobgpd.sock or 127.0.0.1:50051"));
  if (const auto as = map.find("as")) evpn.set_as(as->number(1, kMaxUint32, kAs));
  if (const auto router_id = map.find("router_id")) {
    evpn.set_router_id(read_host(*router_id));
    if (!router_id->ip().is_v4()) router_id->refuse_value("an IPv4 address");
  }
  if (const auto listen = map.find("listen")) {
    for (const YamlField& item : listen->items("a list of addresses")) evpn.add_listen(read_host(item));
  }
  if (const auto port = map.find("port")) {
    evpn.set_port(port->node().text == "none" ? -1 : static_cast<std::int32_t>(port->port().value()));
  }
  if (const auto neighbours = map.find("neighbours")) {
    for (const YamlField& item : neighbours->items("a list of neighbours"))
      read_neighbour(item, *evpn.add_neighbours());
  }
  if (const auto targets = map.find("route_targets")) {
    const std::string& text = targets->node().text;
    if (text != "auto" && text != "rfc8365") targets->refuse_value("auto or rfc8365");
    evpn.set_rfc8365(text == "rfc8365");
  }
  if (const auto vnis = map.find("vnis")) {
    for (const YamlField& item : vnis->items("a list of VNIs")) read_vni(item, *evpn.add_targets());
  }
  if (!evpn.gobgpd().empty()) {
    for (const std::string_view key : {"listen", "port", "neighbours"}) {
      if (const auto other = map.find(key))
        other->refuse("is of a gobgpd of our own, and gobgpd: names a running one");
    }
  } else if (evpn.as() == 0 || evpn.router_id().empty()) {
    field.refuse(
        "a gobgpd of our own needs as: and router_id:; or write gobgpd: and where a running one answers");
  }
  return evpn;
}

}  // namespace vtep
