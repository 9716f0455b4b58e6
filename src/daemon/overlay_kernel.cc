// Links whose data path is the kernel's driver (kernel_links.h), as the other links of this host: remembered,
// listed beside them, and published.
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "daemon/overlay.h"
#include "daemon/table_spec.h"

namespace vtep {

KernelLinks::Hooks Overlay::kernel_hooks() {
  return {.changed =
              [this](const KernelLink& link) {
                names_[link.id] = {link.name, std::nullopt};
                publish(v1::Event::ACTION_SET, link);
              },
          .renamed =
              [this](const std::string& from, const std::string& to) {
                v1::StateRecord record;
                record.mutable_rename()->set_from(from);
                record.mutable_rename()->set_to(to);
                remember(record);
              },
          .lost =
              [this](const KernelLink& link) {
                names_.erase(link.id);
                remember_deleted(link.name);
                publish(v1::Event::ACTION_DELETED, link);
              },
          .entry = [this](const FdbEvent& event) { publish_fdb_event(event); }};
}

// --- a link's life

Result<void> Overlay::add_kernel_link(const std::string& name, const v1::LinkSpec& spec) {
  if (auto added = kernel_.add(name, spec); !added) return added;
  remember_link(name, kernel_.get(name).spec);
  return {};
}

Result<void> Overlay::respecify_kernel_link(const std::string& name, v1::LinkSpec spec,
                                            std::optional<bool> up) {
  const v1::LinkSpec& before = kernel_.get(name).spec;
  if (spec.datapath() != before.datapath())
    return fail(ErrorKind::kSystem, "Cannot change datapath: delete the link and add it anew");
  if (auto done = kernel_.respecify(name, spec, up); !done) return done;
  remember_link(name, kernel_.get(name).spec);
  return {};
}

void Overlay::delete_kernel_link(const std::string& name) {
  const KernelLink& link = kernel_.get(name);
  v1::Event event;
  event.set_action(v1::Event::ACTION_DELETED);
  *event.mutable_link() = kernel_.describe(link);
  names_.erase(link.id);
  kernel_.remove(name);
  remember_deleted(name);
  spdlog::info("link {}: deleted", name);
  if (publish_) publish_(event);
}

void Overlay::publish(v1::Event::Action action, const KernelLink& link) {
  if (!publish_) return;
  v1::Event event;
  event.set_action(action);
  *event.mutable_link() = kernel_.describe(link);
  publish_(event);
}

// --- memory

Result<std::uint64_t> Overlay::flush_kernel_fdb(const v1::FlushFdbRequest& request) {
  const auto flushed = kernel_.flush_fdb(request);
  if (!flushed) return std::unexpected(flushed.error());
  for (const v1::FdbChange& change : flushed->forgotten) {
    v1::StateRecord record;
    *record.mutable_fdb() = change;
    remember(record);
  }
  return flushed->removed;
}

/// False: it is about no such link.
bool Overlay::restore_kernel(const v1::StateRecord& record) {
  switch (record.record_case()) {
    case v1::StateRecord::kLink:
      if (record.link().spec().datapath() != v1::DATAPATH_KERNEL) return false;
      if (auto done = kernel_.remember(record.link().name(), record.link().spec()); !done)
        spdlog::warn("cannot restore link {}: {}", record.link().name(), done.error().message);
      return true;
    case v1::StateRecord::kDeleteLink:
      if (!kernel_.contains(record.delete_link())) return false;
      kernel_.forget(record.delete_link());
      return true;
    case v1::StateRecord::kRename:
      if (!kernel_.contains(record.rename().from())) return false;
      kernel_.rename_remembered(record.rename().from(), record.rename().to());
      return true;
    case v1::StateRecord::kFdb:
      if (!kernel_.contains(record.fdb().entry().dev())) return false;
      kernel_.remember(record.fdb());
      return true;
    case v1::StateRecord::kFlushFdb:
      return kernel_.contains(record.flush_fdb().dev());  // the kernel has done it
    default:
      return false;
  }
}

void Overlay::append_kernel_links(std::vector<v1::StateRecord>& records) const {
  for (const auto& [name, link] : kernel_.all()) {
    v1::StoredLink& stored = *records.emplace_back().mutable_link();
    stored.set_name(name);
    *stored.mutable_spec() = link.spec;
    for (const auto& [key, entry] : link.remembered) {
      v1::FdbChange& change = *records.emplace_back().mutable_fdb();
      change.set_operation(v1::FdbChange::OPERATION_APPEND);
      *change.mutable_entry() = entry;
    }
  }
}

// --- lists

Result<void> Overlay::append_kernel_entries(const v1::ListFdbRequest& request, FdbSnapshot& snapshot) {
  const auto mac = MacAddr::parse(request.mac());
  for (const auto& [name, link] : kernel_.all()) {
    if (!request.dev().empty() && request.dev() != name) continue;
    const auto entries = kernel_.list_fdb(name);
    if (!entries) return std::unexpected(entries.error());
    for (const FdbEntry& entry : *entries) {
      if (!mac || entry.mac == *mac) snapshot.entries.push_back(entry);
    }
    snapshot.links[link.id] = {name, std::nullopt};
  }
  return {};
}

Result<void> Overlay::append_kernel_neighbours(const std::string& dev, std::vector<v1::Neighbour>& out) {
  for (const auto& [name, link] : kernel_.all()) {
    if (!dev.empty() && dev != name) continue;
    auto neighbours = kernel_.list_neighbours(name);
    if (!neighbours) return std::unexpected(neighbours.error());
    std::ranges::sort(*neighbours, {}, &Neighbour::ip);
    for (const Neighbour& neighbour : *neighbours) out.push_back(describe(neighbour));
  }
  return {};
}

/// As far as the driver tells them apart, in the counters of its interface (drivers/net/vxlan/vxlan_core.c).
void Overlay::append_kernel_drops(const std::string& name, std::vector<v1::DropCount>& out) {
  const auto interface = rtnetlink_.find(kernel_.get(name).interface);
  if (!interface) return;
  const InterfaceStats& stats = interface->stats;
  const std::pair<Drop, std::uint64_t> counts[] = {
      {Drop::kNoRemote, stats.tx_dropped},
      {Drop::kUnderlayUnreachable, stats.tx_carrier_errors},
      {Drop::kUnderlayRefused, stats.tx_errors - std::min(stats.tx_errors, stats.tx_carrier_errors)},
      {Drop::kInterfaceRefused, stats.rx_dropped},
  };
  for (const auto& [drop, count] : counts) {
    v1::DropCount& line = out.emplace_back();
    line.set_dev(name);
    line.set_name(std::string(text(drop).name));
    line.set_description(std::string(text(drop).sentence));
    line.set_count(count);
  }
}

}  // namespace vtep
