#include "daemon/config_flannel.h"

#include <array>
#include <string>
#include <string_view>

#include "daemon/config_etcd.h"
#include "daemon/config_words.h"

namespace vtep {
namespace {

constexpr auto kKeys = with_etcd_keys(std::to_array<std::string_view>(
    {"prefix", "dev", "public_ip", "public_ipv6", "subnet_file", "datapath"}));

std::string read_address(const YamlMap& map, std::string_view key, bool v4) {
  const auto field = map.find(key);
  if (!field) return {};
  const IpAddr address = field->ip();
  if (address.is_v4() != v4 || address.is_multicast() || address.is_unspecified()) {
    field->refuse_value(v4 ? "an IPv4 address of this host" : "an IPv6 address of this host");
  }
  return address.to_string();
}

}  // namespace

v1::FlannelConfig read_flannel(const YamlField& field) {
  const YamlMap map(field, kKeys, "a flannel network, which begins with etcd:");
  v1::FlannelConfig flannel;
  *flannel.mutable_etcd() = read_etcd(field, map);
  flannel.set_prefix(read_etcd_prefix(map, "/coreos.com/network"));
  if (const auto dev = map.find("dev")) flannel.set_dev(dev->device());
  flannel.set_public_ip(read_address(map, "public_ip", true));
  flannel.set_public_ipv6(read_address(map, "public_ipv6", false));
  if (flannel.dev().empty() && flannel.public_ip().empty() && flannel.public_ipv6().empty()) {
    field.refuse(
        "nobody says where other nodes reach this one; write dev: and the underlay device, or public_ip:");
  }
  if (const auto datapath = map.find("datapath")) flannel.set_datapath(datapath_of(*datapath));
  flannel.set_subnet_file(read_word(map, "subnet_file", "a file, like /run/flannel/subnet.env"));
  return flannel;
}

}  // namespace vtep
