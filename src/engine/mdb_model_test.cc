// The multicast database against a naive model: the same random operations on both, everything compared after
// every step.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "engine/mdb.h"
#include "engine/test_frames.h"

namespace vtep {
namespace {

using Joined = Mdb::Joined;
using Verdict = Mdb::Verdict;

auto tie(const Remote& remote) {
  return std::make_tuple(remote.address, remote.port, remote.vni, remote.via);
}
auto tie(const MdbEntry& entry) {
  return std::make_tuple(entry.link, entry.group, entry.source, tie(entry.remote), entry.permanent,
                         entry.expires);
}
auto tie(const MdbEvent& event) {
  return std::make_tuple(event.kind, tie(event.entry));
}
template <typename T>
auto ties(const std::vector<T>& values) {
  std::vector<decltype(tie(values[0]))> tied;
  for (const T& value : values) tied.push_back(tie(value));
  std::ranges::sort(tied);
  return tied;
}

/// What mdb.h promises, written down as plainly as possible.
class Model {
 public:
  struct Key {
    LinkId link;
    IpAddr group;
    IpAddr source;
    IpAddr address;
    friend auto operator<=>(const Key&, const Key&) = default;
  };
  struct Item {
    std::optional<Remote> permanent{};
    std::optional<Seconds> expires{};
  };

  explicit Model(const Mdb::Options& options) : options_(options) {}

  bool add(const Key& key, const Remote& remote, bool replace) {
    const bool is_catch_all = key.group.is_unspecified();
    if (!is_catch_all && !key.group.is_multicast()) return false;
    if (!key.source.is_unspecified() &&
        (is_catch_all || key.source.is_multicast() || key.source.is_v4() != key.group.is_v4()))
      return false;
    if (key.address.is_unspecified()) return false;
    const auto found = items_.find(key);
    if (!replace && found != items_.end() && found->second.permanent) return false;
    items_[key].permanent = remote;
    emit(MdbEvent::Kind::kSet, key);
    return true;
  }

  bool remove(const Key& key) {
    const auto found = items_.find(key);
    if (found == items_.end()) return false;
    if (found->second.permanent && found->second.expires) {
      found->second.permanent.reset();
      emit(MdbEvent::Kind::kSet, key);
    } else {
      erase(key);
    }
    return true;
  }

  std::size_t remove_link(LinkId link) {
    std::vector<Key> keys;
    for (const auto& [key, item] : items_) {
      if (key.link == link) keys.push_back(key);
    }
    for (const Key& key : keys) erase(key);
    for (const bool v4 : {false, true}) domains_.erase({link, v4});
    return keys.size();
  }

  Joined learn(Key key, Seconds now) {
    Domain& domain = domain_of(key);
    const Seconds expires = now + domain.membership;
    if (const auto found = items_.find(key); found != items_.end() && found->second.expires) {
      found->second.expires = expires;
      return Joined::kKnown;
    }
    std::set<IpAddr> groups;
    std::set<IpAddr> sources;
    std::size_t members = 0;
    for (const auto& [other, item] : items_) {
      if (!item.expires || other.link != key.link || other.group.is_v4() != key.group.is_v4()) continue;
      ++members;
      if (other.group.is_multicast()) groups.insert(other.group);
      if (other.group == key.group && !other.source.is_unspecified()) sources.insert(other.source);
    }
    if (!key.source.is_unspecified() && !sources.contains(key.source) &&
        sources.size() >= options_.max_sources) {
      key.source = {};
      return learn(key, now) == Joined::kRefused ? Joined::kRefused : Joined::kWidened;
    }
    if (key.group.is_multicast() && !groups.contains(key.group) && groups.size() >= options_.max_groups) {
      domain.groups_incomplete = expires;
      return Joined::kRefused;
    }
    if (members >= options_.max_members) {
      domain.members_incomplete = expires;
      return Joined::kRefused;
    }
    const bool is_new = !items_.contains(key);
    items_[key].expires = expires;
    if (is_new) emit(MdbEvent::Kind::kSet, key);
    return Joined::kNew;
  }

  void leave(const Key& key, Seconds now) {
    const Domain& domain = domain_of(key);
    if (now >= domain.until) return;
    for (auto& [other, item] : items_) {
      if (other.link != key.link || other.group != key.group || other.address != key.address) continue;
      if (!key.source.is_unspecified() && other.source != key.source) continue;
      if (item.expires) item.expires = std::min(*item.expires, now + domain.last_member + 1);
    }
  }

  void query(LinkId link, const GeneralQuery& query, Seconds now) {
    Domain& domain = domains_[{link, query.protocol == GroupProtocol::kIgmp}];
    domain.membership = std::clamp(query.robustness * query.interval + query.max_response, 260U, 7200U);
    if (now >= domain.until) domain.from = now + query.max_response + 1;
    domain.until = now + domain.membership - query.max_response / 2;
  }
  void group_query(LinkId link, GroupProtocol protocol, Seconds max_response) {
    domains_[{link, protocol == GroupProtocol::kIgmp}].last_member = 2 * max_response;
  }

  std::pair<Verdict, std::vector<Remote>> find(LinkId link, const IpAddr& group, const IpAddr& source,
                                               bool snooping, Seconds now) {
    const IpAddr catch_all = group.is_v4() ? IpAddr(Ipv4()) : IpAddr(Ipv6());
    std::map<IpAddr, Remote> listed;
    std::vector<std::pair<IpAddr, IpAddr>> order = {{group, source}, {group, {}}};
    if (!is_link_scope(group)) order.emplace_back(catch_all, IpAddr());

    bool has_permanent = false;
    for (const auto& [of_group, of_source] : order) {
      for (const auto& [key, item] : items_) {
        if (key.link != link || key.group != of_group || key.source != of_source || !item.permanent) continue;
        listed.emplace(key.address, *item.permanent);
        has_permanent = true;
      }
      if (has_permanent) break;
    }
    const bool learned = snooping && group.is_multicast() && !is_link_scope(group);
    if (!has_permanent && !learned) return {Verdict::kFlood, {}};
    bool is_known = false;
    if (learned) {
      for (const auto& [of_group, of_source] : order) {
        for (const auto& [key, item] : items_) {
          if (key.link != link || !item.expires) continue;
          is_known |= key.group == group;
          if (key.group == of_group && key.source == of_source)
            listed.emplace(key.address, item.permanent.value_or(Remote{.address = key.address}));
        }
      }
    }
    const Domain& domain = domains_[{link, group.is_v4()}];
    const bool is_complete = now >= domain.from && now < domain.until && now >= domain.members_incomplete &&
                             (is_known || now >= domain.groups_incomplete);
    if (!has_permanent && !is_complete) return {Verdict::kFlood, {}};
    std::vector<Remote> remotes;
    for (const auto& [address, remote] : listed) remotes.push_back(remote);
    return {listed.empty() ? Verdict::kNobody : Verdict::kListed, remotes};
  }

  void age(Seconds now) {
    std::vector<Key> gone;
    for (auto& [key, item] : items_) {
      if (!item.expires || *item.expires > now) continue;
      item.expires.reset();
      if (!item.permanent) gone.push_back(key);
    }
    for (const Key& key : gone) erase(key);
  }
  std::optional<Seconds> earliest() const {
    std::optional<Seconds> earliest;
    for (const auto& [key, item] : items_) {
      if (item.expires) earliest = std::min(earliest.value_or(*item.expires), *item.expires);
    }
    return earliest;
  }

  std::vector<MdbEntry> list(Seconds now) const {
    std::vector<MdbEntry> all;
    for (const auto& [key, item] : items_) {
      all.push_back(describe(key));
      if (!item.permanent && *item.expires > now) all.back().expires = *item.expires - now;
    }
    return all;
  }
  std::vector<MdbEvent> take_events() { return std::exchange(events_, {}); }
  std::size_t size() const { return items_.size(); }
  /// Distinct ones.
  std::size_t remotes() const {
    std::set<decltype(tie(Remote()))> distinct;
    for (const auto& [key, item] : items_) distinct.insert(tie(describe(key).remote));
    return distinct.size();
  }

 private:
  struct Domain {
    Seconds from = 0;
    Seconds until = 0;
    Seconds membership = 260;
    Seconds last_member = 2;
    Seconds groups_incomplete = 0;
    Seconds members_incomplete = 0;
  };

  Domain& domain_of(const Key& key) { return domains_[{key.link, key.group.is_v4()}]; }
  MdbEntry describe(const Key& key) const {
    const Item& item = items_.at(key);
    return {.link = key.link,
            .group = key.group,
            .source = key.source,
            .remote = item.permanent.value_or(Remote{.address = key.address}),
            .permanent = item.permanent.has_value()};
  }
  void emit(MdbEvent::Kind kind, const Key& key) { events_.push_back({kind, describe(key)}); }
  void erase(const Key& key) {
    emit(MdbEvent::Kind::kRemoved, key);
    items_.erase(key);
  }

  const Mdb::Options options_;
  std::map<Key, Item> items_;
  std::map<std::pair<LinkId, bool>, Domain> domains_;
  std::vector<MdbEvent> events_;
};

struct Shape {
  std::uint64_t seed;
  std::uint32_t groups;  ///< that are asked for, of either family
  std::uint32_t vteps;
  Mdb::Options options;
};

void PrintTo(const Shape& shape, std::ostream* out) {
  *out << "seed " << shape.seed << " groups " << shape.groups << " vteps " << shape.vteps;
}

class MdbModel : public ::testing::TestWithParam<Shape> {
 protected:
  std::uint32_t pick(std::uint32_t low, std::uint32_t high) { return test::pick(random_, low, high); }
  static IpAddr numbered(const char* v4, const char* v6, bool is_v4, std::uint32_t n) {
    auto octets = test::ip(is_v4 ? v4 : v6).octets();
    octets[15] = static_cast<std::uint8_t>(n);
    if (is_v4) return Ipv4::load(octets.data() + 12);
    return Ipv6(octets);
  }
  /// Also one of link scope, and one that is no group.
  IpAddr some_group(bool v4) {
    const std::uint32_t n = pick(0, GetParam().groups + 1);
    if (n == 0) return test::ip(v4 ? "224.0.0.5" : "ff02::5");
    if (n == 1) return test::ip(v4 ? "10.0.0.1" : "fd00::1");
    return numbered("239.0.0.0", "ff0e::", v4, n);
  }
  IpAddr some_source(bool v4) {
    return pick(0, 1) == 0 ? IpAddr() : numbered("10.0.0.0", "fd00::", v4, pick(1, 4));
  }
  IpAddr some_vtep() {
    return numbered("192.0.2.0", "2001:db8::", pick(0, 3) != 0, pick(1, GetParam().vteps));
  }
  Model::Key some_key(bool may_be_catch_all) {
    const bool v4 = pick(0, 2) != 0;
    Model::Key key{pick(0, 1), some_group(v4), some_source(v4), some_vtep()};
    if (may_be_catch_all && pick(0, 14) == 0) key.group = v4 ? IpAddr(Ipv4()) : IpAddr(Ipv6());
    return key;
  }

  void change() {
    const Model::Key key = some_key(true);
    Remote remote{.address = key.address};
    if (pick(0, 2) == 0) remote.port = Port(static_cast<std::uint16_t>(pick(1, 2)));
    const bool replace = pick(0, 1) == 0;
    const auto result = replace ? mdb_.replace(key.link, key.group, key.source, remote)
                                : mdb_.add(key.link, key.group, key.source, remote);
    EXPECT_EQ(result.has_value(), model_.add(key, remote, replace));
  }
  void remove() {
    const Model::Key key = some_key(true);
    EXPECT_EQ(mdb_.remove(key.link, key.group, key.source, key.address).has_value(), model_.remove(key));
  }
  void join() {
    const Model::Key key = some_key(false);
    const Joined expected =
        !key.group.is_multicast() || is_link_scope(key.group) ? Joined::kIgnored : model_.learn(key, now_);
    EXPECT_EQ(mdb_.join(key.link, key.group, key.source, key.address, now_), expected);
  }
  void router() {
    const bool v4 = pick(0, 1) == 0;
    const Model::Key key{pick(0, 1), v4 ? IpAddr(Ipv4()) : IpAddr(Ipv6()), {}, some_vtep()};
    const GroupProtocol protocol = v4 ? GroupProtocol::kIgmp : GroupProtocol::kMld;
    if (pick(0, 5) == 0) {
      EXPECT_EQ(mdb_.router(key.link, protocol, key.address, now_), model_.learn(key, now_));
      return;
    }
    const GeneralQuery query{.protocol = protocol,
                             .vtep = key.address,
                             .from_router = pick(0, 5) == 0,
                             .max_response = pick(1, 12),
                             .interval = pick(0, 3) == 0 ? pick(1, 4000) : 125,
                             .robustness = pick(1, 3)};
    model_.query(key.link, query, now_);
    EXPECT_EQ(mdb_.query(key.link, query, now_),
              query.from_router ? model_.learn(key, now_) : Joined::kIgnored);
  }
  void leave() {
    const Model::Key key = some_key(false);
    if (pick(0, 9) == 0) {
      const GroupProtocol protocol = pick(0, 1) == 0 ? GroupProtocol::kIgmp : GroupProtocol::kMld;
      const Seconds max_response = pick(1, 5);
      mdb_.group_query(key.link, protocol, max_response);
      model_.group_query(key.link, protocol, max_response);
    }
    mdb_.leave(key.link, key.group, key.source, key.address, now_);
    model_.leave(key, now_);
  }
  void age() {
    for (int calls = 0; mdb_.next_deadline() && *mdb_.next_deadline() <= now_; ++calls) {
      ASSERT_LT(calls, 20000) << "never ends";
      mdb_.age(now_, pick(1, 9));
    }
    model_.age(now_);
  }

  void step() {
    if (pick(0, 9) == 0) now_ += pick(0, 3) == 0 ? pick(1, 200) : pick(1, 3);
    age();
    const std::uint32_t choice = pick(0, 999);
    if (choice < 400) return join();
    if (choice < 550) return leave();
    if (choice < 650) return change();
    if (choice < 800) return remove();
    if (choice < 998) return router();
    const LinkId link = pick(0, 1);
    EXPECT_EQ(mdb_.remove_link(link), model_.remove_link(link));
  }

  void compare() {
    EXPECT_EQ(ties(mdb_.take_events()), ties(model_.take_events()));
    EXPECT_EQ(ties(mdb_.list({}, now_)), ties(model_.list(now_)));
    EXPECT_EQ(mdb_.size(), model_.size());
    EXPECT_EQ(remotes_.size(), model_.remotes());
    if (const auto earliest = model_.earliest()) {
      ASSERT_TRUE(mdb_.next_deadline());
      EXPECT_LE(*mdb_.next_deadline(), *earliest);
    } else {
      EXPECT_FALSE(mdb_.next_deadline());
    }
    for (int i = 0; i < 4; ++i) compare_find();
  }

  void compare_find() {
    const Model::Key key = some_key(false);
    const bool snooping = pick(0, 3) != 0;
    const auto [verdict, expected] = model_.find(key.link, key.group, key.source, snooping, now_);
    EXPECT_EQ(mdb_.find(key.link, key.group, key.source, snooping, now_, out_), verdict);
    ++verdicts_[static_cast<std::size_t>(verdict)];
    std::vector<Remote> found;
    for (const RemoteId id : out_) found.push_back(remotes_[id]);
    EXPECT_EQ(found, expected);
  }

  std::mt19937_64 random_{GetParam().seed};
  RemoteTable remotes_;
  Mdb mdb_{remotes_, GetParam().options};
  Model model_{GetParam().options};
  std::vector<RemoteId> out_;
  std::array<std::size_t, 3> verdicts_{};
  Seconds now_ = 1000;
};

TEST_P(MdbModel, AgreesAfterEveryStep) {
  for (int i = 0; i < 3000; ++i) {
    step();
    compare();
    ASSERT_FALSE(HasFailure()) << "step " << i;
  }
  for (const std::size_t count : verdicts_) EXPECT_GT(count, 20U) << "a verdict was hardly met";
  for (const LinkId link : {0U, 1U}) mdb_.remove_link(link);
  EXPECT_EQ(mdb_.size(), 0U);
  EXPECT_EQ(remotes_.size(), 0U);
  EXPECT_FALSE(mdb_.next_deadline());
}

std::vector<Shape> all_shapes() {
  std::vector<Shape> shapes;
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    shapes.push_back({seed, 2, 3, {}});  // few of everything: all collide in meaning
    shapes.push_back({seed + 10, 30, 3, {.hash_seed = seed}});
    shapes.push_back({seed + 20, 3, 40, {}});  // long lists
    shapes.push_back({seed + 30, 12, 4, {.max_groups = 4, .max_sources = 2, .max_members = 12}});
  }
  return shapes;
}

INSTANTIATE_TEST_SUITE_P(Shapes, MdbModel, ::testing::ValuesIn(all_shapes()));

}  // namespace
}  // namespace vtep
