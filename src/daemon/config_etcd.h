// Where an etcd cluster is, in the configuration file: keys that every source has which lives in etcd.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "daemon/yaml_reader.h"
#include "vtep/v1/state.pb.h"

namespace vtep {

/// The keys of `own` and those of etcd.
template <std::size_t N>
constexpr auto with_etcd_keys(const std::array<std::string_view, N>& own) {
  constexpr std::array<std::string_view, 6> kEtcd = {"etcd", "user", "password_file", "ca", "cert", "key"};
  std::array<std::string_view, N + kEtcd.size()> all{};
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = i < kEtcd.size() ? kEtcd[i] : own[i - kEtcd.size()];
  return all;
}

/// `field` is where `map` stands. Refused by name: no endpoint, half a login, half a certificate.
v1::EtcdConfig read_etcd(const YamlField& field, const YamlMap& map);

/// A key of etcd below which everything stands.
std::string read_etcd_prefix(const YamlMap& map, std::string_view example);

}  // namespace vtep
