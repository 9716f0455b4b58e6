// A YAML document as a tree of values that remember where they stand in the file.
//
// The file is hostile until parsed: size, depth and number of values are bounded, and what lets a small file
// stand for a large one (anchors, aliases) or hides text from its reader (control characters, a second
// document) is refused. Pure; no exception leaves.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace vtep {

// Our own choices: ten times what 100,000 forwarding entries need.
inline constexpr std::size_t kMaxYamlBytes = std::size_t{16} << 20;
inline constexpr std::size_t kMaxYamlNodes = std::size_t{4} << 20;
inline constexpr std::size_t kMaxYamlDepth = 8;

/// As editors count: both start at 1, columns in bytes.
struct YamlPosition {
  int line = 1;
  int column = 1;

  friend auto operator<=>(const YamlPosition&, const YamlPosition&) = default;
};

struct YamlProblem {
  YamlPosition at;
  std::string key;   ///< the key it is about, or the last one in front of it; empty if there was none
  std::string text;  ///< what is wrong and what to write
};

struct YamlNode {
  enum class Kind : std::uint8_t { kNull, kScalar, kSequence, kMap };

  Kind kind = Kind::kNull;
  YamlPosition at;
  std::string text;                ///< of a scalar
  std::vector<YamlNode> children;  ///< of a sequence: its items; of a map: key, value, key, value …
};

/// The only document of `text`; an empty file is a null. Keys of a map are scalars, and may be there twice.
std::expected<YamlNode, YamlProblem> parse_yaml(std::string_view text);

}  // namespace vtep
