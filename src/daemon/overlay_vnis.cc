// VNIs of a link that has several (vnifilter): to the engine each is a link of its own, and a VLAN tag on the
// interface says which one a frame belongs to.
#include <fmt/format.h>

#include "daemon/overlay.h"
#include "daemon/spec_words.h"
#include "daemon/table_spec.h"

namespace vtep {
namespace {

Result<OverlayVni> parse_entry(const v1::VniEntry& entry) {
  OverlayVni vni;
  if (entry.has_vlan()) {
    const auto vlan = VlanId::from(entry.vlan());
    if (!vlan || entry.vlan() == 0) {
      return fail(ErrorKind::kInvalid, fmt::format("vlan {} is not between 1 and 4094", entry.vlan()));
    }
    vni.vlan = *vlan;
  }
  if (entry.has_group() && entry.has_remote()) {
    return fail(ErrorKind::kInvalid, "vni: both group and remote cannot be specified");
  }
  if (entry.has_group() || entry.has_remote()) {
    const std::string& text = entry.has_group() ? entry.group() : entry.remote();
    const auto address = IpAddr::parse(text);
    if (!address || address->is_unspecified() || address->is_multicast() != entry.has_group()) {
      return fail(ErrorKind::kInvalid, fmt::format("vni: \"{}\" is not a {} address", text,
                                                   entry.has_group() ? "multicast" : "unicast"));
    }
    vni.flood = address;
  }
  return vni;
}

}  // namespace

Result<void> Overlay::change_vni(const v1::VniChange& change) {
  if (auto done = apply(change); !done) return done;
  v1::StateRecord record;
  *record.mutable_vni() = change;
  remember(record);
  publish_events();
  return {};
}

Result<void> Overlay::apply(const v1::VniChange& change) {
  const auto link = find(change.entry().dev());
  if (!link) return std::unexpected(link.error());
  if (!(*link)->is_vnifilter()) {
    return fail(ErrorKind::kInvalid,
                fmt::format("{} has one VNI for good: make it with 'external vnifilter' to have several",
                            change.entry().dev()));
  }
  return change_vni(**link, change);
}

Result<void> Overlay::change_vni(OverlayLink& link, const v1::VniChange& change) {
  const auto number = parse_vni_number(change.entry().vni());
  if (!number) return std::unexpected(number.error());
  const auto known = link.vnis.find(*number);
  const bool exists = known != link.vnis.end();
  if (change.operation() == v1::CHANGE_ADD && exists) {
    return fail(ErrorKind::kExists, fmt::format("{} has VNI {} already", link.name, number->value()));
  }
  if (change.operation() == v1::CHANGE_DELETE) {
    if (!exists)
      return fail(ErrorKind::kNotFound, fmt::format("{} has no VNI {}", link.name, number->value()));
    leave(link, known->second);
    data_plane_.engine()->remove_link(known->second.id);
    names_.erase(known->second.id);
    external_floods_.erase(known->second.id);
    link.vnis.erase(known);
    set_members(link);
    if (watcher_ != nullptr) watcher_->links_changed();
    return {};
  }

  auto wanted = parse_entry(change.entry());
  if (!wanted) return std::unexpected(wanted.error());
  if (wanted->flood && wanted->flood->is_multicast() && link.settings.device.empty()) {
    return fail(ErrorKind::kInvalid,
                fmt::format("vni: a group needs the underlay device of {} ('dev')", link.name));
  }
  for (const auto& [vni, other] : link.vnis) {
    if (vni == *number || other.vlan != wanted->vlan) continue;
    return fail(ErrorKind::kExists,
                wanted->vlan
                    ? fmt::format("vlan {} is that of VNI {}", wanted->vlan->value(), vni.value())
                    : fmt::format("frames without a tag are those of VNI {}: give a vlan", vni.value()));
  }
  const LinkConfig config = member_config(link.settings.engine, *number, wanted->flood);
  if (exists) {
    leave(link, known->second);
    wanted->id = known->second.id;
    if (auto done = data_plane_.engine()->change_link(wanted->id, config, loop_.now()); !done) return done;
  } else {
    const auto id = data_plane_.engine()->add_link(config, loop_.now());
    if (!id) return std::unexpected(id.error());
    wanted->id = *id;
    names_[*id] = {link.name, *number};
  }
  OverlayVni& vni = link.vnis[*number] = *wanted;
  if (auto joined = join(link, vni); !joined) set_trouble(link, Trouble::kMembership, joined);
  set_members(link);
  follow_neighbours(link);
  if (watcher_ != nullptr) watcher_->links_changed();
  return {};
}

/// What the engine is told of one VNI: the link's own configuration, but for these two.
LinkConfig Overlay::member_config(const LinkConfig& link, Vni number, const std::optional<IpAddr>& flood) {
  LinkConfig config = link;
  config.has_vni = true;
  config.vni = number;
  config.flood = flood;
  return config;
}

void Overlay::set_members(const OverlayLink& link) {
  std::vector<DataPlane::Member> members;
  for (const auto& [number, vni] : link.vnis) members.push_back({vni.id, vni.vlan});
  data_plane_.set_members(link.id, members);
}

Result<void> Overlay::join(const OverlayLink& link, OverlayVni& vni) {
  const IfIndex device = link.settings.engine.device;
  if (vni.has_member || !vni.flood || !vni.flood->is_multicast() || !device.is_set()) return {};
  auto joined = memberships_.join(*vni.flood, device);
  vni.has_member = joined.has_value();
  return joined;
}

void Overlay::leave(const OverlayLink& link, OverlayVni& vni) {
  if (!vni.has_member) return;
  memberships_.leave(*vni.flood, link.settings.engine.device);
  vni.has_member = false;
}

v1::VniEntry Overlay::describe(const std::string& name, Vni number, const OverlayVni& vni) {
  v1::VniEntry entry;
  entry.set_dev(name);
  entry.set_vni(number.value());
  if (vni.vlan) entry.set_vlan(vni.vlan->value());
  if (vni.flood) {
    (vni.flood->is_multicast() ? *entry.mutable_group() : *entry.mutable_remote()) = vni.flood->to_string();
  }
  return entry;
}

Result<std::vector<v1::VniEntry>> Overlay::list_vnis(const std::string& dev) {
  if (!dev.empty()) {
    if (auto found = find(dev); !found) return std::unexpected(found.error());
  }
  std::vector<v1::VniEntry> out;
  for (const auto& [name, link] : links_) {
    if (!dev.empty() && dev != name) continue;
    for (const auto& [number, vni] : link.vnis) {
      v1::VniEntry& entry = out.emplace_back(describe(name, number, vni));
      *entry.mutable_counters() = to_proto(data_plane_.engine()->counters(vni.id));
    }
  }
  return out;
}

void Overlay::append_vnis(const OverlayLink& link, std::vector<v1::StateRecord>& records) const {
  for (const auto& [number, vni] : link.vnis) {
    v1::VniChange& change = *records.emplace_back().mutable_vni();
    change.set_operation(v1::CHANGE_REPLACE);
    *change.mutable_entry() = describe(link.name, number, vni);
  }
}

}  // namespace vtep
