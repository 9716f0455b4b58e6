// Links: their devices, and what becomes of those.
#include "daemon/kernel_links.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "daemon/kernel_spec.h"
#include "daemon/net_device.h"

namespace vtep {
namespace {

/// Above all numbers of the engine's links, which are dense.
constexpr LinkId kFirstId = 0x80000000;

Result<LinkSettings> parse_settings(const v1::LinkSpec& spec) {
  auto settings = parse_link_spec(spec);
  // A device by itself asks before it floods; at a bridge's port the bridge answers.
  if (settings) settings->engine.proxy = spec.proxy();
  return settings;
}

}  // namespace

KernelLinks::KernelLinks(Loop& loop, Rtnetlink& rtnetlink, NeighbourTable& neighbours, Hooks hooks)
    : loop_(loop), rtnetlink_(rtnetlink), neighbours_(neighbours), hooks_(std::move(hooks)) {}

KernelLinks::~KernelLinks() {
  if (fdb_ != nullptr) loop_.unwatch(fdb_->fd());
}

Result<void> KernelLinks::open() {
  if (fdb_ != nullptr) return {};
  auto devices = VxlanDevices::create();
  if (!devices) return std::unexpected(std::move(devices).error());
  auto fdb = BridgeFdb::create();
  if (!fdb) return std::unexpected(std::move(fdb).error());
  if (auto watched = loop_.watch((*fdb)->fd(), [this] { fdb_->dispatch(); }); !watched) return watched;
  devices_ = std::move(*devices);
  fdb_ = std::move(*fdb);
  fdb_->on_change([this](const BridgeEntry& entry) { entry_changed(entry); });
  return {};
}

// --- a link's life

Result<void> KernelLinks::remember(const std::string& name, const v1::LinkSpec& spec) {
  auto settings = parse_settings(spec);
  if (!settings) return std::unexpected(settings.error());
  if (auto possible = to_vxlan_parameters(spec, *settings, IfIndex()); !possible)
    return std::unexpected(possible.error());
  KernelLink& link = links_[name];
  link.name = name;
  link.spec = spec;
  link.settings = std::move(*settings);
  return {};
}

void KernelLinks::rename_remembered(const std::string& from, const std::string& to) {
  auto node = links_.extract(from);
  node.key() = node.mapped().name = to;
  links_.insert(std::move(node));
}

Result<void> KernelLinks::add(const std::string& name, const v1::LinkSpec& spec) {
  if (auto opened = open(); !opened) return opened;
  if (auto remembered = remember(name, spec); !remembered) return remembered;
  if (auto made = make_device(links_.at(name)); !made) {
    links_.erase(name);
    return made;
  }
  hooks_.changed(links_.at(name));
  return {};
}

Result<IfIndex> KernelLinks::index_of(const std::string& device) const {
  const auto found = rtnetlink_.find(device);
  if (!found) return std::unexpected(found.error());
  return found->index;
}

Result<VxlanParameters> KernelLinks::parameters_of(const v1::LinkSpec& spec,
                                                   const LinkSettings& settings) const {
  const auto device = settings.device.empty() ? Result<IfIndex>(IfIndex()) : index_of(settings.device);
  if (!device) return std::unexpected(device.error());
  return to_vxlan_parameters(spec, settings, *device);
}

Result<void> KernelLinks::make_device(KernelLink& link) {
  const auto parameters = parameters_of(link.spec, link.settings);
  if (!parameters) return std::unexpected(parameters.error());
  if (auto made = devices_->add(link.name, *parameters, link.settings.address, link.settings.mtu); !made)
    return made;
  if (auto looked = look_at_device(link, *parameters); !looked) return looked;
  for (const auto& [key, entry] : link.remembered) {
    v1::FdbChange change;
    change.set_operation(v1::FdbChange::OPERATION_APPEND);
    *change.mutable_entry() = entry;
    if (auto done = change_fdb(change); !done) spdlog::warn("{}: {}", link.name, done.error().message);
  }
  spdlog::info("link {}: VNI {} on UDP port {}, by the kernel's driver", link.name,
               link.settings.engine.vni.value(), link.settings.engine.port.value());
  return {};
}

/// The last daemon's.
Result<void> KernelLinks::take_device(KernelLink& link) {
  const auto vni = devices_->vni(link.name);
  if (!vni && vni.error().kind == ErrorKind::kNotFound) return make_device(link);
  if (!vni) return std::unexpected(vni.error());
  if (*vni != link.settings.engine.vni) {
    return fail(ErrorKind::kExists,
                fmt::format("{} has VNI {} now: it is somebody else's", link.name, vni->value()));
  }
  const auto parameters = parameters_of(link.spec, link.settings);
  if (!parameters) return std::unexpected(parameters.error());
  if (auto looked = look_at_device(link, *parameters); !looked) return looked;
  spdlog::info("link {}: taken over from the last daemon", link.name);
  return {};
}

Result<void> KernelLinks::look_at_device(KernelLink& link, const VxlanParameters& parameters) {
  const auto interface = rtnetlink_.find(link.name);
  if (!interface) return std::unexpected(interface.error());
  link.parameters = parameters;
  link.interface = interface->index;
  link.id = kFirstId + link.interface.value();
  if (const auto entries = fdb_->list(link.interface)) {
    for (const BridgeEntry& entry : *entries) {
      if (entry.bridge.is_set()) continue;
      const std::pair key{entry.mac, entry.remote};
      const bool is_own = entry.mac.is_zero() && entry.remote == link.settings.engine.flood;
      if (is_own || link.remembered.contains(key)) {
        link.by_hand.insert(key);
      } else if (entry.extern_learn || (entry.mac.is_zero() && !link.settings.control.empty())) {
        link.left.insert(key);
      } else if (entry.state != BridgeEntry::State::kDynamic) {
        link.by_hand.insert(key);
      }
    }
  }
  if (!link.left.empty()) sweep_.set_if_idle(kGrace, [this] { sweep(); });
  follow_interface(link, *interface);
  return {};
}

Result<void> KernelLinks::respecify(const std::string& name, const v1::LinkSpec& spec,
                                    std::optional<bool> up) {
  KernelLink& link = links_.at(name);
  auto settings = parse_settings(spec);
  if (!settings) return std::unexpected(settings.error());
  const auto parameters = parameters_of(spec, *settings);
  if (!parameters) return std::unexpected(parameters.error());
  const auto changes = attribute_changes(link.parameters, *parameters);
  if (!changes) return std::unexpected(changes.error());

  // What the kernel may refuse comes first, so that a refusal changes nothing.
  if (auto done = devices_->change(link.interface, *changes); !done) return done;
  if (settings->address && settings->address != link.settings.address) {
    if (auto done = rtnetlink_.set_address(link.interface, *settings->address); !done) return done;
  }
  if (settings->mtu && settings->mtu != link.settings.mtu) {
    if (auto done = rtnetlink_.set_mtu(link.interface, *settings->mtu); !done) return done;
  }
  if (up) {
    if (auto done = rtnetlink_.set_up(link.interface, *up); !done) return done;
  }
  if (link.settings.engine.flood) link.by_hand.erase({MacAddr(), *link.settings.engine.flood});
  const LinkConfig before = link.settings.engine;
  link.settings = std::move(*settings);
  link.settings.engine.address = before.address;
  link.settings.engine.mtu = before.mtu;
  link.parameters = *parameters;
  link.spec = spec;
  if (link.settings.engine.flood) link.by_hand.insert({MacAddr(), *link.settings.engine.flood});
  set_port(link);
  hooks_.changed(link);
  if (watcher_ != nullptr) watcher_->links_changed();
  return {};
}

Result<void> KernelLinks::rename(const std::string& name, const std::string& new_name) {
  // The rest follows from the kernel's notification, as when somebody else renames it.
  return rtnetlink_.set_name(links_.at(name).interface, new_name);
}

void KernelLinks::remove(const std::string& name) {
  KernelLink link = std::move(links_.extract(name).mapped());
  (void)drop_neighbours(link);
  if (devices_ != nullptr && link.interface.is_set()) {
    if (auto done = devices_->remove(link.interface); !done)
      spdlog::warn("{}: {}", name, done.error().message);
  }
  if (watcher_ != nullptr) watcher_->links_changed();
}

void KernelLinks::restore() {
  if (links_.empty()) return;
  if (auto opened = open(); !opened) return spdlog::error("{}", opened.error().message);
  std::vector<std::string> failed;
  for (auto& [name, link] : links_) {
    if (auto taken = take_device(link); !taken) {
      spdlog::error("link {} is given up: {}", name, taken.error().message);
      failed.push_back(name);
    }
  }
  for (const std::string& name : failed) links_.erase(name);
}

void KernelLinks::close(bool remove_devices) {
  if (remove_devices) {
    while (!links_.empty()) remove(std::string(links_.begin()->first));
  }
  links_.clear();
}

v1::Link KernelLinks::describe(const KernelLink& link) const {
  v1::Link out;
  out.set_name(link.name);
  *out.mutable_spec() = effective_link_spec(link.settings);
  const auto interface = rtnetlink_.find(link.interface);
  if (!interface) return out;
  std::string master;
  if (interface->master) {
    if (const auto bridge = rtnetlink_.find(*interface->master)) master = bridge->name;
  }
  *out.mutable_device() = to_proto(*interface, master);
  v1::LinkCounters& counters = *out.mutable_counters();
  const InterfaceStats& stats = interface->stats;
  counters.set_encapsulated_frames(stats.tx_packets);
  counters.set_encapsulated_bytes(stats.tx_bytes);
  counters.set_decapsulated_frames(stats.rx_packets);
  counters.set_decapsulated_bytes(stats.rx_bytes);
  counters.set_dropped(stats.tx_dropped + stats.tx_errors + stats.rx_dropped + stats.rx_errors);
  return out;
}

// --- what the kernel says of its interface, and of its bridge

KernelLink* KernelLinks::find(IfIndex interface) {
  const auto found =
      std::ranges::find_if(links_, [&](const auto& item) { return item.second.interface == interface; });
  return found == links_.end() || !interface.is_set() ? nullptr : &found->second;
}

void KernelLinks::interface_changed(const Rtnetlink::Change& change) {
  const Interface& interface = change.interface;
  for (auto& [name, link] : links_) {
    if (link.bridge == interface.index) follow_host_interface(link);
  }
  KernelLink* const link = find(interface.index);
  if (link == nullptr) return;
  if (change.removed) {
    spdlog::info("link {}: its device is gone, and the link with it", link->name);
    const KernelLink gone = std::move(links_.extract(link->name).mapped());
    hooks_.lost(gone);
    if (watcher_ != nullptr) watcher_->links_changed();
    return;
  }
  if (interface.name != link->name) {
    spdlog::info("link {} is now called {}", link->name, interface.name);
    const std::string from = link->name;
    rename_remembered(from, interface.name);
    hooks_.renamed(from, interface.name);
  }
  follow_interface(*link, interface);
  hooks_.changed(*link);
}

void KernelLinks::follow_interface(KernelLink& link, const Interface& interface) {
  link.settings.engine.address = interface.address;
  link.settings.engine.mtu = interface.mtu;
  set_bridge(link, interface.master.value_or(IfIndex()));
  follow_host_interface(link);
}

/// The entries of a bridge, and the neighbours, go where the device goes.
void KernelLinks::set_bridge(KernelLink& link, IfIndex bridge) {
  if (link.bridge == bridge) return;
  const std::vector<ExternalNeighbour> neighbours = drop_neighbours(link);
  link.bridge = bridge;
  link.can_have_neighbours = false;  // follow_host_interface() looks
  write_neighbours(link, neighbours);
  set_port(link);
  std::vector<BridgeFdb::Request> requests;
  for (const auto& [mac, one] : link.macs) {
    if (!bridge.is_set()) break;
    requests.push_back({BridgeFdb::Verb::kReplace,
                        {.device = link.interface, .bridge = bridge, .mac = mac, .extern_learn = true}});
  }
  for (const auto& done : fdb_->apply(requests)) {
    if (!done) spdlog::debug("{}: {}", link.name, done.error().message);
  }
  for (const auto& [mac, port] : std::exchange(link.stations, {})) tell(link, StationEvent::Kind::kGone, mac);
  link.station_addresses.clear();
  link.address_owners.clear();
  take_stations(link);
  if (watcher_ != nullptr) watcher_->links_changed();
}

/// What others say is not learned from frames, and who is asked for is not flooded.
void KernelLinks::set_port(const KernelLink& link) {
  if (!link.bridge.is_set() || link.settings.control.empty()) return;
  if (auto done = devices_->set_port(link.interface, link.settings.engine.learning, true); !done)
    spdlog::warn("{}: {}", link.name, done.error().message);
}

/// The kernel forgets the neighbours of an interface that goes down.
void KernelLinks::follow_host_interface(KernelLink& link) {
  const auto interface = rtnetlink_.find(link.host_interface());
  const bool is_up = interface && interface->is_up();
  if (is_up == std::exchange(link.can_have_neighbours, is_up) || !is_up) return;
  std::vector<ExternalNeighbour> all;
  for (const auto& [ip, neighbour] : std::exchange(link.neighbours, {})) all.push_back(neighbour);
  write_neighbours(link, all);
}

}  // namespace vtep
