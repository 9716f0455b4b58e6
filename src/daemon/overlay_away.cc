// Interfaces that were moved to another network namespace: their TAPs go on working here, and nothing tells
// what becomes of them there.
#include <spdlog/spdlog.h>

#include "daemon/overlay.h"
#include "io/tap_search.h"

namespace vtep {
namespace {

constexpr Duration kLookInterval = std::chrono::seconds(1);

}  // namespace

/// The last daemon's interface is here, or in another namespace if it died while somebody had it moved there.
Result<void> Overlay::take_left_interface(OverlayLink& link) {
  if (link.settings.address && !rtnetlink_.find(link.name)) {
    if (auto elsewhere = find_tap_elsewhere(*link.settings.address, data_plane_.workers())) {
      return take_away(link, std::move(*elsewhere));
    }
  }
  return take_interface(link);
}

Result<void> Overlay::take_away(OverlayLink& link, std::unique_ptr<Tap> tap) {
  link.tap = std::move(tap);
  auto attached = data_plane_.attach(link.id, link.tap->take_queues());
  if (!attached) {
    link.tap = nullptr;
    return attached;
  }
  look_elsewhere(link);
  return {};
}

/// The interface is not here any more: deleted, or moved to another network namespace, where no notification
/// tells what becomes of it. There it is asked every second; frames go on moving meanwhile.
void Overlay::look_elsewhere(OverlayLink& link) {
  auto state = link.tap->state();
  if (!state) return interface_lost(link);
  if (!link.away && state->away) spdlog::info("{}: moved to another network namespace", link.name);
  link.away = *state;
  LinkConfig config = link.settings.engine;
  config.address = state->address;
  config.mtu = state->mtu;
  if (config != link.settings.engine) {
    set_engine(link, config);
    link.settings.address = state->address;
    link.spec.set_address(state->address.to_string());
    remember(link);
    publish(v1::Event::ACTION_SET, link);
  }
  look_later();
}

void Overlay::look_later() {
  look_.set_if_idle(kLookInterval, [this] {
    for (auto& [name, link] : links_) {
      if (link.tap != nullptr && !link.interface.is_set()) look_elsewhere(link);
    }
  });
}

}  // namespace vtep
