#include "engine/engine.h"

#include <algorithm>
#include <utility>

namespace vtep {

Engine::Engine(const Fdb::Options& options)
    : nexthops_(remotes_),
      fdb_(options, remotes_, nexthops_),
      mdb_(remotes_, {.hash_seed = options.hash_seed}),
      neighbours_({.hash_seed = options.hash_seed}),
      move_guard_({.hash_seed = options.hash_seed}) {}

Seconds Engine::to_seconds(Time time) {
  return static_cast<Seconds>(
      std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count());
}

Result<LinkId> Engine::add_link(const LinkConfig& config, Time now) {
  const LinkId id = free_ids_.empty() ? static_cast<LinkId>(links_.size()) : free_ids_.back();
  if (config.has_vni && !by_vni_.try_emplace(key(config.port, config.vni), id).second) {
    return fail(ErrorKind::kExists, "a link with VNI " + std::to_string(config.vni.value()) +
                                        " on UDP port " + std::to_string(config.port.value()) +
                                        " exists already");
  }
  if (free_ids_.empty()) {
    links_.emplace_back();
  } else {
    free_ids_.pop_back();
  }
  links_[id].emplace(Link{config, {}, {}});
  apply(*links_[id], id);
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
  if (config.vni != link.config.vni || config.port != link.config.port ||
      config.has_vni != link.config.has_vni) {
    return fail(ErrorKind::kInvalid, "VNI and UDP port of a link cannot change: delete it and add a new one");
  }
  if (config.flood != link.config.flood || config.device != link.config.device) {
    // The new one first, so that there is no moment without a flood list.
    if (config.flood) {
      const Remote remote{.address = *config.flood, .port = {}, .vni = {}, .via = config.device};
      fdb_.set_max_addresses(id, config.max_addresses);
      auto added = fdb_.append(id, MacAddr(), remote, FdbState::kPermanent, to_seconds(now));
      if (!added) {
        fdb_.set_max_addresses(id, link.config.max_addresses);
        return added;
      }
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
  link.config = config;
  apply(link, id);
  return {};
}

/// What the tables and limits have to know of a link's configuration.
void Engine::apply(Link& link, LinkId id) {
  fdb_.set_ageing(id, link.config.ageing);
  fdb_.set_max_addresses(id, link.config.max_addresses);
  link.limiter.configure(link.config.limits);
}

void Engine::remove_link(LinkId id) {
  if (id >= links_.size() || !links_[id]) return;
  fdb_.flush(id, {});
  mdb_.remove_link(id);
  neighbours_.remove_link(id);
  move_guard_.forget_link(id);
  std::erase_if(misses_, [id](const MissEvent& miss) { return miss.link == id; });
  if (links_[id]->config.has_vni) by_vni_.erase(key(links_[id]->config.port, links_[id]->config.vni));
  links_[id].reset();
  free_ids_.push_back(id);
}

Result<void> Engine::remove_nexthop(std::uint32_t id) {
  std::vector<GroupIndex> gone;
  if (auto removed = nexthops_.remove(id, gone); !removed) return removed;
  for (const GroupIndex group : gone) fdb_.flush_group(group);
  return {};
}

void Engine::count_drop(LinkId id, Drop drop, std::uint64_t n) {
  if (id < links_.size() && links_[id]) links_[id]->counters.drops.add(drop, n);
}

DropCounters Engine::port_drops(Port port) const {
  const auto found = port_drops_.find(port.value());
  return found == port_drops_.end() ? DropCounters() : found->second;
}

std::vector<MissEvent> Engine::take_misses() {
  return std::exchange(misses_, {});
}

void Engine::advance(Time now, std::size_t budget) {
  const Seconds now_s = to_seconds(now);
  fdb_.age(now_s, budget);
  mdb_.age(now_s, budget);
  neighbours_.age(now_s, budget);
  remotes_.paths().age(now_s);
}

std::optional<Time> Engine::next_deadline() const {
  std::optional<Seconds> next;
  for (const auto deadline : {fdb_.next_deadline(), mdb_.next_deadline(), neighbours_.next_deadline(),
                              remotes_.paths().next_deadline()}) {
    if (deadline) next = std::min(next.value_or(*deadline), *deadline);
  }
  if (!next) return std::nullopt;
  return Time(std::chrono::seconds(*next));
}

}  // namespace vtep
