// Requests about forwarding tables.
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <iterator>

#include "daemon/overlay.h"

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
  publish_fdb_events();
  data_plane_.schedule();
  compact_journal();
  return outcome;
}

Result<void> Overlay::change_one(const v1::FdbChange& change) {
  const auto link = find(change.entry().dev());
  if (!link) return std::unexpected(link.error());
  const auto request = parse_fdb_entry(change.entry(), (*link)->settings.engine,
                                       [this](const std::string& name) { return index_of(name); });
  if (!request) return std::unexpected(request.error());
  Fdb& fdb = data_plane_.engine().fdb();
  const Seconds now = Engine::to_seconds(loop_.now());
  const LinkId id = (*link)->id;
  switch (change.operation()) {
    case v1::FdbChange::OPERATION_ADD:
      return fdb.add(id, request->mac, request->remote, request->state, now);
    case v1::FdbChange::OPERATION_APPEND:
      return fdb.append(id, request->mac, request->remote, request->state, now);
    case v1::FdbChange::OPERATION_REPLACE:
      return fdb.replace(id, request->mac, request->remote, request->state, now);
    case v1::FdbChange::OPERATION_DELETE:
      return fdb.remove(id, request->mac, request->filter);
    default:
      return fail(ErrorKind::kInvalid, "unknown FDB operation");
  }
}

Result<std::uint64_t> Overlay::flush_fdb(const v1::FlushFdbRequest& request) {
  const auto link = find(request.dev());
  if (!link) return std::unexpected(link.error());
  const auto filter = parse_fdb_flush(request, (*link)->settings.engine,
                                      [this](const std::string& name) { return index_of(name); });
  if (!filter) return std::unexpected(filter.error());
  const std::size_t removed = data_plane_.engine().fdb().flush((*link)->id, *filter);
  v1::StateRecord record;
  *record.mutable_flush_fdb() = request;
  remember(record);
  publish_fdb_events();
  return removed;
}

v1::FdbEntry Overlay::FdbSnapshot::message(const FdbEntry& entry) const {
  const auto link = links.find(entry.link);
  return to_proto(entry, link == links.end() ? "" : link->second, [this](IfIndex index) {
    const auto device = devices.find(index);
    return device == devices.end() ? fmt::format("if{}", index.value()) : device->second;
  });
}

Result<Overlay::FdbSnapshot> Overlay::list_fdb(const v1::ListFdbRequest& request) {
  std::optional<LinkId> id;
  if (!request.dev().empty()) {
    const auto link = find(request.dev());
    if (!link) return std::unexpected(link.error());
    id = (*link)->id;
  }
  FdbSnapshot snapshot{.entries = {}, .links = names_, .devices = devices_};
  const Fdb& fdb = data_plane_.engine().fdb();
  const Seconds now = Engine::to_seconds(loop_.now());
  if (request.mac().empty()) {
    snapshot.entries = fdb.list(id, now);
    return snapshot;
  }
  const auto mac = MacAddr::parse(request.mac());
  if (!mac) return fail(ErrorKind::kInvalid, fmt::format("Invalid mac address {}", request.mac()));
  for (const auto& [name, link] : links_) {
    if (id && *id != link.id) continue;
    std::ranges::copy(fdb.get(link.id, *mac, now), std::back_inserter(snapshot.entries));
  }
  if (snapshot.entries.empty()) return fail(ErrorKind::kNotFound, "Fdb entry not found.");
  return snapshot;
}

void Overlay::publish_fdb_events() {
  const std::vector<FdbEvent> events = data_plane_.engine().fdb().take_events();
  if (!publish_) return;
  for (const FdbEvent& event : events) {
    const auto link = names_.find(event.entry.link);
    if (link == names_.end()) continue;
    const bool gone = event.kind == FdbEvent::Kind::kRemoved || event.kind == FdbEvent::Kind::kAged;
    v1::Event message;
    message.set_action(gone ? v1::Event::ACTION_DELETED : v1::Event::ACTION_SET);
    *message.mutable_fdb() =
        to_proto(event.entry, link->second, [this](IfIndex index) { return name_of(index); });
    publish_(message);
  }
}

/// The shortest journal that says the same: links, and for each its entries that do not age.
void Overlay::compact_journal() {
  if (journal_.size() < kMinJournal || journal_.size() < 4 * (links_.size() + fdb_size())) return;
  std::vector<v1::StateRecord> records;
  if (config_.links_size() > 0) *records.emplace_back().mutable_config() = config_;
  for (const auto& [name, link] : links_) {
    v1::StoredLink& stored = *records.emplace_back().mutable_link();
    stored.set_name(name);
    *stored.mutable_spec() = link.spec;
    // The link brings its own flood entry, which may have been changed since: start from nothing.
    records.emplace_back().mutable_flush_fdb()->set_dev(name);
  }
  for (const FdbEntry& entry :
       data_plane_.engine().fdb().list(std::nullopt, Engine::to_seconds(loop_.now()))) {
    if (entry.state == FdbState::kDynamic) continue;
    v1::FdbChange& change = *records.emplace_back().mutable_fdb();
    change.set_operation(v1::FdbChange::OPERATION_APPEND);
    *change.mutable_entry() =
        to_proto(entry, names_.at(entry.link), [this](IfIndex index) { return name_of(index); });
  }
  for (const v1::FdbChange& change : waiting_) *records.emplace_back().mutable_fdb() = change;
  if (auto written = journal_.rewrite(records); !written) {
    spdlog::error("the journal could not be shortened: {}", written.error().message);
  }
}

}  // namespace vtep
