#include "engine/neighbours.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <utility>

#include "engine/mix.h"

namespace vtep {

bool is_station_address(const IpAddr& ip) {
  if (ip.is_unspecified() || ip.is_multicast()) return false;
  if (ip.is_v4()) {
    const std::uint32_t value = ip.v4().value();
    return value >> 24 != 127 && value != 0xffffffff;
  }
  constexpr Ipv6 kLoopback({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1});
  return ip.v6() != kLoopback;
}

// --- the hash table

std::size_t Neighbours::bucket_of(LinkId link, const IpAddr& ip) const {
  const std::uint8_t* const p = ip.octets().data();
  const std::uint64_t upper = mix64(load_be64(p) ^ mix64(options_.hash_seed ^ link));
  const std::uint64_t hash = mix64(load_be64(p + 8) ^ upper);
  // Buckets from the last power of two on have been split off from those below it; the rest is still to come.
  const std::size_t mask = std::bit_ceil(buckets_.size()) - 1;
  const std::size_t bucket = hash & mask;
  return bucket < buckets_.size() ? bucket : bucket & (mask >> 1);
}

void Neighbours::split_bucket() {
  buckets_.push_back(kNone);
  if (buckets_.size() == 1) return;
  const std::size_t fresh = buckets_.size() - 1;
  const std::size_t old = fresh - std::bit_floor(fresh);
  Index* keep = &buckets_[old];
  Index* move = &buckets_[fresh];
  for (Index i = *keep; i != kNone; i = entries_[i].next) {
    Index*& end = bucket_of(entries_[i].link, entries_[i].ip) == fresh ? move : keep;
    *end = i;
    end = &entries_[i].next;
  }
  *keep = kNone;
  *move = kNone;
}

Neighbours::Index Neighbours::find_entry(LinkId link, const IpAddr& ip, NeighbourOrigin origin) const {
  if (buckets_.size() == 0) return kNone;
  Index i = buckets_[bucket_of(link, ip)];
  while (i != kNone) {
    const Entry& entry = entries_[i];
    if (entry.ip == ip && entry.link == link && entry.origin == origin) break;
    i = entry.next;
  }
  return i;
}

Neighbours::Index Neighbours::strongest(LinkId link, const IpAddr& ip) const {
  Index best = kNone;
  if (buckets_.size() == 0) return best;
  for (Index i = buckets_[bucket_of(link, ip)]; i != kNone; i = entries_[i].next) {
    const Entry& entry = entries_[i];
    if (entry.ip != ip || entry.link != link) continue;
    if (best == kNone || entry.origin > entries_[best].origin) best = i;
  }
  return best;
}

Neighbours::Index Neighbours::insert(const Entry& entry) {
  if (buckets_.size() <= size_) split_bucket();
  Index index = free_;
  if (index == kNone) {
    index = static_cast<Index>(entries_.size());
    entries_.push_back({});
  } else {
    free_ = entries_[index].next;
  }
  Index& head = buckets_[bucket_of(entry.link, entry.ip)];
  entries_[index] = entry;
  entries_[index].next = std::exchange(head, index);
  ++size_;
  if (entry.origin == NeighbourOrigin::kHeard) {
    ++heard_;
    ++state_of(entry.link).heard;
  }
  return index;
}

void Neighbours::erase(Index index) {
  Entry& entry = entries_[index];
  Index* link = &buckets_[bucket_of(entry.link, entry.ip)];
  while (*link != index) link = &entries_[*link].next;
  *link = entry.next;
  --size_;
  if (entry.origin == NeighbourOrigin::kHeard) {
    --heard_;
    --state_of(entry.link).heard;
  }
  entry = {};
  entry.next = std::exchange(free_, index);
}

std::size_t Neighbours::memory_bytes() const {
  return entries_.memory_bytes() + buckets_.memory_bytes();
}

// --- changes

Neighbours::LinkState& Neighbours::state_of(LinkId link) {
  if (link >= links_.size()) links_.resize(link + 1);
  return links_[link];
}

bool Neighbours::is_full(LinkId link) const {
  return heard_ >= options_.max_heard ||
         (link < links_.size() && links_[link].heard >= options_.max_heard_link);
}

Neighbours::Outcome Neighbours::set(LinkId link, const IpAddr& ip, MacAddr mac, std::optional<bool> router,
                                    NeighbourOrigin origin, Seconds now) {
  if (!is_station_address(ip) || !mac.is_unicast()) return Outcome::kInvalid;
  const Router flag = !router ? Router::kUnknown : *router ? Router::kYes : Router::kNo;
  Index index = find_entry(link, ip, origin);
  if (index == kNone) {
    if (origin == NeighbourOrigin::kHeard && is_full(link)) return Outcome::kFull;
    index = insert({.ip = ip,
                    .mac = mac,
                    .link = link,
                    .updated = now,
                    .next = kNone,
                    .origin = origin,
                    .router = flag});
  } else {
    Entry& entry = entries_[index];
    const bool same = entry.mac == mac && (!router || entry.router == flag);
    entry.updated = now;
    if (same) return Outcome::kSame;
    entry.mac = mac;
    entry.router = flag;
  }
  note_expiry(entries_[index]);
  if (strongest(link, ip) == index) emit(NeighbourEvent::Kind::kSet, entries_[index]);
  return Outcome::kSet;
}

bool Neighbours::remove(LinkId link, const IpAddr& ip, NeighbourOrigin origin) {
  const Index index = find_entry(link, ip, origin);
  if (index == kNone) return false;
  const bool seen = strongest(link, ip) == index;
  const Entry gone = entries_[index];
  erase(index);
  if (!seen) return true;
  const Index next = strongest(gone.link, gone.ip);
  if (next == kNone) {
    emit(NeighbourEvent::Kind::kRemoved, gone);
  } else {
    emit(NeighbourEvent::Kind::kSet, entries_[next]);
  }
  return true;
}

void Neighbours::remove_link(LinkId link) {
  const auto is_here = [&](std::size_t i) {
    return entries_[i].origin != NeighbourOrigin{} && entries_[i].link == link;
  };
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    if (is_here(i) && strongest(link, entries_[i].ip) == i) emit(NeighbourEvent::Kind::kRemoved, entries_[i]);
  }
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    if (is_here(i)) erase(static_cast<Index>(i));
  }
  if (link < links_.size()) links_[link] = {};
}

// --- ageing

void Neighbours::set_ageing(LinkId link, std::uint32_t seconds) {
  state_of(link).ageing = seconds;
  // The old bound may be too late now, and so may what a scan under way has seen.
  if (heard_ != 0) next_scan_ = 0;
  if (scan_at_) scan_at_ = 0;
}

std::optional<Seconds> Neighbours::expiry_of(const Entry& entry) const {
  const std::uint32_t ageing = ageing_of(entry.link);
  if (entry.origin != NeighbourOrigin::kHeard || ageing == 0) return std::nullopt;
  // Beyond the end of the scale is never: a sum that wrapped would be in the past.
  if (ageing > std::numeric_limits<Seconds>::max() - entry.updated) return std::nullopt;
  return entry.updated + ageing;
}

void Neighbours::note_expiry(const Entry& entry) {
  const auto expiry = expiry_of(entry);
  if (!expiry) return;
  next_scan_ = std::min(next_scan_.value_or(*expiry), *expiry);
  if (scan_at_) scan_next_expiry_ = std::min(scan_next_expiry_.value_or(*expiry), *expiry);
}

void Neighbours::age(Seconds now, std::size_t budget) {
  if (!scan_at_) {
    if (!next_scan_ || now < *next_scan_) return;
    scan_at_ = 0;
    scan_next_expiry_.reset();
  }
  Index i = *scan_at_;
  for (; budget > 0 && i < entries_.size(); --budget, ++i) {
    const auto expiry = expiry_of(entries_[i]);
    if (expiry && *expiry <= now) {
      remove(entries_[i].link, IpAddr(entries_[i].ip), NeighbourOrigin::kHeard);
    } else if (expiry) {
      scan_next_expiry_ = std::min(scan_next_expiry_.value_or(*expiry), *expiry);
    }
  }
  if (i < entries_.size()) {
    scan_at_ = i;
    return;
  }
  scan_at_.reset();
  next_scan_ = scan_next_expiry_;
}

std::optional<Seconds> Neighbours::next_deadline() const {
  return scan_at_ ? std::optional<Seconds>(0) : next_scan_;
}

// --- looking at it

Neighbour Neighbours::describe(const Entry& entry, Seconds now) const {
  return {
      .link = entry.link,
      .ip = entry.ip,
      .mac = entry.mac,
      .origin = entry.origin,
      .router = entry.router == Router::kUnknown ? std::nullopt : std::optional(entry.router == Router::kYes),
      .updated = now - entry.updated};
}

std::optional<Neighbour> Neighbours::find(LinkId link, const IpAddr& ip, Seconds now) const {
  const Index index = strongest(link, ip);
  if (index == kNone) return std::nullopt;
  return describe(entries_[index], now);
}

std::optional<Neighbour> Neighbours::find(LinkId link, const IpAddr& ip, NeighbourOrigin origin,
                                          Seconds now) const {
  const Index index = find_entry(link, ip, origin);
  if (index == kNone) return std::nullopt;
  return describe(entries_[index], now);
}

std::vector<Neighbour> Neighbours::list(std::optional<LinkId> link, Seconds now) const {
  std::vector<Neighbour> all;
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    const Entry& entry = entries_[i];
    if (entry.origin == NeighbourOrigin{} || (link && entry.link != *link)) continue;
    if (strongest(entry.link, entry.ip) == i) all.push_back(describe(entry, now));
  }
  return all;
}

void Neighbours::emit(NeighbourEvent::Kind kind, const Entry& entry) {
  events_.push_back({kind, describe(entry, entry.updated)});
}

std::vector<NeighbourEvent> Neighbours::take_events() {
  return std::exchange(events_, {});
}

}  // namespace vtep
