#include "daemon/config_file.h"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <limits>
#include <map>
#include <memory>
#include <tuple>
#include <utility>

#include "base/vni.h"
#include "daemon/config_evpn.h"
#include "daemon/config_flannel.h"
#include "daemon/config_link.h"
#include "daemon/config_mesh.h"
#include "daemon/config_words.h"
#include "daemon/tuning.h"
#include "daemon/yaml_reader.h"
#include "daemon/yaml_tree.h"

namespace vtep {
namespace {

constexpr auto kFileKeys =
    std::to_array<std::string_view>({"links", "workers", "spin", "flannel", "mesh", "evpn"});
constexpr auto kLinkKeys = std::to_array<std::string_view>({"name",
                                                            "id",
                                                            "external",
                                                            "vnifilter",
                                                            "group",
                                                            "remote",
                                                            "local",
                                                            "dev",
                                                            "dstport",
                                                            "srcport",
                                                            "ttl",
                                                            "tos",
                                                            "df",
                                                            "flowlabel",
                                                            "ageing",
                                                            "maxaddress",
                                                            "learning",
                                                            "proxy",
                                                            "rsc",
                                                            "l2miss",
                                                            "l3miss",
                                                            "udpcsum",
                                                            "udp6zerocsumtx",
                                                            "udp6zerocsumrx",
                                                            "remcsumtx",
                                                            "remcsumrx",
                                                            "localbypass",
                                                            "gbp",
                                                            "gpe",
                                                            "mcroute",
                                                            "reserved_bits",
                                                            "vlan",
                                                            "mssclamp",
                                                            "mcsnoop",
                                                            "limit",
                                                            "moves",
                                                            "allow",
                                                            "deny",
                                                            "datapath",
                                                            "control",
                                                            "announce",
                                                            "accept",
                                                            "address",
                                                            "mtu",
                                                            "up",
                                                            "fdb",
                                                            "vnis",
                                                            "neighbours"});
constexpr auto kFdbKeys = std::to_array<std::string_view>(
    {"mac", "dst", "port", "vni", "via", "nhid", "src_vni", "router", "state"});
constexpr auto kVniKeys = std::to_array<std::string_view>({"vni", "vlan", "group", "remote"});
constexpr auto kNeighbourKeys = std::to_array<std::string_view>({"ip", "mac", "router", "src_vni"});
constexpr std::uint32_t kMaxUint32 = std::numeric_limits<std::uint32_t>::max();
constexpr std::uint32_t kMaxVlan = 4094;  // IEEE 802.1Q reserves 0 and 4095

v1::FdbState state_of(const YamlField& field) {
  const std::string& text = field.node().text;
  if (text == "static") return v1::FDB_STATE_STATIC;
  if (text == "dynamic") return v1::FDB_STATE_DYNAMIC;
  if (text != "permanent") field.refuse_value("permanent, static or dynamic");
  return v1::FDB_STATE_PERMANENT;
}

v1::FdbEntry read_fdb_entry(const YamlField& item, const v1::ConfiguredLink& link) {
  const YamlMap map(item, kFdbKeys, "an entry, like { mac: \"00:00:00:00:00:00\", dst: 10.0.0.9 }");
  v1::FdbEntry entry;
  entry.set_dev(link.name());
  entry.set_state(v1::FDB_STATE_PERMANENT);
  if (const auto mac = map.require("mac", "a MAC address, or 00:00:00:00:00:00 to flood")) {
    entry.set_mac(mac->mac().to_string());
  }
  if (const auto nhid = map.find("nhid")) {
    entry.set_nhid(nhid->number(1, kMaxUint32, "the number of a nexthop, from 1"));
    for (const std::string_view key : {"dst", "port", "vni", "via"}) {
      if (const auto field = map.find(key))
        field->refuse("stands beside nhid, which says where to; keep one of them");
    }
  } else if (const auto dst = map.require("dst", "the IP address of a VTEP")) {
    entry.set_dst(dst->ip().to_string());
  }
  if (const auto port = map.find("port")) entry.set_port(port->port().value());
  if (const auto vni = map.find("vni")) entry.set_vni(vni_of(*vni));
  if (const auto via = map.find("via")) entry.set_via(via->device());
  if (const auto router = map.find("router")) entry.set_router(router->flag());
  if (const auto src_vni = map.find("src_vni")) entry.set_src_vni(vni_of(*src_vni));
  if (const auto state = map.find("state")) entry.set_state(state_of(*state));
  return entry;
}

/// An address has one remote, except that flooding and groups go to several, each there once (`bridge fdb
/// append`).
void read_fdb(const YamlField& field, v1::ConfiguredLink& link) {
  using Remote = std::tuple<std::string, std::uint32_t, std::uint32_t, std::string>;
  std::map<std::tuple<std::uint64_t, std::uint32_t, Remote>, YamlPosition> seen;
  const std::uint32_t own_port = link.spec().has_dstport() ? link.spec().dstport() : kLinuxVxlanPort.value();
  for (const YamlField& item : field.items("a list of entries")) {
    v1::FdbEntry entry = read_fdb_entry(item, link);
    const MacAddr mac = MacAddr::parse(entry.mac()).value_or(MacAddr());
    Remote remote;
    if (!mac.is_unicast()) {
      remote = {entry.dst(), entry.port() != 0 ? entry.port() : own_port,
                entry.has_vni() ? entry.vni() : link.spec().id(),
                entry.via().empty() ? link.spec().dev() : entry.via()};
    }
    const auto [first, is_new] = seen.try_emplace({mac.to_u64(), entry.src_vni(), remote}, item.node().at);
    if (!is_new) {
      item.refuse(fmt::format("{} has an entry{} in line {} already; remove one of them", entry.mac(),
                              mac.is_unicast() ? "" : " with this remote", first->second.line));
    }
    *link.add_fdb() = std::move(entry);
  }
}

v1::VniEntry read_vni(const YamlField& item, const v1::ConfiguredLink& link) {
  const YamlMap map(item, kVniKeys, "a VNI, like { vni: 6000, vlan: 10 }");
  v1::VniEntry entry;
  entry.set_dev(link.name());
  if (const auto vni = map.require("vni", "a VNI, 0 to 16777215")) entry.set_vni(vni_of(*vni));
  if (const auto vlan = map.find("vlan")) entry.set_vlan(vlan->number(1, kMaxVlan, "a VLAN, 1 to 4094"));
  const auto group = map.find("group");
  const auto remote = map.find("remote");
  if (group) entry.set_group(group_of(*group).to_string());
  if (remote) entry.set_remote(unicast_of(*remote).to_string());
  if (group && remote) {
    remote->refuse("stands beside group; keep one of them, and write further remotes under fdb");
  }
  if (group && !link.spec().has_dev())
    group->refuse("needs the device on which to join it; write dev in the link");
  return entry;
}

/// Frames tell their VNI by VLAN, so each is there once, and one VNI may have none.
void read_vnis(const YamlField& field, v1::ConfiguredLink& link) {
  constexpr std::uint32_t kUntagged = 0;
  std::map<std::uint32_t, YamlPosition> vnis;
  std::map<std::uint32_t, YamlPosition> vlans;
  for (const YamlField& item : field.items("a list of VNIs")) {
    v1::VniEntry entry = read_vni(item, link);
    if (const auto [first, is_new] = vnis.try_emplace(entry.vni(), item.node().at); !is_new) {
      item.refuse(
          fmt::format("VNI {} is in line {} already; remove one of them", entry.vni(), first->second.line));
    }
    const std::uint32_t vlan = entry.has_vlan() ? entry.vlan() : kUntagged;
    if (const auto [first, is_new] = vlans.try_emplace(vlan, item.node().at); !is_new) {
      item.refuse(
          entry.has_vlan()
              ? fmt::format("VLAN {} is in line {} already; write another vlan", vlan, first->second.line)
              : fmt::format("the VNI in line {} has no vlan either, and one may; write vlan",
                            first->second.line));
    }
    *link.add_vnis() = std::move(entry);
  }
}

void read_neighbours(const YamlField& field, v1::ConfiguredLink& link) {
  std::map<std::pair<std::uint32_t, std::string>, YamlPosition> seen;
  for (const YamlField& item : field.items("a list of neighbours")) {
    const YamlMap map(item, kNeighbourKeys, "a neighbour, like { ip: 192.168.5.1, mac: 0a:00:00:00:00:01 }");
    v1::Neighbour neighbour;
    neighbour.set_dev(link.name());
    neighbour.set_permanent(true);
    if (const auto ip = map.require("ip", "an IP address of the overlay"))
      neighbour.set_ip(unicast_of(*ip).to_string());
    if (const auto mac = map.require("mac", "the MAC address behind it"))
      neighbour.set_mac(station_of(*mac).to_string());
    if (const auto router = map.find("router")) neighbour.set_router(router->flag());
    if (const auto src_vni = map.find("src_vni")) neighbour.set_src_vni(vni_of(*src_vni));
    const auto [first, is_new] = seen.try_emplace({neighbour.src_vni(), neighbour.ip()}, item.node().at);
    if (!is_new) {
      item.refuse(
          fmt::format("{} is in line {} already; remove one of them", neighbour.ip(), first->second.line));
    }
    *link.add_neighbours() = std::move(neighbour);
  }
}

v1::ConfiguredLink read_link(const YamlField& item) {
  const YamlMap map(item, kLinkKeys, "a link, which begins with name: and id:");
  v1::ConfiguredLink link;
  if (const auto name = map.require("name", "the name of the interface, like vxlan0"))
    link.set_name(name->device());
  *link.mutable_spec() = read_link_spec(map);
  if (const auto up = map.find("up")) link.set_up(up->flag());
  if (const auto fdb = map.find("fdb")) read_fdb(*fdb, link);
  if (const auto vnis = map.find("vnis")) read_vnis(*vnis, link);
  if (const auto neighbours = map.find("neighbours")) read_neighbours(*neighbours, link);
  return link;
}

/// The VNIs of a link, by the key that says them.
std::vector<std::pair<std::string_view, std::uint32_t>> vnis_of(const v1::ConfiguredLink& link) {
  if (!link.spec().vnifilter()) return {{"id", link.spec().id()}};
  std::vector<std::pair<std::string_view, std::uint32_t>> vnis;
  for (const v1::VniEntry& entry : link.vnis()) vnis.emplace_back("vnis", entry.vni());
  return vnis;
}

void read_tuning(const YamlMap& map, v1::Config& config) {
  if (const auto field = map.find("workers")) {
    const auto workers = parse_workers(field->word(workers_words()));
    if (!workers) field->refuse_value(workers_words());
    config.set_workers(static_cast<std::uint32_t>(workers.value_or(0)));
  }
  if (const auto field = map.find("spin")) {
    const auto spin = parse_spin(field->word(spin_words()));
    if (!spin) field->refuse_value(spin_words());
    config.set_spin(static_cast<std::uint64_t>(spin.value_or(Duration::zero()).count()));
  }
}

v1::Config read_config(const YamlField& root) {
  v1::Config config;
  if (root.node().kind == YamlNode::Kind::kNull) return config;
  const YamlMap map(root, kFileKeys, "links: and below it a list of links");
  read_tuning(map, config);
  if (const auto flannel = map.find("flannel")) *config.mutable_flannel() = read_flannel(*flannel);
  if (const auto mesh = map.find("mesh")) *config.mutable_mesh() = read_mesh(*mesh);
  if (const auto evpn = map.find("evpn")) *config.mutable_evpn() = read_evpn(*evpn);
  const auto links = map.find("links");
  if (!links) return config;

  std::map<std::string, YamlPosition> names;
  std::map<std::pair<std::uint32_t, std::uint32_t>, YamlPosition> segments;
  for (const YamlField& item : links->items("a list of links, each with - in front")) {
    v1::ConfiguredLink link = read_link(item);
    if (const auto [first, is_new] = names.try_emplace(link.name(), item.node().at); !is_new) {
      item.reader().refuse(item.node().at, "name",
                           fmt::format("{} is the link in line {} already; write another name", link.name(),
                                       first->second.line));
    }
    const std::uint32_t port = link.spec().has_dstport() ? link.spec().dstport() : kLinuxVxlanPort.value();
    for (const auto& [key, vni] : vnis_of(link)) {
      const auto [first, is_new] = segments.try_emplace({vni, port}, item.node().at);
      if (is_new) continue;
      item.reader().refuse(
          item.node().at, key,
          fmt::format("{} on UDP port {} is the link in line {} already; write another {} or dstport", vni,
                      port, first->second.line, key == "id" ? "id" : "vni"));
    }
    *config.add_links() = std::move(link);
  }
  return config;
}

/// Empty if the file cannot be read; errno says why. Stops behind the largest size that is of use.
std::optional<std::string> read_file(const std::string& path) {
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  const std::unique_ptr<std::FILE, Close> file(std::fopen(path.c_str(), "re"));
  if (!file) return std::nullopt;
  std::string text;
  std::array<char, 65536> buffer{};
  while (text.size() <= kMaxYamlBytes && std::feof(file.get()) == 0 && std::ferror(file.get()) == 0) {
    text.append(buffer.data(), std::fread(buffer.data(), 1, buffer.size(), file.get()));
  }
  if (std::ferror(file.get()) != 0) return std::nullopt;
  return text;
}

Error invalid(std::string_view file_name, const YamlProblem& problem) {
  const std::string key = problem.key.empty() ? "" : shortened(problem.key) + ": ";
  return {ErrorKind::kInvalid, fmt::format("{}:{}:{}: {}{}", file_name, problem.at.line, problem.at.column,
                                           key, printable(problem.text))};
}

}  // namespace

Result<v1::Config> parse_config(std::string_view text, std::string_view file_name) {
  const auto tree = parse_yaml(text);
  if (!tree) return std::unexpected(invalid(file_name, tree.error()));
  YamlReader reader;
  v1::Config config = read_config(YamlField(reader, "links", *tree));
  if (reader.problem()) return std::unexpected(invalid(file_name, *reader.problem()));
  return config;
}

Result<v1::Config> load_config(const std::string& path) {
  errno = 0;
  const std::optional<std::string> text = read_file(path);
  if (!text) return fail(ErrorKind::kSystem, fmt::format("cannot read {}: {}", path, std::strerror(errno)));
  return parse_config(*text, path);
}

}  // namespace vtep
