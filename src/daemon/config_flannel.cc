#include "daemon/config_flannel.h"

#include <array>
#include <string>
#include <string_view>

namespace vtep {
namespace {

constexpr auto kKeys =
    std::to_array<std::string_view>({"etcd", "prefix", "dev", "public_ip", "public_ipv6", "subnet_file",
                                     "user", "password_file", "ca", "cert", "key"});
constexpr std::string_view kEndpoints = "a list of endpoints, each like http://10.0.0.1:2379";

std::string read_word(const YamlMap& map, std::string_view key, std::string_view wanted) {
  const auto field = map.find(key);
  if (!field) return {};
  const std::string_view word = field->word(wanted);
  if (word.empty()) field->refuse_value(wanted);
  return std::string(word);
}

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
  if (const auto etcd = map.require("etcd", kEndpoints)) {
    for (const YamlField& endpoint : etcd->items(kEndpoints)) {
      flannel.add_etcd(std::string(endpoint.word(kEndpoints)));
    }
    if (flannel.etcd().empty()) etcd->refuse_value(kEndpoints);
  }
  flannel.set_prefix(read_word(map, "prefix", "a key, like /coreos.com/network"));
  if (!flannel.prefix().empty() && (!flannel.prefix().starts_with('/') || flannel.prefix().ends_with('/'))) {
    map.find("prefix")->refuse_value("a key that begins with a slash and does not end with one");
  }
  if (const auto dev = map.find("dev")) flannel.set_dev(dev->device());
  flannel.set_public_ip(read_address(map, "public_ip", true));
  flannel.set_public_ipv6(read_address(map, "public_ipv6", false));
  if (flannel.dev().empty() && flannel.public_ip().empty() && flannel.public_ipv6().empty()) {
    field.refuse(
        "nobody says where other nodes reach this one; write dev: and the underlay device, or public_ip:");
  }
  flannel.set_subnet_file(read_word(map, "subnet_file", "a file, like /run/flannel/subnet.env"));
  flannel.set_user(read_word(map, "user", "a user of etcd"));
  flannel.set_password_file(read_word(map, "password_file", "a file with the user's password"));
  flannel.set_ca(read_word(map, "ca", "a PEM file of who signs etcd's certificates"));
  flannel.set_cert(read_word(map, "cert", "a PEM file with this host's certificate"));
  flannel.set_key(read_word(map, "key", "a PEM file with its key"));
  if (flannel.user().empty() != flannel.password_file().empty()) {
    field.refuse("user: and password_file: go together; write both or neither");
  }
  if (flannel.cert().empty() != flannel.key().empty()) {
    field.refuse("cert: and key: go together; write both or neither");
  }
  return flannel;
}

}  // namespace vtep
