// Underlay to overlay: see the numbered life of a frame in lane.h.
#include "engine/ecn.h"
#include "engine/group_snoop.h"
#include "engine/inner_checksum.h"
#include "engine/lane.h"
#include "engine/lane_batch.h"
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

std::size_t Lane::decapsulate(Port port, std::span<Packet> batch, Time now, std::span<LinkId> links,
                              std::span<Layers> layers) {
  const Batch reading(*this);
  const Seconds now_s = Engine::to_seconds(now);
  const std::size_t found = find_links(port, batch, links);
  std::size_t good = 0;
  for (std::size_t i = 0; i < found; ++i) {
    const LinkId id = links[i];
    const Engine::LinkView* const link = engine_.links_[id].view.load();
    if (link == nullptr) continue;  // it went just now
    LinkCounters& counters = counters_[id];
    Packet& frame = batch[i];
    if (const auto drop = admit(id, link->config, hashes_[i], frame, layers[good], now_s)) {
      counters.drops.add(*drop);
      continue;
    }
    ++counters.decapsulated_frames;
    counters.decapsulated_bytes += frame.size();
    links[good] = id;
    if (good != i) batch[good] = frame;
    ++good;
  }
  return good;
}

/// Steps 1 and 2, for the whole batch: the FDB's entries are on their way to the cache when they are asked
/// for.
std::size_t Lane::find_links(Port port, std::span<Packet> batch, std::span<LinkId> links) {
  DropCounters drops;
  hashes_.resize(batch.size());
  std::size_t found = 0;
  std::optional<LinkId> link;
  std::optional<Vni> vni;  // of the datagram before: the next one's is mostly the same
  for (const Packet& datagram : batch) {
    const auto vxlan = VxlanView::parse(datagram.view());
    if (!vxlan || vxlan->payload().size() < EthernetHeader::kSize) {
      drops.add(Drop::kVxlanTruncated);
      continue;
    }
    if (!vxlan->has_vni()) {
      drops.add(Drop::kVxlanNoVni);
      continue;
    }
    if (vni != vxlan->vni()) {
      vni = vxlan->vni();
      link = engine_.by_vni_.find(port, *vni);
    }
    if (!link) {
      drops.add(Drop::kUnknownVni);
      continue;
    }
    const MacAddr source = MacAddr::load(vxlan->payload().data() + EthernetHeader::kSource);
    hashes_[found] = engine_.fdb_.hash(*link, source);
    engine_.fdb_.prefetch(hashes_[found]);
    links[found] = *link;
    if (&batch[found] != &datagram) batch[found] = datagram;
    ++found;
  }
  if (found < batch.size()) {
    if (!lock_.owns_lock()) lock_.lock();
    engine_.port_drops_[port.value()] += drops;
  }
  return found;
}

std::optional<Drop> Lane::admit(LinkId id, const LinkConfig& config, std::uint64_t hash, Packet& frame,
                                Layers& layers, Seconds now) {
  const std::uint64_t header = load_be64(frame.data());
  frame.pull_front(VxlanHeader::kSize);
  if (frame.outer_source.is_unspecified() || frame.outer_source.is_multicast() ||
      (!config.sources.is_empty() && !config.sources.permits(frame.outer_source))) {
    return Drop::kOuterSource;
  }
  if (const auto drop = admit_header(id, config, header)) return drop;
  // Before it is learned: who sends what nobody may see is nobody.
  if (config.vlan != VlanPolicy::kAllow && has_tag(frame.view())) return Drop::kVlanReceived;
  if (const auto drop = learn(id, config, hash, frame, now)) return drop;

  layers = classify(frame.view());
  if (decapsulate_ecn(frame, layers, frame.outer_tos) == EcnResult::kLost) return Drop::kCongestionLost;

  if (config.proxy && speaks_of_neighbours(layers)) {
    if (Engine* const engine = tables_to_change(id)) {
      snoop_neighbours(engine->neighbours_, id, frame.view(), layers, now);
    }
  }
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
bool Lane::may_hear(LinkId id, const Packet& frame, const Layers& layers, Seconds now) {
  const GroupControl control = group_control(frame.view(), layers);
  if (control == GroupControl::kNone) return true;
  Engine* const engine = tables_to_change(id);
  if (engine == nullptr) return true;
  snoop(engine->mdb_, id, frame.view(), layers, frame.outer_source, now);
  const auto protocol = layers.ip == Layers::Ip::kV4 ? GroupProtocol::kIgmp : GroupProtocol::kMld;
  return control != GroupControl::kSilencingReport || engine->mdb_.has_local_querier(id, protocol, now);
}

/// Bits that the link understands are no reserved ones.
std::optional<Drop> Lane::admit_header(LinkId id, const LinkConfig& config, std::uint64_t header) {
  std::uint64_t reserved = header & ~vxlan_bits::kVxlan;
  if (config.gbp && (header & vxlan_bits::kGbpFlag) != 0) reserved &= ~vxlan_bits::kGbp;
  if (config.remcsum_rx && (header & vxlan_bits::kRemoteChecksumFlag) != 0) {
    reserved &= ~vxlan_bits::kRemoteChecksum;
  }
  if ((reserved & config.reserved_bits) != 0) return Drop::kReservedBits;
  if (reserved != 0) ++counters_[id].reserved_bits;
  return std::nullopt;
}

std::optional<Drop> Lane::learn(LinkId id, const LinkConfig& config, std::uint64_t hash, const Packet& frame,
                                Seconds now) {
  const MacAddr source = MacAddr::load(frame.data() + EthernetHeader::kSource);
  if (!source.is_unicast()) return Drop::kBadSource;
  if (source == config.address) return Drop::kOwnSource;
  if (!config.learning) {
    if (!is_known_vtep(id, frame.outer_source)) return Drop::kUnknownVtep;
    return std::nullopt;
  }
  auto learned = engine_.fdb_.refresh(hash, id, source, frame.outer_source, now);
  Engine* const engine = learned ? nullptr : tables_to_change(id);
  if (engine != nullptr) learned = engine->fdb_.learn(id, source, frame.outer_source, now);
  if (!learned) return std::nullopt;  // the link went just now
  LinkCounters& counters = counters_[id];
  switch (*learned) {
    case Fdb::Learned::kRefreshed:
      break;
    case Fdb::Learned::kNew:
      ++counters.learned;
      break;
    case Fdb::Learned::kMoved:
      ++counters.moved;
      if (engine->move_guard_.moved(id, source, config.move_limit, now)) {
        engine->fdb_.freeze(id, source);
        engine->move_guard_.forget(id, source);  // whoever thaws it starts anew
        ++counters.frozen;
      }
      break;
    case Fdb::Learned::kHeldStatic:
      return Drop::kStaticSource;
    case Fdb::Learned::kHeldFrozen:
      return Drop::kFrozenSource;
    case Fdb::Learned::kFull:
      ++counters.learn_refused;
      break;
  }
  return std::nullopt;
}

/// Asks the tables once, and again when they name other VTEPs than before.
bool Lane::is_known_vtep(LinkId id, const IpAddr& address) {
  const std::uint64_t version =
      std::uint64_t{engine_.fdb_.names_version()} << 32 | engine_.nexthops_.version();
  KnownVtep& known = known_vteps_[(id + address.octets().back()) % known_vteps_.size()];
  if (known.version == version && known.link == id && known.address == address) return true;
  const Engine* const engine = tables(id);
  if (engine == nullptr || !engine->fdb_.names(id, address)) return false;
  known = {.version = version, .link = id, .address = address};
  return true;
}

}  // namespace vtep
