// What stands in a mesh's etcd: a key below a VNI, a line's end, and its value.
#include <cstdint>
#include <string_view>

#include "control/mesh_layout.h"
#include "engine_input.h"

namespace vtep::fuzz {
namespace {

void check_key(std::string_view rest) {
  const auto key = MeshKey::parse(rest);
  if (!key) return;
  REQUIRE(is_node_name(key->node));
  const MeshLayout layout("/p");
  const std::string whole =
      key->mac ? layout.station(6000_vni, *key->mac, key->node) : layout.member(6000_vni, key->node);
  REQUIRE(whole == layout.vni(6000_vni) + std::string(rest));
}

void check_value(std::string_view value) {
  if (const auto member = MeshMember::parse(value)) {
    REQUIRE(!member->vteps.empty() && member->vteps.size() <= 2);
    REQUIRE(*MeshMember::parse(member->value()) == *member);
  }
  if (const auto station = MeshStation::parse(value)) {
    REQUIRE(*MeshStation::parse(station->value()) == *station);
  }
}

}  // namespace
}  // namespace vtep::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto line = text.find('\n');
  vtep::fuzz::check_key(text.substr(0, line));
  if (line != std::string_view::npos) vtep::fuzz::check_value(text.substr(line + 1));
  return 0;
}
