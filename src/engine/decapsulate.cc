// Underlay to overlay: see the numbered life of a frame in engine.h.
#include "engine/engine.h"
#include "engine/inner_checksum.h"
#include "wire/ethernet.h"
#include "wire/vxlan.h"

namespace vtep {

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
    datagram.pull_front(VxlanHeader::kSize);
    if (const auto drop = admit(link, id, datagram, now_s)) {
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

std::optional<Drop> Engine::admit(Link& link, LinkId id, Packet& frame, Seconds now) {
  const MacAddr source = MacAddr::load(frame.data() + EthernetHeader::kSource);
  if (!source.is_unicast()) return Drop::kBadSource;
  if (source == link.config.address) return Drop::kOwnSource;

  if (link.config.learning) {
    switch (fdb_.learn(id, source, frame.outer_source, now)) {
      case Fdb::Learned::kRefreshed:
        break;
      case Fdb::Learned::kNew:
        ++link.counters.learned;
        break;
      case Fdb::Learned::kMoved:
        ++link.counters.moved;
        break;
      case Fdb::Learned::kHeldStatic:
        return Drop::kStaticSource;
      case Fdb::Learned::kFull:
        ++link.counters.learn_refused;
        break;
    }
  }
  return restore_offload(frame, classify(frame.view()), link.config.mtu);
}

}  // namespace vtep
