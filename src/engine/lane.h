// One worker's way through the engine: everything a VTEP does with a frame.
//
// The life of a frame, overlay to underlay (encapsulate):
//   1. the frame has an Ethernet header, its VLAN tag is the link's business, and its checksum is finished,
//      or left to the remote end (remote checksum offload), or to the cut of a super-frame;
//   2. who sends it is noted for control planes; with `proxy`, a question about a known neighbour is
//      answered here and goes no further;
//   3. the tables say where it goes: one remote, one of a nexthop group, those who asked for a multicast
//      group, the flood list within its limits, or nowhere;
//   4. TCP's MSS is lowered to what fits the tunnel;
//   5. one datagram per remote whose path takes it, and per segment of a super-frame: the VXLAN header, the
//      same frame, and the route. If a path does not, the inner sender is told.
// Underlay to overlay (decapsulate):
//   1. the datagram holds a VXLAN header with the I flag and an Ethernet header;
//   2. (UDP port, VNI) names a link;
//   3. the link takes these header bits, and datagrams from this VTEP;
//   4. no VLAN tag, unless allowed; the inner source may stand there: not our own, not a group, not held
//      elsewhere;
//   5. it is learned: (link, inner source MAC) → outer source;
//   6. congestion marks pass from the outer to the inner header (RFC 6040);
//   7. neighbours and group members are noted;
//   8. the frame fits the interface, its checksum is right, or unfinished and marked so;
//   9. it is handed to the link's local port. Never back to the underlay: split horizon.
//
// Thread safety: a lane belongs to one thread, and many may run beside each other and beside whoever changes
// the tables. A frame whose addresses are known takes no lock and waits for nobody. What changes a table (a
// new or moved MAC, with snooping or proxy a report or a question) and what has several remotes (floods,
// nexthop groups, lists) takes the engine's lock, at most once a batch. No allocation in steady state.
#pragma once

#include <array>
#include <cstdint>
#include <mutex>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "base/datagram.h"
#include "base/packet.h"
#include "base/time.h"
#include "engine/engine.h"
#include "engine/header_arena.h"
#include "engine/hop.h"
#include "engine/segment.h"
#include "wire/layers.h"

namespace vtep {

class Lane {
 public:
  /// `engine` must outlive it, and goes on counting what it has counted. Takes the engine's lock.
  explicit Lane(Engine& engine);
  Lane(const Lane&) = delete;
  Lane& operator=(const Lane&) = delete;

  /// Appends to `out` what has to be sent for these frames of the link's local port. `out` points into the
  /// frames and into the lane: they must stay as they are until it was sent and is empty again. Datagram::tag
  /// is the LinkId. Appends to `replies`, as far as there is room, frames that go back to that port. Nothing
  /// happens if there is no such link.
  void encapsulate(LinkId link, std::span<Packet> frames, Time now, std::vector<Datagram>& out,
                   PacketBatch& replies);

  /// A datagram of encapsulate() was larger than the way takes. Remembers the MTU (0: not known), and answers
  /// the inner sender as encapsulate() does.
  void did_not_fit(const Datagram& datagram, std::uint32_t mtu, Time now, PacketBatch& replies);

  /// Datagrams that arrived on `port`. Those that are good are moved to the front of `batch`, without outer
  /// headers, in order; links[i] says where batch[i] goes, layers[i] where its layers are. Returns how many.
  /// Precondition: links and layers have batch.size() places.
  std::size_t decapsulate(Port port, std::span<Packet> batch, Time now, std::span<LinkId> links,
                          std::span<Layers> layers);

  /// The caller's own drops: what I/O could not send or deliver.
  void count_drop(LinkId link, Drop drop, std::uint64_t n = 1) { counters_[link].drops.add(drop, n); }

  /// Whether tables may have changed since the last call, so that events wait to be taken.
  bool take_news() { return std::exchange(has_news_, false); }

 private:
  /// Looks at shared tables from here to its end.
  class Batch;
  /// What the frames of one call have in common.
  struct Sending {
    LinkId id;
    const LinkConfig& config;
    std::uint64_t link_version;
    LinkCounters& counters;
    Time now;
    Seconds now_s;
    PacketBatch& replies;
  };
  /// One frame on its way out.
  struct Outgoing : Sending {
    Packet& frame;
    std::uint64_t hash;  // of its destination, in the FDB
    Layers layers;
    std::optional<std::uint8_t>
        remote_checksum;  // the header's byte, if the remote end finishes the checksum
  };
  /// A VTEP that may send to a link which does not learn.
  struct KnownVtep {
    std::uint64_t version = 0;
    LinkId link = 0;
    IpAddr address{};
  };

  /// A station that was seen, and need not be noted again in that second.
  struct SeenStation {
    LinkId link = 0;
    std::uint32_t version = 0;  // of the stations
    Seconds second = 0;
    MacAddr mac{};
    friend bool operator==(const SeenStation&, const SeenStation&) = default;
  };

  Engine* tables(LinkId link);
  Engine* tables_to_change(LinkId link);
  void report_miss(Engine& engine, LinkId link, MacAddr mac, const IpAddr& ip);

  void encapsulate_one(const Sending& sending, Packet& frame, std::uint64_t hash, std::vector<Datagram>& out);
  void see_station(const Sending& sending, ByteView frame);
  bool notice(Outgoing& o);
  bool answer_question(Outgoing& o, Engine& engine);
  std::span<const RemoteId> destinations(Outgoing& o, std::uint64_t hash);
  void look_up(Outgoing& o, Engine& engine, std::uint64_t hash);
  bool find_group_members(const Outgoing& o, Engine& engine);
  static bool may_flood(Outgoing& o, Engine& engine, MacAddr destination);
  void lower_mss(Outgoing& o, std::span<const RemoteId> remotes);
  const Hop& hop_to(const Outgoing& o, RemoteId remote);
  void send_to(Outgoing& o, const Hop& hop, Port source_port, std::vector<Datagram>& out);
  void answer_too_big(Outgoing& o, const IpAddr& remote, std::uint32_t mtu);

  std::size_t find_links(Port port, std::span<Packet> batch, std::span<LinkId> links);
  std::optional<Drop> admit(LinkId id, const LinkConfig& config, std::uint64_t hash, Packet& frame,
                            Layers& layers, Seconds now);
  std::optional<Drop> admit_header(LinkId id, const LinkConfig& config, std::uint64_t header);
  std::optional<Drop> learn(LinkId id, const LinkConfig& config, std::uint64_t hash, const Packet& frame,
                            Seconds now);
  bool is_known_vtep(LinkId id, const IpAddr& address);
  bool may_hear(LinkId id, const Packet& frame, const Layers& layers, Seconds now);

  Engine& engine_;
  Epochs::Reader reader_;
  Engine::Counters& counters_;
  std::unique_lock<std::recursive_mutex> lock_;  // the engine's, while a batch needs it
  bool has_news_ = false;

  HopCache hops_;
  std::array<KnownVtep, 64> known_vteps_{};
  std::array<SeenStation, 256> seen_stations_{};
  HeaderArena arena_;              // what segments of the batch at hand bring of their own
  std::vector<Segment> segments_;  // of the super-frame at hand
  std::vector<RemoteId> remotes_;  // of the frame at hand
  std::vector<std::uint64_t>
      hashes_;  // of the batch's addresses in the FDB; all of these keep their capacity
};

}  // namespace vtep
