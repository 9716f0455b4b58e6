#include "daemon/mesh_node.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <string>
#include <utility>

#include "daemon/etcd_settings.h"
#include "daemon/source_number.h"
#include "daemon/source_report.h"

namespace vtep {
namespace {

/// Without what is behind the first dot, if it is too long with it.
Result<std::string> host_name() {
  std::array<char, 256> text{};
  if (::gethostname(text.data(), text.size() - 1) != 0) text[0] = '\0';
  std::string name(text.data());
  if (!is_node_name(name)) name = name.substr(0, name.find('.'));
  if (is_node_name(name)) return name;
  return fail(ErrorKind::kInvalid,
              fmt::format("\"{}\", this host's name, cannot be a node's: write node:", name));
}

}  // namespace

Result<std::unique_ptr<LinkSource>> MeshNode::create(const Tools& tools, const v1::MeshConfig& config,
                                                     std::function<void()> changed) {
  MeshOptions options;
  if (!config.prefix().empty()) options.prefix = config.prefix();
  if (config.ttl() != 0) options.ttl = std::chrono::seconds(config.ttl());
  auto node = config.node().empty() ? host_name() : Result<std::string>(config.node());
  if (!node) return std::unexpected(std::move(node).error());
  options.node = *node;
  const auto etcd_settings = etcd_options(config.etcd());
  if (!etcd_settings) return std::unexpected(etcd_settings.error());
  auto etcd = EtcdClient::create(tools.loop, *etcd_settings);
  if (!etcd) return std::unexpected(std::move(etcd).error());
  const auto id = add_source(tools.rib, tools.overlay, kName);
  if (!id) return std::unexpected(id.error());
  std::unique_ptr<MeshNode> mesh(new MeshNode(tools, *id));
  mesh->source_ = std::make_unique<MeshSource>(tools.loop, tools.rib, *id, tools.local, std::move(*etcd),
                                               options, std::move(changed));
  return mesh;
}

MeshNode::~MeshNode() {
  source_.reset();
  tools_.rib.remove_source(id_);
}

v1::Source MeshNode::describe() const {
  return report_source(std::string(kName), source_->status(), tools_.rib.counts(id_), tools_.loop.now());
}

}  // namespace vtep
