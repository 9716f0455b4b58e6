// Overlay to underlay: see the numbered life of a frame in lane.h.
#include <algorithm>

#include "engine/ecn.h"
#include "engine/flow_hash.h"
#include "engine/group_snoop.h"
#include "engine/inner_checksum.h"
#include "engine/lane.h"
#include "engine/lane_batch.h"
#include "engine/mix.h"
#include "engine/mss_clamp.h"
#include "engine/outer_header.h"
#include "engine/remote_checksum.h"
#include "engine/route_short_circuit.h"
#include "engine/suppress.h"
#include "engine/too_big.h"
#include "engine/vlan_tag.h"
#include "wire/ethernet.h"
#include "wire/ipv4.h"
#include "wire/ipv6.h"
#include "wire/udp.h"
#include "wire/vlan.h"
#include "wire/vxlan.h"

namespace vtep {
namespace {

constexpr MacAddr kFloodList;  // the all-zero address

/// What stands between the start of the outer IP header and the inner frame.
std::uint32_t overhead(const IpAddr& remote) {
  const std::size_t ip = remote.is_v4() ? Ipv4Header::kSize : Ipv6Header::kSize;
  return static_cast<std::uint32_t>(ip + UdpHeader::kSize + VxlanHeader::kSize);
}

/// Bytes of inner IP packet that fit an outer one of `mtu` bytes; 0 if none do.
std::uint32_t inner_mtu(const IpAddr& remote, std::uint32_t mtu, const Layers& layers) {
  const std::uint32_t around = overhead(remote) + layers.l3;
  return mtu > around ? mtu - around : 0;
}

/// False: the link wants no frames with a tag.
bool untag(Packet& frame, VlanPolicy policy) {
  if (policy == VlanPolicy::kAllow) return true;
  while (has_tag(frame.view())) {
    if (policy == VlanPolicy::kDiscard) return false;
    strip_tag(frame);
  }
  return true;
}

/// Whether the headers of two frames of one link can differ in more than their source port and ECN.
bool inherits(const OuterPolicy& policy) {
  return policy.ttl_inherit || policy.tos_inherit || policy.flow_label_inherit ||
         policy.dont_fragment == DontFragment::kInherit;
}

}  // namespace

void Lane::encapsulate(LinkId id, std::span<Packet> frames, Time now, std::vector<Datagram>& out,
                       PacketBatch& replies) {
  const Batch batch(*this);
  const Engine::LinkView* const link = engine_.links_[id].view.load();
  if (link == nullptr) return;
  if (out.empty()) arena_.clear();
  hashes_.resize(frames.size());
  for (std::size_t i = 0; i < frames.size(); ++i) {
    const Packet& frame = frames[i];
    if (frame.size() < EthernetHeader::kSize) continue;
    hashes_[i] = engine_.fdb_.hash(id, MacAddr::load(frame.data() + EthernetHeader::kDestination));
    engine_.fdb_.prefetch(hashes_[i]);
  }
  const Sending sending{.id = id,
                        .config = link->config,
                        .link_version = link->version,
                        .counters = counters_[id],
                        .now = now,
                        .now_s = Engine::to_seconds(now),
                        .replies = replies};
  for (std::size_t i = 0; i < frames.size(); ++i) encapsulate_one(sending, frames[i], hashes_[i], out);
}

void Lane::encapsulate_one(const Sending& sending, Packet& frame, std::uint64_t fdb_hash,
                           std::vector<Datagram>& out) {
  const LinkConfig& config = sending.config;
  DropCounters& drops = sending.counters.drops;
  if (frame.size() < EthernetHeader::kSize) return drops.add(Drop::kFrameTruncated);
  if (!untag(frame, config.vlan)) return drops.add(Drop::kVlanTagged);
  if (config.stations) see_station(sending, frame.view());
  const bool is_super = frame.offload.segmentation != Segmentation::kNone;
  std::optional<std::uint8_t> remote_checksum;
  if (!is_super) {
    if (config.remcsum_tx) remote_checksum = remote_checksum_byte(frame.offload);
    if (!remote_checksum && !finish_checksum(frame)) return drops.add(Drop::kFrameBadOffload);
  }
  Outgoing o{sending, frame, fdb_hash, classify(frame.view()), remote_checksum};
  if ((o.config.proxy || o.config.snooping || o.config.stations) && notice(o)) return;

  const std::uint64_t hash = flow_hash(frame.view(), o.layers);
  const std::span<const RemoteId> remotes = destinations(o, hash);
  if (remotes.empty()) return;
  if (o.config.mss_clamp) lower_mss(o, remotes);

  segments_.clear();
  if (is_super && !cut(frame, o.layers, arena_, segments_)) return drops.add(Drop::kFrameBadOffload);
  const std::size_t size = largest_segment(frame);
  const Port port = source_port(hash, o.config.source_ports);
  bool answered = false;
  for (const RemoteId remote : remotes) {
    const Hop& hop = hop_to(o, remote);
    if (hop.mtu != 0 && hop.overhead + size > hop.mtu) {
      drops.add(Drop::kPathMtu);
      if (!answered) answer_too_big(o, hop.model.route.remote, hop.mtu);
      answered = true;  // one frame, one answer, however many copies of it
      continue;
    }
    send_to(o, hop, port, out);
  }
}

// --- 2. who is here, questions, and who listens to what

/// Takes the lock for a station once a second.
void Lane::see_station(const Sending& sending, ByteView frame) {
  const MacAddr mac = MacAddr::load(frame.data() + EthernetHeader::kSource);
  if (!mac.is_unicast()) return;
  const SeenStation now{
      .link = sending.id, .version = engine_.stations_.version(), .second = sending.now_s, .mac = mac};
  SeenStation& seen = seen_stations_[mix64(mac.to_u64() ^ sending.id) % seen_stations_.size()];
  if (seen == now) return;
  seen = now;
  Engine* const engine = tables(sending.id);
  if (engine != nullptr && engine->stations_.see(sending.id, mac, sending.now_s)) has_news_ = true;
}

/// True: answered, and the frame goes no further.
bool Lane::notice(Outgoing& o) {
  const bool is_report = o.config.snooping && is_group_control(o.frame.view(), o.layers);
  const bool is_question = (o.config.proxy || o.config.stations) && speaks_of_neighbours(o.layers);
  if (!is_report && !is_question) return false;
  Engine* const engine = tables_to_change(o.id);
  if (engine == nullptr) return false;
  if (is_question && o.config.stations) {
    snoop_station(engine->stations_, o.id, o.frame.view(), o.layers, o.now_s);
  }
  if (is_question && o.config.proxy) {
    forget_local_neighbours(engine->neighbours_, o.id, o.frame.view(), o.layers);
    if (answer_question(o, *engine)) return true;
  }
  if (is_report) snoop(engine->mdb_, o.id, o.frame.view(), o.layers, IpAddr(), o.now_s);
  return false;
}

bool Lane::answer_question(Outgoing& o, Engine& engine) {
  if (o.replies.full()) return false;
  const auto is_remote = [&](MacAddr mac) { return engine.fdb_.find(o.id, mac, o.now_s).is_known(); };
  IpAddr missed;
  Packet& reply = o.replies.next();
  switch (suppress(engine.neighbours_, o.id, o.frame.view(), o.layers, o.now_s, is_remote, reply, &missed)) {
    case Suppression::kAnswered:
      o.replies.commit();
      ++o.counters.suppressed;
      return true;
    case Suppression::kUnknown:
      if (o.config.l3miss) report_miss(engine, o.id, {}, missed);
      return false;
    case Suppression::kNotARequest:
    case Suppression::kPass:
      break;
  }
  return false;
}

// --- 3. where it goes

/// Empty: nowhere, and that has been counted. Valid until the next frame.
std::span<const RemoteId> Lane::destinations(Outgoing& o, std::uint64_t hash) {
  remotes_.clear();
  const MacAddr destination = MacAddr::load(o.frame.data() + EthernetHeader::kDestination);
  const bool may_be_listed = destination.is_multicast() && (o.config.snooping || !engine_.mdb_.is_empty());
  if (!may_be_listed) {
    const Fdb::Peek found = engine_.fdb_.peek(o.hash, o.id, destination, o.now_s);
    if (found.kind == Fdb::Peeked::kOne && !(found.router && o.config.rsc)) {
      remotes_.push_back(found.remote);
      return remotes_;
    }
  }
  // Whatever is not as simple as that.
  if (Engine* const engine = tables(o.id)) look_up(o, *engine, hash);
  return remotes_;
}

/// Into remotes_.
void Lane::look_up(Outgoing& o, Engine& engine, std::uint64_t hash) {
  Fdb& fdb = engine.fdb_;
  const auto destination = [&] { return MacAddr::load(o.frame.data() + EthernetHeader::kDestination); };
  if (destination().is_multicast() && find_group_members(o, engine)) {
    if (remotes_.empty()) o.counters.drops.add(Drop::kNotJoined);
    return;
  }
  Fdb::Destination found = fdb.find(o.id, destination(), o.now_s);
  if (found.is_router && o.config.rsc) {
    IpAddr missed;
    if (short_circuit(o.frame, o.layers, engine.neighbours_, o.id, o.now_s, &missed)) {
      found = fdb.find(o.id, destination(), o.now_s);
    } else if (o.config.l3miss && !missed.is_unspecified()) {
      report_miss(engine, o.id, {}, missed);
    }
  }
  if (!found.is_known()) {
    found = fdb.find(o.id, kFloodList, o.now_s);
    if (!found.is_known()) {
      o.counters.drops.add(Drop::kNoRemote);
      if (o.config.l2miss && destination().is_unicast()) report_miss(engine, o.id, destination(), {});
      return;
    }
    if (!may_flood(o, engine, destination())) return;
    ++o.counters.flooded_frames;
  }
  const std::span<const RemoteId> remotes = found.remotes();
  if (found.one_of) {
    // The middle bits: the upper ones choose the source port.
    remotes_.push_back(remotes[(hash & 0xffffffff) * remotes.size() >> 32]);
  } else {
    remotes_.assign(remotes.begin(), remotes.end());
  }
}

/// Into remotes_. False: this frame's group is nobody's business but the flood list's.
bool Lane::find_group_members(const Outgoing& o, Engine& engine) {
  const std::uint8_t* const l3 = o.frame.data() + o.layers.l3;
  IpAddr source, group;
  if (o.layers.ip == Layers::Ip::kV4) {
    source = Ipv4::load(l3 + Ipv4Header::kSource);
    group = Ipv4::load(l3 + Ipv4Header::kDestination);
  } else if (o.layers.ip == Layers::Ip::kV6) {
    source = Ipv6::load(l3 + Ipv6Header::kSource);
    group = Ipv6::load(l3 + Ipv6Header::kDestination);
  } else {
    return false;
  }
  if (!group.is_multicast() || is_group_control(o.frame.view(), o.layers)) return false;
  const auto verdict = engine.mdb_.find(o.id, group, source, o.config.snooping, o.now_s, remotes_);
  return verdict != Mdb::Verdict::kFlood;
}

bool Lane::may_flood(Outgoing& o, Engine& engine, MacAddr destination) {
  const auto [kind, drop] =
      destination.is_broadcast()   ? std::pair(FloodKind::kBroadcast, Drop::kLimitBroadcast)
      : destination.is_multicast() ? std::pair(FloodKind::kMulticast, Drop::kLimitMulticast)
                                   : std::pair(FloodKind::kUnknown, Drop::kLimitUnknown);
  if (engine.links_[o.id].limiter.admit(kind, o.now, segment_count(o.frame))) return true;
  o.counters.drops.add(drop);
  return false;
}

// --- 4. and 5. what fits

void Lane::lower_mss(Outgoing& o, std::span<const RemoteId> remotes) {
  std::uint32_t mtu = o.config.mtu;
  for (const RemoteId remote : remotes) {
    const Hop& hop = hop_to(o, remote);
    if (hop.mtu != 0) mtu = std::min(mtu, inner_mtu(hop.model.route.remote, hop.mtu, o.layers));
  }
  clamp_mss(o.frame, o.layers, mtu);
}

void Lane::answer_too_big(Outgoing& o, const IpAddr& remote, std::uint32_t mtu) {
  Engine* const engine = tables(o.id);
  if (engine == nullptr || o.replies.full()) return;
  if (engine->answers_second_ != o.now_s) {
    engine->answers_second_ = o.now_s;
    engine->answers_ = 0;
  }
  if (engine->answers_ == Engine::kAnswersPerSecond) return;
  if (!vtep::answer_too_big(o.frame.view(), o.layers, inner_mtu(remote, mtu, o.layers), o.replies.next())) {
    return;
  }
  o.replies.commit();
  ++engine->answers_;
  ++o.counters.too_big_answers;
}

void Lane::did_not_fit(const Datagram& datagram, std::uint32_t mtu, Time now, PacketBatch& replies) {
  const Batch batch(*this);
  Engine* const engine = mtu == 0 ? nullptr : tables_to_change(datagram.tag);
  if (engine == nullptr) return;
  engine->remotes_.paths().learn_mtu(datagram.route.remote, mtu, Engine::to_seconds(now));
  // The frame in one piece; what a segment has of its own stands elsewhere. Errors may allocate.
  std::vector<std::uint8_t> whole(datagram.prefix.begin(), datagram.prefix.end());
  whole.insert(whole.end(), datagram.frame.begin(), datagram.frame.end());
  Packet frame(whole, 0);
  frame.set_size(whole.size());
  const Sending sending{.id = datagram.tag,
                        .config = engine->config(datagram.tag),
                        .link_version = 0,
                        .counters = counters_[datagram.tag],
                        .now = now,
                        .now_s = Engine::to_seconds(now),
                        .replies = replies};
  Outgoing o{sending, frame, 0, classify(frame.view()), {}};
  answer_too_big(o, datagram.route.remote, mtu);
}

/// What is the same for every frame to this remote, worked out when something about link or remote is new.
const Hop& Lane::hop_to(const Outgoing& o, RemoteId id) {
  const RemoteTable& remotes = engine_.remotes_;
  Hop& hop = hops_.place(o.id, id);
  const std::uint64_t remotes_version = remotes.version();
  if (hop.link_version == o.link_version && hop.remote == id && hop.remotes_version == remotes_version) {
    return hop;
  }
  const LinkConfig& link = o.config;
  const Remote& remote = remotes[id];
  const PathFacts path = remotes.facts(id);
  const bool is_v4 = remote.address.is_v4();
  hop = {.link_version = o.link_version, .remotes_version = remotes_version, .remote = id};
  VxlanHeader{remote.vni.value_or(link.vni)}.emit(hop.model.header);
  hop.model.tag = o.id;
  Route& route = hop.model.route;
  route = {.remote = remote.address,
           .local = is_v4 ? link.local4 : link.local6,
           .device = remote.via.is_set() ? remote.via : link.device,
           .destination_port = remote.port.is_zero() ? link.port : remote.port,
           .source_port = {}};
  fill_outer(link.outer, {}, {}, is_v4, remote.address.is_multicast(), route);
  route.checksum = path.checksum.value_or(route.checksum);
  hop.mtu = path.mtu;
  hop.overhead = static_cast<std::uint16_t>(overhead(remote.address));
  hop.inherits = inherits(link.outer);
  return hop;
}

void Lane::send_to(Outgoing& o, const Hop& hop, Port source_port, std::vector<Datagram>& out) {
  const ByteView frame = o.frame.view();
  Datagram& first = out.emplace_back(hop.model);
  first.frame = frame;
  first.route.source_port = source_port;
  if (hop.inherits) {
    const Route& route = hop.model.route;
    fill_outer(o.config.outer, frame, o.layers, route.remote.is_v4(), route.remote.is_multicast(),
               first.route);
    first.route.checksum = route.checksum;
  } else {
    first.route.tos |= encapsulated_ecn(inner_traffic_class(frame, o.layers));
  }
  if (o.remote_checksum) {
    const std::uint64_t bits = vxlan_bits::kRemoteChecksumFlag | *o.remote_checksum;
    store_be64(first.header.data(), load_be64(first.header.data()) | bits);
  }
  if (segments_.empty()) {
    ++o.counters.encapsulated_frames;
    o.counters.encapsulated_bytes += frame.size();
    return;
  }
  const Datagram model = first;
  out.pop_back();
  std::size_t bytes = 0;
  for (const Segment& segment : segments_) {
    Datagram& one = out.emplace_back(model);
    one.prefix = segment.headers;
    one.frame = segment.payload;
    bytes += segment.size();
  }
  o.counters.encapsulated_frames += segments_.size();
  o.counters.encapsulated_bytes += bytes;
}

}  // namespace vtep
