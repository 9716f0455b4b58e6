// What a link takes from the system, what happens when the system changes, and how a link comes back after a restart.
#include <fmt/format.h>
#include <google/protobuf/util/message_differencer.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <set>

#include "daemon/overlay.h"

namespace vtep {
namespace {

/// Outer IPv4 (20) + UDP (8) + VXLAN (8) + inner Ethernet (14).
constexpr std::uint32_t kOverhead = 50;
/// When no underlay device is given, its MTU is taken to be Ethernet's.
constexpr std::uint32_t kEthernetMtu = 1500;
constexpr std::uint32_t kMinMtu = 68;
constexpr Duration kRetryInterval = std::chrono::seconds(1);

using google::protobuf::util::MessageDifferencer;

/// "… again" says that the trouble is over.
std::string recovery(const OverlayLink& link, Trouble trouble) {
  switch (trouble) {
    case Trouble::kInterfaceMissing:
      return fmt::format("interface {} is there", link.name);
    case Trouble::kDevice:
      return fmt::format("underlay device {} is up", link.settings.device);
    case Trouble::kReceiver:
      return fmt::format("UDP port {} is ours", link.settings.engine.port.value());
    case Trouble::kMembership:
      return fmt::format("group {} is joined", link.settings.engine.flood.value_or(IpAddr()).to_string());
  }
  return {};
}

const v1::ConfiguredLink* find_link(const v1::Config& config, const std::string& name) {
  const auto found = std::ranges::find(config.links(), name, &v1::ConfiguredLink::name);
  return found == config.links().end() ? nullptr : &*found;
}

bool contains(const google::protobuf::RepeatedPtrField<v1::FdbEntry>& entries, const v1::FdbEntry& entry) {
  return std::ranges::any_of(entries, [&](const v1::FdbEntry& e) { return MessageDifferencer::Equals(e, entry); });
}

/// Several remotes of one address add up; a unicast address has one.
v1::FdbChange make_change(const std::string& link, const v1::FdbEntry& entry, bool present) {
  v1::FdbChange change;
  const auto mac = MacAddr::parse(entry.mac());
  const bool adds_up = mac && (mac->is_zero() || mac->is_multicast());
  change.set_operation(!present  ? v1::FdbChange::OPERATION_DELETE
                       : adds_up ? v1::FdbChange::OPERATION_APPEND
                                 : v1::FdbChange::OPERATION_REPLACE);
  *change.mutable_entry() = entry;
  change.mutable_entry()->set_dev(link);
  change.set_force(true);
  return change;
}

}  // namespace

// --- what a link takes

Result<void> Overlay::take_device(OverlayLink& link) {
  if (link.settings.device.empty()) return {};
  const auto device = rtnetlink_.find(link.settings.device);
  if (!device) {
    if (device.error().kind != ErrorKind::kNotFound || !link.settings.engine.device.is_set()) {
      return std::unexpected(device.error());
    }
    return fail(ErrorKind::kNotFound, fmt::format("underlay device {} is missing", link.settings.device));
  }
  devices_[device->index] = device->name;
  LinkConfig config = link.settings.engine;
  if (config.device != device->index) {
    drop_membership(link);
    if (config.device.is_set()) data_plane_.engine().fdb().move_device(config.device, device->index);
    config.device = device->index;
    set_engine(link, config);
  }
  const auto addresses = rtnetlink_.addresses(device->index);
  link.device_had_address = addresses && !addresses->empty();
  return {};
}

Result<void> Overlay::check_device_up(const OverlayLink& link) {
  if (!link.settings.engine.device.is_set()) return {};
  const auto device = rtnetlink_.find(link.settings.engine.device);
  if (device && device->is_up()) return {};
  return fail(ErrorKind::kUnavailable, fmt::format("underlay device {} is down", link.settings.device));
}

Result<void> Overlay::take_receiver(OverlayLink& link) {
  if (link.has_receiver) return {};
  auto taken = data_plane_.acquire_receiver(link.settings.engine.port);
  link.has_receiver = taken.has_value();
  return taken;
}

Result<void> Overlay::take_interface(OverlayLink& link) {
  if (link.tap != nullptr) return {};
  const bool existed = rtnetlink_.find(link.name).has_value();
  auto tap = Tap::open(link.name);
  if (!tap) return std::unexpected(tap.error());
  auto interface = rtnetlink_.find(link.name);
  if (!interface) return std::unexpected(interface.error());

  // One that was left by the last daemon is as its users have made it; any other becomes ours.
  const bool is_fresh = !existed || link.settings.address != interface->address;
  if (link.settings.address && *link.settings.address != interface->address) {
    if (auto done = rtnetlink_.set_address(interface->index, *link.settings.address); !done) return done;
    interface->address = *link.settings.address;
  }
  if (is_fresh) {
    if (auto done = rtnetlink_.set_noqueue(interface->index); !done) {
      spdlog::warn("{}: {}: it takes more memory", link.name, done.error().message);
    }
  }
  link.settings.address = interface->address;
  link.spec.set_address(interface->address.to_string());
  LinkConfig config = link.settings.engine;
  config.address = interface->address;
  config.mtu = interface->mtu;
  set_engine(link, config);

  link.tap = tap->get();
  link.interface = interface->index;
  devices_[link.interface] = link.name;
  auto attached = data_plane_.attach(link.id, std::move(*tap));
  if (!attached) {
    link.tap = nullptr;
    return attached;
  }
  return follow_mtu(link, is_fresh);
}

Result<void> Overlay::take_membership(OverlayLink& link) {
  const LinkConfig& config = link.settings.engine;
  if (link.has_member || !link.settings.is_group || !config.device.is_set()) return {};
  auto joined = memberships_.join(*config.flood, config.device);
  link.has_member = joined.has_value();
  return joined;
}

void Overlay::drop_membership(OverlayLink& link) {
  if (!link.has_member) return;
  memberships_.leave(*link.settings.engine.flood, link.settings.engine.device);
  link.has_member = false;
}

Result<void> Overlay::follow_mtu(OverlayLink& link, bool first_time) {
  std::uint32_t device_mtu = kEthernetMtu;
  if (link.settings.engine.device.is_set()) {
    const auto device = rtnetlink_.find(link.settings.engine.device);
    if (!device) return {};  // missing now: its MTU matters when it is back
    device_mtu = device->mtu;
  }
  const std::uint32_t derived = std::max(device_mtu, kMinMtu + kOverhead) - kOverhead;
  const std::uint32_t before = std::exchange(link.derived_mtu, derived);
  const std::uint32_t wanted = link.settings.mtu.value_or(derived);
  // Another value than the one we gave is somebody's decision and stays.
  const bool is_ours = first_time || (!link.settings.mtu && link.settings.engine.mtu == before);
  if (!is_ours || wanted == link.settings.engine.mtu || !link.interface.is_set()) return {};
  if (auto done = rtnetlink_.set_mtu(link.interface, wanted); !done) return done;
  LinkConfig config = link.settings.engine;
  config.mtu = wanted;
  set_engine(link, config);
  return {};
}

// --- troubles

void Overlay::set_trouble(OverlayLink& link, Trouble trouble, const Result<void>& state) {
  const auto found = link.troubles.find(trouble);
  if (state) {
    if (found == link.troubles.end()) return;
    spdlog::info("{}: {} again", link.name, recovery(link, trouble));
    link.troubles.erase(found);
  } else {
    if (found == link.troubles.end()) {
      spdlog::warn("{}: {}", link.name, state.error().message);
    } else if (found->second == state.error().message) {
      return;
    }  // the same trouble in other words (missing, then down) is not logged twice
    link.troubles[trouble] = state.error().message;
  }
  publish(v1::Event::ACTION_SET, link);
}

void Overlay::repair(OverlayLink& link) {
  auto device = take_device(link);
  if (device) set_trouble(link, Trouble::kMembership, take_membership(link));
  if (device) device = check_device_up(link);
  set_trouble(link, Trouble::kDevice, device);
  set_trouble(link, Trouble::kReceiver, take_receiver(link));
  if (link.tap == nullptr && rtnetlink_.find(link.name)) {
    auto taken = take_interface(link);
    if (taken) taken = link.tap->set_persistent(true);
    if (taken) remember(link);
    if (!taken && taken.error().kind == ErrorKind::kInUse) {
      retry_later();  // whoever has just made it still holds it
    } else {
      set_trouble(link, Trouble::kInterfaceMissing, taken);
    }
  }
  if (link.tap != nullptr) {
    if (auto followed = follow_mtu(link, false); !followed) spdlog::warn("{}: {}", link.name, followed.error().message);
  }
  if (link.troubles.contains(Trouble::kReceiver) || link.troubles.contains(Trouble::kMembership)) retry_later();
}

/// The kernel does not say when a port becomes free.
void Overlay::retry_later() {
  if (retry_) return;
  retry_ = loop_.at(loop_.now() + kRetryInterval, [this] {
    retry_.reset();
    for (auto& [name, link] : links_) {
      if (!link.troubles.empty()) repair(link);
    }
  });
}

void Overlay::interface_lost(OverlayLink& link) {
  if (link.tap == nullptr) return;
  data_plane_.detach(link.id);
  link.tap = nullptr;
  link.interface = IfIndex();
  set_trouble(link, Trouble::kInterfaceMissing,
              fail(ErrorKind::kUnavailable,
                   fmt::format("interface {0} was deleted: bring it back with 'ip tuntap add dev {0} mode tap "
                               "multi_queue vnet_hdr', or delete the link with 'vtep link del {0}'",
                               link.name)));
}

// --- notifications of the kernel

void Overlay::interface_changed(const Rtnetlink::Change& change) {
  const Interface& interface = change.interface;
  const auto known = devices_.find(interface.index);
  const std::string old_name = known == devices_.end() ? interface.name : known->second;
  Fdb& fdb = data_plane_.engine().fdb();
  if (!change.removed) {
    if (const auto gone = gone_.find(interface.name); gone != gone_.end()) {
      fdb.move_device(gone->second, interface.index);
      devices_.erase(gone->second);
      gone_.erase(gone);
    }
    devices_[interface.index] = interface.name;
  } else if (fdb.uses_device(interface.index)) {
    gone_[old_name] = interface.index;
  } else {
    devices_.erase(interface.index);
  }

  // The interface of a link?
  if (const auto own = links_.find(old_name); own != links_.end()) {
    OverlayLink& link = own->second;
    if (!change.removed) {
      own_interface_changed(link, interface);
    } else if (link.interface == interface.index) {
      link.interface = IfIndex();
      // Deleted, or moved to another network namespace: then the TAP goes on working.
      if (link.tap != nullptr && !link.tap->current_name()) interface_lost(link);
    }
  }

  // The underlay device of links?
  std::vector<std::string> users;
  for (const auto& [name, link] : links_) {
    if (link.settings.device == old_name || link.settings.device == interface.name) users.push_back(name);
  }
  for (const std::string& name : users) {
    OverlayLink& link = links_.at(name);
    if (!change.removed && interface.name != old_name && link.settings.engine.device == interface.index) {
      link.settings.device = interface.name;  // renamed: the same device
      link.spec.set_dev(interface.name);
      remember(link);
    }
    device_changed(link, change);
  }

  if (!change.removed && !waiting_.empty()) {
    const std::vector<v1::FdbChange> changes = std::exchange(waiting_, {});
    for (const v1::FdbChange& entry : changes) {
      if (!change_one(entry)) waiting_.push_back(entry);
    }
    publish_fdb_events();
  }
}

void Overlay::own_interface_changed(OverlayLink& link, const Interface& interface) {
  if (link.tap == nullptr) {
    if (interface.kind == "tun" && interface.name == link.name) repair(link);
    return;
  }
  if (!link.interface.is_set()) {
    const auto name = link.tap->current_name();  // back from another namespace, or only somebody's namesake
    if (name && *name == interface.name) link.interface = interface.index;
  }
  if (link.interface != interface.index) return;

  LinkConfig config = link.settings.engine;
  config.address = interface.address;
  config.mtu = interface.mtu;
  if (config != link.settings.engine) {
    set_engine(link, config);
    link.settings.address = interface.address;
    link.spec.set_address(interface.address.to_string());
    remember(link);
  }
  if (interface.name != link.name) {
    spdlog::info("link {} is now called {}", link.name, interface.name);
    v1::StateRecord record;
    record.mutable_rename()->set_from(link.name);
    record.mutable_rename()->set_to(interface.name);
    auto node = links_.extract(link.name);
    node.key() = interface.name;
    node.mapped().name = interface.name;
    names_[node.mapped().id] = interface.name;
    const auto renamed = links_.insert(std::move(node));
    remember(record);
    publish(v1::Event::ACTION_SET, renamed.position->second);
    return;
  }
  publish(v1::Event::ACTION_SET, link);
}

void Overlay::device_changed(OverlayLink& link, const Rtnetlink::Change& change) {
  if (change.removed && link.settings.engine.device == change.interface.index) drop_membership(link);
  // The kernel forgets the memberships of a device that has lost its last address.
  const bool had_address = link.device_had_address;
  const auto taken = take_device(link);
  if (taken && link.device_had_address && !had_address) drop_membership(link);
  repair(link);
}

// --- restart and configuration

void Overlay::restore() {
  const std::vector<v1::StateRecord> records = journal_.take_replay();
  const auto check = [](const std::string& what, const Result<void>& done) {
    if (!done) spdlog::warn("cannot restore {}: {}", what, done.error().message);
  };
  // First what was asked for: engine only. Then, once, what it needs from the system.
  for (const v1::StateRecord& record : records) {
    switch (record.record_case()) {
      case v1::StateRecord::kLink: {
        const std::string& name = record.link().name();
        auto inserted = Result<OverlayLink*>(nullptr);
        if (const auto known = links_.find(name); known != links_.end()) {
          const auto settings = parse_link_spec(record.link().spec());
          if (settings) {
            set_engine(known->second, settings->engine);
            known->second.settings = *settings;
            known->second.spec = record.link().spec();
          } else {
            inserted = std::unexpected(settings.error());
          }
        } else {
          inserted = insert(name, record.link().spec());
        }
        check("link " + name, inserted ? Result<void>() : std::unexpected(inserted.error()));
        break;
      }
      case v1::StateRecord::kDeleteLink:
        if (const auto known = links_.find(record.delete_link()); known != links_.end()) erase(known, true);
        break;
      case v1::StateRecord::kRename:
        if (auto node = links_.extract(record.rename().from()); !node.empty()) {
          node.key() = node.mapped().name = record.rename().to();
          names_[node.mapped().id] = node.key();
          links_.insert(std::move(node));
        }
        break;
      case v1::StateRecord::kFdb:
        if (auto done = change_one(record.fdb()); !done) {
          // Most likely its `via` device is missing: it waits for the device.
          if (record.fdb().operation() != v1::FdbChange::OPERATION_DELETE) waiting_.push_back(record.fdb());
          check("entry " + record.fdb().entry().mac(), done);
        }
        break;
      case v1::StateRecord::kFlushFdb:
        if (const auto link = find(record.flush_fdb().dev())) {
          const auto filter = parse_fdb_flush(record.flush_fdb(), (*link)->settings.engine,
                                              [this](const std::string& n) { return index_of(n); });
          if (filter) data_plane_.engine().fdb().flush((*link)->id, *filter);
        }
        break;
      case v1::StateRecord::kConfig:
        config_ = record.config();
        break;
      case v1::StateRecord::kVersion:
      case v1::StateRecord::RECORD_NOT_SET:
        break;
    }
  }
  for (auto& [name, link] : links_) {
    (void)take_device(link);  // repair() says what is wrong with it
    auto taken = take_interface(link);
    if (taken) taken = link.tap->set_persistent(true);
    set_trouble(link, Trouble::kInterfaceMissing, taken);
    repair(link);
    spdlog::info("link {}: taken over from the last daemon", name);
  }
  (void)data_plane_.engine().fdb().take_events();
  data_plane_.schedule();
}

Result<void> Overlay::apply_config(const v1::Config& config) {
  Result<void> outcome;
  const auto note = [&outcome](const std::string& link, const Error& error) {
    spdlog::error("configuration of {}: {}", link, error.message);
    if (outcome) outcome = std::unexpected(error);
  };

  for (const v1::ConfiguredLink& old : config_.links()) {
    if (find_link(config, old.name()) == nullptr && has_link(old.name())) {
      if (auto done = delete_link(old.name()); !done) note(old.name(), done.error());
    }
  }
  for (const v1::ConfiguredLink& wanted : config.links()) {
    const std::string& name = wanted.name();
    const v1::ConfiguredLink* before = find_link(config_, name);
    if (has_link(name)) {
      const auto parsed = parse_link_spec(wanted.spec());
      const LinkConfig& now = links_.at(name).settings.engine;
      if (parsed && (parsed->engine.vni != now.vni || parsed->engine.port != now.port)) {
        if (auto done = delete_link(name); !done) note(name, done.error());
        before = nullptr;
      }
    }
    if (!has_link(name)) {
      if (auto added = add_link(name, wanted.spec()); !added) {
        note(name, added.error());
        continue;
      }
      before = nullptr;
    } else if (before == nullptr || !MessageDifferencer::Equals(before->spec(), wanted.spec())) {
      if (auto done = set_link(name, wanted.spec(), {}); !done) note(name, done.error());
    }
    if (wanted.has_up() && (before == nullptr || before->up() != wanted.up())) {
      if (auto done = set_link(name, {}, wanted.up()); !done) note(name, done.error());
    }

    std::vector<v1::FdbChange> changes;
    if (before != nullptr) {
      for (const v1::FdbEntry& entry : before->fdb()) {
        if (!contains(wanted.fdb(), entry)) changes.push_back(make_change(name, entry, false));
      }
    }
    for (const v1::FdbEntry& entry : wanted.fdb()) {
      if (before == nullptr || !contains(before->fdb(), entry)) changes.push_back(make_change(name, entry, true));
    }
    if (const FdbOutcome done = change_fdb(changes); done.first_refusal) note(name, *done.first_refusal);
  }
  config_ = config;
  v1::StateRecord record;
  *record.mutable_config() = config;
  remember(record);
  return outcome;
}

void Overlay::close(bool remove) {
  while (!links_.empty()) erase(links_.begin(), remove);
  if (remove) journal_.remove();
}

// --- names and numbers of devices

Result<IfIndex> Overlay::index_of(const std::string& device) {
  const auto found = rtnetlink_.find(device);
  if (!found) return std::unexpected(found.error());
  devices_[found->index] = device;
  return found->index;
}

std::string Overlay::name_of(IfIndex device) const {
  const auto found = devices_.find(device);
  return found == devices_.end() ? fmt::format("if{}", device.value()) : found->second;
}

}  // namespace vtep
