// What a link takes from the system, and what happens when the system changes.
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "daemon/overlay.h"

namespace vtep {
namespace {

/// When no underlay device is given, its MTU is taken to be Ethernet's.
constexpr std::uint32_t kEthernetMtu = 1500;
constexpr std::uint32_t kMinMtu = 68;
/// UDP payload of one message over IPv4, and what a segment has in it beside its IP packet: VXLAN and
/// Ethernet.
constexpr std::uint32_t kMaxMessage = 65507;
constexpr std::uint32_t kSegmentOverhead = 8 + 14;
/// IPv4 and TCP with timestamps, as nearly every connection has them. The others get a segment less, or none
/// more.
constexpr std::uint32_t kTcpHeaders = 20 + 20 + 12;
/// What TCP sets aside for headers before it divides by the segment size (Linux: MAX_TCP_HEADER + 1).
constexpr std::uint32_t kTcpReserve = 321;
constexpr Duration kRetryInterval = std::chrono::seconds(1);

/// "… again" says that the trouble is over.
std::string recovery(const OverlayLink& link, Trouble trouble) {
  switch (trouble) {
    case Trouble::kInterfaceMissing:
      return fmt::format("interface {} is there", link.name);
    case Trouble::kDevice:
      return fmt::format("underlay device {} is usable", link.settings.device);
    case Trouble::kReceiver:
      return fmt::format("UDP port {} is ours", link.settings.engine.port.value());
    case Trouble::kMembership:
      return fmt::format("group {} is joined", link.settings.engine.flood.value_or(IpAddr()).to_string());
  }
  return {};
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
    if (config.device.is_set()) data_plane_.engine()->fdb().move_device(config.device, device->index);
    config.device = device->index;
    set_engine(link, config);
  }
  return {};
}

Result<void> Overlay::check_underlay(const OverlayLink& link) {
  const LinkConfig& config = link.settings.engine;
  if (config.device.is_set()) {
    const auto device = rtnetlink_.find(config.device);
    if (!device || !device->is_up()) {
      return fail(ErrorKind::kUnavailable, fmt::format("underlay device {} is down", link.settings.device));
    }
    const auto addresses = rtnetlink_.addresses(config.device);
    const auto fits = [&](const IpAddr& address) {
      return !config.flood || address.is_v6() == config.flood->is_v6();
    };
    if (addresses && std::ranges::none_of(*addresses, fits)) {
      return fail(ErrorKind::kUnavailable,
                  fmt::format("underlay device {} has no {} address", link.settings.device,
                              !config.flood           ? "IP"
                              : config.flood->is_v6() ? "IPv6"
                                                      : "IPv4"));
    }
  }
  for (const IpAddr& local : link.settings.locals()) {
    if (const auto is_here = rtnetlink_.has_address(local); is_here && !*is_here) {
      return fail(ErrorKind::kUnavailable,
                  fmt::format("local address {} is on no interface of this host", local.to_string()));
    }
  }
  return {};
}

Result<void> Overlay::take_receiver(OverlayLink& link) {
  if (link.has_receiver) return {};
  auto taken = data_plane_.acquire_receiver(link.settings.engine.port);
  link.has_receiver = taken.has_value();
  if (taken && link.settings.zero_checksum6_rx) accept_zero_checksums(link);
  return taken;
}

Result<void> Overlay::take_interface(OverlayLink& link) {
  if (link.tap != nullptr) return {};
  const bool existed = rtnetlink_.find(link.name).has_value();
  auto tap = Tap::open(link.name, data_plane_.workers());
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

  link.tap = std::move(*tap);
  link.interface = interface->index;
  devices_[link.interface] = link.name;
  auto attached = data_plane_.attach(link.id, link.tap->take_queues());
  if (!attached) {
    link.tap = nullptr;
    return attached;
  }
  return follow_mtu(link, is_fresh);
}

Result<void> Overlay::take_membership(OverlayLink& link) {
  Result<void> outcome;
  for (auto& [number, vni] : link.vnis) {
    if (auto joined = join(link, vni); !joined && outcome) outcome = joined;
  }
  const LinkConfig& config = link.settings.engine;
  if (link.has_member || !link.settings.is_group || !config.device.is_set()) return outcome;
  auto joined = memberships_.join(*config.flood, config.device);
  link.has_member = joined.has_value();
  return joined;
}

/// The receiver is shared by all links of the port, and so is what one of them asks for.
void Overlay::accept_zero_checksums(const OverlayLink& link) {
  const Port port = link.settings.engine.port;
  const bool wanted = std::ranges::any_of(links_, [&](const auto& item) {
    return item.second.settings.engine.port == port && item.second.settings.zero_checksum6_rx;
  });
  data_plane_.for_each_receiver(port, [&](UnderlayReceiver& receiver) {
    if (auto done = receiver.accept_zero_checksum6(wanted); !done) {
      spdlog::warn("{}: {}", link.name, done.error().message);
    }
  });
}

void Overlay::drop_membership(OverlayLink& link) {
  for (auto& [number, vni] : link.vnis) leave(link, vni);
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
  const std::uint32_t overhead = link.settings.overhead();
  const std::uint32_t derived = std::max(device_mtu, kMinMtu + overhead) - overhead;
  const std::uint32_t before = std::exchange(link.derived_mtu, derived);
  const std::uint32_t wanted = link.settings.mtu.value_or(derived);
  // Another value than the one we gave is somebody's decision and stays.
  const bool is_ours = first_time || (!link.settings.mtu && link.settings.engine.mtu == before);
  if (first_time && link.interface.is_set())
    fit_super_frames(link, is_ours ? wanted : link.settings.engine.mtu);
  if (!is_ours || wanted == link.settings.engine.mtu || !link.interface.is_set()) return {};
  if (auto done = rtnetlink_.set_mtu(link.interface, wanted); !done) return done;
  fit_super_frames(link, wanted);
  LinkConfig config = link.settings.engine;
  config.mtu = wanted;
  set_engine(link, config);
  return {};
}

/// TCP shall make super-frames whose segments, each behind outer headers of its own, fit one message of the
/// underlay: one that is a segment too long costs a second message, here and at the other end.
void Overlay::fit_super_frames(const OverlayLink& link, std::uint32_t mtu) {
  const std::uint32_t segments = std::max(kMaxMessage / (mtu + kSegmentOverhead), 1U);
  if (auto done = rtnetlink_.set_gso_max_size(link.interface, segments * (mtu - kTcpHeaders) + kTcpReserve);
      !done) {
    spdlog::debug("{}: {}", link.name, done.error().message);  // it works all the same
  }
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
  if (device) device = check_underlay(link);
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
    if (auto followed = follow_mtu(link, false); !followed)
      spdlog::warn("{}: {}", link.name, followed.error().message);
  }
  if (link.troubles.contains(Trouble::kReceiver) || link.troubles.contains(Trouble::kMembership))
    retry_later();
}

/// The kernel does not say when a port becomes free. Troubles and configured links that are not there yet.
void Overlay::retry_later() {
  retry_.set_if_idle(kRetryInterval, [this] {
    for (auto& [name, link] : links_) {
      if (!link.troubles.empty()) repair(link);
    }
    std::erase_if(unmet_, [this](const auto& unmet) {
      (void)configure(unmet.second, nullptr);  // why it could not be made was logged the first time
      return has_link(unmet.first);
    });
    if (!unmet_.empty()) retry_later();
  });
}

void Overlay::interface_lost(OverlayLink& link) {
  if (link.tap == nullptr) return;
  data_plane_.detach(link.id);
  link.tap = nullptr;
  link.interface = IfIndex();
  link.away.reset();
  set_trouble(
      link, Trouble::kInterfaceMissing,
      fail(ErrorKind::kUnavailable,
           fmt::format("interface {0} was deleted: bring it back with 'ip tuntap add dev {0} mode tap "
                       "multi_queue vnet_hdr', or delete the link with 'vtep link del {0}'",
                       link.name)));
}

// --- notifications of the kernel

void Overlay::interface_changed(const Rtnetlink::Change& change) {
  kernel_.interface_changed(change);
  const Interface& interface = change.interface;
  const auto known = devices_.find(interface.index);
  const std::string old_name = known == devices_.end() ? interface.name : known->second;
  const auto own = links_.find(old_name);
  const bool is_ours = own != links_.end() && own->second.interface == interface.index;
  if (!change.removed) {
    const auto [mtu, is_new] = mtus_.try_emplace(interface.index, interface.mtu);
    // A path MTU that was learned over another MTU is no longer the path's.
    if (!is_new && mtu->second != interface.mtu && !is_ours) data_plane_.engine()->paths().forget_learned();
    mtu->second = interface.mtu;
    if (const auto gone = gone_.find(interface.name); gone != gone_.end()) {
      data_plane_.engine()->fdb().move_device(gone->second, interface.index);
      devices_.erase(gone->second);
      gone_.erase(gone);
    }
    devices_[interface.index] = interface.name;
  } else if (mtus_.erase(interface.index); data_plane_.engine()->uses_device(interface.index)) {
    gone_[old_name] = interface.index;
  } else {
    devices_.erase(interface.index);
  }

  // The interface of a link?
  if (own != links_.end()) {
    OverlayLink& link = own->second;
    if (!change.removed) {
      own_interface_changed(link, interface);
    } else if (link.interface == interface.index) {
      link.interface = IfIndex();
      // Deleted, or moved to another network namespace: then the TAP goes on working.
      if (link.tap != nullptr) look_elsewhere(link);
    }
  }

  underlay_changed(change, old_name, is_ours);

  if (!change.removed && !waiting_.empty()) {
    const std::vector<v1::FdbChange> changes = std::exchange(waiting_, {});
    for (const v1::FdbChange& entry : changes) {
      if (!change_one(entry)) waiting_.push_back(entry);
    }
    publish_events();
  }
}

/// Is it the underlay device of links, or where their local addresses are?
void Overlay::underlay_changed(const Rtnetlink::Change& change, const std::string& old_name, bool is_ours) {
  const Interface& interface = change.interface;
  const bool is_underlay = underlays_.contains(old_name) || underlays_.contains(interface.name);
  const bool is_local = change.address ? locals_.contains(*change.address) : !is_ours && !locals_.empty();
  if (!is_underlay && !is_local) return;
  std::vector<std::string> users;
  for (const auto& [name, link] : links_) {
    const LinkConfig& config = link.settings.engine;
    // May be on any interface.
    const bool has_local = !config.local4.is_unspecified() || !config.local6.is_unspecified();
    if ((is_local && has_local) || link.settings.device == old_name ||
        link.settings.device == interface.name) {
      users.push_back(name);
    }
  }
  for (const std::string& name : users) {
    OverlayLink& link = links_.at(name);
    if (!change.removed && interface.name != old_name && link.settings.engine.device == interface.index) {
      LinkSettings renamed = link.settings;  // the same device
      renamed.device = interface.name;
      set_settings(link, renamed);
      link.spec.set_dev(interface.name);
      remember(link);
    }
    if (change.removed && link.settings.engine.device == interface.index) drop_membership(link);
    repair(link);
  }
}

void Overlay::own_interface_changed(OverlayLink& link, const Interface& interface) {
  if (link.tap == nullptr) {
    if (interface.kind == "tun" && interface.name == link.name) repair(link);
    return;
  }
  if (!link.interface.is_set()) {
    const auto state = link.tap->state();  // back from another namespace, or only somebody's namesake
    if (state && !state->away && state->index == interface.index) {
      link.interface = interface.index;
      link.away.reset();
    }
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
    const OverlayLink& renamed = rename_in_tables(link.name, interface.name);
    remember(record);
    publish(v1::Event::ACTION_SET, renamed);
    return;
  }
  publish(v1::Event::ACTION_SET, link);
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
