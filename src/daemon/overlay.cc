// Requests about links. See overlay_fdb.cc for forwarding tables and overlay_system.cc for the world around.
#include "daemon/overlay.h"

#include <fmt/format.h>
#include <linux/if.h>
#include <spdlog/spdlog.h>

#include <algorithm>

#include "daemon/net_device.h"
#include "daemon/table_spec.h"

namespace vtep {

Overlay::Overlay(Loop& loop, Rtnetlink& rtnetlink, NeighbourTable& system_neighbours, DataPlane& data_plane,
                 Journal& journal)
    : loop_(loop),
      rtnetlink_(rtnetlink),
      system_neighbours_(system_neighbours),
      data_plane_(data_plane),
      journal_(journal),
      kernel_(loop, rtnetlink, system_neighbours, kernel_hooks()) {
  if (const auto interfaces = rtnetlink_.list()) {
    for (const Interface& interface : *interfaces) devices_[interface.index] = interface.name;
  }
  rtnetlink_.on_change([this](const Rtnetlink::Change& change) { interface_changed(change); });
  system_neighbours_.on_neighbour([this](const NeighbourEntry& entry) { neighbour_changed(entry); });
  data_plane_.on_events([this] { publish_events(); });
  data_plane_.on_port_lost([this](LinkId id) {
    if (const auto name = names_.find(id); name != names_.end()) interface_lost(links_.at(name->second.name));
  });
}

Overlay::~Overlay() {
  rtnetlink_.on_change([](const Rtnetlink::Change&) {});
  system_neighbours_.on_neighbour([](const NeighbourEntry&) {});
  data_plane_.on_events([] {});
  data_plane_.on_port_lost([](LinkId) {});
}

// --- a link's life

Result<std::string> Overlay::free_name() const {
  for (int i = 0; i < 100000; ++i) {
    const std::string name = fmt::format("vxlan{}", i);
    if (!has_link(name) && !rtnetlink_.find(name)) return name;
  }
  return fail(ErrorKind::kExists, "no name vxlanN is free: give one");
}

Result<std::string> Overlay::add_link(const std::string& wished_name, const v1::LinkSpec& spec) {
  const auto chosen = wished_name.empty() ? free_name() : Result<std::string>(wished_name);
  if (!chosen) return chosen;
  const std::string& name = *chosen;
  if (auto checked = check_link_name(name); !checked) return std::unexpected(checked.error());
  if (auto parsed = parse_link_spec(spec); !parsed) return std::unexpected(parsed.error());
  if (has_link(name)) return fail(ErrorKind::kExists, fmt::format("link {} exists already", name));
  if (const auto taken = rtnetlink_.find(name)) {
    return fail(ErrorKind::kExists, fmt::format("an interface {} exists already{}: choose another name", name,
                                                taken->kind.empty() ? "" : " (" + taken->kind + ")"));
  }
  if (spec.datapath() == v1::DATAPATH_KERNEL) {
    if (auto added = add_kernel_link(name, spec); !added) return std::unexpected(added.error());
    return name;
  }

  const auto inserted = insert(name, spec);
  if (!inserted) return std::unexpected(inserted.error());
  OverlayLink& link = **inserted;
  Result<void> taken = take_device(link);
  if (taken) taken = take_receiver(link);
  if (taken) taken = take_interface(link);
  if (taken) taken = take_membership(link);
  if (!taken) {
    erase(links_.find(name), true);
    return std::unexpected(taken.error());
  }
  // Remembered before it is persistent: whenever the process dies, interface and memory agree.
  remember(link);
  if (auto kept = link.tap->set_persistent(true); !kept) {
    (void)delete_link(name);
    return std::unexpected(kept.error());
  }
  spdlog::info("link {}: {} on UDP port {}", name,
               link.is_vnifilter() ? "several VNIs" : fmt::format("VNI {}", link.settings.engine.vni.value()),
               link.settings.engine.port.value());
  set_trouble(link, Trouble::kDevice, check_underlay(link));
  follow_neighbours(link);
  publish(v1::Event::ACTION_SET, link);
  publish_events();
  return name;
}

Result<OverlayLink*> Overlay::insert(const std::string& name, const v1::LinkSpec& spec) {
  const auto settings = parse_link_spec(spec);
  if (!settings) return std::unexpected(settings.error());
  const auto id = data_plane_.engine()->add_link(settings->engine, loop_.now());
  if (!id) return std::unexpected(id.error());
  OverlayLink& link = links_[name];
  link.name = name;
  link.spec = spec;
  set_settings(link, *settings);
  link.id = *id;
  names_[*id] = {name, std::nullopt};
  return &link;
}

void Overlay::set_settings(OverlayLink& link, const LinkSettings& settings) {
  count_underlay(settings, true);
  count_underlay(link.settings, false);
  link.settings = settings;
}

void Overlay::count_underlay(const LinkSettings& settings, bool add) {
  const auto count = [add](auto& counts, const auto& key) {
    std::size_t& users = counts[key];
    add ? ++users : --users;
    if (users == 0) counts.erase(key);
  };
  if (!settings.device.empty()) count(underlays_, settings.device);
  for (const IpAddr& local : settings.locals()) count(locals_, local);
}

void Overlay::erase(Links::iterator found, bool remove_interface) {
  OverlayLink& link = found->second;
  drop_membership(link);
  for (const auto& [vni, member] : link.vnis) {
    data_plane_.engine()->remove_link(member.id);
    names_.erase(member.id);
  }
  data_plane_.set_members(link.id, {});
  if (link.tap != nullptr) {
    if (auto done = link.tap->set_persistent(!remove_interface); !done) {
      spdlog::warn("{}: {}", link.name, done.error().message);
    }
    data_plane_.detach(link.id);
  }
  if (link.has_receiver) data_plane_.release_receiver(link.settings.engine.port);
  data_plane_.engine()->remove_link(link.id);
  publish_events();
  names_.erase(link.id);
  external_floods_.erase(link.id);
  count_underlay(link.settings, false);
  links_.erase(found);
  if (watcher_ != nullptr) watcher_->links_changed();
}

Result<void> Overlay::delete_link(const std::string& name) {
  if (kernel_.contains(name)) {
    delete_kernel_link(name);
    return {};
  }
  const auto found = links_.find(name);
  if (found == links_.end())
    return fail(ErrorKind::kNotFound, fmt::format("Cannot find device \"{}\"", name));
  v1::Event event;
  event.set_action(v1::Event::ACTION_DELETED);
  *event.mutable_link() = describe(found->second, known_paths());
  erase(found, true);
  remember_deleted(name);
  spdlog::info("link {}: deleted", name);
  if (publish_) publish_(event);
  return {};
}

Result<void> Overlay::set_link(const std::string& name, const v1::LinkSpec& change, std::optional<bool> up) {
  if (kernel_.contains(name))
    return respecify_kernel_link(name, merge_link_spec(kernel_.get(name).spec, change), up);
  const auto found = find(name);
  if (!found) return std::unexpected(found.error());
  return respecify(**found, merge_link_spec((*found)->spec, change), up);
}

Result<void> Overlay::respecify(OverlayLink& link, v1::LinkSpec spec, std::optional<bool> up) {
  if (!spec.has_address()) spec.set_address(link.spec.address());
  const auto parsed = parse_link_spec(spec);
  if (!parsed) return std::unexpected(parsed.error());
  LinkSettings settings = *parsed;
  const LinkConfig& before = link.settings.engine;
  if (settings.engine.has_vni != before.has_vni) {
    return fail(ErrorKind::kSystem, "Cannot change vnifilter: delete the link and add it anew");
  }
  if (settings.is_kernel) {
    return fail(ErrorKind::kSystem, "Cannot change datapath: delete the link and add it anew");
  }
  if (settings.engine.vni != before.vni) {
    return fail(ErrorKind::kSystem, "Cannot change VNI: delete the link and add it anew");
  }
  if (settings.engine.port != before.port) {
    return fail(ErrorKind::kSystem, "Cannot change UDP port: delete the link and add it anew");
  }

  IfIndex device;
  if (!settings.device.empty()) {
    const auto index = index_of(settings.device);
    if (!index) return std::unexpected(index.error());
    device = *index;
  }
  settings.engine.device = device;
  settings.engine.address = before.address;
  settings.engine.mtu = before.mtu;
  const bool regroup = settings.engine.flood != before.flood || device != before.device;

  // What the kernel may refuse comes first, so that a refusal changes nothing.
  if (settings.address && *settings.address != before.address && link.interface.is_set()) {
    if (auto done = rtnetlink_.set_address(link.interface, *settings.address); !done) return done;
    settings.engine.address = *settings.address;
  }
  if (settings.mtu && *settings.mtu != before.mtu && link.interface.is_set()) {
    if (auto done = rtnetlink_.set_mtu(link.interface, *settings.mtu); !done) return done;
    settings.engine.mtu = *settings.mtu;
  }
  if (up && link.interface.is_set()) {
    if (auto done = rtnetlink_.set_up(link.interface, *up); !done) return done;
  }
  if (regroup) drop_membership(link);
  const bool follows_again = link.settings.mtu && !settings.mtu;
  const bool recount_checksums = link.settings.zero_checksum6_rx != settings.zero_checksum6_rx;
  const LinkConfig engine = settings.engine;
  settings.engine = before;
  settings.engine.local4 = engine.local4;
  settings.engine.local6 = engine.local6;
  set_settings(link, settings);
  set_engine(link, engine);
  link.spec = spec;
  if (link.has_receiver && recount_checksums) accept_zero_checksums(link);
  follow_neighbours(link);
  if (regroup) {
    if (auto joined = take_membership(link); !joined) set_trouble(link, Trouble::kMembership, joined);
  }
  if (auto followed = follow_mtu(link, follows_again); !followed) {
    spdlog::warn("{}: {}", link.name, followed.error().message);
  }
  remember(link);
  publish(v1::Event::ACTION_SET, link);
  publish_events();
  data_plane_.schedule();
  return {};
}

void Overlay::set_engine(OverlayLink& link, const LinkConfig& config) {
  // VNI and port are those the link has, so this cannot be refused.
  if (auto done = data_plane_.engine()->change_link(link.id, config, loop_.now()); !done) {
    spdlog::error("{}: {}", link.name, done.error().message);
    return;
  }
  link.settings.engine = config;
  for (const auto& [vni, member] : link.vnis) {
    (void)data_plane_.engine()->change_link(member.id, member_config(config, vni, member.flood), loop_.now());
  }
}

/// Its interface follows another name, or the journal says that it did. Precondition: there is a link `from`.
OverlayLink& Overlay::rename_in_tables(const std::string& from, const std::string& to) {
  auto node = links_.extract(from);
  for (auto& [id, known] : names_) {
    if (known.name == node.key()) known.name = to;
  }
  node.key() = node.mapped().name = to;
  return links_.insert(std::move(node)).position->second;
}

Result<void> Overlay::rename_link(const std::string& name, const std::string& new_name) {
  if (auto checked = check_link_name(new_name); !checked) return checked;
  if (kernel_.contains(name)) return kernel_.rename(name, new_name);
  const auto found = find(name);
  if (!found) return std::unexpected(found.error());
  const OverlayLink& link = **found;
  if (!link.interface.is_set()) {
    return fail(ErrorKind::kUnavailable, fmt::format("the interface of {} is not here to be renamed", name));
  }
  // The rest follows from the kernel's notification, as when somebody else renames it.
  return rtnetlink_.set_name(link.interface, new_name);
}

Result<OverlayLink*> Overlay::find(const std::string& name) {
  if (kernel_.contains(name)) {
    return fail(
        ErrorKind::kInvalid,
        fmt::format("{} has its data path in the kernel, where vtep does not do this: use 'bridge' and "
                    "'ip'",
                    name));
  }
  const auto found = links_.find(name);
  if (found == links_.end())
    return fail(ErrorKind::kNotFound, fmt::format("Cannot find device \"{}\"", name));
  return &found->second;
}

// --- looking at links

Result<std::vector<v1::Link>> Overlay::list_links(const std::string& name) {
  std::vector<v1::Link> out;
  if (kernel_.contains(name)) {
    out.push_back(kernel_.describe(kernel_.get(name)));
    return out;
  }
  if (!name.empty()) {
    const auto found = links_.find(name);
    if (found == links_.end()) {
      return fail(ErrorKind::kNotFound, fmt::format("Device \"{}\" does not exist.", name));
    }
    out.push_back(describe(found->second, known_paths()));
    return out;
  }
  const std::vector<Path> paths = known_paths();
  for (auto& [key, link] : links_) out.push_back(describe(link, paths));
  for (const auto& [key, link] : kernel_.all()) out.push_back(kernel_.describe(link));
  std::ranges::sort(out, {}, [](const v1::Link& link) { return link.device().ifindex(); });
  return out;
}

/// Those of which there is something to say.
std::vector<Path> Overlay::known_paths() {
  std::vector<Path> paths = data_plane_.engine()->paths().list();
  std::erase_if(paths, [](const Path& path) { return path.mtu == 0 && !path.checksum; });
  return paths;
}

v1::Link Overlay::describe(const OverlayLink& link, std::span<const Path> known_paths) {
  v1::Link out;
  out.set_name(link.name);
  *out.mutable_spec() = effective_link_spec(link.settings);
  if (link.interface.is_set()) {
    if (const auto interface = rtnetlink_.find(link.interface)) {
      *out.mutable_device() = to_proto(*interface, interface->master ? name_of(*interface->master) : "");
    }
  }
  if (link.away) {
    out.mutable_device()->set_ifindex(link.away->index.value());
    out.mutable_device()->set_flags(link.away->up ? std::uint32_t{IFF_UP} : 0);
    out.mutable_device()->set_mtu(link.away->mtu);
    out.mutable_device()->set_address(link.away->address.to_string());
  }
  *out.mutable_counters() = to_proto(counters_of(link));
  const auto engine = data_plane_.engine();
  const Fdb& fdb = engine->fdb();
  for (const Path& path : known_paths) {
    const auto is_named = [&](LinkId id) { return fdb.names(id, path.address); };
    const bool named = is_named(link.id) || std::ranges::any_of(link.vnis, [&](const auto& vni) {
                         return is_named(vni.second.id);
                       });
    if (named) *out.add_remotes() = to_proto(path, Engine::to_seconds(loop_.now()));
  }
  for (const auto& [trouble, text] : link.troubles) {
    out.set_trouble(out.trouble().empty() ? text : out.trouble() + "; " + text);
  }
  return out;
}

std::vector<v1::DropCount> Overlay::list_drops(const std::string& dev) {
  std::vector<v1::DropCount> out;
  const auto add = [&](const std::string& name, Port port, const DropCounters& counters) {
    for (std::size_t i = 0; i < kDropCount; ++i) {
      v1::DropCount& drop = out.emplace_back();
      drop.set_dev(name);
      drop.set_name(std::string(kDropTexts[i].name));
      drop.set_description(std::string(kDropTexts[i].sentence));
      drop.set_count(counters[static_cast<Drop>(i)]);
      drop.set_dstport(port.value());
    }
  };
  for (const auto& [name, link] : links_) {
    if (!dev.empty() && dev != name) continue;
    DropCounters drops = counters_of(link).drops;
    if (const auto interface = rtnetlink_.find(link.interface)) {
      drops.add(Drop::kInterfaceOverflow, interface->stats.tx_dropped);
    }
    add(name, Port(), drops);
  }
  for (const auto& [name, link] : kernel_.all()) {
    if (dev.empty() || dev == name) append_kernel_drops(name, out);
  }
  if (!dev.empty()) return out;
  for (const Port port : data_plane_.receiver_ports()) {
    DropCounters drops = data_plane_.engine()->port_drops(port);
    data_plane_.for_each_receiver(port, [&](const UnderlayReceiver& receiver) {
      drops.add(Drop::kReceiveOverflow, receiver.overflows());
    });
    add("", port, drops);
  }
  return out;
}

LinkCounters Overlay::counters_of(const OverlayLink& link) const {
  LinkCounters sum = data_plane_.engine()->counters(link.id);
  for (const auto& [vni, member] : link.vnis) sum += data_plane_.engine()->counters(member.id);
  return sum;
}

void Overlay::publish(v1::Event::Action action, const OverlayLink& link) {
  if (watcher_ != nullptr) watcher_->links_changed();
  if (!publish_) return;
  v1::Event event;
  event.set_action(action);
  *event.mutable_link() = describe(link, known_paths());
  publish_(event);
}

// --- memory

void Overlay::remember_link(const std::string& name, const v1::LinkSpec& spec) {
  v1::StateRecord record;
  record.mutable_link()->set_name(name);
  *record.mutable_link()->mutable_spec() = spec;
  remember(record);
}

void Overlay::remember_deleted(const std::string& name) {
  v1::StateRecord record;
  record.set_delete_link(name);
  remember(record);
}

void Overlay::remember(const v1::StateRecord& record) {
  if (auto written = journal_.append(record); !written) {
    spdlog::error("a change will be forgotten by a restart: {}", written.error().message);
  }
  compact_journal();
}

}  // namespace vtep
