// What this node says in the mesh's database: keeps the keys under its lease as LocalFacts has it. Changes
// that come together are written together.
//
// Thread safety: belongs to the loop's thread. Everything that it is given outlives it; it goes together with
// the client.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/result.h"
#include "control/etcd_client.h"
#include "control/local_facts.h"
#include "control/mesh_layout.h"
#include "io/loop.h"
#include "io/timer.h"

namespace vtep {

class MeshPublisher {
 public:
  /// `failed` is called when etcd did not take what was written; then it waits for start().
  MeshPublisher(Loop& loop, EtcdClient& etcd, LocalFacts& local, SourceId source, const MeshLayout& layout,
                std::string node, std::function<void(const Error&)> failed);
  ~MeshPublisher();
  MeshPublisher(const MeshPublisher&) = delete;
  MeshPublisher& operator=(const MeshPublisher&) = delete;

  /// Everything is under this lease from now on. With another one than before all is written anew, otherwise
  /// only what has not been written yet.
  void start(std::int64_t lease);
  /// This is what stands in etcd under keys of ours. If somebody else has changed it, it is written again.
  void observe(Vni vni, const MeshKey& key, const EtcdEvent& event);
  /// Everything that stands there in a VNI.
  void observe(Vni vni, const EtcdListing& listing);
  /// Nothing is written until start().
  void stop() { is_started_ = false; }

  std::size_t written() const { return written_.size(); }
  bool is_done() const { return !is_writing_ && vnis_.empty() && stations_.empty(); }

 private:
  /// Of what the keys may have changed.
  void note(const LocalFacts::Key& key);
  void write_soon();
  void write_again(const LocalFacts::Key& about, const std::string& key);
  void write();
  /// What a write is about, and what it writes.
  struct Batch {
    std::vector<LocalFacts::Key> keys;
    std::vector<EtcdChange> changes;
  };
  /// Of what is noted, as much as one write may have.
  Batch take_batch();
  /// If `wanted` (not set: nothing) differs from what stands there.
  void add_change(Batch& batch, const LocalFacts::Key& about, std::string key,
                  std::optional<std::string> wanted) const;
  void finish(const Batch& batch, std::int64_t lease, const Result<std::int64_t>& revision);
  std::string station_value(const MacFact::Key& key) const;

  EtcdClient& etcd_;
  LocalFacts& local_;
  const SourceId source_;
  const MeshLayout layout_;
  const std::string node_;
  const std::function<void(const Error&)> failed_;
  const LocalFacts::ListenerId listener_;

  std::int64_t lease_ = 0;
  std::int64_t revision_ = 0;  // of the last write: what is older is known
  bool is_started_ = false;
  bool is_writing_ = false;
  Timer soon_;
  std::set<Vni> vnis_;                                   // noted
  std::unordered_set<MacFact::Key, FactHash> stations_;  // noted
  // Keys and values under lease_; empty, as no value is: whatever a write that failed has left.
  std::unordered_map<std::string, std::string> written_;
};

}  // namespace vtep
