// The forwarding engine: everything a VTEP decides, without I/O and without a clock.
//
// The life of a frame, overlay to underlay (encapsulate):
//   1. the frame has an Ethernet header, its VLAN tag is the link's business, and its checksum is finished,
//   or
//      left to the remote end (remote checksum offload);
//   2. with `proxy`, a question about a known neighbour is answered here and goes no further;
//   3. the tables say where it goes: one remote, one of a nexthop group, those who asked for a multicast
//   group,
//      the flood list within its limits, or nowhere;
//   4. TCP's MSS is lowered to what fits the tunnel;
//   5. one datagram per remote whose path takes it: the VXLAN header, the same frame, and the route. If a
//   path
//      does not, the inner sender is told.
// Underlay to overlay (decapsulate):
//   1. the datagram holds a VXLAN header with the I flag and an Ethernet header;
//   2. (UDP port, VNI) names a link;
//   3. the link takes these header bits, and datagrams from this VTEP;
//   4. no VLAN tag, unless allowed; the inner source may stand there: not our own, not a group, not held
//      elsewhere;
//   5. it is learned: (link, inner source MAC) → outer source;
//   6. congestion marks pass from the outer to the inner header (RFC 6040);
//   7. neighbours and group members are noted;
//   8. the frame fits the interface, and an unfinished checksum is marked;
//   9. it is handed to the link's local port. Never back to the underlay: split horizon.
//
// Configuration goes in as passive data, packets go through in batches, events come out by take_events() of
// each table and take_misses(). Thread-compatible: one thread owns an engine. No allocation per packet in
// steady state.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "base/datagram.h"
#include "base/packet.h"
#include "base/result.h"
#include "base/time.h"
#include "engine/fdb.h"
#include "engine/flood_limiter.h"
#include "engine/link.h"
#include "engine/mdb.h"
#include "engine/move_guard.h"
#include "engine/neighbours.h"
#include "engine/nexthops.h"
#include "wire/layers.h"

namespace vtep {

class Engine {
 public:
  /// ICMP messages a second to inner senders, over all links (RFC 1812 section 4.3.2.8: SHOULD be limited).
  static constexpr std::uint32_t kAnswersPerSecond = 1000;
  /// Misses that wait to be taken; more are not kept.
  static constexpr std::size_t kMaxMisses = 256;

  explicit Engine(const Fdb::Options& options);

  // --- configuration

  /// kExists if a link has this (port, VNI). A `flood` address becomes a permanent remote of the all-zero
  /// entry.
  Result<LinkId> add_link(const LinkConfig& config, Time now);
  /// The whole new configuration. kInvalid if (port, VNI) differ: make a new link for that. A changed `flood`
  /// replaces the old one in the all-zero entry; entries made by others stay.
  Result<void> change_link(LinkId link, const LinkConfig& config, Time now);
  /// With all its entries; harmless if there is none.
  void remove_link(LinkId link);

  /// Precondition for these: the link exists.
  const LinkConfig& config(LinkId link) const { return links_[link]->config; }
  const LinkCounters& counters(LinkId link) const { return links_[link]->counters; }
  /// The caller's own drops: what I/O could not send or deliver.
  void count_drop(LinkId link, Drop drop, std::uint64_t n = 1);

  Fdb& fdb() { return fdb_; }
  const Fdb& fdb() const { return fdb_; }
  Mdb& mdb() { return mdb_; }
  Neighbours& neighbours() { return neighbours_; }
  Nexthops& nexthops() { return nexthops_; }
  PathTable& paths() { return remotes_.paths(); }
  /// Distinct remotes that the tables name.
  std::size_t remote_count() const { return remotes_.size(); }
  /// With the FDB entries that name it, or a group that has no other member.
  Result<void> remove_nexthop(std::uint32_t id);
  bool uses_device(IfIndex device) const { return remotes_.uses_device(device); }

  // --- data path

  /// Appends to `out` what has to be sent for these frames of the link's local port. `out` points into the
  /// frames, which must stay as they are until it was sent. Datagram::tag is the LinkId. Appends to
  /// `replies`, as far as there is room, frames that go back to that port.
  void encapsulate(LinkId link, std::span<Packet> frames, Time now, std::vector<Datagram>& out,
                   PacketBatch& replies);

  /// A datagram of encapsulate() was larger than the way takes. Remembers the MTU (0: not known), and answers
  /// the inner sender as encapsulate() does.
  void did_not_fit(const Datagram& datagram, std::uint32_t mtu, Time now, PacketBatch& replies);

  /// Somebody says that the way to `remote` takes packets of no more than `mtu` bytes, and quotes a datagram
  /// to this port that begins with `header`. Believed, and true returned, if we send such datagrams there:
  /// ports can be guessed, and a VNI less easily.
  bool hear_path_mtu(const IpAddr& remote, Port port, std::uint64_t header, std::uint32_t mtu, Time now);

  /// Datagrams that arrived on `port`. Those that are good are moved to the front of `batch`, without outer
  /// headers, in order; links[i] says where batch[i] goes. Returns how many.
  /// Precondition: links.size() >= batch.size().
  std::size_t decapsulate(Port port, std::span<Packet> batch, Time now, std::span<LinkId> links);

  /// Drops on a UDP port that no link could be charged with: truncated, no I flag, unknown VNI.
  DropCounters port_drops(Port port) const;

  /// What was looked for in vain since the last call, on links that want to know.
  std::vector<MissEvent> take_misses();

  // --- time

  /// Ages at most `budget` slots of each table; call it at next_deadline().
  void advance(Time now, std::size_t budget);
  /// Empty: nothing to do until something changes.
  std::optional<Time> next_deadline() const;

  /// The scale of the tables' seconds.
  static Seconds to_seconds(Time time);

 private:
  struct Link {
    LinkConfig config;
    LinkCounters counters;
    FloodLimiter limiter;
  };
  /// One frame on its way out.
  struct Outgoing {
    Link& link;
    LinkId id;
    Packet& frame;
    Layers layers;
    Time now;
    Seconds now_s;
    std::optional<std::uint8_t>
        remote_checksum;  // the header's byte, if the remote end finishes the checksum
    PacketBatch& replies;
  };

  void encapsulate_one(Outgoing& o, std::vector<Datagram>& out);
  bool answer_question(Outgoing& o);
  std::span<const RemoteId> destinations(Outgoing& o, std::uint64_t hash);
  std::optional<std::span<const RemoteId>> group_members(const Outgoing& o);
  bool may_flood(Outgoing& o, MacAddr destination);
  void lower_mss(Outgoing& o, std::span<const RemoteId> remotes);
  bool fits(Outgoing& o, const Path& path);
  void answer_too_big(const Outgoing& o, const IpAddr& remote, std::uint32_t mtu);
  Datagram make_datagram(const Outgoing& o, RemoteId remote, Port source_port) const;
  void report_miss(LinkId link, MacAddr mac, const IpAddr& ip);

  std::optional<Drop> admit(Link& link, LinkId id, std::uint64_t header, Packet& frame, Seconds now);
  std::optional<Drop> admit_header(Link& link, std::uint64_t header);
  std::optional<Drop> learn(Link& link, LinkId id, const Packet& frame, Seconds now);
  bool may_hear(LinkId id, const Packet& frame, const Layers& layers, Seconds now);

  static std::uint64_t key(Port port, Vni vni) { return std::uint64_t{port.value()} << 24 | vni.value(); }
  void apply(Link& link, LinkId id);

  RemoteTable remotes_;  // the tables below refer to it, and go first
  Nexthops nexthops_;
  Fdb fdb_;
  Mdb mdb_;
  Neighbours neighbours_;
  MoveGuard move_guard_;
  std::vector<std::optional<Link>> links_;  // by LinkId
  std::vector<LinkId> free_ids_;
  std::unordered_map<std::uint64_t, LinkId> by_vni_;  // key(port, VNI)
  std::unordered_map<std::uint16_t, DropCounters> port_drops_;
  std::vector<MissEvent> misses_;
  std::vector<RemoteId> members_;  // group_members() writes them; keeps its capacity
  Seconds answers_second_ = 0;     // answers_ were given in this one
  std::uint32_t answers_ = 0;
};

}  // namespace vtep
