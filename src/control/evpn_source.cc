#include "control/evpn_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <type_traits>
#include <utility>
#include <variant>

#include "control/backoff.h"
#include "control/printable.h"
#include "gobgp/api.pb.h"

namespace vtep {
namespace {

/// Changes come in crowds.
constexpr Duration kSoon = std::chrono::milliseconds(2);
constexpr std::size_t kMostInFlight = 256;
constexpr Duration kFirstWait = std::chrono::milliseconds(500);
constexpr Duration kLongestWait = std::chrono::seconds(10);
constexpr std::uint32_t kMaxNumber = 0xffff;

}  // namespace

EvpnSource::EvpnSource(Loop& loop, Rib& rib, SourceId id, LocalFacts& local,
                       std::unique_ptr<GobgpClient> gobgp, const EvpnOptions& options,
                       std::function<void()> changed)
    : loop_(loop),
      rib_(rib),
      id_(id),
      local_(local),
      options_(options),
      changed_(std::move(changed)),
      gobgp_(std::move(gobgp)),
      listener_(local.listen([this](const LocalFacts::Key& key) {
        note(key);
        if (const auto* const vni = std::get_if<Vni>(&key)) {
          note_own_addresses();
          look_again(*vni);
        }
      })),
      is_restarting_(options.is_restart) {
  status_.since = loop.now();
  note_own_addresses();
  for (const auto& [vni, targets] : options_.targets) {
    for (const RouteTarget& target : targets.import) imports_[target].insert(vni);
  }
  open();
}

EvpnSource::~EvpnSource() {
  local_.end(listener_);
}

// --- the speaker

void EvpnSource::open() {
  gobgp_->get_speaker([this](const Result<BgpSpeaker>& there) {
    if (!there) return try_again(there.error());
    if (there->as == 0 && options_.is_own_speaker) {
      return gobgp_->start_speaker(options_.speaker, [this](const Result<void>& started) {
        if (!started) return try_again(started.error());
        configure(options_.speaker);
      });
    }
    if (there->as == 0)
      return try_again({ErrorKind::kUnavailable, "gobgpd runs, but BGP has not been started in it"});
    configure(*there);
  });
}

void EvpnSource::configure(const BgpSpeaker& there) {
  const auto router_id = IpAddr::parse(there.router_id);
  if (options_.speaker.as != 0 && options_.speaker.as != there.as) {
    return try_again(
        {ErrorKind::kInvalid, fmt::format("gobgpd speaks for AS {}, not {}", there.as, options_.speaker.as)});
  }
  if (!router_id || !router_id->is_v4()) {
    return try_again(
        {ErrorKind::kSystem, fmt::format("gobgpd has the router id \"{}\"", printable(there.router_id))});
  }
  as_ = there.as;
  router_id_ = router_id->v4();
  failures_ = 0;
  are_peers_missing_ = options_.is_own_speaker;
  if (!std::exchange(is_watched_, true)) watch();
  note_all();
  add_peers_when_told();
}

void EvpnSource::watch() {
  gobgp_->watch({.on_connected = [this] { connected(); },
                 .on_path = [this](const apipb::Path& path) { take(path); },
                 .on_peer =
                     [this](const std::string& peer, bool is_established) {
                       peers_[peer] = is_established;
                       end_round_later();
                       changed_();
                     },
                 .on_trouble = [this](const Error& why) { trouble(why); }});
}

void EvpnSource::add_peers_when_told() {
  if (!are_peers_missing_ || !gobgp_->is_connected() || !noted_.empty() || !in_flight_.empty()) return;
  are_peers_missing_ = false;
  add_peers(0, std::exchange(is_restarting_, true));
}

void EvpnSource::add_peers(std::size_t next, bool is_restarting) {
  if (next == options_.peers.size()) return;
  BgpPeer peer = options_.peers[next];
  peer.is_restarting = is_restarting;
  gobgp_->add_peer(peer, [this, next, is_restarting](const Result<void>& added) {
    if (!added && added.error().kind != ErrorKind::kExists) return try_again(added.error());
    add_peers(next + 1, is_restarting);
  });
}

std::size_t EvpnSource::sessions() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(peers_, [](const auto& peer) { return peer.second; }));
}

void EvpnSource::try_again(const Error& why) {
  trouble(why);
  retry_.set(doubled(kFirstWait, failures_++, kLongestWait), [this] { open(); });
}

/// And all that there is will come.
void EvpnSource::connected() {
  status_.connect(loop_.now());
  rib_.begin_round(id_);
  ++round_;
  round_begun_ = loop_.now();
  for (auto& [key, announced] : announced_) announced.is_sure = false;
  note_all();
  end_round_later();
  changed_();
}

void EvpnSource::trouble(const Error& why) {
  if (status_.is_connected && why.kind == ErrorKind::kUnavailable) {
    // It has lost its sessions, if it was restarted: so many are waited for.
    peers_before_ = std::max(peers_before_, sessions());
    peers_.clear();
    round_end_.cancel();
    retry_.set_if_idle(kFirstWait, [this] { open(); });
  }
  status_.trouble(loop_.now(), why);
  changed_();
}

// --- what we announce

void EvpnSource::note(const LocalFacts::Key& key) {
  noted_.insert(key);
  announce_soon();
}

void EvpnSource::note_all() {
  for (const auto& [key, routes] : keys_) noted_.insert(key);
  local_.for_each(id_, [this](const LocalFacts::Key& key) { noted_.insert(key); });
  announce_soon();
}

void EvpnSource::announce_soon() {
  if (!left_) soon_.set_if_idle(kSoon, [this] { announce(); });
}

void EvpnSource::announce() {
  if (!router_id_ || !gobgp_->is_connected()) return;  // everything is noted when it is
  while (!noted_.empty() && in_flight_.size() < kMostInFlight) {
    const LocalFacts::Key fact = *noted_.begin();
    noted_.erase(noted_.begin());
    std::set<std::string> keys;
    for (const EvpnRoute& route : wanted(fact)) {
      const std::string key = route.key();
      keys.insert(key);
      const auto there = announced_.find(key);
      if (there != announced_.end() && there->second.is_sure && there->second.route == route) continue;
      announced_[key] = {.route = route, .is_sure = true};
      send(route, false);
    }
    const std::set<std::string> before = std::exchange(keys_[fact], keys);
    for (const std::string& key : before) {
      if (keys.contains(key)) continue;
      const auto there = announced_.find(key);
      if (there == announced_.end()) continue;
      const EvpnRoute route = there->second.route;
      announced_.erase(there);
      send(route, true);
    }
    if (keys.empty()) keys_.erase(fact);
  }
  add_peers_when_told();
}

void EvpnSource::send(const EvpnRoute& route, bool is_withdrawn) {
  const std::string key = route.key();
  if (const auto there = in_flight_.find(key); there != in_flight_.end()) {
    there->second = Order{route, is_withdrawn};
    return;
  }
  in_flight_[key];
  const auto done = [this, route, is_withdrawn](const Result<void>& outcome) {
    sent(route, is_withdrawn, outcome);
  };
  is_withdrawn ? gobgp_->withdraw(route, done) : gobgp_->announce(route, done);
}

void EvpnSource::sent(const EvpnRoute& route, bool is_withdrawn, const Result<void>& outcome) {
  const std::string key = route.key();
  const std::optional<Order> next = std::exchange(in_flight_[key], {});
  in_flight_.erase(key);
  if (!outcome) {
    if (const auto there = announced_.find(key); there != announced_.end()) there->second.is_sure = false;
    // What gobgpd does not want it will not want later; if it is not there, everything is noted when it is
    // back.
    if (!is_withdrawn && outcome.error().kind != ErrorKind::kUnavailable)
      status_.refuse(key, outcome.error().message);
  }
  if (next) return send(next->route, next->is_withdrawn);
  if (left_) {
    if (in_flight_.empty()) std::exchange(left_, {})();
    return;
  }
  noted_.empty() ? add_peers_when_told() : announce_soon();
}

std::vector<EvpnRoute> EvpnSource::wanted(const LocalFacts::Key& key) const {
  std::vector<EvpnRoute> routes;
  const Vni vni = std::visit(
      []<typename Key>(const Key& fact) {
        if constexpr (std::is_same_v<Key, Vni>) {
          return fact;
        } else {
          return fact.vni;
        }
      },
      key);
  if (!local_.is_told(id_, vni)) return routes;
  const std::vector<IpAddr>& vteps = local_.find(vni)->vteps;
  EvpnRoute route{
      .distinguisher = distinguisher(vni), .vni = vni, .vtep = vteps.front(), .targets = exported(vni)};
  if (std::holds_alternative<Vni>(key)) {
    route.kind = EvpnRoute::Kind::kMulticast;
    for (const IpAddr& vtep : vteps) {
      route.vtep = vtep;
      route.ip = vtep;
      routes.push_back(route);
    }
  } else if (const auto* const station = std::get_if<MacFact::Key>(&key)) {
    const LocalStation* const there = local_.find(*station);
    if (there == nullptr) return routes;
    route.kind = EvpnRoute::Kind::kMac;
    route.mac = station->mac;
    route.sticky = there->sticky;
    route.sequence = there->sequence;
    routes.push_back(route);
    for (const IpAddr& ip : local_.addresses(*station)) {
      route.ip = ip;
      route.router = local_.find(NeighbourFact::Key{vni, ip})->router;
      routes.push_back(route);
    }
  } else if (const auto* const prefix = std::get_if<PrefixFact::Key>(&key)) {
    const LocalPrefix* const there = local_.find(*prefix);
    if (there == nullptr) return routes;
    route.kind = EvpnRoute::Kind::kPrefix;
    route.prefix = prefix->prefix;
    route.router_mac = there->router;
    routes.push_back(route);
  }
  return routes;  // an address is its station's
}

/// As FRR does it: the router id, and a number for each VNI.
RouteDistinguisher EvpnSource::distinguisher(Vni vni) const {
  const auto [number, is_new] =
      numbers_.try_emplace(vni, static_cast<std::uint32_t>(numbers_.size() + 1) & kMaxNumber);
  return {.kind = RouteTarget::Kind::kIpv4, .administrator = router_id_->value(), .number = number->second};
}

std::vector<RouteTarget> EvpnSource::exported(Vni vni) const {
  if (const auto by_hand = options_.targets.find(vni);
      by_hand != options_.targets.end() && !by_hand->second.exported.empty()) {
    return by_hand->second.exported;
  }
  return {options_.derives_rfc8365 ? RouteTarget::of_vni_rfc8365(as_, vni) : RouteTarget::of_vni(as_, vni)};
}

void EvpnSource::leave(std::function<void()> done) {
  left_ = std::move(done);
  noted_.clear();
  if (gobgp_->is_connected()) {
    for (const auto& [key, announced] : std::exchange(announced_, {})) send(announced.route, true);
  }
  if (in_flight_.empty()) std::exchange(left_, {})();
}

// --- what we hear

void EvpnSource::take(const apipb::Path& path) {
  end_round_later();
  auto read = EvpnRoute::from_path(path);
  if (!read) {
    if (!path.is_withdraw()) status_.refuse(EvpnRoute::describe(path), read.error().message);
    return changed_();
  }
  if (!*read) return;
  const EvpnRoute& route = **read;
  const std::string key = route.key();
  if (path.is_withdraw()) {
    status_.refusals.erase(key);
    if (const auto known = heard_.find(key); known != heard_.end()) {
      unsay(known->second);
      heard_.erase(known);
      changed_();
    }
    return;
  }
  if (own_addresses_.contains(route.vtep)) {
    // Of an earlier life of this daemon, if we do not announce it now.
    const bool is_ours = announced_.contains(key) || in_flight_.contains(key);
    if (!is_ours && route.distinguisher.administrator == router_id_.value_or(Ipv4()).value())
      send(route, true);
    return;
  }
  Heard& heard = heard_[key];
  if (heard.origin == 0) heard.origin = ++last_origin_;
  const bool is_elsewhere = heard.vni && (heard.route.vni != route.vni || heard.route.vtep != route.vtep);
  const bool has_other_router = heard.vni && heard.route.router_mac != route.router_mac;
  if ((is_elsewhere && route.kind == EvpnRoute::Kind::kMulticast) || has_other_router) unsay(heard);
  heard.route = route;
  heard.round = round_;
  say(heard);
  changed_();
}

void EvpnSource::note_own_addresses() {
  own_addresses_.clear();
  for (const auto& [vni, local] : local_.vnis())
    own_addresses_.insert(local.vteps.begin(), local.vteps.end());
}

/// Which of our VNIs it is for.
std::optional<Vni> EvpnSource::imported(const EvpnRoute& route) const {
  for (const RouteTarget& target : route.targets) {
    if (const auto by_hand = imports_.find(target); by_hand != imports_.end()) {
      for (const Vni vni : by_hand->second) {
        if (local_.is_told(id_, vni)) return vni;
      }
    }
    const auto derived = target.vni();
    if (!derived || !local_.is_told(id_, *derived)) continue;
    const auto targets = options_.targets.find(*derived);
    if (targets == options_.targets.end() || targets->second.import.empty()) return derived;
  }
  return std::nullopt;
}

void EvpnSource::say(Heard& heard) {
  const EvpnRoute& route = heard.route;
  const std::string key = route.key();
  auto vni = imported(route);
  if (vni && *vni != route.vni) {
    status_.refuse(
        key, fmt::format("its label is VNI {}, its target is VNI {}'s", route.vni.value(), vni->value()));
    vni.reset();
  } else {
    status_.refusals.erase(key);
  }
  if (heard.vni && heard.vni != vni) unsay(heard);
  heard.vni = vni;
  if (!vni) return;
  const Time now = loop_.now();
  switch (route.kind) {
    case EvpnRoute::Kind::kMulticast:
      rib_.say(id_, heard.origin, VtepFact::Key{*vni, route.vtep}, VtepFact{}, now);
      break;
    case EvpnRoute::Kind::kMac:
      rib_.say(id_, heard.origin, MacFact::Key{*vni, route.mac},
               MacFact{.vtep = route.vtep, .sticky = route.sticky, .sequence = route.sequence}, now);
      if (!route.ip) break;
      rib_.say(id_, heard.origin, NeighbourFact::Key{*vni, *route.ip},
               NeighbourFact{.mac = route.mac, .router = route.router, .sequence = route.sequence}, now);
      break;
    case EvpnRoute::Kind::kPrefix:
      rib_.say(id_, heard.origin, PrefixFact::Key{*vni, route.prefix},
               PrefixFact{.vtep = route.vtep, .router = *route.router_mac}, now);
      // Frames to the router are frames to a station.
      rib_.say(id_, heard.origin, MacFact::Key{*vni, *route.router_mac}, MacFact{.vtep = route.vtep}, now);
      break;
  }
}

void EvpnSource::unsay(const Heard& heard) {
  if (!heard.vni) return;
  const EvpnRoute& route = heard.route;
  const Time now = loop_.now();
  switch (route.kind) {
    case EvpnRoute::Kind::kMulticast:
      rib_.unsay<VtepFact>(id_, heard.origin, {*heard.vni, route.vtep}, now);
      break;
    case EvpnRoute::Kind::kMac:
      if (route.ip) rib_.unsay<NeighbourFact>(id_, heard.origin, {*heard.vni, *route.ip}, now);
      rib_.unsay<MacFact>(id_, heard.origin, {*heard.vni, route.mac}, now);
      break;
    case EvpnRoute::Kind::kPrefix:
      rib_.unsay<PrefixFact>(id_, heard.origin, {*heard.vni, route.prefix}, now);
      rib_.unsay<MacFact>(id_, heard.origin, {*heard.vni, *route.router_mac}, now);
      break;
  }
}

/// A VNI has come or gone: what was heard of it counts, or does not.
void EvpnSource::look_again(Vni vni) {
  const bool is_told = local_.is_told(id_, vni);
  for (auto& [key, heard] : heard_) {
    if (heard.vni == vni || (is_told && !heard.vni)) say(heard);
  }
}

void EvpnSource::end_round_later() {
  if (!round_begun_) return;
  round_end_.set(kQuiet, [this] { end_round(); });
}

/// What has not been heard again is withdrawn, unless those who said it may still be on their way.
void EvpnSource::end_round() {
  if (sessions() < peers_before_ && loop_.now() - *round_begun_ < kPatience) return end_round_later();
  round_begun_.reset();
  peers_before_ = 0;
  std::erase_if(heard_, [&](const auto& entry) { return entry.second.round != round_; });
  rib_.end_round(id_, loop_.now());
  changed_();
}

// --- how that is going

const SourceStatus& EvpnSource::status() {
  if (!router_id_) {
    status_.state = "waiting for gobgpd";
  } else {
    status_.state =
        fmt::format("AS {}, router id {}, neighbours {} of {}, routes {} announced, {} heard", as_,
                    router_id_->to_string(), sessions(), std::max(peers_.size(), options_.peers.size()),
                    announced_.size(), heard_.size());
  }
  return status_;
}

}  // namespace vtep
