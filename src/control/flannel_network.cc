#include "control/flannel_network.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/number.h"
#include "control/address_number.h"
#include "control/json_fields.h"

namespace vtep {
namespace {

constexpr std::size_t kCandidates = 100;      // as flannel has it
constexpr std::size_t kMostLooks = 1U << 20;  // of a large network that is nearly full

std::unexpected<Error> invalid(std::string message) {
  return fail(ErrorKind::kInvalid, std::move(message));
}

Result<std::optional<IpAddr>> read_address(const Json& object, std::string_view name, bool v4) {
  const auto text = read_text(object, name);
  if (!text) return std::unexpected(text.error());
  if (text->empty()) return std::nullopt;
  const auto address = IpAddr::parse(*text);
  if (!address || address->is_v4() != v4) {
    return invalid(fmt::format("{} \"{}\" is no IPv{} address", name, *text, v4 ? 4 : 6));
  }
  return address;
}

/// What differs between the families in names and numbers.
struct Family {
  bool v4;
  std::string_view network, length, min, max;
  unsigned usual_length;  // of a subnet in a network that has room
  unsigned longest;       // of a subnet
};
constexpr Family kV4{true, "Network", "SubnetLen", "SubnetMin", "SubnetMax", 24, 30};
constexpr Family kV6{false, "IPv6Network", "IPv6SubnetLen", "IPv6SubnetMin", "IPv6SubnetMax", 64, 126};

/// A bound of the subnets: given, or worked out.
Result<IpAddr> read_bound(const Json& config, const Prefix& network, unsigned length, std::string_view name,
                          AddressNumber otherwise, bool v4) {
  const auto given = read_address(config, name, v4);
  if (!given) return std::unexpected(given.error());
  if (!*given) return to_address(otherwise, network.address());
  const IpAddr bound = **given;
  if (!network.contains(bound)) {
    return invalid(fmt::format("{} {} is not in {}", name, bound.to_string(), network.to_string()));
  }
  if (to_number(bound) % subnet_size(bound, length) != 0) {
    return invalid(
        fmt::format("{} {} is not where a subnet of length {} begins", name, bound.to_string(), length));
  }
  return bound;
}

Result<FlannelRange> read_range(const Json& config, const Family& family) {
  const auto text = read_text(config, family.network);
  if (!text) return std::unexpected(text.error());
  const auto network = Prefix::parse(*text);
  if (!network || network->address().is_v4() != family.v4 || text->find('/') == std::string::npos) {
    return invalid(fmt::format("{} \"{}\" is no IPv{} network like {}", family.network, *text,
                               family.v4 ? 4 : 6, family.v4 ? "10.244.0.0/16" : "fd00:10:244::/48"));
  }
  const auto given = read_number(config, family.length, family.longest);
  if (!given) return std::unexpected(given.error());
  const unsigned shortest = network->length() + 2;  // a network of fewer than four subnets is none
  const unsigned otherwise = std::max(family.usual_length, shortest);
  const unsigned length = given->value_or(0) == 0 ? otherwise : static_cast<unsigned>(**given);
  if (network->length() == 0 || length < shortest || length > family.longest) {
    return invalid(fmt::format("{} {} cannot be cut into subnets of length {}", family.network,
                               network->to_string(), length));
  }
  const AddressNumber begin = to_number(network->address());
  const AddressNumber size = subnet_size(network->address(), length);
  const AddressNumber whole = subnet_size(network->address(), network->length());
  // The first subnet is left out: its address is the network's.
  const auto first = read_bound(config, *network, length, family.min, begin + size, family.v4);
  if (!first) return std::unexpected(first.error());
  const auto last = read_bound(config, *network, length, family.max, begin + (whole - size), family.v4);
  if (!last) return std::unexpected(last.error());
  if (*last < *first) return invalid(fmt::format("{} is behind {}", family.min, family.max));
  return FlannelRange{*network, length, *first, *last};
}

Result<void> read_backend(const Json& config, FlannelNetwork& network) {
  const Json* const backend = find_field(config, "Backend");
  // flannel's own default is a backend of another kind.
  if (backend == nullptr) return invalid("it names no Backend, which means \"udp\" and not \"vxlan\"");
  if (!backend->is_object()) return invalid("Backend is no object");
  const auto type = read_text(*backend, "Type");
  if (!type) return std::unexpected(type.error());
  if (*type != "vxlan") return invalid(fmt::format("its Backend is \"{}\", not \"vxlan\"", *type));
  const auto vni = read_number(*backend, "VNI", Vni::kMax);
  if (!vni) return std::unexpected(vni.error());
  if (vni->value_or(0) != 0) network.vni = *Vni::from(**vni);
  const auto port = read_number(*backend, "Port", 0xffff);
  if (!port) return std::unexpected(port.error());
  if (port->value_or(0) != 0) network.port = *Port::from(**port);
  const auto direct = read_flag(*backend, "DirectRouting", false);
  if (!direct) return std::unexpected(direct.error());
  network.direct_routing = *direct;
  return {};
}

/// `10.244.47.0-24`: the length stands behind a minus sign, for a slash would be a folder.
std::optional<Prefix> parse_subnet_key(std::string_view text) {
  const auto minus = text.rfind('-');
  if (minus == std::string_view::npos) return std::nullopt;
  const auto address = IpAddr::parse(text.substr(0, minus));
  const auto length = parse_number(text.substr(minus + 1), 128);
  if (!address || !length || *length == 0) return std::nullopt;
  const auto subnet = Prefix::from(*address, static_cast<unsigned>(*length));
  return subnet && subnet->address() == *address ? subnet : std::nullopt;
}

std::string subnet_key(const Prefix& subnet) {
  return fmt::format("{}-{}", subnet.address().to_string(), subnet.length());
}

struct Tunnel {
  Vni vni;
  MacAddr mac;
};

Result<Tunnel> read_tunnel(const Json& lease, std::string_view name) {
  const Json* const data = find_field(lease, name);
  if (data == nullptr || !data->is_object()) return invalid(fmt::format("{} is no object", name));
  const auto vni = read_number(*data, "VNI", Vni::kMax);
  if (!vni) return std::unexpected(vni.error());
  const auto text = read_text(*data, "VtepMAC");
  if (!text) return std::unexpected(text.error());
  const auto mac = MacAddr::parse(*text);
  if (!mac || !mac->is_unicast())
    return invalid(fmt::format("VtepMAC \"{}\" is no address of a station", *text));
  return Tunnel{*Vni::from(vni->value_or(1)), *mac};
}

Result<FlannelEnd> read_end(const Json& lease, const Prefix& subnet) {
  const bool v4 = subnet.address().is_v4();
  const std::string_view name = v4 ? "PublicIP" : "PublicIPv6";
  const auto vtep = read_address(lease, name, v4);
  if (!vtep) return std::unexpected(vtep.error());
  if (!*vtep || (*vtep)->is_unspecified() || (*vtep)->is_multicast()) {
    return invalid(fmt::format("{} is no address of a host", name));
  }
  const auto tunnel = read_tunnel(lease, v4 ? "BackendData" : "BackendV6Data");
  if (!tunnel) return std::unexpected(tunnel.error());
  return FlannelEnd{subnet, **vtep, tunnel->mac};
}

Json tunnel_json(Vni vni, const MacAddr& mac) {
  return {{"VNI", vni.value()}, {"VtepMAC", mac.to_string()}};
}

}  // namespace

bool FlannelRange::contains(const Prefix& subnet) const {
  const IpAddr& address = subnet.address();
  return network.contains(address) && subnet.length() == subnet_length && first <= address && address <= last;
}

Result<FlannelNetwork> FlannelNetwork::parse(std::string_view text) {
  const auto config = parse_json_object(text);
  if (!config) return std::unexpected(config.error());
  FlannelNetwork network;
  const auto with_v4 = read_flag(*config, "EnableIPv4", true);
  if (!with_v4) return std::unexpected(with_v4.error());
  const auto with_v6 = read_flag(*config, "EnableIPv6", false);
  if (!with_v6) return std::unexpected(with_v6.error());
  if (!*with_v4 && !*with_v6) return invalid("it enables neither IPv4 nor IPv6");
  if (*with_v4) {
    auto range = read_range(*config, kV4);
    if (!range) return std::unexpected(std::move(range).error());
    network.range4 = *range;
  }
  if (*with_v6) {
    auto range = read_range(*config, kV6);
    if (!range) return std::unexpected(std::move(range).error());
    network.range6 = *range;
  }
  if (auto backend = read_backend(*config, network); !backend)
    return std::unexpected(std::move(backend).error());
  return network;
}

std::string FlannelLease::key() const {
  if (!end4) return end6 ? subnet_key(end6->subnet) : std::string();
  return subnet_key(end4->subnet) + (end6 ? "&" + subnet_key(end6->subnet) : "");
}

std::string FlannelLease::value() const {
  nlohmann::ordered_json json;
  json["PublicIP"] = end4 ? end4->vtep.to_string() : "0.0.0.0";
  json["PublicIPv6"] = end6 ? Json(end6->vtep.to_string()) : Json();
  json["BackendType"] = "vxlan";
  if (end4) json["BackendData"] = tunnel_json(vni, end4->router);
  if (end6) json["BackendV6Data"] = tunnel_json(vni, end6->router);
  return json.dump();
}

std::vector<FlannelEnd> FlannelLease::ends() const {
  std::vector<FlannelEnd> ends;
  if (end4) ends.push_back(*end4);
  if (end6) ends.push_back(*end6);
  return ends;
}

std::vector<Prefix> FlannelLease::subnets(std::string_view key) {
  const auto both = key.find('&');
  const auto first = parse_subnet_key(key.substr(0, both));
  if (!first) return {};
  if (both == std::string_view::npos) return {*first};
  const auto second = parse_subnet_key(key.substr(both + 1));
  if (!second || !first->address().is_v4() || second->address().is_v4()) return {};
  return {*first, *second};
}

Result<FlannelLease> FlannelLease::parse(std::string_view key, std::string_view value) {
  FlannelLease lease;
  const std::vector<Prefix> subnets = FlannelLease::subnets(key);
  if (subnets.empty()) return invalid(fmt::format("\"{}\" names no subnet, or not one of each family", key));
  const auto json = parse_json_object(value);
  if (!json) return std::unexpected(json.error());
  const auto type = read_text(*json, "BackendType");
  if (!type) return std::unexpected(type.error());
  if (*type != "vxlan") return fail(ErrorKind::kNotFound, fmt::format("its BackendType is \"{}\"", *type));
  for (const Prefix& subnet : subnets) {
    const bool v4 = subnet.address().is_v4();
    auto end = read_end(*json, subnet);
    if (!end) return std::unexpected(std::move(end).error());
    (v4 ? lease.end4 : lease.end6) = *end;
    lease.vni = read_tunnel(*json, v4 ? "BackendData" : "BackendV6Data")->vni;
  }
  return lease;
}

std::optional<Prefix> pick_subnet(const FlannelRange& range, std::span<const Prefix> taken,
                                  std::uint64_t random) {
  const AddressNumber size = subnet_size(range.first, range.subnet_length);
  std::vector<AddressNumber> begins;
  for (const Prefix& subnet : taken) {
    // A subnet of another length takes every one that it touches.
    if (!range.network.contains(subnet.address())) continue;
    begins.push_back(to_number(subnet.address()) / size);
    const AddressNumber their_size =
        subnet_size(range.first, std::max(subnet.length(), range.network.length()));
    for (AddressNumber more = 1; more < their_size / size && more < kMostLooks; ++more) {
      begins.push_back(begins.back() + 1);
    }
  }
  std::ranges::sort(begins);
  std::vector<Prefix> free;
  const AddressNumber last = to_number(range.last) / size;
  AddressNumber at = to_number(range.first) / size;
  for (std::size_t looks = 0; at <= last && free.size() < kCandidates && looks < kMostLooks; ++at, ++looks) {
    if (std::ranges::binary_search(begins, at)) continue;
    free.push_back(*Prefix::from(to_address(at * size, range.first), range.subnet_length));
  }
  if (free.empty()) return std::nullopt;
  return free[random % free.size()];
}

IpAddr first_host(const Prefix& subnet) {
  return to_address(to_number(subnet.address()) + 1, subnet.address());
}

std::string FlannelSubnetFile::to_string() const {
  std::string text;
  const auto add = [&text](std::string_view prefix, const FlannelRange& range, const Prefix& subnet) {
    text += fmt::format("FLANNEL_{0}NETWORK={1}\nFLANNEL_{0}SUBNET={2}/{3}\n", prefix,
                        range.network.to_string(), first_host(subnet).to_string(), subnet.length());
  };
  if (range4 && subnet4) add("", *range4, *subnet4);
  if (range6 && subnet6) add("IPV6_", *range6, *subnet6);
  return text + fmt::format("FLANNEL_MTU={}\nFLANNEL_IPMASQ={}\n", mtu, masquerade);
}

FlannelSubnetFile FlannelSubnetFile::parse(std::string_view text) {
  FlannelSubnetFile file;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const auto equals = line.find('=');
    if (equals == std::string_view::npos) continue;
    const std::string_view name = line.substr(0, equals);
    // Of the first host: what is behind the prefix is cut off.
    const auto subnet = Prefix::parse(line.substr(equals + 1));
    if (name == "FLANNEL_SUBNET" && subnet && subnet->address().is_v4()) file.subnet4 = subnet;
    if (name == "FLANNEL_IPV6_SUBNET" && subnet && subnet->address().is_v6()) file.subnet6 = subnet;
  }
  return file;
}

}  // namespace vtep
