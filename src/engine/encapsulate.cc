// Overlay to underlay: see the numbered life of a frame in engine.h.
#include <algorithm>

#include "engine/engine.h"
#include "engine/flow_hash.h"
#include "engine/group_snoop.h"
#include "engine/inner_checksum.h"
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

}  // namespace

void Engine::encapsulate(LinkId id, std::span<Packet> frames, Time now, std::vector<Datagram>& out,
                         PacketBatch& replies) {
  Link& link = *links_[id];
  const Seconds now_s = to_seconds(now);
  for (Packet& frame : frames) {
    Outgoing o{.link = link,
               .id = id,
               .frame = frame,
               .layers = {},
               .now = now,
               .now_s = now_s,
               .remote_checksum = {},
               .replies = replies};
    encapsulate_one(o, out);
  }
}

void Engine::encapsulate_one(Outgoing& o, std::vector<Datagram>& out) {
  Link& link = o.link;
  Packet& frame = o.frame;
  DropCounters& drops = link.counters.drops;
  if (frame.size() < EthernetHeader::kSize) return drops.add(Drop::kFrameTruncated);
  if (!untag(frame, link.config.vlan)) return drops.add(Drop::kVlanTagged);
  if (link.config.remcsum_tx) o.remote_checksum = remote_checksum_byte(frame.offload);
  if (!o.remote_checksum && !finish_checksum(frame)) return drops.add(Drop::kFrameBadOffload);
  o.layers = classify(frame.view());

  if (link.config.proxy) {
    forget_local_neighbours(neighbours_, o.id, frame.view(), o.layers);
    if (answer_question(o)) return;
  }
  if (link.config.snooping && is_group_control(frame.view(), o.layers)) {
    snoop(mdb_, o.id, frame.view(), o.layers, IpAddr(), o.now_s);
  }

  const std::uint64_t hash = flow_hash(frame.view(), o.layers);
  const std::span<const RemoteId> remotes = destinations(o, hash);
  if (remotes.empty()) return;
  if (link.config.mss_clamp) lower_mss(o, remotes);

  const Port port = source_port(hash, link.config.source_ports);
  bool answered = false;
  for (const RemoteId remote : remotes) {
    const Path& path = remotes_.path(remote);
    if (path.mtu != 0 && overhead(path.address) + frame.size() > path.mtu) {
      drops.add(Drop::kPathMtu);
      if (!answered) answer_too_big(o, path.address, path.mtu);
      answered = true;  // one frame, one answer, however many copies of it
      continue;
    }
    out.push_back(make_datagram(o, remote, port));
    ++link.counters.encapsulated_frames;
    link.counters.encapsulated_bytes += frame.size();
  }
}

// --- 2. questions

/// True: answered, and the frame goes no further.
bool Engine::answer_question(Outgoing& o) {
  if (o.replies.full()) return false;
  const auto is_remote = [&](MacAddr mac) { return !fdb_.find(o.id, mac, o.now_s).remotes.empty(); };
  IpAddr missed;
  Packet& reply = o.replies.next();
  switch (suppress(neighbours_, o.id, o.frame.view(), o.layers, o.now_s, is_remote, reply, &missed)) {
    case Suppression::kAnswered:
      o.replies.commit();
      ++o.link.counters.suppressed;
      return true;
    case Suppression::kUnknown:
      if (o.link.config.l3miss) report_miss(o.id, {}, missed);
      return false;
    case Suppression::kNotARequest:
    case Suppression::kPass:
      break;
  }
  return false;
}

// --- 3. where it goes

/// Empty: nowhere, and that has been counted.
std::span<const RemoteId> Engine::destinations(Outgoing& o, std::uint64_t hash) {
  const auto destination = [&] { return MacAddr::load(o.frame.data() + EthernetHeader::kDestination); };
  if (destination().is_multicast()) {
    if (const auto members = group_members(o)) {
      if (members->empty()) o.link.counters.drops.add(Drop::kNotJoined);
      return *members;
    }
  }
  Fdb::Destination found = fdb_.find(o.id, destination(), o.now_s);
  if (found.router && o.link.config.rsc) {
    IpAddr missed;
    if (short_circuit(o.frame, o.layers, neighbours_, o.id, o.now_s, &missed)) {
      found = fdb_.find(o.id, destination(), o.now_s);
    } else if (o.link.config.l3miss && !missed.is_unspecified()) {
      report_miss(o.id, {}, missed);
    }
  }
  if (found.one_of && !found.remotes.empty()) {
    // The middle bits: the upper ones choose the source port.
    return found.remotes.subspan((hash & 0xffffffff) * found.remotes.size() >> 32, 1);
  }
  if (!found.remotes.empty()) return found.remotes;

  found = fdb_.find(o.id, kFloodList, o.now_s);
  if (found.remotes.empty()) {
    o.link.counters.drops.add(Drop::kNoRemote);
    if (o.link.config.l2miss && destination().is_unicast()) report_miss(o.id, destination(), {});
    return {};
  }
  if (!may_flood(o, destination())) return {};
  ++o.link.counters.flooded_frames;
  return found.remotes;
}

/// Empty: this frame's group is nobody's business but the flood list's.
std::optional<std::span<const RemoteId>> Engine::group_members(const Outgoing& o) {
  if (!o.link.config.snooping && mdb_.size() == 0) return std::nullopt;
  const std::uint8_t* const l3 = o.frame.data() + o.layers.l3;
  IpAddr source, group;
  if (o.layers.ip == Layers::Ip::kV4) {
    source = Ipv4::load(l3 + Ipv4Header::kSource);
    group = Ipv4::load(l3 + Ipv4Header::kDestination);
  } else if (o.layers.ip == Layers::Ip::kV6) {
    source = Ipv6::load(l3 + Ipv6Header::kSource);
    group = Ipv6::load(l3 + Ipv6Header::kDestination);
  } else {
    return std::nullopt;
  }
  if (!group.is_multicast() || is_group_control(o.frame.view(), o.layers)) return std::nullopt;
  switch (mdb_.find(o.id, group, source, o.link.config.snooping, o.now_s, members_)) {
    case Mdb::Verdict::kFlood:
      return std::nullopt;
    case Mdb::Verdict::kNobody:
      return std::span<const RemoteId>();
    case Mdb::Verdict::kListed:
      break;
  }
  return std::span<const RemoteId>(members_);
}

bool Engine::may_flood(Outgoing& o, MacAddr destination) {
  const auto [kind, drop] =
      destination.is_broadcast()   ? std::pair(FloodKind::kBroadcast, Drop::kLimitBroadcast)
      : destination.is_multicast() ? std::pair(FloodKind::kMulticast, Drop::kLimitMulticast)
                                   : std::pair(FloodKind::kUnknown, Drop::kLimitUnknown);
  if (o.link.limiter.admit(kind, o.now)) return true;
  o.link.counters.drops.add(drop);
  return false;
}

// --- 4. and 5. what fits

void Engine::lower_mss(Outgoing& o, std::span<const RemoteId> remotes) {
  std::uint32_t mtu = o.link.config.mtu;
  for (const RemoteId remote : remotes) {
    const Path& path = remotes_.path(remote);
    if (path.mtu != 0) mtu = std::min(mtu, inner_mtu(path.address, path.mtu, o.layers));
  }
  clamp_mss(o.frame, o.layers, mtu);
}

void Engine::answer_too_big(const Outgoing& o, const IpAddr& remote, std::uint32_t mtu) {
  if (answers_second_ != o.now_s) {
    answers_second_ = o.now_s;
    answers_ = 0;
  }
  if (answers_ == kAnswersPerSecond || o.replies.full()) return;
  if (!vtep::answer_too_big(o.frame.view(), o.layers, inner_mtu(remote, mtu, o.layers), o.replies.next())) {
    return;
  }
  o.replies.commit();
  ++answers_;
  ++o.link.counters.too_big_answers;
}

void Engine::did_not_fit(const Datagram& datagram, std::uint32_t mtu, Time now, PacketBatch& replies) {
  if (mtu == 0 || datagram.tag >= links_.size() || !links_[datagram.tag]) return;
  remotes_.paths().learn_mtu(datagram.route.remote, mtu, to_seconds(now));
  // The frame is only looked at: a Packet is what the helpers take.
  Packet frame(ByteSpan(const_cast<std::uint8_t*>(datagram.frame.data()), datagram.frame.size()), 0);
  frame.set_size(datagram.frame.size());
  const Outgoing o{.link = *links_[datagram.tag],
                   .id = datagram.tag,
                   .frame = frame,
                   .layers = classify(datagram.frame),
                   .now = now,
                   .now_s = to_seconds(now),
                   .remote_checksum = {},
                   .replies = replies};
  answer_too_big(o, datagram.route.remote, mtu);
}

bool Engine::hear_path_mtu(const IpAddr& remote, Port port, std::uint64_t header, std::uint32_t mtu,
                           Time now) {
  const Vni vni = *Vni::from(header >> 8 & Vni::kMax);
  if (!by_vni_.contains(key(port, vni)) && !remotes_.has_override(remote, port, vni)) return false;
  return remotes_.paths().learn_mtu(remote, mtu, to_seconds(now));
}

Datagram Engine::make_datagram(const Outgoing& o, RemoteId id, Port source_port) const {
  const LinkConfig& link = o.link.config;
  const Remote& remote = remotes_[id];
  const bool is_v4 = remote.address.is_v4();
  Datagram datagram{.header = {},
                    .frame = o.frame.view(),
                    .route = {.remote = remote.address,
                              .local = is_v4 ? link.local4 : link.local6,
                              .device = remote.via.is_set() ? remote.via : link.device,
                              .destination_port = remote.port.is_zero() ? link.port : remote.port,
                              .source_port = source_port},
                    .tag = o.id};
  fill_outer(link.outer, o.frame.view(), o.layers, is_v4, remote.address.is_multicast(), datagram.route);
  if (const auto checksum = remotes_.path(id).checksum) datagram.route.checksum = *checksum;
  VxlanHeader{remote.vni.value_or(link.vni)}.emit(datagram.header);
  if (o.remote_checksum) {
    const std::uint64_t bits = vxlan_bits::kRemoteChecksumFlag | *o.remote_checksum;
    store_be64(datagram.header.data(), load_be64(datagram.header.data()) | bits);
  }
  return datagram;
}

void Engine::report_miss(LinkId link, MacAddr mac, const IpAddr& ip) {
  if (misses_.size() < kMaxMisses) misses_.push_back({.link = link, .mac = mac, .ip = ip});
}

}  // namespace vtep
