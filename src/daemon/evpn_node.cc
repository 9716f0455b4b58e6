#include "daemon/evpn_node.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "daemon/etcd_settings.h"
#include "daemon/source_number.h"
#include "daemon/source_report.h"

namespace vtep {
namespace {

std::vector<RouteTarget> parse_targets(const auto& texts) {
  std::vector<RouteTarget> targets;
  for (const std::string& text : texts) {
    if (const auto target = RouteTarget::parse(text)) targets.push_back(*target);
  }
  return targets;
}

Result<BgpPeer> parse_peer(const v1::EvpnConfig::Neighbour& neighbour) {
  BgpPeer peer{.address = IpAddr::parse(neighbour.address()).value_or(IpAddr()), .as = neighbour.as()};
  if (neighbour.port() != 0) peer.port = static_cast<std::uint16_t>(neighbour.port());
  if (!neighbour.local().empty()) peer.local = IpAddr::parse(neighbour.local());
  peer.passive = neighbour.passive();
  peer.multihop = neighbour.multihop();
  if (neighbour.password_file().empty()) return peer;
  auto password = read_secret(neighbour.password_file());
  if (!password) return std::unexpected(std::move(password).error());
  peer.password = std::move(*password);
  return peer;
}

Result<EvpnOptions> parse_options(const v1::EvpnConfig& config) {
  EvpnOptions options;
  options.is_own_speaker = config.gobgpd().empty();
  options.speaker = {.as = config.as(), .router_id = config.router_id()};
  if (config.has_port()) options.speaker.port = config.port();
  options.speaker.listen.assign(config.listen().begin(), config.listen().end());
  for (const auto& neighbour : config.neighbours()) {
    auto peer = parse_peer(neighbour);
    if (!peer) return std::unexpected(std::move(peer).error());
    options.peers.push_back(std::move(*peer));
  }
  options.derives_rfc8365 = config.rfc8365();
  for (const auto& targets : config.targets()) {
    options.targets[*Vni::from(targets.vni())] = {.import = parse_targets(targets.import_targets()),
                                                  .exported = parse_targets(targets.export_targets())};
  }
  return options;
}

}  // namespace

Result<std::unique_ptr<LinkSource>> EvpnNode::create(const Tools& tools, const v1::EvpnConfig& config,
                                                     const std::string& socket,
                                                     std::function<void()> changed) {
  auto options = parse_options(config);
  if (!options) return std::unexpected(options.error());
  // A daemon before this one may have died, and its neighbours wait for it to come back.
  options->is_restart = std::ranges::any_of(tools.overlay.list_controlled(), [](const ControlledVni& link) {
    return std::ranges::find(link.control, kName) != link.control.end();
  });
  const auto id = add_source(tools.rib, tools.overlay, kName);
  if (!id) return std::unexpected(id.error());
  std::unique_ptr<EvpnNode> node(new EvpnNode(tools, *id));
  std::string address = config.gobgpd();
  if (options->is_own_speaker) {
    node->process_ = std::make_unique<GobgpProcess>(tools.loop, socket, [raw = node.get()](const Error& why) {
      raw->trouble_ = why.message;
      spdlog::warn("evpn: {}", why.message);
    });
    address = node->process_->address();
  }
  node->source_ = std::make_unique<EvpnSource>(tools.loop, tools.rib, *id, tools.local,
                                               std::make_unique<GobgpClient>(tools.loop, address), *options,
                                               std::move(changed));
  return node;
}

EvpnNode::~EvpnNode() {
  source_.reset();
  process_.reset();
  tools_.rib.remove_source(id_);
}

v1::Source EvpnNode::describe() const {
  v1::Source out =
      report_source(std::string(kName), source_->status(), tools_.rib.counts(id_), tools_.loop.now());
  // That it does not answer follows from that.
  if (!out.connected() && !trouble_.empty()) out.set_last_error(trouble_);
  return out;
}

}  // namespace vtep
