// Typed reading of a YamlNode: maps whose keys are known, and values that are numbers, addresses, flags.
//
// The first problem stays with the YamlReader, as with an input stream: later reads go on, yield harmless
// values, and their problems are forgotten; the caller asks once at the end. The tree and the reader must
// outlive the maps and fields that are made from them. Not thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/ip.h"
#include "base/mac.h"
#include "base/port.h"
#include "daemon/yaml_tree.h"

namespace vtep {

/// `text` as it may be shown on a terminal: everything but printable ASCII becomes a question mark.
std::string printable(std::string_view text);
/// The same, cut after 40 bytes: enough to find the place.
std::string shortened(std::string_view text);

class YamlReader {
 public:
  void refuse(YamlPosition at, std::string_view key, std::string text);
  const std::optional<YamlProblem>& problem() const { return problem_; }

 private:
  std::optional<YamlProblem> problem_;
};

/// One value and the key it belongs to. A getter refuses a value of another sort; `wanted` says what to write
/// instead, as in "a VNI, 0 to 16777215".
class YamlField {
 public:
  /// `key` names the value in messages and is not copied.
  YamlField(YamlReader& reader, std::string_view key, const YamlNode& node)
      : reader_(&reader), key_(key), node_(&node) {}

  std::string_view key() const { return key_; }
  const YamlNode& node() const { return *node_; }
  YamlReader& reader() const { return *reader_; }
  void refuse(std::string text) const { reader_->refuse(node_->at, key_, std::move(text)); }
  /// "'WHAT STANDS THERE' does not fit; write WANTED"
  void refuse_value(std::string_view wanted) const;

  std::uint32_t number(std::uint32_t min, std::uint32_t max, std::string_view wanted) const;
  Port port() const;
  bool flag() const;
  IpAddr ip() const;
  MacAddr mac() const;
  /// A name that the kernel takes for a network interface.
  std::string device() const;
  std::string_view word(std::string_view wanted) const;
  /// The items of a list; none if the key has no value.
  std::vector<YamlField> items(std::string_view wanted) const;

 private:
  YamlReader* reader_;
  std::string_view key_;
  const YamlNode* node_;
};

/// A map that may have the keys `known`, each at most once.
class YamlMap {
 public:
  YamlMap(const YamlField& field, std::span<const std::string_view> known, std::string_view wanted);

  std::optional<YamlField> find(std::string_view key) const;
  /// The same, and refuses the map if the key is not in it.
  std::optional<YamlField> require(std::string_view key, std::string_view wanted) const;

 private:
  YamlReader* reader_;
  YamlPosition at_;
  std::vector<YamlField> fields_;
};

}  // namespace vtep
