#include "engine/stations.h"

#include <algorithm>
#include <utility>

#include "engine/mix.h"

namespace vtep {

std::size_t Stations::Hash::operator()(const Key& key) const {
  return mix64(key.mac.to_u64() ^ mix64(seed ^ key.link));
}

bool Stations::see(LinkId link, MacAddr mac, Seconds now) {
  Link& here = links_[link];
  if (const auto known = index_.find({link, mac}); known != index_.end()) {
    known->second->seen = now;
    here.stations.splice(here.stations.end(), here.stations, known->second);
    return false;
  }
  if (index_.size() >= options_.max_stations) return false;
  here.stations.push_back({.mac = mac, .seen = now});
  index_[{link, mac}] = std::prev(here.stations.end());
  events_.push_back({.kind = StationEvent::Kind::kSeen, .link = link, .mac = mac});
  return true;
}

bool Stations::bind(LinkId link, MacAddr mac, const IpAddr& ip, bool router, Seconds now) {
  const bool is_new = see(link, mac, now);
  const auto known = index_.find({link, mac});
  if (known == index_.end()) return false;
  std::vector<Address>& addresses = known->second->addresses;
  const auto there = std::ranges::find(addresses, ip, &Address::ip);
  if (there == addresses.end()) {
    if (addresses.size() >= options_.max_addresses) return is_new;
    take_from_owner(link, ip);
    addresses.push_back({ip, router});
    links_[link].owners[ip] = mac;
  } else {
    if (there->router == router) return false;
    there->router = router;
  }
  events_.push_back(
      {.kind = StationEvent::Kind::kAddress, .link = link, .mac = mac, .ip = ip, .router = router});
  return true;
}

void Stations::take_from_owner(LinkId link, const IpAddr& ip) {
  const auto& owners = links_[link].owners;
  const auto owner = owners.find(ip);
  if (owner == owners.end()) return;
  std::erase_if(index_.at({link, owner->second})->addresses,
                [&](const Address& address) { return address.ip == ip; });
}

void Stations::forget(LinkId link, MacAddr mac) {
  if (const auto known = index_.find({link, mac}); known != index_.end()) erase(link, known->second);
}

void Stations::erase(LinkId link, Order::iterator station) {
  Link& here = links_[link];
  for (const Address& address : station->addresses) here.owners.erase(address.ip);
  index_.erase({link, station->mac});
  here.stations.erase(station);
  version_.fetch_add(1, std::memory_order_release);
}

void Stations::remove_link(LinkId link) {
  const auto found = links_.find(link);
  if (found == links_.end()) return;
  for (const Station& station : found->second.stations) index_.erase({link, station.mac});
  links_.erase(found);
  std::erase_if(events_, [link](const StationEvent& event) { return event.link == link; });
  version_.fetch_add(1, std::memory_order_release);
}

std::optional<Seconds> Stations::expiry_of(const Link& link) {
  if (link.ageing == 0 || link.stations.empty()) return std::nullopt;
  return link.stations.front().seen + link.ageing;
}

void Stations::age(Seconds now, std::size_t budget) {
  for (auto& [id, link] : links_) {
    for (; budget > 0 && expiry_of(link).value_or(now + 1) <= now; --budget) {
      const MacAddr mac = link.stations.front().mac;
      erase(id, link.stations.begin());
      events_.push_back({.kind = StationEvent::Kind::kGone, .link = id, .mac = mac});
    }
  }
}

std::optional<Seconds> Stations::next_deadline() const {
  std::optional<Seconds> next;
  for (const auto& [id, link] : links_) {
    if (const auto expiry = expiry_of(link)) next = std::min(next.value_or(*expiry), *expiry);
  }
  return next;
}

std::vector<StationEvent> Stations::take_events() {
  return std::exchange(events_, {});
}

}  // namespace vtep
