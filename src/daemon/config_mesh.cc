#include "daemon/config_mesh.h"

#include <array>
#include <string_view>

#include "control/mesh_layout.h"
#include "daemon/config_etcd.h"
#include "daemon/config_words.h"

namespace vtep {
namespace {

constexpr auto kKeys = with_etcd_keys(std::to_array<std::string_view>({"prefix", "node", "ttl"}));
constexpr std::uint32_t kShortest = 5;
constexpr std::uint32_t kLongest = 3600;

}  // namespace

v1::MeshConfig read_mesh(const YamlField& field) {
  const YamlMap map(field, kKeys, "a mesh, which begins with etcd:");
  v1::MeshConfig mesh;
  *mesh.mutable_etcd() = read_etcd(field, map);
  mesh.set_prefix(read_etcd_prefix(map, "/vtep/v1"));
  mesh.set_node(read_word(map, "node", "a name for this host"));
  if (!mesh.node().empty() && !is_node_name(mesh.node())) {
    map.find("node")->refuse_value("1 to 63 letters, digits, dots, dashes and underscores");
  }
  if (const auto ttl = map.find("ttl")) {
    mesh.set_ttl(ttl->number(kShortest, kLongest, "seconds, from 5 to 3600"));
  }
  return mesh;
}

}  // namespace vtep
