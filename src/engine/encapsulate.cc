// Overlay to underlay: see the numbered life of a frame in engine.h.
#include "engine/engine.h"
#include "engine/flow_hash.h"
#include "engine/inner_checksum.h"
#include "wire/ethernet.h"
#include "wire/vxlan.h"

namespace vtep {
namespace {

constexpr MacAddr kFloodList;  // the all-zero address

Datagram make_datagram(LinkId id, const LinkConfig& link, const Remote& remote, ByteView frame,
                       Port source_port) {
  Datagram datagram{.header = {},
                    .frame = frame,
                    .route = {.remote = remote.address,
                              .local = link.local,
                              .device = remote.via.is_set() ? remote.via : link.device,
                              .destination_port = remote.port.is_zero() ? link.port : remote.port,
                              .source_port = source_port,
                              .ttl = link.ttl},
                    .tag = id};
  VxlanHeader{remote.vni.value_or(link.vni)}.emit(datagram.header);
  return datagram;
}

}  // namespace

void Engine::encapsulate(LinkId id, std::span<Packet> frames, Time now, std::vector<Datagram>& out) {
  Link& link = *links_[id];
  const Seconds now_s = to_seconds(now);
  for (Packet& frame : frames) {
    const auto ethernet = EthernetView::parse(frame.view());
    if (!ethernet) {
      link.counters.drops.add(Drop::kFrameTruncated);
      continue;
    }
    if (!finish_checksum(frame)) {
      link.counters.drops.add(Drop::kFrameBadOffload);
      continue;
    }

    auto remotes = fdb_.find(id, ethernet->destination(), now_s);
    if (remotes.empty()) {
      remotes = fdb_.find(id, kFloodList, now_s);
      if (remotes.empty()) {
        link.counters.drops.add(Drop::kNoRemote);
        continue;
      }
      ++link.counters.flooded_frames;
    }

    const Layers layers = classify(frame.view());
    const Port port = source_port(flow_hash(frame.view(), layers), link.config.source_ports);
    for (const RemoteId remote : remotes) {
      out.push_back(make_datagram(id, link.config, fdb_.remote(remote), frame.view(), port));
    }
    link.counters.encapsulated_frames += remotes.size();
    link.counters.encapsulated_bytes += remotes.size() * frame.size();
  }
}

}  // namespace vtep
