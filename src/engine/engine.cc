#include "engine/engine.h"

#include <algorithm>

namespace vtep {

Engine::Engine(const Fdb::Options& options) : fdb_(options) {}

Seconds Engine::to_seconds(Time time) {
  return static_cast<Seconds>(
      std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count());
}

Result<LinkId> Engine::add_link(const LinkConfig& config, Time now) {
  const LinkId id = free_ids_.empty() ? static_cast<LinkId>(links_.size()) : free_ids_.back();
  if (!by_vni_.try_emplace(key(config.port, config.vni), id).second) {
    return fail(ErrorKind::kExists, "a link with VNI " + std::to_string(config.vni.value()) +
                                        " on UDP port " + std::to_string(config.port.value()) +
                                        " exists already");
  }
  if (free_ids_.empty()) {
    links_.emplace_back();
  } else {
    free_ids_.pop_back();
  }
  links_[id].emplace(Link{config, {}});
  fdb_.set_ageing(id, config.ageing);
  if (config.flood) {
    const Remote remote{.address = *config.flood, .port = {}, .vni = {}, .via = config.device};
    if (auto added = fdb_.append(id, MacAddr(), remote, FdbState::kPermanent, to_seconds(now)); !added) {
      remove_link(id);
      return std::unexpected(added.error());
    }
  }
  return id;
}

Result<void> Engine::change_link(LinkId id, const LinkConfig& config, Time now) {
  Link& link = *links_[id];
  if (config.vni != link.config.vni || config.port != link.config.port) {
    return fail(ErrorKind::kInvalid, "VNI and UDP port of a link cannot change: delete it and add a new one");
  }
  if (config.flood != link.config.flood || config.device != link.config.device) {
    // The new one first, so that there is no moment without a flood list.
    if (config.flood) {
      const Remote remote{.address = *config.flood, .port = {}, .vni = {}, .via = config.device};
      auto added = fdb_.append(id, MacAddr(), remote, FdbState::kPermanent, to_seconds(now));
      if (!added) return added;
    }
    if (link.config.flood) {
      const RemoteFilter old{.address = link.config.flood,
                             .port = Port(),
                             .vni = {},
                             .link_vni = true,
                             .via = link.config.device};
      // Already gone if somebody deleted it by hand: then there is nothing to replace.
      (void)fdb_.remove(id, MacAddr(), old);
    }
  }
  if (config.ageing != link.config.ageing) fdb_.set_ageing(id, config.ageing);
  link.config = config;
  return {};
}

void Engine::remove_link(LinkId id) {
  if (id >= links_.size() || !links_[id]) return;
  fdb_.flush(id, {});
  by_vni_.erase(key(links_[id]->config.port, links_[id]->config.vni));
  links_[id].reset();
  free_ids_.push_back(id);
}

void Engine::count_drop(LinkId id, Drop drop, std::uint64_t n) {
  if (id < links_.size() && links_[id]) links_[id]->counters.drops.add(drop, n);
}

DropCounters Engine::port_drops(Port port) const {
  const auto found = port_drops_.find(port.value());
  return found == port_drops_.end() ? DropCounters() : found->second;
}

void Engine::advance(Time now, std::size_t budget) {
  fdb_.age(to_seconds(now), budget);
}

std::optional<Time> Engine::next_deadline() const {
  const auto deadline = fdb_.next_deadline();
  if (!deadline) return std::nullopt;
  return Time(std::chrono::seconds(*deadline));
}

}  // namespace vtep
