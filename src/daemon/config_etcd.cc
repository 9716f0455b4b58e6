#include "daemon/config_etcd.h"

#include <fmt/format.h>

#include "daemon/config_words.h"

namespace vtep {
namespace {

constexpr std::string_view kEndpoints = "a list of endpoints, each like http://10.0.0.1:2379";

}  // namespace

v1::EtcdConfig read_etcd(const YamlField& field, const YamlMap& map) {
  v1::EtcdConfig config;
  if (const auto etcd = map.require("etcd", kEndpoints)) {
    for (const YamlField& endpoint : etcd->items(kEndpoints)) {
      config.add_endpoints(std::string(endpoint.word(kEndpoints)));
    }
    if (config.endpoints().empty()) etcd->refuse_value(kEndpoints);
  }
  config.set_user(read_word(map, "user", "a user of etcd"));
  config.set_password_file(read_word(map, "password_file", "a file with the user's password"));
  config.set_ca(read_word(map, "ca", "a PEM file of who signs etcd's certificates"));
  config.set_cert(read_word(map, "cert", "a PEM file with this host's certificate"));
  config.set_key(read_word(map, "key", "a PEM file with its key"));
  if (config.user().empty() != config.password_file().empty()) {
    field.refuse("user: and password_file: go together; write both or neither");
  }
  if (config.cert().empty() != config.key().empty()) {
    field.refuse("cert: and key: go together; write both or neither");
  }
  return config;
}

std::string read_etcd_prefix(const YamlMap& map, std::string_view example) {
  std::string prefix = read_word(map, "prefix", fmt::format("a key, like {}", example));
  if (!prefix.empty() && (!prefix.starts_with('/') || prefix.ends_with('/'))) {
    map.find("prefix")->refuse_value("a key that begins with a slash and does not end with one");
  }
  return prefix;
}

}  // namespace vtep
