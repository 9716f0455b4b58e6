// What the engine's tables have to tell, for whoever monitors them.
#include <spdlog/spdlog.h>

#include "daemon/overlay.h"
#include "daemon/table_spec.h"

namespace vtep {
namespace {

v1::Event make_event(bool gone) {
  v1::Event event;
  event.set_action(gone ? v1::Event::ACTION_DELETED : v1::Event::ACTION_SET);
  return event;
}

}  // namespace

/// Taken whether or not somebody listens: otherwise they would pile up.
void Overlay::publish_events() {
  const auto fdb = data_plane_.engine()->fdb().take_events();
  const auto neighbours = data_plane_.engine()->neighbours().take_events();
  const auto groups = data_plane_.engine()->mdb().take_events();
  const auto misses = data_plane_.engine()->take_misses();
  const auto stations = data_plane_.engine()->stations().take_events();
  for (const FdbEvent& event : fdb) publish_fdb_event(event);
  tell_control_planes(stations, fdb);
  for (const NeighbourEvent& event : neighbours) {
    if (!publish_ || !names_.contains(event.neighbour.link)) continue;
    v1::Event message = make_event(event.kind == NeighbourEvent::Kind::kRemoved);
    *message.mutable_neighbour() = describe(event.neighbour);
    publish_(message);
  }
  for (const MdbEvent& event : groups) {
    if (!publish_ || !names_.contains(event.entry.link)) continue;
    v1::Event message = make_event(event.kind == MdbEvent::Kind::kRemoved);
    *message.mutable_mdb() = describe(event.entry);
    publish_(message);
  }
  for (const MissEvent& miss : misses) {
    const auto link = names_.find(miss.link);
    if (!publish_ || link == names_.end()) continue;
    v1::Event message = make_event(false);
    message.mutable_miss()->set_dev(link->second.name);
    if (!miss.mac.is_zero()) message.mutable_miss()->set_mac(miss.mac.to_string());
    if (!miss.ip.is_unspecified()) message.mutable_miss()->set_ip(miss.ip.to_string());
    publish_(message);
  }
}

void Overlay::publish_fdb_event(const FdbEvent& event) {
  const auto link = names_.find(event.entry.link);
  if (link == names_.end()) return;
  if (event.kind == FdbEvent::Kind::kFrozen) {
    spdlog::warn(
        "{}: {} keeps moving between VTEPs and is frozen behind {}: is the address used twice, or is there a "
        "loop?",
        link->second.name, event.entry.mac.to_string(), event.entry.remote.address.to_string());
  }
  if (!publish_) return;
  v1::Event message =
      make_event(event.kind == FdbEvent::Kind::kRemoved || event.kind == FdbEvent::Kind::kAged);
  *message.mutable_fdb() =
      to_proto(event.entry, link->second.name, [this](IfIndex index) { return name_of(index); });
  if (link->second.vni) message.mutable_fdb()->set_src_vni(link->second.vni->value());
  publish_(message);
}

}  // namespace vtep
