#include "control/mesh_layout.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "control/json_fields.h"

namespace vtep {
namespace {

constexpr std::size_t kLongestName = 63;
constexpr std::size_t kMostAddresses = 64;  // of one station
constexpr std::string_view kNodes = "nodes/";
constexpr std::string_view kMacs = "macs/";

std::unexpected<Error> invalid(std::string message) {
  return fail(ErrorKind::kInvalid, std::move(message));
}

bool is_host(const IpAddr& address) {
  return !address.is_unspecified() && !address.is_multicast();
}

/// Texts of one field as addresses of hosts.
Result<std::vector<IpAddr>> read_hosts(const Json& object, std::string_view name) {
  const auto texts = read_texts(object, name);
  if (!texts) return std::unexpected(texts.error());
  if (texts->size() > kMostAddresses)
    return invalid(fmt::format("{} has more than {}", name, kMostAddresses));
  std::vector<IpAddr> addresses;
  for (const std::string& text : *texts) {
    const auto address = IpAddr::parse(text);
    if (!address || !is_host(*address))
      return invalid(fmt::format("{}: \"{}\" is no address of a host", name, text));
    if (std::ranges::find(addresses, *address) != addresses.end()) {
      return invalid(fmt::format("{}: {} is there twice", name, text));
    }
    addresses.push_back(*address);
  }
  return addresses;
}

}  // namespace

bool is_node_name(std::string_view name) {
  const auto is_good = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  };
  return !name.empty() && name.size() <= kLongestName && std::ranges::all_of(name, is_good);
}

std::string MeshMember::value() const {
  Json json = {{"vteps", Json::array()}};
  for (const IpAddr& vtep : vteps) json["vteps"].push_back(vtep.to_string());
  return json.dump();
}

Result<MeshMember> MeshMember::parse_any(std::string_view value) {
  const auto json = parse_json_object(value);
  if (!json) return std::unexpected(json.error());
  auto vteps = read_hosts(*json, "vteps");
  if (!vteps) return std::unexpected(std::move(vteps).error());
  if (vteps->empty()) return invalid("vteps is empty");
  return MeshMember{std::move(*vteps)};
}

Result<MeshMember> MeshMember::parse(std::string_view value) {
  auto member = parse_any(value);
  if (!member) return member;
  const std::vector<IpAddr>& vteps = member->vteps;
  if (vteps.size() > 2 || (vteps.size() == 2 && vteps.front().is_v4() == vteps.back().is_v4())) {
    return invalid("vteps has more than one address of a family");
  }
  return member;
}

std::string MeshStation::value() const {
  Json json = Json::object();
  if (sequence != 0) json["sequence"] = sequence;
  if (sticky) json["sticky"] = true;
  for (const MeshAddress& address : addresses) {
    json["ips"].push_back(address.ip.to_string());
    if (address.router) json["routers"].push_back(address.ip.to_string());
  }
  return json.dump();
}

Result<MeshStation> MeshStation::parse(std::string_view value) {
  const auto json = parse_json_object(value);
  if (!json) return std::unexpected(json.error());
  MeshStation station;
  const auto sequence = read_number(*json, "sequence", std::numeric_limits<std::uint32_t>::max());
  if (!sequence) return std::unexpected(sequence.error());
  station.sequence = static_cast<std::uint32_t>(sequence->value_or(0));
  const auto sticky = read_flag(*json, "sticky", false);
  if (!sticky) return std::unexpected(sticky.error());
  station.sticky = *sticky;
  const auto ips = read_hosts(*json, "ips");
  if (!ips) return std::unexpected(ips.error());
  const auto routers = read_hosts(*json, "routers");
  if (!routers) return std::unexpected(routers.error());
  for (const IpAddr& router : *routers) {
    if (std::ranges::find(*ips, router) == ips->end()) {
      return invalid(fmt::format("routers: {} is not in ips", router.to_string()));
    }
  }
  for (const IpAddr& ip : *ips) {
    station.addresses.push_back({ip, std::ranges::find(*routers, ip) != routers->end()});
  }
  return station;
}

Result<MeshKey> MeshKey::parse(std::string_view rest) {
  MeshKey key;
  if (rest.starts_with(kNodes)) {
    key.node = rest.substr(kNodes.size());
  } else if (rest.starts_with(kMacs)) {
    rest.remove_prefix(kMacs.size());
    const std::string_view text = rest.substr(0, rest.find('/'));
    const auto mac = MacAddr::parse(text);
    if (!mac || !mac->is_unicast()) return invalid(fmt::format("\"{}\" is no address of a station", text));
    // One station, one key.
    if (mac->to_string() != text) return invalid(fmt::format("\"{}\" is written {}", text, mac->to_string()));
    key.mac = *mac;
    if (text.size() < rest.size()) key.node = rest.substr(text.size() + 1);
  } else {
    return invalid("it is about neither a node nor a station");
  }
  if (!is_node_name(key.node)) return invalid(fmt::format("\"{}\" is no name of a node", key.node));
  return key;
}

std::string MeshLayout::node(std::string_view node) const {
  return fmt::format("{}/nodes/{}", prefix_, node);
}

std::string MeshLayout::vni(Vni vni) const {
  return fmt::format("{}/vnis/{}/", prefix_, vni.value());
}

std::string MeshLayout::member(Vni vni, std::string_view node) const {
  return fmt::format("{}{}{}", this->vni(vni), kNodes, node);
}

std::string MeshLayout::station(Vni vni, MacAddr mac, std::string_view node) const {
  return fmt::format("{}{}{}/{}", this->vni(vni), kMacs, mac.to_string(), node);
}

}  // namespace vtep
