// Neighbours against a naive model: random operations, compared after every one.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "engine/neighbours.h"
#include "engine/test_frames.h"

namespace vtep {
namespace {

using Kind = NeighbourEvent::Kind;
using Origin = NeighbourOrigin;
using Outcome = Neighbours::Outcome;
using Key = std::pair<LinkId, IpAddr>;

auto tie(const Neighbour& n) {
  return std::tuple(n.link, n.ip, n.mac, n.origin, n.router, n.updated);
}

class Model {
 public:
  struct Entry {
    MacAddr mac;
    std::optional<bool> router;
    Seconds updated;
  };

  Model(std::size_t max_heard, std::size_t max_heard_link)
      : max_heard_(max_heard), max_heard_link_(max_heard_link) {}

  Outcome set(const Key& key, MacAddr mac, std::optional<bool> router, Origin origin, Seconds now) {
    if (!mac.is_unicast() || key.second == IpAddr(Ipv4())) return Outcome::kInvalid;
    auto& origins = table_[key];
    const auto found = origins.find(origin);
    if (found == origins.end()) {
      if (origin == Origin::kHeard && (heard({}) >= max_heard_ || heard(key.first) >= max_heard_link_)) {
        if (origins.empty()) table_.erase(key);
        return Outcome::kFull;
      }
      origins[origin] = {mac, router, now};
      return Outcome::kSet;
    }
    const Entry old = found->second;
    const bool keeps = old.mac == mac && !router;
    found->second = {mac, keeps ? old.router : router, now};
    return old.mac == mac && (keeps || old.router == router) ? Outcome::kSame : Outcome::kSet;
  }

  bool remove(const Key& key, Origin origin) {
    const auto found = table_.find(key);
    if (found == table_.end() || found->second.erase(origin) == 0) return false;
    if (found->second.empty()) table_.erase(found);
    return true;
  }

  void remove_link(LinkId link) {
    std::erase_if(table_, [&](const auto& pair) { return pair.first.first == link; });
    ageing_.erase(link);
  }

  void set_ageing(LinkId link, std::uint32_t seconds) { ageing_[link] = seconds; }

  /// 64 bits: the sum may exceed the scale.
  std::optional<std::uint64_t> earliest_expiry() const {
    std::optional<std::uint64_t> earliest;
    for (const auto& [key, origins] : table_) {
      if (const auto due = expiry(key)) earliest = std::min(earliest.value_or(*due), *due);
    }
    return earliest;
  }

  /// The table has forgotten what was heard about `key`: true if it may.
  bool take_aged(const Key& key, Seconds now) {
    const auto due = expiry(key);
    return due && *due <= now && remove(key, Origin::kHeard);
  }
  std::vector<Key> due(Seconds now) const {
    std::vector<Key> keys;
    for (const auto& [key, origins] : table_) {
      if (const auto at = expiry(key); at && *at <= now) keys.push_back(key);
    }
    return keys;
  }

  std::optional<Neighbour> find(const Key& key, Seconds now) const {
    const auto found = table_.find(key);
    if (found == table_.end()) return std::nullopt;
    return describe(key, *found->second.rbegin(), now);
  }
  std::optional<Neighbour> find(const Key& key, Origin origin, Seconds now) const {
    const auto found = table_.find(key);
    if (found == table_.end()) return std::nullopt;
    const auto one = found->second.find(origin);
    if (one == found->second.end()) return std::nullopt;
    return describe(key, *one, now);
  }
  std::vector<Neighbour> list(std::optional<LinkId> link, Seconds now) const {
    std::vector<Neighbour> all;
    for (const auto& [key, origins] : table_) {
      if (!link || *link == key.first) all.push_back(*find(key, now));
    }
    return all;
  }
  std::size_t size() const {
    std::size_t size = 0;
    for (const auto& [key, origins] : table_) size += origins.size();
    return size;
  }

 private:
  using Origins = std::map<Origin, Entry>;  // the strongest comes last

  static Neighbour describe(const Key& key, const Origins::value_type& entry, Seconds now) {
    return {key.first,   key.second,          entry.second.mac,
            entry.first, entry.second.router, now - entry.second.updated};
  }
  std::size_t heard(std::optional<LinkId> link) const {
    return static_cast<std::size_t>(std::ranges::count_if(table_, [&](const auto& pair) {
      return (!link || *link == pair.first.first) && pair.second.contains(Origin::kHeard);
    }));
  }
  std::optional<std::uint64_t> expiry(const Key& key) const {
    const auto& origins = table_.at(key);
    const auto heard = origins.find(Origin::kHeard);
    const auto ageing = ageing_.find(key.first);
    const std::uint32_t seconds = ageing == ageing_.end() ? 1200 : ageing->second;
    if (heard == origins.end() || seconds == 0) return std::nullopt;
    return std::uint64_t{heard->second.updated} + seconds;
  }

  const std::size_t max_heard_;
  const std::size_t max_heard_link_;
  std::map<Key, Origins> table_;
  std::map<LinkId, std::uint32_t> ageing_;
};

/// What a listener knows who saw nothing but the events.
class Mirror {
 public:
  void apply(const NeighbourEvent& event) {
    const Key key{event.neighbour.link, event.neighbour.ip};
    EXPECT_EQ(event.neighbour.updated, 0U);
    if (event.kind == Kind::kSet) {
      const auto found = known_.find(key);
      EXPECT_TRUE(found == known_.end() || found->second != event.neighbour) << "nothing has changed";
      known_.insert_or_assign(key, event.neighbour);
    } else {
      EXPECT_EQ(known_.erase(key), 1U) << "removed twice: " << key.second.to_string();
    }
  }
  void expect_same(const std::vector<Neighbour>& neighbours) const {
    std::map<Key, Neighbour> expected;
    for (const Neighbour& one : neighbours) expected[{one.link, one.ip}] = without_time(one);
    EXPECT_EQ(known_, expected);
  }

 private:
  static Neighbour without_time(Neighbour neighbour) {
    neighbour.updated = 0;
    return neighbour;
  }
  std::map<Key, Neighbour> known_;
};

struct Shape {
  std::uint64_t seed;
  std::uint32_t addresses;  ///< of each family on each link
  std::size_t max_heard;
  std::size_t max_heard_link;
  std::uint32_t removals;  ///< in percent of the operations
};

void PrintTo(const Shape& shape, std::ostream* out) {
  *out << "seed " << shape.seed << " addresses " << shape.addresses << " max_heard " << shape.max_heard
       << " removals " << shape.removals;
}

class NeighboursModel : public ::testing::TestWithParam<Shape> {
 protected:
  LinkId some_link() { return test::pick(random_, 0, 2); }
  IpAddr some_address() {
    const std::uint32_t n = test::pick(random_, 0, GetParam().addresses);
    if (n == 0) return Ipv4();
    if (test::pick(random_, 0, 1) == 0) return Ipv4(0x0a000000 + n);
    Ipv6::Octets octets{0x20, 0x01, 0x0d, 0xb8};
    octets[15] = static_cast<std::uint8_t>(n);
    octets[14] = static_cast<std::uint8_t>(n >> 8);
    return Ipv6(octets);
  }
  Key some_key() {
    const LinkId link = some_link();
    return {link, some_address()};
  }
  MacAddr some_mac() {
    if (test::pick(random_, 0, 30) == 0) return kBroadcastMac;
    return MacAddr::from_u64(0x020000000000 + test::pick(random_, 1, 3));
  }
  Origin some_origin() { return static_cast<Origin>(test::pick(random_, 1, 3)); }
  std::optional<bool> some_flag() {
    const std::uint32_t n = test::pick(random_, 0, 2);
    if (n == 0) return std::nullopt;
    return n == 1;
  }

  void set() {
    const Key key = some_key();
    const MacAddr mac = some_mac();
    const auto router = some_flag();
    const Origin origin = test::pick(random_, 0, 1) == 0 ? Origin::kHeard : some_origin();
    EXPECT_EQ(table_.set(key.first, key.second, mac, router, origin, now_),
              model_.set(key, mac, router, origin, now_));
  }
  void remove() {
    const Key key = some_key();
    const Origin origin = some_origin();
    EXPECT_EQ(table_.remove(key.first, key.second, origin), model_.remove(key, origin));
  }
  void find() {
    const Key key = some_key();
    EXPECT_EQ(table_.find(key.first, key.second, now_), model_.find(key, now_));
    const Origin origin = some_origin();
    EXPECT_EQ(table_.find(key.first, key.second, origin, now_), model_.find(key, origin, now_));
  }
  void set_ageing() {
    constexpr std::uint32_t kChoices[] = {0, 1, 5, 20, 300, 0xffffffff};
    const LinkId link = some_link();
    const std::uint32_t seconds = kChoices[test::pick(random_, 0, std::size(kChoices) - 1)];
    table_.set_ageing(link, seconds);
    model_.set_ageing(link, seconds);
  }

  /// One call, or as many as it takes: then nothing that is due may be left.
  void age(std::uint32_t budget, bool until_done) {
    for (int calls = 0;; ++calls) {
      ASSERT_LT(calls, 20000) << "a scan never ends";
      table_.age(now_, budget);
      const bool has_work = table_.next_deadline() && *table_.next_deadline() <= now_;
      if (!until_done || !has_work) break;
    }
    // Which of those that are due went is the table's own affair; that no other did is checked by compare().
    for (const Key& key : model_.due(now_)) {
      if (table_.find(key.first, key.second, Origin::kHeard, now_)) {
        EXPECT_FALSE(until_done) << "overdue: " << key.second.to_string();
      } else {
        EXPECT_TRUE(model_.take_aged(key, now_));
      }
    }
  }

  void step() {
    now_ += test::pick(random_, 0, 9) == 0 ? test::pick(random_, 1, 4) : 0;
    const std::uint32_t choice = test::pick(random_, 0, 199);
    if (choice < 2 * GetParam().removals) return remove();
    if (choice < 130) return set();
    if (choice < 150) return find();
    if (choice < 182) return age(test::pick(random_, 1, 9), false);
    if (choice < 190) return age(test::pick(random_, 1, 9), true);
    if (choice < 196) return set_ageing();
    if (choice < 198) {
      now_ += test::pick(random_, 10, 400);
      return;
    }
    const LinkId link = some_link();
    table_.remove_link(link);
    model_.remove_link(link);
  }

  static auto sorted(const std::vector<Neighbour>& neighbours) {
    std::vector<decltype(tie(Neighbour()))> all;
    for (const Neighbour& one : neighbours) all.push_back(tie(one));
    std::ranges::sort(all);
    return all;
  }

  void compare() {
    for (const NeighbourEvent& event : table_.take_events()) mirror_.apply(event);
    const auto listed = table_.list({}, now_);
    EXPECT_EQ(sorted(listed), sorted(model_.list({}, now_)));
    EXPECT_EQ(sorted(table_.list(1, now_)), sorted(model_.list(1, now_)));
    mirror_.expect_same(listed);
    EXPECT_EQ(table_.size(), model_.size());
    if (const auto earliest = model_.earliest_expiry(); earliest && *earliest <= 0xffffffff) {
      ASSERT_TRUE(table_.next_deadline());
      EXPECT_LE(*table_.next_deadline(), *earliest);
    }
  }

  std::mt19937_64 random_{GetParam().seed};
  Neighbours table_{{.hash_seed = GetParam().seed,
                     .max_heard = GetParam().max_heard,
                     .max_heard_link = GetParam().max_heard_link}};
  Model model_{GetParam().max_heard, GetParam().max_heard_link};
  Mirror mirror_;
  Seconds now_ = 1000;
};

TEST_P(NeighboursModel, AgreesAfterEveryStep) {
  for (int i = 0; i < test::steps(5000); ++i) {
    step();
    compare();
    ASSERT_FALSE(HasFailure()) << "step " << i;
  }
}

std::vector<Shape> all_shapes() {
  std::vector<Shape> shapes;
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    shapes.push_back({seed, 2, 1000, 1000, 20});    // a handful of addresses, every origin meets every other
    shapes.push_back({seed + 10, 20, 30, 12, 10});  // at the limits
    shapes.push_back({seed + 20, 20, 1000, 1000, 30});
    shapes.push_back({seed + 30, 300, 1000, 1000, 2});  // grows
  }
  return shapes;
}

INSTANTIATE_TEST_SUITE_P(Shapes, NeighboursModel, ::testing::ValuesIn(all_shapes()));

}  // namespace
}  // namespace vtep
