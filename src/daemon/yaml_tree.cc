#include "daemon/yaml_tree.h"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <exception>
#include <optional>
#include <spanstream>
#include <utility>

namespace vtep {
namespace {

YamlPosition position_of(const YAML::Mark& mark) {
  return {mark.line + 1, mark.column + 1};
}

/// yaml-cpp ends its input at a 0x04 and folds others away: a person would not see what the daemon sees.
std::optional<YamlProblem> find_control_character(std::string_view text) {
  YamlPosition at;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool blank = c == '\t' || c == '\n' || c == '\r';
    if ((byte < 0x20 && !blank) || byte == 0x7f) {
      return YamlProblem{at, "",
                         fmt::format("control character 0x{:02x}; write the file as UTF-8 text", byte)};
    }
    ++at.column;
    if (c == '\n') at = {at.line + 1, 1};
  }
  return std::nullopt;
}

/// Builds the tree from the parser's events. The only way to stop the parser is to throw through it, so a
/// problem of our own travels as this handler's Stop, which parse_yaml() catches.
class TreeBuilder : public YAML::EventHandler {
 public:
  struct Stop {
    YamlProblem problem;
  };

  YamlNode take_root() { return std::move(root_); }
  /// Where the last value stands that was read, and the key it belongs to.
  YamlPosition last_position() const { return last_position_; }
  std::string last_key() const {
    for (auto node = open_.rbegin(); node != open_.rend(); ++node) {
      const auto& children = node->children;
      if (node->kind == YamlNode::Kind::kMap && !children.empty()) {
        return children[(children.size() - 1) / 2 * 2].text;
      }
    }
    return {};
  }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    refuse_anchor(mark, anchor);
    add({.kind = YamlNode::Kind::kNull, .at = position_of(mark), .text = {}, .children = {}});
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override { refuse_anchor(mark, anchor); }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    refuse_anchor(mark, anchor);
    refuse_tag(mark, tag);
    add({.kind = YamlNode::Kind::kScalar, .at = position_of(mark), .text = value, .children = {}});
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(YamlNode::Kind::kSequence, mark, tag, anchor);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(YamlNode::Kind::kMap, mark, tag, anchor);
  }
  void OnMapEnd() override { close(); }

 private:
  [[noreturn]] void stop(YamlPosition at, std::string text) const {
    throw Stop{{at, last_key(), std::move(text)}};
  }

  void refuse_anchor(const YAML::Mark& mark, YAML::anchor_t anchor) const {
    if (anchor != YAML::NullAnchor) {
      stop(position_of(mark), "anchors and aliases (& and *) are not taken; write the value itself");
    }
  }
  void refuse_tag(const YAML::Mark& mark, const std::string& tag) const {
    const bool implicit = tag.empty() || tag == "?" || tag == "!";
    if (!implicit)
      stop(position_of(mark), "tags (words that start with !) are not taken; write the value alone");
  }

  void open(YamlNode::Kind kind, const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
    refuse_anchor(mark, anchor);
    refuse_tag(mark, tag);
    if (open_.size() == kMaxYamlDepth) {
      stop(position_of(mark), fmt::format("nested more than {} deep; see the example file", kMaxYamlDepth));
    }
    open_.push_back({.kind = kind, .at = position_of(mark), .text = {}, .children = {}});
  }
  void close() {
    YamlNode node = std::move(open_.back());
    open_.pop_back();
    add(std::move(node));
  }

  void add(YamlNode node) {
    last_position_ = node.at;
    if (++nodes_ > kMaxYamlNodes)
      stop(node.at, fmt::format("the file holds more than {} values", kMaxYamlNodes));
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    YamlNode& parent = open_.back();
    if (parent.kind == YamlNode::Kind::kMap) {
      const bool is_key = parent.children.size() % 2 == 0;
      if (is_key && node.kind != YamlNode::Kind::kScalar) stop(node.at, "a key must be a plain word");
      // The parser places a missing value at whatever comes next; its key is where a person looks for it.
      if (!is_key && node.kind == YamlNode::Kind::kNull) node.at = parent.children.back().at;
    }
    parent.children.push_back(std::move(node));
  }

  YamlNode root_;
  YamlPosition last_position_;
  std::vector<YamlNode> open_;  ///< containers not closed yet, outermost first
  std::size_t nodes_ = 0;
};

}  // namespace

std::expected<YamlNode, YamlProblem> parse_yaml(std::string_view text) {
  if (text.size() > kMaxYamlBytes) {
    return std::unexpected(
        YamlProblem{{}, "", fmt::format("the file is larger than {} MiB", kMaxYamlBytes >> 20)});
  }
  if (auto problem = find_control_character(text)) return std::unexpected(std::move(*problem));

  TreeBuilder builder;
  try {
    std::ispanstream stream(std::span<const char>(text.data(), text.size()));
    YAML::Parser parser(stream);
    parser.HandleNextDocument(builder);
    YamlNode root = builder.take_root();
    TreeBuilder second;
    if (parser.HandleNextDocument(second)) {
      return std::unexpected(YamlProblem{
          second.take_root().at, "", "a second document starts here; put everything into one, without ---"});
    }
    return root;
  } catch (TreeBuilder::Stop& stop) {
    return std::unexpected(std::move(stop.problem));
  } catch (const YAML::Exception& error) {
    // yaml-cpp may say "nowhere", or the first column, when the file ends too early.
    const YamlPosition at = std::max(position_of(error.mark), builder.last_position());
    return std::unexpected(
        YamlProblem{at, builder.last_key(),
                    fmt::format("broken YAML: {}; look at indentation, colons and quotes here and "
                                "in the line above",
                                error.msg)});
  } catch (const std::exception& error) {
    return std::unexpected(
        YamlProblem{{}, builder.last_key(), fmt::format("cannot be parsed: {}", error.what())});
  }
}

}  // namespace vtep
