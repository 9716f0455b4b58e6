#include "control/mesh_publisher.h"

#include <utility>
#include <variant>

namespace vtep {
namespace {

/// Changes come in crowds.
constexpr Duration kSoon = std::chrono::milliseconds(2);

}  // namespace

MeshPublisher::MeshPublisher(Loop& loop, EtcdClient& etcd, LocalFacts& local, SourceId source,
                             const MeshLayout& layout, std::string node,
                             std::function<void(const Error&)> failed)
    : etcd_(etcd),
      local_(local),
      source_(source),
      layout_(layout),
      node_(std::move(node)),
      failed_(std::move(failed)),
      listener_(local.listen([this](const LocalFacts::Key& key) { note(key); })),
      soon_(loop) {}

MeshPublisher::~MeshPublisher() {
  local_.end(listener_);
}

void MeshPublisher::start(std::int64_t lease) {
  is_started_ = true;
  if (lease != lease_) {
    lease_ = lease;
    written_.clear();
    local_.for_each(source_, [this](const LocalFacts::Key& key) { note(key); });
  }
  write_soon();
}

/// A neighbour's change is its station's, too; and prefixes are not the mesh's business.
void MeshPublisher::note(const LocalFacts::Key& key) {
  if (const auto* const vni = std::get_if<Vni>(&key)) {
    vnis_.insert(*vni);
  } else if (const auto* const station = std::get_if<MacFact::Key>(&key)) {
    stations_.insert(*station);
  } else {
    return;
  }
  write_soon();
}

void MeshPublisher::observe(Vni vni, const MeshKey& key, const EtcdEvent& event) {
  if (event.entry.mod_revision <= revision_) return;
  const auto ours = written_.find(event.entry.key);
  const bool is_as_written =
      ours == written_.end() ? event.is_removal : !event.is_removal && ours->second == event.entry.value;
  if (is_as_written) return;
  key.mac ? write_again(MacFact::Key{vni, *key.mac}, event.entry.key) : write_again(vni, event.entry.key);
}

void MeshPublisher::observe(Vni vni, const EtcdListing& listing) {
  if (listing.revision < revision_) return;
  const std::string prefix = layout_.vni(vni);
  std::unordered_set<std::string> there;
  for (const EtcdEntry& entry : listing.entries) there.insert(entry.key);
  std::vector<std::string> gone;
  for (const auto& [key, value] : written_) {
    if (key.starts_with(prefix) && !there.contains(key)) gone.push_back(key);
  }
  for (const std::string& key : gone) {
    const auto about = MeshKey::parse(key.substr(prefix.size()));
    about->mac ? write_again(MacFact::Key{vni, *about->mac}, key) : write_again(vni, key);
  }
}

void MeshPublisher::write_again(const LocalFacts::Key& about, const std::string& key) {
  written_[key].clear();
  note(about);
}

void MeshPublisher::write_soon() {
  if (is_writing_ || !is_started_) return;
  soon_.set_if_idle(kSoon, [this] { write(); });
}

/// One write at a time, so that a key's values arrive in order.
void MeshPublisher::write() {
  if (is_writing_ || !is_started_) return;
  const Batch batch = take_batch();
  if (batch.changes.empty()) return;
  is_writing_ = true;
  etcd_.write(batch.changes, lease_, [this, batch, lease = lease_](const Result<std::int64_t>& revision) {
    is_writing_ = false;
    finish(batch, lease, revision);
  });
}

void MeshPublisher::finish(const Batch& batch, std::int64_t lease, const Result<std::int64_t>& revision) {
  if (!revision) {
    for (const EtcdChange& change : batch.changes) written_[change.key].clear();
    for (const LocalFacts::Key& key : batch.keys) note(key);
    if (lease != lease_) return write();
    is_started_ = false;
    return failed_(revision.error());
  }
  revision_ = *revision;
  // What was written under the lease before this one goes with it.
  for (const EtcdChange& change : batch.changes) {
    if (lease != lease_ || !change.value) {
      written_.erase(change.key);
    } else {
      written_[change.key] = *change.value;
    }
  }
  write();
}

MeshPublisher::Batch MeshPublisher::take_batch() {
  Batch batch;
  while (!vnis_.empty() && batch.changes.size() < EtcdClient::kMostChanges) {
    const Vni vni = *vnis_.begin();
    vnis_.erase(vnis_.begin());
    std::optional<std::string> wanted;
    if (local_.is_told(source_, vni)) wanted = MeshMember{local_.find(vni)->vteps}.value();
    add_change(batch, vni, layout_.member(vni, node_), wanted);
  }
  while (!stations_.empty() && batch.changes.size() < EtcdClient::kMostChanges) {
    const MacFact::Key key = *stations_.begin();
    stations_.erase(stations_.begin());
    std::optional<std::string> wanted;
    if (local_.find(key) != nullptr && local_.is_told(source_, key.vni)) wanted = station_value(key);
    add_change(batch, key, layout_.station(key.vni, key.mac, node_), wanted);
  }
  return batch;
}

void MeshPublisher::add_change(Batch& batch, const LocalFacts::Key& about, std::string key,
                               std::optional<std::string> wanted) const {
  const auto there = written_.find(key);
  const bool is_same = there == written_.end() ? !wanted : wanted == there->second;
  if (is_same) return;
  batch.keys.push_back(about);
  batch.changes.push_back({std::move(key), std::move(wanted)});
}

std::string MeshPublisher::station_value(const MacFact::Key& key) const {
  const LocalStation& station = *local_.find(key);
  MeshStation said{.sticky = station.sticky, .sequence = station.sequence};
  for (const IpAddr& ip : local_.addresses(key)) {
    said.addresses.push_back({ip, local_.find(NeighbourFact::Key{key.vni, ip})->router});
  }
  return said.value();
}

}  // namespace vtep
