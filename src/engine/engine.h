// The forwarding engine: everything a VTEP knows and decides, without I/O and without a clock. This is its
// memory: links, forwarding tables and what they share. Lane (lane.h) is the way of a frame through it.
//
// Configuration goes in as passive data, packets go through lanes in batches, events come out by
// take_events() of each table and take_misses().
//
// Thread safety: everything here is called with mutex() held, but the constructor, mutex() itself and what
// says otherwise. Lanes read links, remotes and the FDB without it, and take it themselves for what changes a
// table.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "base/datagram.h"
#include "base/epochs.h"
#include "base/packet.h"
#include "base/result.h"
#include "base/stable_vector.h"
#include "base/time.h"
#include "engine/fdb.h"
#include "engine/flood_limiter.h"
#include "engine/link.h"
#include "engine/mdb.h"
#include "engine/move_guard.h"
#include "engine/neighbours.h"
#include "engine/nexthops.h"
#include "engine/stations.h"
#include "engine/vni_table.h"

namespace vtep {

class Engine {
 public:
  /// ICMP messages a second to inner senders, over all links (RFC 1812 section 4.3.2.8: SHOULD be limited).
  static constexpr std::uint32_t kAnswersPerSecond = 1000;
  /// Misses that wait to be taken; more are not kept.
  static constexpr std::size_t kMaxMisses = 256;

  explicit Engine(const Fdb::Options& options);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  /// Recursive: requests are made of smaller requests.
  std::recursive_mutex& mutex() { return mutex_; }

  // --- configuration

  /// kExists if a link has this (port, VNI). A `flood` address becomes a permanent remote of the all-zero
  /// entry.
  Result<LinkId> add_link(const LinkConfig& config, Time now);
  /// The whole new configuration. kInvalid if (port, VNI) differ: make a new link for that. A changed `flood`
  /// replaces the old one in the all-zero entry; entries made by others stay.
  Result<void> change_link(LinkId link, const LinkConfig& config, Time now);
  /// With all its entries; harmless if there is none.
  void remove_link(LinkId link);

  /// Preconditions for these: the link exists.
  const LinkConfig& config(LinkId link) const { return links_[link].held->config; }
  /// Of all lanes together.
  LinkCounters counters(LinkId link) const;
  /// The caller's own drops. A lane counts those of its own frames.
  void count_drop(LinkId link, Drop drop, std::uint64_t n = 1);

  Fdb& fdb() { return fdb_; }
  const Fdb& fdb() const { return fdb_; }
  Mdb& mdb() { return mdb_; }
  Neighbours& neighbours() { return neighbours_; }
  Stations& stations() { return stations_; }
  Nexthops& nexthops() { return nexthops_; }
  PathTable& paths() { return remotes_.paths(); }
  /// Distinct remotes that the tables name.
  std::size_t remote_count() const { return remotes_.size(); }
  /// With the FDB entries that name it, or a group that has no other member.
  Result<void> remove_nexthop(std::uint32_t id);
  bool uses_device(IfIndex device) const { return remotes_.uses_device(device); }

  /// Somebody says that the way to `remote` takes packets of no more than `mtu` bytes, and quotes a datagram
  /// to this port that begins with `header`. Believed, and true returned, if we send such datagrams there:
  /// ports can be guessed, and a VNI less easily.
  bool hear_path_mtu(const IpAddr& remote, Port port, std::uint64_t header, std::uint32_t mtu, Time now);

  /// Drops on a UDP port that no link could be charged with: truncated, no I flag, unknown VNI.
  DropCounters port_drops(Port port) const;

  /// What was looked for in vain since the last call, on links that want to know.
  std::vector<MissEvent> take_misses();

  // --- time

  /// Frees what no lane can see any more. Call it when lanes have had news, from outside of them.
  void reclaim() { remotes_.epochs().reclaim(); }
  /// Ages at most `budget` slots of each table; call it at next_deadline().
  void advance(Time now, std::size_t budget);
  /// Empty: nothing to do until something changes.
  std::optional<Time> next_deadline() const;

  /// The scale of the tables' seconds.
  static Seconds to_seconds(Time time);

 private:
  friend class Lane;

  /// What lanes see of a link. Never changed: a new configuration is a new view, with another version.
  struct LinkView {
    LinkConfig config;
    std::uint64_t version = 0;
  };
  struct Link {
    std::shared_ptr<const LinkView> held{};
    std::atomic<const LinkView*> view = nullptr;  // held's; null: there is no such link
    FloodLimiter limiter{};
  };
  using Counters = StableVector<LinkCounters>;  // by LinkId

  bool has_link(LinkId link) const { return link < links_.size() && links_[link].held != nullptr; }
  void publish(LinkId id, const LinkConfig& config);
  LinkId new_id();
  Counters& add_counters();
  Counters& add_lane();  // takes the lock
  void report_miss(LinkId link, MacAddr mac, const IpAddr& ip);

  std::recursive_mutex mutex_;
  RemoteTable remotes_;  // the tables below refer to it, and go first
  Nexthops nexthops_;
  Fdb fdb_;
  Mdb mdb_;
  Neighbours neighbours_;
  Stations stations_;
  MoveGuard move_guard_;
  StableVector<Link> links_;  // by LinkId
  std::uint64_t link_version_ = 0;
  std::deque<std::pair<Epochs::Number, LinkId>> free_ids_;  // usable once their time is over
  VniTable by_vni_;
  std::vector<std::unique_ptr<Counters>> counters_;  // the first are our own, the others the lanes'
  std::unordered_map<std::uint16_t, DropCounters> port_drops_;
  std::vector<MissEvent> misses_;
  Seconds answers_second_ = 0;  // answers_ were given in this one
  std::uint32_t answers_ = 0;
};

}  // namespace vtep
