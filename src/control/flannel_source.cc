#include "control/flannel_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <random>
#include <set>

#include "control/backoff.h"

namespace vtep {
namespace {

using std::chrono::seconds;

// flannel's own numbers.
constexpr seconds kLeaseTime{24 * 3600};
constexpr seconds kRenewBefore{3600};
// And ours.
constexpr seconds kLookAgain{2};    // for a configuration that is not there yet
constexpr seconds kRenewAgain{60};  // when etcd was away
constexpr seconds kLongestWait{30};
constexpr std::size_t kMostRefused = 1000;  // that are remembered by name

std::uint64_t random_number() {
  std::random_device device;
  return std::uint64_t{device()} << 32 | device();
}

bool overlap(const Prefix& a, const Prefix& b) {
  return a.contains(b.address()) || b.contains(a.address());
}

bool is_free(const Prefix& subnet, const std::vector<Prefix>& taken) {
  return std::ranges::none_of(taken, [&](const Prefix& other) { return overlap(subnet, other); });
}

/// The subnet that the node had before, if nobody has it now, else any.
std::optional<Prefix> choose_subnet(const FlannelRange& range, const std::optional<Prefix>& previous,
                                    const std::vector<Prefix>& taken) {
  if (previous && range.contains(*previous) && is_free(*previous, taken)) return previous;
  return pick_subnet(range, taken, random_number());
}

}  // namespace

FlannelSource::FlannelSource(Loop& loop, Rib& rib, SourceId id, std::unique_ptr<EtcdClient> etcd,
                             FlannelHost& host, const FlannelOptions& options, std::function<void()> changed)
    : loop_(loop),
      rib_(rib),
      id_(id),
      etcd_(std::move(etcd)),
      host_(host),
      options_(options),
      changed_(std::move(changed)),
      timer_(loop) {
  status_.since = loop.now();
  start();
}

FlannelSource::~FlannelSource() = default;

// --- 1. to 3.: until the node has a subnet

void FlannelSource::start() {
  ++life_;
  watch_.reset();
  status_.state = "reading the network's configuration";
  etcd_->get(options_.prefix + "/config",
             then<EtcdListing>([this](const EtcdListing& found) { configure(found); }));
}

void FlannelSource::configure(const EtcdListing& found) {
  const std::string key = options_.prefix + "/config";
  status_.connect(loop_.now());
  if (found.entries.empty()) {
    status_.state = fmt::format("waiting for a configuration at {}", key);
    wake_in(kLookAgain, &FlannelSource::start);
    return changed_();
  }
  const auto network = FlannelNetwork::parse(found.entries.front().value);
  if (!network) return try_again({network.error().kind, fmt::format("{}: {}", key, network.error().message)});
  const auto addresses = host_.addresses();
  if (!addresses) return try_again(addresses.error());
  addresses_ = *addresses;
  if ((network->range4 && !addresses_.v4) || (network->range6 && !addresses_.v6)) {
    return try_again(
        {ErrorKind::kInvalid, fmt::format("{}: the network has IPv{}, for which this node has no address",
                                          key, network->range4 && !addresses_.v4 ? 4 : 6)});
  }
  const auto router = host_.open_tunnel(*network);
  if (!router) return try_again(router.error());
  network_ = *network;
  router_ = *router;
  list_nodes();
}

void FlannelSource::list_nodes() {
  status_.state = "looking for a subnet";
  etcd_->list(nodes_prefix(), then<EtcdListing>([this](const EtcdListing& nodes) {
                const auto claim = choose(nodes);
                if (!claim) return try_again(claim.error());
                write(*claim);
              }));
}

Result<FlannelSource::Claim> FlannelSource::choose(const EtcdListing& nodes) const {
  std::vector<Prefix> taken;
  for (const EtcdEntry& entry : nodes.entries) {
    const std::string name = entry.key.substr(nodes_prefix().size());
    std::ranges::copy(FlannelLease::subnets(name), std::back_inserter(taken));
    const auto lease = FlannelLease::parse(name, entry.value);
    if (!lease) continue;
    const auto is_ours = [&](const std::optional<FlannelRange>& range, const std::optional<FlannelEnd>& end,
                             const std::optional<IpAddr>& address) {
      return !range ? !end : end && end->vtep == *address && range->contains(end->subnet);
    };
    if (!is_ours(network_->range4, lease->end4, addresses_.v4)) continue;
    if (!is_ours(network_->range6, lease->end6, addresses_.v6)) continue;
    Claim claim{*lease, true};
    claim.lease.vni = network_->vni;
    if (claim.lease.end4) claim.lease.end4->router = *router_;
    if (claim.lease.end6) claim.lease.end6->router = *router_;
    return claim;
  }
  Claim claim{{.vni = network_->vni, .end4 = {}, .end6 = {}}, false};
  const auto take = [&](const std::optional<FlannelRange>& range, const std::optional<Prefix>& previous,
                        const std::optional<IpAddr>& address, std::optional<FlannelEnd>& end) -> bool {
    if (!range) return true;
    const auto subnet = choose_subnet(*range, previous, taken);
    if (subnet) end = FlannelEnd{*subnet, *address, *router_};
    return subnet.has_value();
  };
  if (!take(network_->range4, options_.previous4, addresses_.v4, claim.lease.end4) ||
      !take(network_->range6, options_.previous6, addresses_.v6, claim.lease.end6)) {
    return fail(ErrorKind::kFull, "the network has no free subnet left");
  }
  return claim;
}

void FlannelSource::write(const Claim& claim) {
  etcd_->grant(kLeaseTime.count(), then<std::int64_t>([this, claim](const std::int64_t& lease) {
                 const std::string key = nodes_prefix() + claim.lease.key();
                 const std::string value = claim.lease.value();
                 if (claim.is_there) {
                   etcd_->put(key, value, lease,
                              then<std::int64_t>([this, claim](const std::int64_t&) { join(claim.lease); }));
                   return;
                 }
                 etcd_->insert(key, value, lease, then<EtcdWrite>([this, claim](const EtcdWrite& write) {
                                 // Somebody was faster: look for another.
                                 if (!write.is_written) return list_nodes();
                                 join(claim.lease);
                               }));
               }));
}

void FlannelSource::join(const FlannelLease& lease) {
  own_ = lease;
  if (auto settled = host_.settle(*network_, lease); !settled) return try_again(settled.error());
  failures_ = 0;
  std::string subnets;
  for (const FlannelEnd& end : lease.ends())
    subnets += (subnets.empty() ? "" : " and ") + end.subnet.to_string();
  status_.state = fmt::format("node with {}", subnets);
  wake_in(kLeaseTime - kRenewBefore, &FlannelSource::renew);
  follow();
}

// --- 4. the other nodes

void FlannelSource::follow() {
  watch_.reset();
  etcd_->list(nodes_prefix(), then<EtcdListing>([this](const EtcdListing& nodes) {
                const std::uint64_t life = life_;
                say_all(nodes);
                if (life != life_) return;
                EtcdWatchHandlers handlers;
                handlers.on_events = [this](std::int64_t, std::span<const EtcdEvent> events) {
                  take_events(events);
                };
                handlers.on_connected = [this] {
                  status_.connect(loop_.now());
                  changed_();
                };
                handlers.on_disconnected = [this](Time, const Error& reason) {
                  status_.disconnect(loop_.now(), reason.message);
                  changed_();
                };
                handlers.on_end = [this](const EtcdWatchEnd& end) {
                  status_.fail(loop_.now(), end.error.message);
                  if (end.must_list) return follow();
                  try_again(end.error);
                };
                watch_ = etcd_->watch(nodes_prefix(), nodes.revision + 1, std::move(handlers));
                changed_();
              }));
}

void FlannelSource::say_all(const EtcdListing& nodes) {
  rib_.begin_round(id_);
  std::set<std::string> there;
  for (const EtcdEntry& entry : nodes.entries) there.insert(entry.key.substr(nodes_prefix().size()));
  std::vector<std::string> gone;
  for (const auto& [name, node] : nodes_) {
    if (!there.contains(name)) gone.push_back(name);
  }
  // First, so that their subnets are free for others.
  for (const std::string& name : gone) forget(name);
  refused_.clear();
  status_.refusals.clear();
  const std::uint64_t life = life_;
  for (const EtcdEntry& entry : nodes.entries) {
    take(entry.key.substr(nodes_prefix().size()), entry.value);
    if (life != life_) return;  // without an end of the round: nothing is withdrawn
  }
  // A node whose new word makes no sense keeps what it said before.
  for (const auto& [name, value] : refused_) {
    if (const auto node = nodes_.find(name); node != nodes_.end())
      accept(name, FlannelLease(node->second.lease));
  }
  rib_.end_round(id_, loop_.now());
  has_listed_ = true;
  if (!there.contains(own_->key())) begin_anew("this node's lease was deleted");
}

void FlannelSource::take_events(std::span<const EtcdEvent> events) {
  const std::uint64_t life = life_;
  bool is_room_made = false;
  for (const EtcdEvent& event : events) {
    const std::string name = event.entry.key.substr(nodes_prefix().size());
    if (!event.is_removal) {
      is_room_made = is_room_made || nodes_.contains(name);
      take(name, event.entry.value);
    } else if (name == own_->key()) {
      begin_anew("this node's lease was deleted");
    } else {
      refused_.erase(name);
      status_.refusals.erase(name);
      forget(name);
      is_room_made = true;
    }
    if (life != life_) return;
  }
  if (is_room_made) look_at_refused_again();
  if (!events.empty()) changed_();
}

void FlannelSource::take(const std::string& name, const std::string& value) {
  const auto lease = FlannelLease::parse(name, value);
  if (name == own_->key()) {
    const auto has = [](const std::optional<FlannelEnd>& a, const std::optional<FlannelEnd>& b) {
      return !b || (a && a->vtep == b->vtep);
    };
    if (!lease || !has(lease->end4, own_->end4) || !has(lease->end6, own_->end6)) {
      begin_anew("another node has written over this node's lease");
    }
    return;
  }
  if (!lease && lease.error().kind == ErrorKind::kNotFound) return forget(name);
  if (!lease) return refuse(name, value, lease.error().message);
  if (auto good = check(name, *lease); !good) return refuse(name, value, good.error().message);
  refused_.erase(name);
  status_.refusals.erase(name);
  accept(name, *lease);
}

/// Against what is known: two nodes cannot have one subnet, one router or one address.
Result<void> FlannelSource::check(const std::string& name, const FlannelLease& lease) const {
  const auto refuse = [](std::string why) { return fail(ErrorKind::kInvalid, std::move(why)); };
  if (lease.vni != network_->vni) {
    return refuse(fmt::format("its VNI is {}, the network's {}", lease.vni.value(), network_->vni.value()));
  }
  for (const FlannelEnd& end : lease.ends()) {
    const auto& range = end.subnet.address().is_v4() ? network_->range4 : network_->range6;
    if (!range || !range->network.contains(end.subnet.address()) ||
        end.subnet.length() < range->network.length()) {
      return refuse(fmt::format("{} is not in the network", end.subnet.to_string()));
    }
    if (end.vtep == addresses_.v4 || end.vtep == addresses_.v6) {
      return refuse(fmt::format("{} is this node's address", end.vtep.to_string()));
    }
    if (end.router == *router_) {
      return refuse(fmt::format("{} is this node's MAC address", end.router.to_string()));
    }
    for (const FlannelEnd& own : own_->ends()) {
      if (overlap(end.subnet, own.subnet)) {
        return refuse(
            fmt::format("{} overlaps this node's {}", end.subnet.to_string(), own.subnet.to_string()));
      }
    }
    // The others' are disjoint: only its neighbours in their order can overlap it.
    const auto behind = subnets_.upper_bound(end.subnet.address());
    for (auto near : {behind, behind == subnets_.begin() ? subnets_.end() : std::prev(behind)}) {
      if (near == subnets_.end() || near->second.second == name) continue;
      if (overlap(end.subnet, near->second.first)) {
        return refuse(fmt::format("{} overlaps {}", end.subnet.to_string(), near->second.first.to_string()));
      }
    }
    if (const auto other = routers_.find(end.router.to_u64());
        other != routers_.end() && other->second != name) {
      return refuse(fmt::format("{} is the MAC address of {}", end.router.to_string(), other->second));
    }
  }
  return {};
}

void FlannelSource::accept(const std::string& name, const FlannelLease& lease) {
  Node& node = nodes_[name];
  if (node.origin == 0) node.origin = ++last_origin_;
  for (const FlannelEnd& end : node.lease.ends()) routers_.erase(end.router.to_u64());
  node.lease = lease;
  for (const FlannelEnd& end : lease.ends()) {
    subnets_[end.subnet.address()] = {end.subnet, name};
    routers_[end.router.to_u64()] = name;
    const PrefixFact fact{.vtep = end.vtep,
                          .router = end.router,
                          .direct = network_->direct_routing && host_.is_neighbour(end.vtep)};
    rib_.say(id_, node.origin, PrefixFact::Key{lease.vni, end.subnet}, fact, loop_.now());
  }
}

void FlannelSource::forget(const std::string& name) {
  const auto node = nodes_.find(name);
  if (node == nodes_.end()) return;
  for (const FlannelEnd& end : node->second.lease.ends()) {
    subnets_.erase(end.subnet.address());
    routers_.erase(end.router.to_u64());
    rib_.unsay<PrefixFact>(id_, node->second.origin, {node->second.lease.vni, end.subnet}, loop_.now());
  }
  nodes_.erase(node);
}

void FlannelSource::refuse(const std::string& name, const std::string& value, const std::string& why) {
  if (refused_.size() >= kMostRefused && !refused_.contains(name)) {
    ++status_.refused;
    return;
  }
  const bool is_new = !refused_.contains(name) || refused_.at(name) != value;
  refused_[name] = value;
  if (is_new) status_.refuse(name, why);
}

void FlannelSource::look_at_refused_again() {
  const auto refused = refused_;
  for (const auto& [name, value] : refused) take(name, value);
}

// --- 5. and what may go wrong

void FlannelSource::renew() {
  const auto failed = [this](const Error& why) {
    status_.fail(loop_.now(), fmt::format("the lease could not be renewed: {}", why.message));
    wake_in(kRenewAgain, &FlannelSource::renew);
    changed_();
  };
  etcd_->grant(kLeaseTime.count(), [this, failed](Result<std::int64_t> lease) {
    if (!lease) return failed(lease.error());
    etcd_->put(nodes_prefix() + own_->key(), own_->value(), *lease, [this, failed](Result<std::int64_t> put) {
      if (!put) return failed(put.error());
      wake_in(kLeaseTime - kRenewBefore, &FlannelSource::renew);
    });
  });
}

void FlannelSource::try_again(const Error& why) {
  status_.trouble(loop_.now(), why);
  wake_in(doubled(seconds(1), failures_++, kLongestWait), &FlannelSource::start);
  changed_();
}

void FlannelSource::begin_anew(const std::string& why) {
  status_.fail(loop_.now(), why);
  ++life_;
  own_.reset();
  watch_.reset();
  wake_in(seconds(1), &FlannelSource::start);
  changed_();
}

/// Only one thing is waited for at a time.
void FlannelSource::wake_in(Duration delay, void (FlannelSource::*what)()) {
  timer_.set(delay, [this, what] { (this->*what)(); });
}

template <typename T>
EtcdClient::Done<T> FlannelSource::then(std::function<void(const T&)> done) {
  return [this, life = life_, done = std::move(done)](Result<T> answer) {
    if (life != life_) return;
    if (!answer) return try_again(answer.error());
    done(*answer);
  };
}

}  // namespace vtep
