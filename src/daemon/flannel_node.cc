#include "daemon/flannel_node.h"

#include <fmt/format.h>
#include <linux/rtnetlink.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <utility>

#include "daemon/etcd_settings.h"
#include "daemon/source_number.h"
#include "daemon/source_report.h"

namespace vtep {
namespace {

constexpr std::string_view kName = "flannel";
constexpr std::string_view kPrefix = "/coreos.com/network";
constexpr std::string_view kSubnetFile = "/run/flannel/subnet.env";

std::string subnet_file(const v1::FlannelConfig& config) {
  return config.subnet_file().empty() ? std::string(kSubnetFile) : config.subnet_file();
}

}  // namespace

Result<std::unique_ptr<FlannelNode>> FlannelNode::create(const Tools& tools, const v1::FlannelConfig& config,
                                                         std::function<void()> changed) {
  const auto options = etcd_options(config.etcd());
  if (!options) return std::unexpected(options.error());
  auto etcd = EtcdClient::create(tools.loop, *options);
  if (!etcd) return std::unexpected(std::move(etcd).error());
  const auto id = add_source(tools.rib, tools.overlay, kName);
  if (!id) return std::unexpected(id.error());
  std::unique_ptr<FlannelNode> node(new FlannelNode(tools, config, *id));
  FlannelOptions source_options;
  source_options.prefix = config.prefix().empty() ? std::string(kPrefix) : config.prefix();
  // As flannel does: what stood there before is tried first, and that there is no such file is no error.
  if (const auto text = read_file(subnet_file(config))) {
    const auto before = FlannelSubnetFile::parse(*text);
    source_options.previous4 = before.subnet4;
    source_options.previous6 = before.subnet6;
  }
  node->source_ = std::make_unique<FlannelSource>(tools.loop, tools.rib, *id, std::move(*etcd), *node,
                                                  source_options, std::move(changed));
  return node;
}

FlannelNode::FlannelNode(const Tools& tools, const v1::FlannelConfig& config, SourceId id)
    : tools_(tools), config_(config), id_(id) {}

FlannelNode::~FlannelNode() {
  source_.reset();
  tools_.rib.remove_source(id_);
}

std::string FlannelNode::link_name() const {
  return network_ ? fmt::format("flannel.{}", network_->vni.value()) : std::string();
}

// --- what the source asks for

/// As the configuration says, else the first addresses of the underlay device.
Result<FlannelAddresses> FlannelNode::addresses() {
  addresses_ = {};
  connected_.clear();
  if (!config_.public_ip().empty()) addresses_.v4 = IpAddr::parse(config_.public_ip());
  if (!config_.public_ipv6().empty()) addresses_.v6 = IpAddr::parse(config_.public_ipv6());
  if (config_.dev().empty()) return addresses_;
  const auto device = tools_.rtnetlink.find(config_.dev());
  if (!device) return std::unexpected(device.error());
  const auto there = tools_.rtnetlink.list_addresses(device->index);
  if (!there) return std::unexpected(there.error());
  for (const HostAddress& address : *there) {
    if (address.scope != RT_SCOPE_UNIVERSE) continue;
    auto& own = address.address.is_v4() ? addresses_.v4 : addresses_.v6;
    if (!own) own = address.address;
    connected_.push_back(*Prefix::from(address.address, address.prefix_length));
  }
  if (addresses_.v4 || addresses_.v6) return addresses_;
  return fail(ErrorKind::kUnavailable, fmt::format("{} has no address to tell other nodes", config_.dev()));
}

Result<MacAddr> FlannelNode::open_tunnel(const FlannelNetwork& network) {
  if (network_ && network_->vni != network.vni) leave();  // somebody has made another network of it
  network_ = network;
  const std::string name = link_name();
  v1::LinkSpec spec;
  spec.set_id(network.vni.value());
  spec.set_dstport(network.port.value());
  // Who may send is who has a lease.
  spec.set_learning(false);
  spec.set_datapath(config_.datapath());
  if (!config_.dev().empty()) spec.set_dev(config_.dev());
  if (network.range4 && addresses_.v4) spec.set_local(addresses_.v4->to_string());
  if (network.range6 && addresses_.v6) {
    const std::string local = addresses_.v6->to_string();
    spec.has_local() ? spec.set_local6(local) : spec.set_local(local);
  }
  const auto there = tools_.overlay.list_links(name);
  if (there &&
      (there->front().spec().id() != spec.id() || there->front().spec().dstport() != spec.dstport() ||
       there->front().spec().datapath() != spec.datapath())) {
    if (auto deleted = tools_.overlay.delete_link(name); !deleted) return std::unexpected(deleted.error());
  }
  if (!tools_.overlay.has_link(name)) {
    if (auto added = tools_.overlay.add_link(name, spec); !added) return std::unexpected(added.error());
  } else {
    v1::LinkSpec change = spec;
    change.clear_id();
    change.clear_dstport();
    if (auto set = tools_.overlay.set_link(name, change, {}); !set) return std::unexpected(set.error());
  }
  if (auto up = tools_.overlay.set_link(name, {}, true); !up) return std::unexpected(up.error());
  const auto link = tools_.overlay.list_links(name);
  if (!link) return std::unexpected(link.error());
  const auto mac = MacAddr::parse(link->front().device().address());
  if (!mac) return fail(ErrorKind::kUnavailable, fmt::format("{} has no MAC address", name));
  return *mac;
}

Result<void> FlannelNode::settle(const FlannelNetwork& network, const FlannelLease& own) {
  network_ = network;
  own_ = own;
  const auto link = tools_.overlay.list_links(link_name());
  if (!link) return std::unexpected(link.error());
  const v1::NetDevice& device = link->front().device();
  if (auto kept = keep_addresses(IfIndex(device.ifindex())); !kept) return kept;
  if (auto written = write_subnet_file(device.mtu()); !written) return written;
  spdlog::info("flannel: this node has {}", own.key());
  return {};
}

bool FlannelNode::is_neighbour(const IpAddr& vtep) {
  return std::ranges::any_of(connected_, [&](const Prefix& prefix) { return prefix.contains(vtep); });
}

// --- the host

/// The subnet's first address, alone: the containers' bridge has the others.
Result<void> FlannelNode::keep_addresses(IfIndex interface) {
  const auto there = tools_.rtnetlink.list_addresses(interface);
  if (!there) return std::unexpected(there.error());
  std::vector<HostAddress> missing;
  for (const FlannelEnd& end : own_->ends()) {
    const IpAddr& address = end.subnet.address();
    missing.push_back(
        {.address = address, .prefix_length = address.is_v4() ? 32U : 128U, .device = interface});
  }
  for (const HostAddress& address : *there) {
    const auto is_same = [&](const HostAddress& own) {
      return own.address == address.address && own.prefix_length == address.prefix_length;
    };
    if (std::erase_if(missing, is_same) > 0) continue;
    // Of a subnet that was ours before. Others are somebody's wish.
    const auto& range = address.address.is_v4() ? network_->range4 : network_->range6;
    if (!range || !range->network.contains(address.address)) continue;
    if (auto gone = tools_.rtnetlink.delete_address(address); !gone) return gone;
  }
  for (const HostAddress& address : missing) {
    if (auto added = tools_.rtnetlink.add_address(address); !added) return added;
  }
  return {};
}

/// Whoever reads it sees the old file or the new one, whole.
Result<void> FlannelNode::write_subnet_file(std::uint32_t mtu) const {
  FlannelSubnetFile file{
      .range4 = network_->range4, .range6 = network_->range6, .subnet4 = {}, .subnet6 = {}, .mtu = mtu};
  if (own_->end4) file.subnet4 = own_->end4->subnet;
  if (own_->end6) file.subnet6 = own_->end6->subnet;
  const std::filesystem::path path = subnet_file(config_);
  std::error_code error;
  if (path.has_parent_path()) std::filesystem::create_directories(path.parent_path(), error);
  const std::string fresh = path.string() + ".new";
  if (!error) {
    std::ofstream out(fresh, std::ios::trunc);
    if (!(out << file.to_string() << std::flush)) error = std::make_error_code(static_cast<std::errc>(errno));
  }
  if (!error) std::filesystem::rename(fresh, path, error);
  if (error)
    return fail(ErrorKind::kSystem, fmt::format("cannot write {}: {}", path.string(), error.message()));
  return {};
}

RoutedPrefixes::AllWanted FlannelNode::wanted() const {
  RoutedPrefixes::AllWanted wanted;
  tools_.rib.prefixes().for_each([&](const PrefixFact::Key& key, const FactTable<PrefixFact>::Claim& winner) {
    if (winner.by.source == id_ && key.vni == network_->vni)
      wanted[key.prefix] = {.fact = winner.fact, .gateway = key.prefix.address()};
  });
  return wanted;
}

RoutedPrefixes::Place FlannelNode::place(IfIndex interface) const {
  RoutedPrefixes::Place place{.link = link_name(), .interface = interface, .is_whole = true, .source = id_};
  if (const auto device = tools_.rtnetlink.find(config_.dev())) place.underlay = device->index;
  return place;
}

void FlannelNode::reconcile() {
  // Before it is known what there should be, what an earlier daemon left stays.
  if (!network_ || !own_ || !source_->has_listed()) return;
  const auto look = [this]() -> Result<void> {
    if (!tools_.overlay.has_link(link_name())) {
      spdlog::warn("flannel: {} is gone and made anew", link_name());
      if (auto opened = open_tunnel(*network_); !opened) return std::unexpected(opened.error());
    }
    const auto link = tools_.overlay.list_links(link_name());
    if (!link) return std::unexpected(link.error());
    if (!link->front().has_device())
      return fail(ErrorKind::kUnavailable, link_name() + " is not on this host");
    const IfIndex interface(link->front().device().ifindex());
    if (auto kept = keep_addresses(interface); !kept) return kept;
    const auto outcome = tools_.prefixes.reconcile(place(interface), wanted());
    if (outcome.changed > 0)
      spdlog::debug("flannel: {} changes to neighbours, entries and routes", outcome.changed);
    if (outcome.failed == 0) return {};
    return fail(ErrorKind::kSystem,
                outcome.failed == 1
                    ? outcome.first_failure
                    : fmt::format("{} (and {} more)", outcome.first_failure, outcome.failed - 1));
  };
  const auto looked = look();
  const std::string trouble = looked ? std::string() : looked.error().message;
  if (trouble != trouble_) {
    trouble.empty() ? spdlog::info("flannel: the host is as it should be again")
                    : spdlog::warn("flannel: {}", trouble);
  }
  trouble_ = trouble;
}

void FlannelNode::leave() {
  if (!network_) return;
  const auto link = tools_.overlay.list_links(link_name());
  if (link) {
    (void)tools_.prefixes.reconcile(place(IfIndex(link->front().device().ifindex())), {});
    if (auto deleted = tools_.overlay.delete_link(link_name()); !deleted) {
      spdlog::warn("flannel: {}", deleted.error().message);
    }
  }
  network_.reset();
  own_.reset();
}

v1::Source FlannelNode::describe() const {
  const Time now = tools_.loop.now();
  v1::Source out = report_source(std::string(kName), source_->status(), tools_.rib.counts(id_), now);
  if (!trouble_.empty()) {
    out.set_last_error(trouble_);
    out.set_error_ago(0);
  }
  out.set_dev(link_name());
  return out;
}

}  // namespace vtep
