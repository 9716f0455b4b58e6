// How the mesh stands in etcd: which keys there are and what their values say (docs/control-etcd.md has it
// whole). Pure: text in, values out, and back.
//
//   PREFIX/nodes/NODE                     a node has this name, and is there
//   PREFIX/vnis/VNI/nodes/NODE            it takes part in the VNI
//   PREFIX/vnis/VNI/macs/MAC/NODE         it has that station
//
// Everything here comes from a database that others write to: nothing is believed before it was checked.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/ip.h"
#include "base/mac.h"
#include "base/result.h"
#include "base/vni.h"

namespace vtep {

/// 1 to 63 letters, digits, '.', '_' and '-': a host's name, or a controller's.
bool is_node_name(std::string_view name);

/// Where a node's tunnel packets go.
struct MeshMember {
  std::vector<IpAddr> vteps;  ///< in a VNI one of each family at most, the preferred one first
  friend bool operator==(const MeshMember&, const MeshMember&) = default;

  std::string value() const;
  /// In a VNI.
  static Result<MeshMember> parse(std::string_view value);
  /// Of the node itself, which may have others in other VNIs.
  static Result<MeshMember> parse_any(std::string_view value);
};

/// An address of a station.
struct MeshAddress {
  IpAddr ip;
  bool router = false;  ///< for ND
  friend bool operator==(const MeshAddress&, const MeshAddress&) = default;
};

struct MeshStation {
  bool sticky = false;         ///< it is not expected to move
  std::uint32_t sequence = 0;  ///< of its moves
  std::vector<MeshAddress> addresses{};
  friend bool operator==(const MeshStation&, const MeshStation&) = default;

  std::string value() const;
  static Result<MeshStation> parse(std::string_view value);
};

/// What a key below `PREFIX/vnis/VNI/` is about.
struct MeshKey {
  std::string node;
  std::optional<MacAddr> mac{};  ///< not set: the node takes part
  friend bool operator==(const MeshKey&, const MeshKey&) = default;

  /// kInvalid: it is neither, or is written otherwise than we would.
  static Result<MeshKey> parse(std::string_view rest);
};

/// The keys, below one prefix that does not end with a slash.
class MeshLayout {
 public:
  explicit MeshLayout(std::string prefix) : prefix_(std::move(prefix)) {}

  std::string node(std::string_view node) const;
  /// Of all that is in a VNI; ends with a slash.
  std::string vni(Vni vni) const;
  std::string member(Vni vni, std::string_view node) const;
  std::string station(Vni vni, MacAddr mac, std::string_view node) const;

 private:
  const std::string prefix_;
};

}  // namespace vtep
