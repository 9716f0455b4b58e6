// Requests about forwarding tables.
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <iterator>

#include "daemon/overlay.h"
#include "daemon/table_spec.h"

namespace vtep {
namespace {

/// Lines beyond which the journal is written anew, if that makes it much shorter.
constexpr std::size_t kMinJournal = 1024;

bool is_remembered(const v1::FdbChange& change) {
  return change.operation() == v1::FdbChange::OPERATION_DELETE ||
         change.entry().state() != v1::FDB_STATE_DYNAMIC;
}

}  // namespace

Overlay::FdbOutcome Overlay::change_fdb(std::span<const v1::FdbChange> changes) {
  FdbOutcome outcome;
  std::vector<v1::StateRecord> records;
  for (const v1::FdbChange& change : changes) {
    if (auto done = change_one(change); !done) {
      if (outcome.refused++ == 0) {
        outcome.first_refusal = done.error();
        outcome.first_refused = outcome.applied + 1;
      }
      if (!change.force()) break;
      continue;
    }
    ++outcome.applied;
    if (is_remembered(change)) *records.emplace_back().mutable_fdb() = change;
  }
  if (auto written = journal_.append(records); !written) {
    spdlog::error("{} changes will be forgotten by a restart: {}", records.size(), written.error().message);
  }
  publish_events();
  data_plane_.schedule();
  compact_journal();
  return outcome;
}

Result<void> Overlay::change_one(const v1::FdbChange& change) {
  if (kernel_.contains(change.entry().dev())) return kernel_.change_fdb(change);
  const auto link = find(change.entry().dev());
  if (!link) return std::unexpected(link.error());
  const auto request = parse_fdb_entry(change.entry(), (*link)->settings.engine,
                                       [this](const std::string& name) { return index_of(name); });
  if (!request) return std::unexpected(request.error());
  const auto engine = data_plane_.engine();
  Fdb& fdb = engine->fdb();
  const Seconds now = Engine::to_seconds(loop_.now());
  const auto id = link_id(change.entry().dev(), request->source_vni);
  if (!id) return std::unexpected(id.error());
  switch (change.operation()) {
    case v1::FdbChange::OPERATION_ADD:
      return fdb.add(*id, request->mac, request->target, request->state, now);
    case v1::FdbChange::OPERATION_APPEND:
      return fdb.append(*id, request->mac, request->target, request->state, now);
    case v1::FdbChange::OPERATION_REPLACE:
      return fdb.replace(*id, request->mac, request->target, request->state, now);
    case v1::FdbChange::OPERATION_DELETE:
      return fdb.remove(*id, request->mac, request->filter);
    default:
      return fail(ErrorKind::kInvalid, "unknown FDB operation");
  }
}

/// Every engine link of one interface, or of all, in ascending order.
Result<std::vector<LinkId>> Overlay::ids_of(const std::string& dev) {
  std::vector<LinkId> ids;
  if (!dev.empty()) {
    const auto link = find(dev);
    if (!link) return std::unexpected(link.error());
    if (!(*link)->is_vnifilter()) ids.push_back((*link)->id);
    for (const auto& [vni, member] : (*link)->vnis) ids.push_back(member.id);
    std::ranges::sort(ids);
    return ids;
  }
  for (const auto& [id, name] : names_) ids.push_back(id);
  return ids;
}

/// The engine link behind an interface and, on one that has several VNIs, one of them.
Result<LinkId> Overlay::link_id(const std::string& dev, std::optional<Vni> vni) {
  const auto found = find(dev);
  if (!found) return std::unexpected(found.error());
  const OverlayLink& link = **found;
  if (!link.is_vnifilter()) {
    if (vni && *vni != link.settings.engine.vni) {
      return fail(ErrorKind::kInvalid,
                  fmt::format("{} has the one VNI {}", dev, link.settings.engine.vni.value()));
    }
    return link.id;
  }
  if (!vni) return fail(ErrorKind::kInvalid, fmt::format("{} has several VNIs: say 'src_vni VNI'", dev));
  const auto member = link.vnis.find(*vni);
  if (member == link.vnis.end()) {
    return fail(ErrorKind::kNotFound, fmt::format("{} has no VNI {}", dev, vni->value()));
  }
  return member->second.id;
}

std::size_t Overlay::flush(const OverlayLink& link, const v1::FlushFdbRequest& request,
                           const FdbFilter& filter) {
  const auto engine = data_plane_.engine();
  Fdb& fdb = engine->fdb();
  if (!link.is_vnifilter()) return fdb.flush(link.id, filter);
  std::size_t removed = 0;
  for (const auto& [vni, member] : link.vnis) {
    if (!request.has_src_vni() || request.src_vni() == vni.value()) removed += fdb.flush(member.id, filter);
  }
  return removed;
}

Result<std::uint64_t> Overlay::flush_fdb(const v1::FlushFdbRequest& request) {
  if (kernel_.contains(request.dev())) return flush_kernel_fdb(request);
  const auto link = find(request.dev());
  if (!link) return std::unexpected(link.error());
  const auto filter = parse_fdb_flush(request, (*link)->settings.engine,
                                      [this](const std::string& name) { return index_of(name); });
  if (!filter) return std::unexpected(filter.error());
  const std::size_t removed = flush(**link, request, *filter);
  v1::StateRecord record;
  *record.mutable_flush_fdb() = request;
  remember(record);
  publish_events();
  return removed;
}

v1::FdbEntry Overlay::FdbSnapshot::message(const FdbEntry& entry) const {
  const auto link = links.find(entry.link);
  v1::FdbEntry out = to_proto(entry, link == links.end() ? "" : link->second.name, [this](IfIndex index) {
    const auto device = devices.find(index);
    return device == devices.end() ? fmt::format("if{}", index.value()) : device->second;
  });
  if (link != links.end() && link->second.vni) out.set_src_vni(link->second.vni->value());
  if (const auto source = sources.find(entry.source); source != sources.end()) out.set_source(source->second);
  return out;
}

Result<Overlay::FdbSnapshot> Overlay::list_fdb(const v1::ListFdbRequest& request) {
  const auto ids = kernel_.contains(request.dev()) ? Result<std::vector<LinkId>>(std::vector<LinkId>())
                                                   : ids_of(request.dev());
  if (!ids) return std::unexpected(ids.error());
  FdbSnapshot snapshot{.entries = {}, .links = {}, .devices = {}, .sources = source_names_};
  const auto mac = MacAddr::parse(request.mac());
  if (!mac && !request.mac().empty())
    return fail(ErrorKind::kInvalid, fmt::format("Invalid mac address {}", request.mac()));
  const auto engine = data_plane_.engine();
  const Fdb& fdb = engine->fdb();
  const Seconds now = Engine::to_seconds(loop_.now());
  if (kernel_.contains(request.dev())) {
    // None of the engine's.
  } else if (mac) {
    for (const LinkId id : *ids) {
      std::ranges::copy(fdb.get(id, *mac, now), std::back_inserter(snapshot.entries));
    }
  } else if (ids->size() == 1) {
    snapshot.entries = fdb.list(ids->front(), now);
  } else {
    snapshot.entries = fdb.list(std::nullopt, now);
    if (!request.dev().empty()) {
      std::erase_if(snapshot.entries,
                    [&](const FdbEntry& entry) { return !std::ranges::binary_search(*ids, entry.link); });
    }
  }
  mark_external_floods(snapshot.entries);
  if (auto done = append_kernel_entries(request, snapshot); !done) return std::unexpected(done.error());
  if (mac && snapshot.entries.empty()) return fail(ErrorKind::kNotFound, "Fdb entry not found.");
  // Not all names: one entry must not cost those of ten thousand links.
  const auto take_name = [&](LinkId id) {
    if (const auto name = names_.find(id); name != names_.end()) snapshot.links.insert(*name);
  };
  if (request.mac().empty()) {
    std::ranges::for_each(*ids, take_name);
  } else {
    std::ranges::for_each(snapshot.entries, take_name, &FdbEntry::link);
  }
  for (const FdbEntry& entry : snapshot.entries) {
    const IfIndex via = entry.remote.via;
    if (via.is_set() && !snapshot.devices.contains(via)) snapshot.devices[via] = name_of(via);
  }
  return snapshot;
}

/// The shortest journal that says the same: what entries refer to, links, and for each its entries that do
/// not age.
void Overlay::compact_journal() {
  if (journal_.size() < kMinJournal || journal_.size() < 4 * (links_.size() + fdb_size())) return;
  std::vector<v1::StateRecord> records;
  if (config_.links_size() > 0) *records.emplace_back().mutable_config() = config_;
  append_tables(records);
  for (const auto& [link_name, link] : links_) {
    v1::StoredLink& stored = *records.emplace_back().mutable_link();
    stored.set_name(link_name);
    *stored.mutable_spec() = link.spec;
    append_vnis(link, records);
    // The link brings its own flood entry, which may have been changed since: start from nothing.
    records.emplace_back().mutable_flush_fdb()->set_dev(link_name);
  }
  const FdbSnapshot snapshot{.entries = {}, .links = names_, .devices = devices_, .sources = {}};
  const Seconds now = Engine::to_seconds(loop_.now());
  auto entries = data_plane_.engine()->fdb().list(std::nullopt, now);
  mark_external_floods(entries);
  for (const FdbEntry& entry : entries) {
    if (entry.state == FdbState::kDynamic || entry.source != 0) continue;
    v1::FdbChange& change = *records.emplace_back().mutable_fdb();
    change.set_operation(v1::FdbChange::OPERATION_APPEND);
    *change.mutable_entry() = snapshot.message(entry);
  }
  append_link_tables(records);
  append_kernel_links(records);
  for (const v1::FdbChange& change : waiting_) *records.emplace_back().mutable_fdb() = change;
  if (auto written = journal_.rewrite(records); !written) {
    spdlog::error("the journal could not be shortened: {}", written.error().message);
  }
}

}  // namespace vtep
