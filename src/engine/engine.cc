#include "engine/engine.h"

#include <algorithm>
#include <utility>

namespace vtep {

Engine::Engine(const Fdb::Options& options)
    : nexthops_(remotes_),
      fdb_(options, remotes_, nexthops_),
      mdb_(remotes_, {.hash_seed = options.hash_seed}),
      neighbours_({.hash_seed = options.hash_seed}),
      stations_({.hash_seed = options.hash_seed}),
      move_guard_({.hash_seed = options.hash_seed}),
      by_vni_(remotes_.epochs()) {
  add_counters();
}

Engine::~Engine() = default;

Seconds Engine::to_seconds(Time time) {
  return static_cast<Seconds>(
      std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count());
}

Result<LinkId> Engine::add_link(const LinkConfig& config, Time now) {
  if (config.has_vni && by_vni_.find(config.port, config.vni)) {
    return fail(ErrorKind::kExists, "a link with VNI " + std::to_string(config.vni.value()) +
                                        " on UDP port " + std::to_string(config.port.value()) +
                                        " exists already");
  }
  const LinkId id = new_id();
  publish(id, config);
  if (config.flood) {
    const Remote remote{.address = *config.flood, .port = {}, .vni = {}, .via = config.device};
    if (auto added = fdb_.append(id, MacAddr(), remote, FdbState::kPermanent, to_seconds(now)); !added) {
      remove_link(id);
      return std::unexpected(added.error());
    }
  }
  // Last: frames may arrive from now on.
  if (config.has_vni) by_vni_.insert(config.port, config.vni, id);
  return id;
}

/// One whose counters are zero. Nobody remembers what it stood for.
LinkId Engine::new_id() {
  LinkId id = 0;
  if (!free_ids_.empty() && remotes_.epochs().is_over(free_ids_.front().first)) {
    id = free_ids_.front().second;
    free_ids_.pop_front();
  } else {
    id = static_cast<LinkId>(links_.grow());
  }
  for (const auto& counters : counters_) {
    while (counters->size() < links_.size()) counters->grow();
    (*counters)[id] = {};
  }
  links_[id].limiter = {};
  return id;
}

Engine::Counters& Engine::add_counters() {
  Counters& counters = *counters_.emplace_back(std::make_unique<Counters>());
  while (counters.size() < links_.size()) counters.grow();
  return counters;
}

Engine::Counters& Engine::add_lane() {
  const std::lock_guard lock(mutex_);
  return add_counters();
}

/// To the lanes, and to what keeps a copy of its own.
void Engine::publish(LinkId id, const LinkConfig& config) {
  Link& link = links_[id];
  auto view = std::make_shared<const LinkView>(LinkView{config, ++link_version_});
  link.view.store(view.get());
  if (link.held != nullptr) remotes_.epochs().retire(link.held);
  link.held = std::move(view);
  fdb_.set_ageing(id, config.ageing);
  fdb_.set_max_addresses(id, config.max_addresses);
  if (config.stations) {
    stations_.set_ageing(id, config.ageing);
  } else {
    stations_.remove_link(id);
  }
  link.limiter.configure(config.limits);
}

LinkCounters Engine::counters(LinkId id) const {
  LinkCounters sum;
  for (const auto& counters : counters_) sum += (*counters)[id];
  return sum;
}

Result<void> Engine::change_link(LinkId id, const LinkConfig& config, Time now) {
  const LinkConfig before = links_[id].held->config;
  if (config.vni != before.vni || config.port != before.port || config.has_vni != before.has_vni) {
    return fail(ErrorKind::kInvalid, "VNI and UDP port of a link cannot change: delete it and add a new one");
  }
  if (config.flood != before.flood || config.device != before.device) {
    // The new one first, so that there is no moment without a flood list.
    if (config.flood) {
      const Remote remote{.address = *config.flood, .port = {}, .vni = {}, .via = config.device};
      fdb_.set_max_addresses(id, config.max_addresses);
      auto added = fdb_.append(id, MacAddr(), remote, FdbState::kPermanent, to_seconds(now));
      if (!added) {
        fdb_.set_max_addresses(id, before.max_addresses);
        return added;
      }
    }
    if (before.flood) {
      const RemoteFilter old{
          .address = before.flood, .port = Port(), .vni = {}, .link_vni = true, .via = before.device};
      // Already gone if somebody deleted it by hand: then there is nothing to replace.
      (void)fdb_.remove(id, MacAddr(), old);
    }
  }
  publish(id, config);
  return {};
}

void Engine::remove_link(LinkId id) {
  if (!has_link(id)) return;
  Link& link = links_[id];
  const LinkConfig& config = link.held->config;
  if (config.has_vni) by_vni_.erase(config.port, config.vni);
  link.view.store(nullptr);
  remotes_.epochs().retire(std::exchange(link.held, nullptr));
  fdb_.flush(id, {});
  mdb_.remove_link(id);
  neighbours_.remove_link(id);
  stations_.remove_link(id);
  move_guard_.forget_link(id);
  std::erase_if(misses_, [id](const MissEvent& miss) { return miss.link == id; });
  free_ids_.emplace_back(remotes_.epochs().retire(), id);
}

Result<void> Engine::remove_nexthop(std::uint32_t id) {
  std::vector<GroupIndex> gone;
  if (auto removed = nexthops_.remove(id, gone); !removed) return removed;
  for (const GroupIndex group : gone) fdb_.flush_group(group);
  return {};
}

void Engine::count_drop(LinkId id, Drop drop, std::uint64_t n) {
  if (has_link(id)) (*counters_.front())[id].drops.add(drop, n);
}

bool Engine::hear_path_mtu(const IpAddr& remote, Port port, std::uint64_t header, std::uint32_t mtu,
                           Time now) {
  const Vni vni = *Vni::from(header >> 8 & Vni::kMax);
  if (!by_vni_.find(port, vni) && !remotes_.has_override(remote, port, vni)) return false;
  return remotes_.paths().learn_mtu(remote, mtu, to_seconds(now));
}

void Engine::report_miss(LinkId link, MacAddr mac, const IpAddr& ip) {
  if (misses_.size() < kMaxMisses) misses_.push_back({.link = link, .mac = mac, .ip = ip});
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
  stations_.age(now_s, budget);
  remotes_.paths().age(now_s);
}

std::optional<Time> Engine::next_deadline() const {
  std::optional<Seconds> next;
  for (const auto deadline : {fdb_.next_deadline(), mdb_.next_deadline(), neighbours_.next_deadline(),
                              stations_.next_deadline(), remotes_.paths().next_deadline()}) {
    if (deadline) next = std::min(next.value_or(*deadline), *deadline);
  }
  if (!next) return std::nullopt;
  return Time(std::chrono::seconds(*next));
}

}  // namespace vtep
