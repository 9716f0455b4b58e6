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
#include "daemon/yaml_reader.h"
#include "daemon/yaml_tree.h"

namespace vtep {
namespace {

constexpr auto kFileKeys = std::to_array<std::string_view>({"links"});
constexpr auto kLinkKeys =
    std::to_array<std::string_view>({"name", "id", "group", "remote", "local", "dev", "dstport", "srcport",
                                     "ttl", "ageing", "learning", "address", "mtu", "up", "fdb"});
constexpr auto kFdbKeys = std::to_array<std::string_view>({"mac", "dst", "port", "vni", "via", "state"});

// What the kernel takes for a TAP (drivers/net/tun.c): ETH_MIN_MTU, and 65535 without an Ethernet header.
constexpr std::uint32_t kMinMtu = 68;
constexpr std::uint32_t kMaxMtu = 65521;

std::uint32_t vni_of(const YamlField& field) {
  return field.number(0, Vni::kMax, "a VNI, 0 to 16777215");
}

IpAddr unicast_of(const YamlField& field) {
  const IpAddr ip = field.ip();
  if (ip.is_multicast()) field.refuse_value("a unicast address; a multicast one is written as group");
  return ip;
}

IpAddr group_of(const YamlField& field) {
  const IpAddr ip = field.ip();
  if (!ip.is_multicast())
    field.refuse_value("a multicast address, like 239.1.1.1; a unicast one is written as remote");
  return ip;
}

std::uint32_t ttl_of(const YamlField& field) {
  if (field.node().text == "auto") return 0;
  return field.number(0, 255, "auto, or a number from 1 to 255");
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

/// Where a link sends to, and from: the fields that have to agree with each other.
void read_underlay(const YamlMap& map, v1::LinkSpec& spec) {
  const auto group = map.find("group");
  const auto remote = map.find("remote");
  const auto local = map.find("local");
  const auto dev = map.find("dev");
  if (dev) spec.set_dev(dev->device());
  if (local) spec.set_local(unicast_of(*local).to_string());
  if (group) spec.set_group(group_of(*group).to_string());
  if (remote) spec.set_remote(unicast_of(*remote).to_string());

  if (group && remote) {
    remote->refuse("stands beside group; keep one of them, and write further remotes under fdb");
  }
  if (group && !dev) group->refuse("needs the device on which to join it; write dev as well");
  const auto& peer = group ? group : remote;
  if (peer && local && peer->ip().is_v4() != local->ip().is_v4()) {
    local->refuse(fmt::format("'{}' is not of the address family of {}; write both as IPv4 or both as IPv6",
                              shortened(local->node().text), peer->key()));
  }
}

v1::LinkSpec read_spec(const YamlMap& map) {
  v1::LinkSpec spec;
  if (const auto id = map.require("id", "a VNI, 0 to 16777215")) spec.set_id(vni_of(*id));
  read_underlay(map, spec);
  if (const auto dstport = map.find("dstport")) spec.set_dstport(dstport->port().value());
  if (const auto srcport = map.find("srcport")) read_source_ports(*srcport, spec);
  if (const auto ttl = map.find("ttl")) spec.set_ttl(ttl_of(*ttl));
  if (const auto ageing = map.find("ageing")) {
    spec.set_ageing(ageing->number(0, std::numeric_limits<std::uint32_t>::max(), "seconds, or 0 for never"));
  }
  if (const auto learning = map.find("learning")) spec.set_learning(learning->flag());
  if (const auto address = map.find("address")) {
    const MacAddr mac = address->mac();
    if (!mac.is_unicast())
      address->refuse_value("the MAC address of one interface, neither a group nor zero");
    spec.set_address(mac.to_string());
  }
  if (const auto mtu = map.find("mtu")) spec.set_mtu(mtu->number(kMinMtu, kMaxMtu, "bytes, 68 to 65521"));
  return spec;
}

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
  if (const auto dst = map.require("dst", "the IP address of a VTEP")) entry.set_dst(dst->ip().to_string());
  if (const auto port = map.find("port")) entry.set_port(port->port().value());
  if (const auto vni = map.find("vni")) entry.set_vni(vni_of(*vni));
  if (const auto via = map.find("via")) entry.set_via(via->device());
  if (const auto state = map.find("state")) entry.set_state(state_of(*state));
  return entry;
}

/// An address has one remote, except that flooding and groups go to several, each there once (`bridge fdb
/// append`).
void read_fdb(const YamlField& field, v1::ConfiguredLink& link) {
  using Remote = std::tuple<std::string, std::uint32_t, std::uint32_t, std::string>;
  std::map<std::pair<std::uint64_t, Remote>, YamlPosition> seen;
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
    const auto [first, is_new] = seen.try_emplace({mac.to_u64(), remote}, item.node().at);
    if (!is_new) {
      item.refuse(fmt::format("{} has an entry{} in line {} already; remove one of them", entry.mac(),
                              mac.is_unicast() ? "" : " with this remote", first->second.line));
    }
    *link.add_fdb() = std::move(entry);
  }
}

v1::ConfiguredLink read_link(const YamlField& item) {
  const YamlMap map(item, kLinkKeys, "a link, which begins with name: and id:");
  v1::ConfiguredLink link;
  if (const auto name = map.require("name", "the name of the interface, like vxlan0"))
    link.set_name(name->device());
  *link.mutable_spec() = read_spec(map);
  if (const auto up = map.find("up")) link.set_up(up->flag());
  if (const auto fdb = map.find("fdb")) read_fdb(*fdb, link);
  return link;
}

v1::Config read_config(const YamlField& root) {
  v1::Config config;
  if (root.node().kind == YamlNode::Kind::kNull) return config;
  const YamlMap map(root, kFileKeys, "links: and below it a list of links");
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
    if (const auto [first, is_new] = segments.try_emplace({link.spec().id(), port}, item.node().at);
        !is_new) {
      item.reader().refuse(
          item.node().at, "id",
          fmt::format("{} on UDP port {} is the link in line {} already; write another id or dstport",
                      link.spec().id(), port, first->second.line));
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
