// How links come back after a restart, how the configuration file becomes requests, and how it all ends.
#include <fmt/format.h>
#include <google/protobuf/util/message_differencer.h>
#include <spdlog/spdlog.h>

#include <algorithm>

#include "daemon/overlay.h"

namespace vtep {
namespace {

using google::protobuf::util::MessageDifferencer;

const v1::ConfiguredLink* find_link(const v1::Config& config, const std::string& name) {
  const auto found = std::ranges::find(config.links(), name, &v1::ConfiguredLink::name);
  return found == config.links().end() ? nullptr : &*found;
}

bool contains(const google::protobuf::RepeatedPtrField<v1::FdbEntry>& entries, const v1::FdbEntry& entry) {
  return std::ranges::any_of(entries,
                             [&](const v1::FdbEntry& e) { return MessageDifferencer::Equals(e, entry); });
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

/// What was asked for; in the engine only.
void Overlay::restore(const v1::StateRecord& record) {
  if (restore_kernel(record)) return;
  const auto check = [](const std::string& what, const Result<void>& done) {
    if (!done) spdlog::warn("cannot restore {}: {}", what, done.error().message);
  };
  switch (record.record_case()) {
    case v1::StateRecord::kLink: {
      const std::string& name = record.link().name();
      auto inserted = Result<OverlayLink*>(nullptr);
      if (const auto known = links_.find(name); known != links_.end()) {
        const auto settings = parse_link_spec(record.link().spec());
        if (settings) {
          set_settings(known->second, *settings);
          set_engine(known->second, settings->engine);
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
      if (has_link(record.rename().from())) rename_in_tables(record.rename().from(), record.rename().to());
      break;
    case v1::StateRecord::kVni:
      check(fmt::format("VNI {}", record.vni().entry().vni()), apply(record.vni()));
      break;
    case v1::StateRecord::kNexthop:
      check(fmt::format("nexthop {}", record.nexthop().nexthop().id()), apply(record.nexthop()));
      break;
    case v1::StateRecord::kMdb:
      check("group " + record.mdb().entry().group(), apply(record.mdb()));
      break;
    case v1::StateRecord::kNeighbour:
      check("neighbour " + record.neighbour().neighbour().ip(), apply(record.neighbour()));
      break;
    case v1::StateRecord::kRemote:
      check("remote " + record.remote().address(), apply(record.remote()));
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
        if (filter) flush(**link, record.flush_fdb(), *filter);
      }
      break;
    case v1::StateRecord::kConfig:
      config_ = record.config();
      break;
    case v1::StateRecord::kVersion:
    case v1::StateRecord::kFdbRun:
    case v1::StateRecord::RECORD_NOT_SET:
      break;
  }
}

void Overlay::restore() {
  constexpr std::size_t kEventsAtOnce =
      1024;  // nobody listens yet, but they take memory until they are taken
  journal_.replay([this, count = std::size_t{0}](const v1::StateRecord& record) mutable {
    restore(record);
    if (++count % kEventsAtOnce == 0) publish_events();
  });
  // Then, once, what it needs from the system.
  for (auto& [name, link] : links_) {
    (void)take_device(link);  // repair() says what is wrong with it
    auto taken = take_left_interface(link);
    if (taken) taken = link.tap->set_persistent(true);
    set_trouble(link, Trouble::kInterfaceMissing, taken);
    repair(link);
    spdlog::info("link {}: taken over from the last daemon", name);
  }
  kernel_.restore();
  for (const auto& [name, link] : kernel_.all()) names_[link.id] = {name, std::nullopt};
  publish_events();
  data_plane_.schedule();
}

Result<void> Overlay::apply_config(const v1::Config& config) {
  Result<void> outcome;
  const auto note = [&outcome](const std::string& link, const Result<void>& done) {
    if (done) return;
    spdlog::error("configuration of {}: {}", link, done.error().message);
    if (outcome) outcome = done;
  };
  unmet_.clear();
  for (const v1::ConfiguredLink& old : config_.links()) {
    if (find_link(config, old.name()) == nullptr && has_link(old.name()))
      note(old.name(), delete_link(old.name()));
  }
  for (const v1::ConfiguredLink& wanted : config.links()) {
    note(wanted.name(), configure(wanted, find_link(config_, wanted.name())));
    if (has_link(wanted.name())) continue;
    unmet_[wanted.name()] = wanted;  // at boot its device may come later than we do
    retry_later();
  }
  config_ = config;
  v1::StateRecord record;
  *record.mutable_config() = config;
  remember(record);
  return outcome;
}

Result<void> Overlay::configure(const v1::ConfiguredLink& wanted, const v1::ConfiguredLink* before) {
  const std::string& name = wanted.name();
  Result<void> outcome;
  const auto keep_first = [&outcome](const Result<void>& done) {
    if (outcome) outcome = done;
  };
  if (has_link(name)) {
    const auto parsed = parse_link_spec(wanted.spec());
    const LinkSettings& now = kernel_.contains(name) ? kernel_.get(name).settings : links_.at(name).settings;
    if (parsed && (parsed->engine.vni != now.engine.vni || parsed->engine.port != now.engine.port ||
                   parsed->is_kernel != now.is_kernel)) {
      keep_first(delete_link(name));
    }
  }
  if (!has_link(name)) {
    if (auto added = add_link(name, wanted.spec()); !added) return std::unexpected(added.error());
    before = nullptr;
  } else if (before == nullptr || !MessageDifferencer::Equals(before->spec(), wanted.spec())) {
    keep_first(kernel_.contains(name) ? respecify_kernel_link(name, wanted.spec(), {})
                                      : respecify(links_.at(name), wanted.spec(), {}));
  }
  if (wanted.has_up() && (before == nullptr || before->up() != wanted.up())) {
    keep_first(set_link(name, {}, wanted.up()));
  }

  configure_vnis(wanted, before, keep_first);
  std::vector<v1::FdbChange> changes;
  if (before != nullptr) {
    for (const v1::FdbEntry& entry : before->fdb()) {
      if (!contains(wanted.fdb(), entry)) changes.push_back(make_change(name, entry, false));
    }
  }
  for (const v1::FdbEntry& entry : wanted.fdb()) {
    if (before == nullptr || !contains(before->fdb(), entry))
      changes.push_back(make_change(name, entry, true));
  }
  if (const FdbOutcome done = change_fdb(changes); done.first_refusal) {
    keep_first(std::unexpected(*done.first_refusal));
  }
  configure_neighbours(wanted, before, keep_first);
  return outcome;
}

/// Those that the file no longer has go first: a VLAN may have been given to another VNI.
void Overlay::configure_vnis(const v1::ConfiguredLink& wanted, const v1::ConfiguredLink* before,
                             const std::function<void(const Result<void>&)>& keep) {
  const auto change = [&](v1::ChangeOperation operation, const v1::VniEntry& entry) {
    v1::VniChange request;
    request.set_operation(operation);
    *request.mutable_entry() = entry;
    request.mutable_entry()->set_dev(wanted.name());
    keep(change_vni(request));
  };
  const auto has = [](const auto& entries, std::uint32_t vni) {
    return std::ranges::any_of(entries, [vni](const v1::VniEntry& entry) { return entry.vni() == vni; });
  };
  if (before != nullptr) {
    for (const v1::VniEntry& entry : before->vnis()) {
      if (!has(wanted.vnis(), entry.vni())) change(v1::CHANGE_DELETE, entry);
    }
  }
  for (const v1::VniEntry& entry : wanted.vnis()) {
    const bool is_same =
        before != nullptr && std::ranges::any_of(before->vnis(), [&](const v1::VniEntry& old) {
          return MessageDifferencer::Equals(old, entry);
        });
    if (!is_same) change(v1::CHANGE_REPLACE, entry);
  }
}

void Overlay::configure_neighbours(const v1::ConfiguredLink& wanted, const v1::ConfiguredLink* before,
                                   const std::function<void(const Result<void>&)>& keep) {
  const auto change = [&](v1::ChangeOperation operation, const v1::Neighbour& neighbour) {
    v1::NeighbourChange request;
    request.set_operation(operation);
    *request.mutable_neighbour() = neighbour;
    request.mutable_neighbour()->set_dev(wanted.name());
    keep(change_neighbour(request));
  };
  if (before != nullptr) {
    for (const v1::Neighbour& old : before->neighbours()) {
      const bool is_there = std::ranges::any_of(wanted.neighbours(), [&](const v1::Neighbour& neighbour) {
        return neighbour.ip() == old.ip() && neighbour.src_vni() == old.src_vni();
      });
      if (!is_there) change(v1::CHANGE_DELETE, old);
    }
  }
  for (const v1::Neighbour& neighbour : wanted.neighbours()) change(v1::CHANGE_REPLACE, neighbour);
}

/// All in one request: deleted one by one, each costs the kernel a grace period. False: nothing was deleted.
bool Overlay::delete_interfaces() {
  // Not a number that somebody has chosen: the groups of /etc/iproute2/group are small.
  std::uint32_t group = 0x76746570;
  const auto interfaces = rtnetlink_.list();
  if (!interfaces) return false;
  const auto is_taken = [&](const Interface& interface) { return interface.group == group; };
  while (std::ranges::any_of(*interfaces, is_taken)) ++group;
  for (const auto& [name, link] : links_) {
    if (!link.interface.is_set()) continue;
    if (auto done = rtnetlink_.set_group(link.interface, group); !done) {
      spdlog::debug("{}: {}", name, done.error().message);
    }
  }
  return rtnetlink_.delete_group(group).has_value();
}

void Overlay::close(bool remove) {
  const bool deleted = remove && links_.size() > 1 && delete_interfaces();
  for (auto& [name, link] : links_) {
    drop_membership(link);
    if (link.tap == nullptr) continue;
    const bool is_gone = deleted && link.interface.is_set();
    if (auto done = is_gone ? Result<void>() : link.tap->set_persistent(!remove); !done) {
      spdlog::warn("{}: {}", name, done.error().message);
    }
    data_plane_.detach(link.id);
  }
  for (const Port port : data_plane_.receiver_ports()) data_plane_.close_receivers(port);
  links_.clear();
  kernel_.close(remove);
  if (remove) journal_.remove();
}

}  // namespace vtep
