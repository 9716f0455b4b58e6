#include "engine/mdb.h"

#include <algorithm>
#include <cassert>
#include <limits>
#include <span>
#include <tuple>
#include <utility>

#include "engine/mix.h"

namespace vtep {
namespace {

GroupProtocol protocol_of(const IpAddr& group) {
  return group.is_v4() ? GroupProtocol::kIgmp : GroupProtocol::kMld;
}

/// "Any source" has one form, whatever the family in which it was asked for.
IpAddr normal_source(const IpAddr& source) {
  return source.is_unspecified() ? IpAddr() : source;
}

IpAddr catch_all(GroupProtocol protocol) {
  return protocol == GroupProtocol::kIgmp ? IpAddr(Ipv4()) : IpAddr(Ipv6());
}

Result<void> check(const IpAddr& group, const IpAddr& source, const Remote& remote) {
  if (!group.is_multicast() && !group.is_unspecified())
    return fail(ErrorKind::kInvalid, group.to_string() + " is not a multicast group");
  if (!source.is_unspecified()) {
    if (group.is_unspecified())
      return fail(ErrorKind::kInvalid, "the entry for all other groups cannot have a source");
    if (source.is_multicast())
      return fail(ErrorKind::kInvalid, source.to_string() + " is a multicast group and cannot be a source");
    if (source.is_v4() != group.is_v4())
      return fail(ErrorKind::kInvalid, "group and source are not of the same address family");
  }
  if (remote.address.is_unspecified())
    return fail(ErrorKind::kInvalid, "an entry needs the address of a remote VTEP");
  return {};
}

/// Of a list in the order of addresses; null if there is none.
template <typename List>
auto* find_address(List& list, const IpAddr& address) {
  const auto at = std::ranges::lower_bound(list, address, {}, [](const auto& item) { return item.address; });
  return at != list.end() && at->address == address ? &*at : nullptr;
}

/// Likewise; null also if the group is.
template <typename Group>
auto find_source(Group* group, const IpAddr& source) -> decltype(&group->any) {
  if (group == nullptr) return nullptr;
  return source.is_unspecified() ? &group->any : find_address(group->sources, source);
}

Seconds later(Seconds now, Seconds delay) {
  return now > std::numeric_limits<Seconds>::max() - delay ? std::numeric_limits<Seconds>::max()
                                                           : now + delay;
}

}  // namespace

bool is_link_scope(const IpAddr& group) {
  if (group.is_v4()) return group.v4().value() >> 8 == 0xe00000;
  return group.is_multicast() && (group.octets()[1] & 0xf) == 2;
}

// --- where things are

std::size_t Mdb::Hash::operator()(const Key& key) const {
  const auto& octets = key.group.octets();
  const std::uint64_t h = mix64(seed ^ key.link ^ load_be64(octets.data()));
  return mix64(h ^ load_be64(octets.data() + 8));
}

Mdb::Domain& Mdb::domain_of(LinkId link, GroupProtocol protocol) {
  if (link >= domains_.size()) domains_.resize(link + 1);
  return domains_[link][static_cast<std::size_t>(protocol)];
}

Mdb::Domain& Mdb::domain_of(const Key& key) {
  return domain_of(key.link, protocol_of(key.group));
}

const Mdb::Domain* Mdb::find_domain(LinkId link, GroupProtocol protocol) const {
  return link < domains_.size() ? &domains_[link][static_cast<std::size_t>(protocol)] : nullptr;
}

const Mdb::Group* Mdb::find_group(const Key& key) const {
  const auto found = groups_.find(key);
  return found == groups_.end() ? nullptr : &found->second;
}

Mdb::Groups::value_type& Mdb::make_group(const Key& key) {
  const auto [at, is_new] = groups_.try_emplace(key);
  if (is_new) ++domain_of(key).groups;
  return *at;
}

Mdb::Source& Mdb::make_source(Group& group, const IpAddr& address) {
  if (Source* const known = find_source(&group, address)) return *known;
  const auto behind = std::ranges::upper_bound(group.sources, address, {}, &Source::address);
  return *group.sources.insert(behind, Source{.address = address});
}

/// Neither permanent nor learned if it is new.
Mdb::Member& Mdb::make_member(Source& source, const Remote& remote) {
  if (Member* const known = find_address(source.members, remote.address)) return *known;
  const auto behind = std::ranges::upper_bound(source.members, remote.address, {}, &Member::address);
  ++size_;
  return *source.members.insert(behind, {.address = remote.address, .remote = remotes_.acquire(remote)});
}

void Mdb::erase_member(const Key& key, Source& source, Member& member) {
  emit(MdbEvent::Kind::kRemoved, key, source, member);
  if (member.permanent) --source.permanent;
  remotes_.release(member.remote);
  source.members.erase(source.members.begin() + (&member - source.members.data()));
  --size_;
}

/// Removes what is left without members.
void Mdb::tidy(Groups::iterator at) {
  Group& group = at->second;
  std::erase_if(group.sources, [](const Source& source) { return source.members.empty(); });
  if (!group.is_learned() && group.due) {
    due_.erase(*group.due);
    group.due.reset();
  }
  if (!group.is_empty()) return;
  --domain_of(at->first).groups;
  groups_.erase(at);
}

// --- changes by request

Result<void> Mdb::add(LinkId link, const IpAddr& group, const IpAddr& source, const Remote& remote) {
  const auto at = groups_.find({link, group});
  const Source* const of = find_source(at == groups_.end() ? nullptr : &at->second, source);
  const Member* const member = of == nullptr ? nullptr : find_address(of->members, remote.address);
  if (member != nullptr && member->permanent) {
    return fail(ErrorKind::kExists, group.to_string() + " has an entry for " + remote.address.to_string() +
                                        " already; 'replace' changes it");
  }
  return replace(link, group, source, remote);
}

Result<void> Mdb::replace(LinkId link, const IpAddr& group, const IpAddr& source, const Remote& remote) {
  if (auto checked = check(group, source, remote); !checked) return checked;
  auto& [key, entry] = make_group({link, group});
  Source& of = make_source(entry, normal_source(source));
  Member& member = make_member(of, remote);
  if (!member.permanent) ++of.permanent;
  member.permanent = true;
  set_remote(member, remote);
  emit(MdbEvent::Kind::kSet, key, of, member);
  return {};
}

Result<void> Mdb::remove(LinkId link, const IpAddr& group, const IpAddr& source, const IpAddr& remote) {
  const auto at = groups_.find({link, group});
  Source* const of = find_source(at == groups_.end() ? nullptr : &at->second, source);
  Member* const member = of == nullptr ? nullptr : find_address(of->members, remote);
  if (member == nullptr)
    return fail(ErrorKind::kNotFound, group.to_string() + " has no entry for " + remote.to_string());
  if (member->permanent && member->expires != 0) {
    member->permanent = false;
    --of->permanent;
    set_remote(*member, {.address = remote});
    emit(MdbEvent::Kind::kSet, at->first, *of, *member);
    return {};
  }
  if (member->expires != 0) drop_learned(at->first, at->second, *of, *member);
  erase_member(at->first, *of, *member);
  tidy(at);
  return {};
}

void Mdb::set_remote(Member& member, const Remote& remote) {
  const RemoteId id = remotes_.acquire(remote);
  remotes_.release(member.remote);
  member.remote = id;
}

std::size_t Mdb::remove_link(LinkId link) {
  const std::size_t before = size_;
  for (auto next = groups_.begin(); next != groups_.end();) {
    const auto at = next++;
    if (at->first.link != link) continue;
    Group& group = at->second;
    const auto clear = [&](Source& source) {
      while (!source.members.empty()) {
        Member& last = source.members.back();
        if (last.expires != 0) drop_learned(at->first, group, source, last);
        erase_member(at->first, source, last);
      }
    };
    clear(group.any);
    std::ranges::for_each(group.sources, clear);
    tidy(at);
  }
  if (link < domains_.size()) domains_[link] = {};
  return before - size_;
}

// --- snooping

void Mdb::set_learned(const Key& key, Group& group, Source& source, Member& member, Seconds expires) {
  if (member.expires == 0) {
    Domain& domain = domain_of(key);
    ++domain.learned_members;
    if (!group.is_learned() && key.group.is_multicast()) ++domain.learned_groups;
    if (source.learned++ == 0 && &source != &group.any) ++group.learned_sources;
  }
  member.expires = expires;
  schedule(key, group, expires);
}

void Mdb::drop_learned(const Key& key, Group& group, Source& source, Member& member) {
  Domain& domain = domain_of(key);
  member.expires = 0;
  --domain.learned_members;
  if (--source.learned == 0 && &source != &group.any) --group.learned_sources;
  if (!group.is_learned() && key.group.is_multicast()) --domain.learned_groups;
}

Mdb::Joined Mdb::learn(const Key& key, const IpAddr& source, const IpAddr& vtep, Seconds now) {
  assert(!vtep.is_unspecified() && !vtep.is_multicast());
  Domain& domain = domain_of(key);
  const Seconds expires = later(now, domain.membership);
  const auto at = groups_.find(key);
  Group* const known = at == groups_.end() ? nullptr : &at->second;
  Source* const of = find_source(known, source);
  Member* const member = of == nullptr ? nullptr : find_address(of->members, vtep);
  if (member != nullptr && member->expires != 0) {
    set_learned(key, *known, *of, *member, expires);
    return Joined::kKnown;
  }

  const bool is_new_source = !source.is_unspecified() && (of == nullptr || of->learned == 0);
  if (is_new_source && (known == nullptr ? 0 : known->learned_sources) >= options_.max_sources) {
    return learn(key, {}, vtep, now) == Joined::kRefused ? Joined::kRefused : Joined::kWidened;
  }
  const bool is_new_group = key.group.is_multicast() && (known == nullptr || !known->is_learned());
  if (is_new_group && domain.learned_groups >= options_.max_groups) {
    domain.groups_incomplete = expires;
    return Joined::kRefused;
  }
  if (domain.learned_members >= options_.max_members) {
    domain.members_incomplete = expires;
    return Joined::kRefused;
  }
  Group& group = make_group(key).second;
  Source& fresh = make_source(group, source);
  Member& joined = make_member(fresh, {.address = vtep});
  set_learned(key, group, fresh, joined, expires);
  // One that is permanent stays what it is to everybody outside.
  if (!joined.permanent) emit(MdbEvent::Kind::kSet, key, fresh, joined);
  return Joined::kNew;
}

Mdb::Joined Mdb::join(LinkId link, const IpAddr& group, const IpAddr& source, const IpAddr& vtep,
                      Seconds now) {
  if (!group.is_multicast() || is_link_scope(group)) return Joined::kIgnored;
  if (source.is_multicast() || (!source.is_unspecified() && source.is_v4() != group.is_v4()))
    return Joined::kIgnored;
  return learn({link, group}, normal_source(source), vtep, now);
}

void Mdb::leave(LinkId link, const IpAddr& group, const IpAddr& source, const IpAddr& vtep, Seconds now) {
  const auto at = groups_.find({link, group});
  if (at == groups_.end() || !group.is_multicast()) return;
  const Domain& domain = domain_of(at->first);
  if (now >= domain.querier_until) return;
  // Times are whole seconds, rounded down: one more, so that nobody is cut short.
  const Seconds end = later(now, domain.last_member + 1);
  const auto shorten = [&](Source& of) {
    Member* const member = find_address(of.members, vtep);
    if (member == nullptr || member->expires <= end) return;
    member->expires = end;
    schedule(at->first, at->second, end);
  };
  if (!source.is_unspecified()) {
    if (Source* const of = find_source(&at->second, source)) shorten(*of);
    return;
  }
  shorten(at->second.any);
  std::ranges::for_each(at->second.sources, shorten);
}

Mdb::Joined Mdb::router(LinkId link, GroupProtocol protocol, const IpAddr& vtep, Seconds now) {
  if (vtep.is_unspecified()) {
    Domain& domain = domain_of(link, protocol);
    domain.local_until = std::max(domain.local_until, later(now, domain.membership));
    return Joined::kIgnored;
  }
  return learn({link, catch_all(protocol)}, {}, vtep, now);
}

Mdb::Joined Mdb::query(LinkId link, const GeneralQuery& query, Seconds now) {
  constexpr GeneralQuery kDefaults;
  // RFC 3376 sections 4.1.6 and 4.1.7: zero says nothing.
  const Seconds interval = query.interval == 0 ? kDefaults.interval : query.interval;
  const std::uint32_t robustness = query.robustness == 0 ? kDefaults.robustness : query.robustness;
  const std::uint64_t membership = std::uint64_t{robustness} * interval + query.max_response;

  Domain& domain = domain_of(link, query.protocol);
  domain.membership =
      static_cast<Seconds>(std::clamp<std::uint64_t>(membership, kMembership, kMaxMembership));
  // What was reported to an earlier querier, and heard here, is complete as long as one follows the other.
  if (now >= domain.querier_until) domain.querier_from = later(now, later(query.max_response, 1));
  // RFC 3376 section 8.5, the other querier present interval: a little shorter than a membership, so that the
  // lists are not believed any more when they begin to run empty.
  const Seconds present = domain.membership - std::min(query.max_response, domain.membership) / 2;
  domain.querier_until = later(now, present);
  if (query.vtep.is_unspecified()) {
    domain.local_until = std::max(domain.local_until, domain.querier_until);
    return Joined::kIgnored;
  }
  return query.from_router ? router(link, query.protocol, query.vtep, now) : Joined::kIgnored;
}

void Mdb::group_query(LinkId link, GroupProtocol protocol, Seconds max_response) {
  domain_of(link, protocol).last_member = std::clamp(max_response, Seconds{1}, kMaxMembership / 2) * 2;
}

bool Mdb::has_local_querier(LinkId link, GroupProtocol protocol, Seconds now) const {
  const Domain* const domain = find_domain(link, protocol);
  return domain != nullptr && now < domain->local_until;
}

// --- the data path

Mdb::Verdict Mdb::find(LinkId link, const IpAddr& group, const IpAddr& source, bool snooping, Seconds now,
                       std::vector<RemoteId>& out) const {
  out.clear();
  const GroupProtocol protocol = protocol_of(group);
  const Domain* const domain = find_domain(link, protocol);
  if (domain == nullptr || (domain->groups == 0 && !snooping)) return Verdict::kFlood;

  // 1. What there is. A frame to a group MAC may hold a datagram to a single host: only the catch-all has
  // that.
  const bool is_link = is_link_scope(group);
  const Group* const own = group.is_multicast() ? find_group({link, group}) : nullptr;
  const Group* const other = is_link ? nullptr : find_group({link, catch_all(protocol)});
  const Source* const candidates[] = {
      own == nullptr ? nullptr : find_address(own->sources, source),
      own == nullptr ? nullptr : &own->any,
      other == nullptr ? nullptr : &other->any,
  };

  // 2. Of what is permanent, the most exact counts.
  const auto* const match = std::ranges::find_if(
      candidates, [](const Source* one) { return one != nullptr && one->permanent != 0; });
  const Source* const exact = match == std::end(candidates) ? nullptr : *match;

  // 3. Of what is learned, everything; alone it decides only if it is complete.
  const bool learned = snooping && group.is_multicast() && !is_link;
  if (exact == nullptr) {
    if (!learned || now < domain->querier_from || now >= domain->querier_until) return Verdict::kFlood;
    if (now < domain->members_incomplete) return Verdict::kFlood;
    if ((own == nullptr || !own->is_learned()) && now < domain->groups_incomplete) return Verdict::kFlood;
  }

  // 4. The lists are merged by address. A permanent remote, which may have a port and VNI of its own, goes
  // first.
  struct Part {
    std::span<const Member> left;
    bool permanent = false;
  };
  std::array<Part, 3> parts;
  std::size_t count = 0;
  if (exact != nullptr) parts[count++] = {exact->members, true};
  for (const Source* const one : candidates) {
    if (learned && one != nullptr && one != exact) parts[count++] = {one->members, false};
  }
  const auto is_listed = [&](const Part& part, const Member& member) {
    return (part.permanent && member.permanent) || (learned && member.expires != 0);
  };
  for (;;) {
    const Member* next = nullptr;
    for (Part& part : std::span(parts).first(count)) {
      while (!part.left.empty() && !is_listed(part, part.left.front())) part.left = part.left.subspan(1);
      if (!part.left.empty() && (next == nullptr || part.left.front().address < next->address))
        next = &part.left.front();
    }
    if (next == nullptr) break;
    out.push_back(next->remote);
    const IpAddr& address = next->address;
    for (Part& part : std::span(parts).first(count)) {
      if (!part.left.empty() && part.left.front().address == address) part.left = part.left.subspan(1);
    }
  }
  return out.empty() ? Verdict::kNobody : Verdict::kListed;
}

// --- ageing

void Mdb::schedule(const Key& key, Group& group, Seconds at) {
  if (!group.due) {
    group.due = due_.emplace(at, key);
  } else if (at < (*group.due)->first) {
    auto node = due_.extract(*group.due);
    node.key() = at;
    group.due = due_.insert(std::move(node));
  }
}

std::size_t Mdb::expire(Groups::iterator at, Seconds now) {
  auto& [key, group] = *at;
  std::size_t looked = 0;
  std::optional<Seconds> next;
  const auto expire_source = [&](Source& source) {
    looked += source.members.size();
    for (std::size_t i = source.members.size(); i-- > 0;) {
      Member& member = source.members[i];
      if (member.expires == 0) continue;
      if (member.expires > now) {
        next = std::min(next.value_or(member.expires), member.expires);
        continue;
      }
      drop_learned(key, group, source, member);
      if (!member.permanent) erase_member(key, source, member);
    }
  };
  expire_source(group.any);
  std::ranges::for_each(group.sources, expire_source);

  due_.erase(*group.due);
  group.due.reset();
  if (next) schedule(key, group, *next);
  tidy(at);
  return looked;
}

void Mdb::age(Seconds now, std::size_t budget) {
  while (budget > 0 && !due_.empty() && due_.begin()->first <= now) {
    budget -= std::min(budget, expire(groups_.find(due_.begin()->second), now));
  }
}

std::optional<Seconds> Mdb::next_deadline() const {
  if (due_.empty()) return std::nullopt;
  return due_.begin()->first;
}

// --- looking at it

MdbEntry Mdb::describe(const Key& key, const Source& source, const Member& member) const {
  return {.link = key.link,
          .group = key.group,
          .source = source.address,
          .remote = remotes_[member.remote],
          .permanent = member.permanent};
}

std::vector<MdbEntry> Mdb::list(std::optional<LinkId> link, Seconds now) const {
  std::vector<MdbEntry> all;
  for (const auto& [key, group] : groups_) {
    if (link && key.link != *link) continue;
    const auto append = [&](const Source& source) {
      for (const Member& member : source.members) {
        all.push_back(describe(key, source, member));
        if (!member.permanent && member.expires > now) all.back().expires = member.expires - now;
      }
    };
    append(group.any);
    std::ranges::for_each(group.sources, append);
  }
  std::ranges::sort(all, {}, [](const MdbEntry& entry) {
    return std::tuple(entry.link, entry.group, entry.source, entry.remote.address);
  });
  return all;
}

void Mdb::emit(MdbEvent::Kind kind, const Key& key, const Source& source, const Member& member) {
  events_.push_back({kind, describe(key, source, member)});
}

std::vector<MdbEvent> Mdb::take_events() {
  return std::exchange(events_, {});
}

}  // namespace vtep
