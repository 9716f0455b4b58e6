#include "daemon/yaml_reader.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstddef>
#include <limits>

#include "base/number.h"

namespace vtep {
namespace {

constexpr std::size_t kMaxShown = 40;
/// IFNAMSIZ without its final NUL.
constexpr std::size_t kMaxDeviceName = 15;

/// Letters to add, remove or change to get from one word to the other (Levenshtein).
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t change = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, change});
    }
  }
  return row[b.size()];
}

std::string unknown_key(std::string_view key, std::span<const std::string_view> known) {
  const std::string_view start = key.substr(0, kMaxShown);
  const std::string_view* nearest = nullptr;
  std::size_t least = std::numeric_limits<std::size_t>::max();
  for (const std::string_view& candidate : known) {
    if (const std::size_t d = distance(start, candidate); d < least) {
      least = d;
      nearest = &candidate;
    }
  }
  // Half of the letters wrong is no typing mistake: then the list helps more than a guess.
  if (nearest != nullptr && least * 2 <= nearest->size()) {
    return fmt::format("unknown key '{}'; did you mean {}?", shortened(key), *nearest);
  }
  return fmt::format("unknown key '{}'; the keys here are {}", shortened(key), fmt::join(known, ", "));
}

/// dev_valid_name() of the kernel, and besides no `%`, which a TAP's name treats as a template.
bool is_device_name(std::string_view name) {
  if (name.empty() || name.size() > kMaxDeviceName || name == "." || name == "..") return false;
  return std::ranges::all_of(name,
                             [](char c) { return c > ' ' && c <= '~' && c != '/' && c != ':' && c != '%'; });
}

}  // namespace

std::string printable(std::string_view text) {
  std::string shown(text);
  std::ranges::replace_if(shown, [](char c) { return c < ' ' || c > '~'; }, '?');
  return shown;
}

std::string shortened(std::string_view text) {
  return printable(text.substr(0, kMaxShown)) + (text.size() > kMaxShown ? "..." : "");
}

void YamlReader::refuse(YamlPosition at, std::string_view key, std::string text) {
  if (!problem_) problem_ = YamlProblem{at, std::string(key), std::move(text)};
}

void YamlField::refuse_value(std::string_view wanted) const {
  switch (node_->kind) {
    case YamlNode::Kind::kNull:
      return refuse(fmt::format("has no value; write {}", wanted));
    case YamlNode::Kind::kScalar:
      return refuse(fmt::format("'{}' does not fit; write {}", shortened(node_->text), wanted));
    case YamlNode::Kind::kSequence:
      return refuse(fmt::format("is a list; write {}", wanted));
    case YamlNode::Kind::kMap:
      return refuse(fmt::format("is a map; write {}", wanted));
  }
}

std::uint32_t YamlField::number(std::uint32_t min, std::uint32_t max, std::string_view wanted) const {
  const std::optional<std::uint64_t> value = parse_number(node_->text, max);
  if (value && *value >= min) return static_cast<std::uint32_t>(*value);
  refuse_value(wanted);
  return min;
}

Port YamlField::port() const {
  return Port(static_cast<std::uint16_t>(number(1, 65535, "a UDP port, 1 to 65535")));
}

bool YamlField::flag() const {
  if (node_->text == "true") return true;
  if (node_->text != "false") refuse_value("true or false");
  return false;
}

IpAddr YamlField::ip() const {
  const std::optional<IpAddr> ip = IpAddr::parse(node_->text);
  if (ip && !ip->is_unspecified()) return *ip;
  refuse_value("an IP address, like 10.138.36.66 or fd00::1");
  return {};
}

MacAddr YamlField::mac() const {
  const std::optional<MacAddr> mac = MacAddr::parse(node_->text);
  if (!mac) refuse_value("a MAC address, like 4a:bd:99:0c:09:b2");
  return mac.value_or(MacAddr());
}

std::string YamlField::device() const {
  if (is_device_name(node_->text)) return node_->text;
  refuse_value("the name of an interface: 1 to 15 letters, digits and signs other than / : %");
  return {};
}

std::string_view YamlField::word(std::string_view wanted) const {
  if (node_->kind != YamlNode::Kind::kScalar) refuse_value(wanted);
  return node_->text;
}

std::vector<YamlField> YamlField::items(std::string_view wanted) const {
  std::vector<YamlField> items;
  if (node_->kind == YamlNode::Kind::kSequence) {
    items.reserve(node_->children.size());
    for (const YamlNode& child : node_->children) items.emplace_back(*reader_, key_, child);
  } else if (node_->kind != YamlNode::Kind::kNull) {
    refuse_value(wanted);
  }
  return items;
}

YamlMap::YamlMap(const YamlField& field, std::span<const std::string_view> known, std::string_view wanted)
    : reader_(&field.reader()), at_(field.node().at) {
  if (field.node().kind != YamlNode::Kind::kMap) {
    field.refuse_value(wanted);
    return;
  }
  const std::vector<YamlNode>& children = field.node().children;
  for (std::size_t i = 0; i + 1 < children.size(); i += 2) {
    const YamlNode& key = children[i];
    const auto name = std::ranges::find(known, std::string_view(key.text));
    if (name == known.end()) {
      reader_->refuse(key.at, key.text, unknown_key(key.text, known));
      return;
    }
    if (find(*name)) {
      reader_->refuse(key.at, *name, "is here twice in the same map; remove one of them");
      return;
    }
    fields_.emplace_back(*reader_, *name, children[i + 1]);
  }
}

std::optional<YamlField> YamlMap::find(std::string_view key) const {
  const auto field = std::ranges::find(fields_, key, &YamlField::key);
  if (field == fields_.end()) return std::nullopt;
  return *field;
}

std::optional<YamlField> YamlMap::require(std::string_view key, std::string_view wanted) const {
  std::optional<YamlField> field = find(key);
  if (!field) reader_->refuse(at_, key, fmt::format("is missing; write {}", wanted));
  return field;
}

}  // namespace vtep
