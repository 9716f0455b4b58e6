// The forwarding engine: everything a VTEP decides, without I/O and without a clock.
//
// The life of a frame, overlay to underlay (encapsulate):
//   1. the frame has an Ethernet header, and its checksum is finished;
//   2. its flow hash picks the outer source port;
//   3. the FDB says where (link, destination MAC) lives: one remote, or the flood list, or the frame is
//   dropped;
//   4. one datagram per remote: the VXLAN header, the same frame, and the route.
// Underlay to overlay (decapsulate):
//   1. the datagram holds a VXLAN header with the I flag and an Ethernet header;
//   2. (UDP port, VNI) names a link;
//   3. the inner source may stand there: not our own, not a group, not held elsewhere by a static entry;
//   4. it is learned: (link, inner source MAC) → outer source;
//   5. the frame fits the interface, and an unfinished checksum is marked;
//   6. it is handed to the link's local port. Never back to the underlay: split horizon.
//
// Configuration goes in as passive data, packets go through in batches, events about the FDB come out by
// fdb().take_events(). Thread-compatible: one thread owns an engine. No allocation per packet in steady
// state.
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
#include "engine/link.h"

namespace vtep {

class Engine {
 public:
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

  // --- data path

  /// Appends to `out` what has to be sent for these frames of the link's local port. `out` points into the
  /// frames, which must stay as they are until it was sent. Datagram::tag is the LinkId.
  void encapsulate(LinkId link, std::span<Packet> frames, Time now, std::vector<Datagram>& out);

  /// Datagrams that arrived on `port`. Those that are good are moved to the front of `batch`, without outer
  /// headers, in order; links[i] says where batch[i] goes. Returns how many.
  /// Precondition: links.size() >= batch.size().
  std::size_t decapsulate(Port port, std::span<Packet> batch, Time now, std::span<LinkId> links);

  /// Drops on a UDP port that no link could be charged with: truncated, no I flag, unknown VNI.
  DropCounters port_drops(Port port) const;

  // --- time

  /// Ages at most `budget` FDB slots; call it at next_deadline().
  void advance(Time now, std::size_t budget);
  /// Empty: nothing to do until something changes.
  std::optional<Time> next_deadline() const;

  /// The scale of Fdb's seconds.
  static Seconds to_seconds(Time time);

 private:
  struct Link {
    LinkConfig config;
    LinkCounters counters;
  };

  std::optional<Drop> admit(Link& link, LinkId id, Packet& frame, Seconds now);

  static std::uint64_t key(Port port, Vni vni) { return std::uint64_t{port.value()} << 24 | vni.value(); }

  Fdb fdb_;
  std::vector<std::optional<Link>> links_;  // by LinkId
  std::vector<LinkId> free_ids_;
  std::unordered_map<std::uint64_t, LinkId> by_vni_;  // key(port, VNI)
  std::unordered_map<std::uint16_t, DropCounters> port_drops_;
};

}  // namespace vtep
