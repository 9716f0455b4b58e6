// Underlay to overlay: see the numbered life of a frame in engine.h.
#include "engine/ecn.h"
#include "engine/engine.h"
#include "engine/group_snoop.h"
#include "engine/inner_checksum.h"
#include "engine/mss_clamp.h"
#include "engine/remote_checksum.h"
#include "engine/suppress.h"
#include "engine/vlan_tag.h"
#include "wire/ethernet.h"
#include "wire/vxlan.h"

namespace vtep {
namespace {

/// A frame that the interface has to cut has its checksum marked already, and can have no other.
bool take_remote_checksum(Packet& frame, std::uint8_t byte) {
  const Offload cut = frame.offload;
  if (!apply_remote_checksum(frame, byte)) return false;
  if (cut.segmentation == Segmentation::kNone) return true;
  if (cut.checksum_start != frame.offload.checksum_start ||
      cut.checksum_offset != frame.offload.checksum_offset) {
    return false;
  }
  frame.offload = cut;
  return true;
}

}  // namespace

std::size_t Engine::decapsulate(Port port, std::span<Packet> batch, Time now, std::span<LinkId> links) {
  const Seconds now_s = to_seconds(now);
  std::size_t good = 0;
  for (Packet& datagram : batch) {
    const auto vxlan = VxlanView::parse(datagram.view());
    if (!vxlan || vxlan->payload().size() < EthernetHeader::kSize) {
      port_drops_[port.value()].add(Drop::kVxlanTruncated);
      continue;
    }
    if (!vxlan->has_vni()) {
      port_drops_[port.value()].add(Drop::kVxlanNoVni);
      continue;
    }
    const auto found = by_vni_.find(key(port, vxlan->vni()));
    if (found == by_vni_.end()) {
      port_drops_[port.value()].add(Drop::kUnknownVni);
      continue;
    }
    const LinkId id = found->second;
    Link& link = *links_[id];
    const std::uint64_t header = load_be64(datagram.data());
    datagram.pull_front(VxlanHeader::kSize);
    if (const auto drop = admit(link, id, header, datagram, now_s)) {
      link.counters.drops.add(*drop);
      continue;
    }
    ++link.counters.decapsulated_frames;
    link.counters.decapsulated_bytes += datagram.size();
    links[good] = id;
    batch[good] = datagram;
    ++good;
  }
  return good;
}

std::optional<Drop> Engine::admit(Link& link, LinkId id, std::uint64_t header, Packet& frame, Seconds now) {
  const LinkConfig& config = link.config;
  if (frame.outer_source.is_unspecified() || frame.outer_source.is_multicast() ||
      (!config.sources.is_empty() && !config.sources.permits(frame.outer_source))) {
    return Drop::kOuterSource;
  }
  if (const auto drop = admit_header(link, header)) return drop;
  // Before it is learned: who sends what nobody may see is nobody.
  if (config.vlan != VlanPolicy::kAllow && has_tag(frame.view())) return Drop::kVlanReceived;
  if (const auto drop = learn(link, id, frame, now)) return drop;

  const Layers layers = classify(frame.view());
  if (decapsulate_ecn(frame, layers, frame.outer_tos) == EcnResult::kLost) return Drop::kCongestionLost;

  if (config.proxy) snoop_neighbours(neighbours_, id, frame.view(), layers, now);
  if (config.snooping && !may_hear(id, frame, layers, now)) return Drop::kReportWithheld;
  if (const auto drop = restore_offload(frame, layers, config.mtu)) return drop;
  if (config.mss_clamp) clamp_mss(frame, layers, config.mtu);
  if (config.remcsum_rx && (header & vxlan_bits::kRemoteChecksumFlag) != 0 &&
      !take_remote_checksum(frame, static_cast<std::uint8_t>(header))) {
    return Drop::kBadRemoteChecksum;
  }
  return std::nullopt;
}

/// Notes who listens to what. False: a report that would keep our own hosts from reporting (RFC 4541
/// section 2.1.1), and nobody here needs it.
bool Engine::may_hear(LinkId id, const Packet& frame, const Layers& layers, Seconds now) {
  const GroupControl control = group_control(frame.view(), layers);
  if (control == GroupControl::kNone) return true;
  snoop(mdb_, id, frame.view(), layers, frame.outer_source, now);
  const auto protocol = layers.ip == Layers::Ip::kV4 ? GroupProtocol::kIgmp : GroupProtocol::kMld;
  return control != GroupControl::kSilencingReport || mdb_.has_local_querier(id, protocol, now);
}

/// Bits that the link understands are no reserved ones.
std::optional<Drop> Engine::admit_header(Link& link, std::uint64_t header) {
  const LinkConfig& config = link.config;
  std::uint64_t reserved = header & ~vxlan_bits::kVxlan;
  if (config.gbp && (header & vxlan_bits::kGbpFlag) != 0) reserved &= ~vxlan_bits::kGbp;
  if (config.remcsum_rx && (header & vxlan_bits::kRemoteChecksumFlag) != 0) {
    reserved &= ~vxlan_bits::kRemoteChecksum;
  }
  if ((reserved & config.reserved_bits) != 0) return Drop::kReservedBits;
  if (reserved != 0) ++link.counters.reserved_bits;
  return std::nullopt;
}

std::optional<Drop> Engine::learn(Link& link, LinkId id, const Packet& frame, Seconds now) {
  const MacAddr source = MacAddr::load(frame.data() + EthernetHeader::kSource);
  if (!source.is_unicast()) return Drop::kBadSource;
  if (source == link.config.address) return Drop::kOwnSource;
  if (!link.config.learning) {
    if (!fdb_.names(id, frame.outer_source)) return Drop::kUnknownVtep;
    return std::nullopt;
  }
  switch (fdb_.learn(id, source, frame.outer_source, now)) {
    case Fdb::Learned::kRefreshed:
      break;
    case Fdb::Learned::kNew:
      ++link.counters.learned;
      break;
    case Fdb::Learned::kMoved:
      ++link.counters.moved;
      if (move_guard_.moved(id, source, link.config.move_limit, now)) {
        fdb_.freeze(id, source);
        move_guard_.forget(id, source);  // whoever thaws it starts anew
        ++link.counters.frozen;
      }
      break;
    case Fdb::Learned::kHeldStatic:
      return Drop::kStaticSource;
    case Fdb::Learned::kHeldFrozen:
      return Drop::kFrozenSource;
    case Fdb::Learned::kFull:
      ++link.counters.learn_refused;
      break;
  }
  return std::nullopt;
}

}  // namespace vtep
