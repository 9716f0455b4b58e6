// The FDB against a naive model: the same random operations on both, everything compared after every step.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "engine/fdb.h"
#include "engine/test_frames.h"
#include "engine/test_tables.h"

namespace vtep {
namespace {

using Key = std::pair<LinkId, MacAddr>;
using Kind = FdbEvent::Kind;

bool is_replicated(MacAddr mac) {
  return mac.is_zero() || mac.is_multicast();
}

auto tie(const Remote& remote) {
  return std::make_tuple(remote.address, remote.port, remote.vni, remote.via);
}
auto tie(const FdbEntry& entry) {
  return std::make_tuple(entry.link, entry.mac, tie(entry.remote), entry.state, entry.used, entry.updated);
}
auto tie(const FdbEvent& event) {
  return std::make_tuple(event.kind, tie(event.entry));
}

template <typename T>
auto ties(const std::vector<T>& values) {
  std::vector<decltype(tie(values[0]))> tied;
  for (const T& value : values) tied.push_back(tie(value));
  return tied;
}

template <typename T>
T sorted(T values) {
  std::ranges::sort(values);
  return values;
}

/// What fdb.h promises, written down as plainly as possible.
class Model {
 public:
  struct Entry {
    FdbState state;
    std::vector<Remote> remotes;
    Seconds used;
    Seconds updated;
  };

  explicit Model(std::size_t max_dynamic) : max_dynamic_(max_dynamic) {}

  std::optional<ErrorKind> add(LinkId link, MacAddr mac, const Remote& remote, FdbState state, Seconds now) {
    if (entries_.contains({link, mac})) return ErrorKind::kExists;
    return replace(link, mac, remote, state, now);
  }

  std::optional<ErrorKind> append(LinkId link, MacAddr mac, const Remote& remote, FdbState state,
                                  Seconds now) {
    const auto found = entries_.find({link, mac});
    if (found == entries_.end()) return replace(link, mac, remote, state, now);
    if (!is_replicated(mac) || !is_legal(mac, remote, state)) return ErrorKind::kInvalid;
    auto& remotes = found->second.remotes;
    if (std::ranges::find(remotes, remote) != remotes.end()) return {};
    remotes.push_back(remote);
    found->second.updated = now;
    emit(Kind::kSet, *found, remote);
    return {};
  }

  std::optional<ErrorKind> replace(LinkId link, MacAddr mac, const Remote& remote, FdbState state,
                                   Seconds now) {
    if (!is_legal(mac, remote, state)) return ErrorKind::kInvalid;
    const auto [found, is_new] = entries_.try_emplace({link, mac}, Entry{state, {}, now, now});
    if (is_replicated(mac)) {
      for (const Remote& old : found->second.remotes) {
        if (old != remote) emit(Kind::kRemoved, *found, old);
      }
    }
    found->second.state = state;
    found->second.updated = now;
    found->second.remotes = {remote};
    emit(Kind::kSet, *found, remote);
    return {};
  }

  std::optional<ErrorKind> remove(LinkId link, MacAddr mac, const RemoteFilter& filter) {
    const auto found = entries_.find({link, mac});
    if (found == entries_.end() || remove_matching(found, filter) == 0) return ErrorKind::kNotFound;
    return {};
  }

  std::size_t flush(LinkId link, const FdbFilter& filter) {
    std::size_t removed = 0;
    for (auto next = entries_.begin(); next != entries_.end();) {
      const auto found = next++;
      const auto& [key, entry] = *found;
      if (key.first != link || (filter.mac && *filter.mac != key.second)) continue;
      if (!filter.states.empty() && std::ranges::find(filter.states, entry.state) == filter.states.end())
        continue;
      removed += remove_matching(found, filter.remote);
    }
    return removed;
  }

  Fdb::Learned learn(LinkId link, MacAddr mac, const IpAddr& source, Seconds now) {
    const Remote remote{.address = source, .port = {}, .vni = {}, .via = {}};
    const auto found = entries_.find({link, mac});
    if (found == entries_.end()) {
      if (dynamic() >= max_dynamic_) return Fdb::Learned::kFull;
      const auto fresh =
          entries_.emplace(Key{link, mac}, Entry{FdbState::kDynamic, {remote}, now, now}).first;
      emit(Kind::kLearned, *fresh, remote);
      return Fdb::Learned::kNew;
    }
    Entry& entry = found->second;
    if (entry.remotes[0].address == source) {
      entry.updated = now;
      return Fdb::Learned::kRefreshed;
    }
    if (entry.state != FdbState::kDynamic) return Fdb::Learned::kHeldStatic;
    entry.remotes = {remote};
    entry.updated = now;
    emit(Kind::kMoved, *found, remote);
    return Fdb::Learned::kMoved;
  }

  std::vector<Remote> find(LinkId link, MacAddr mac, Seconds now) {
    const auto found = entries_.find({link, mac});
    if (found == entries_.end()) return {};
    found->second.used = now;
    return found->second.remotes;
  }

  void move_device(IfIndex from, IfIndex to) {
    for (auto& [key, entry] : entries_) {
      std::vector<Remote> kept;
      for (Remote remote : entry.remotes) {
        if (remote.via == from) remote.via = to;
        if (std::ranges::find(kept, remote) == kept.end()) kept.push_back(remote);
      }
      entry.remotes = kept;
    }
  }

  void set_ageing(LinkId link, std::uint32_t seconds) { ageing_[link] = seconds; }

  /// Empty: never. 64 bits: the sum may exceed the scale.
  std::optional<std::uint64_t> expiry(const Key& key) const {
    const Entry& entry = entries_.at(key);
    const auto ageing = ageing_.find(key.first);
    if (entry.state != FdbState::kDynamic || ageing == ageing_.end() || ageing->second == 0) return {};
    return std::uint64_t{entry.updated} + ageing->second;
  }
  std::optional<std::uint64_t> earliest_expiry() const {
    std::optional<std::uint64_t> earliest;
    for (const auto& [key, entry] : entries_) {
      const auto one = expiry(key);
      if (one) earliest = std::min(earliest.value_or(*one), *one);
    }
    return earliest;
  }
  /// The table says that this entry aged: true if it may.
  bool take_aged(const FdbEntry& aged, Seconds now) {
    const auto found = entries_.find({aged.link, aged.mac});
    if (found == entries_.end()) return false;
    const auto due = expiry(found->first);
    if (!due || *due > now || found->second.remotes[0] != aged.remote) return false;
    entries_.erase(found);
    return true;
  }

  std::vector<FdbEntry> list(Seconds now) const {
    std::vector<FdbEntry> all;
    for (const auto& [key, entry] : entries_) {
      for (const Remote& remote : entry.remotes) {
        all.push_back({.link = key.first,
                       .mac = key.second,
                       .remote = remote,
                       .state = entry.state,
                       .used = now - entry.used,
                       .updated = now - entry.updated});
      }
    }
    return all;
  }
  std::size_t size() const { return entries_.size(); }
  std::vector<FdbEvent> take_events() { return std::exchange(events_, {}); }

 private:
  using Entries = std::map<Key, Entry>;

  static bool is_legal(MacAddr mac, const Remote& remote, FdbState state) {
    return !remote.address.is_unspecified() && (state != FdbState::kDynamic || !is_replicated(mac));
  }

  std::size_t dynamic() const {
    return static_cast<std::size_t>(
        std::ranges::count(entries_, FdbState::kDynamic, [](const auto& pair) { return pair.second.state; }));
  }

  std::size_t remove_matching(Entries::iterator found, const RemoteFilter& filter) {
    std::vector<Remote> kept;
    std::size_t removed = 0;
    for (const Remote& remote : found->second.remotes) {
      if (filter.matches(remote)) {
        emit(Kind::kRemoved, *found, remote);
        ++removed;
      } else {
        kept.push_back(remote);
      }
    }
    found->second.remotes = kept;
    if (kept.empty()) entries_.erase(found);
    return removed;
  }

  void emit(Kind kind, const Entries::value_type& of, const Remote& remote) {
    events_.push_back(
        {kind, {.link = of.first.first, .mac = of.first.second, .remote = remote, .state = of.second.state}});
  }

  const std::size_t max_dynamic_;
  Entries entries_;
  std::map<LinkId, std::uint32_t> ageing_;
  std::vector<FdbEvent> events_;
};

/// What a listener knows who saw nothing but the events.
class Mirror {
 public:
  void apply(const FdbEvent& event) {
    auto& remotes = remotes_[{event.entry.link, event.entry.mac}];
    const auto at = std::ranges::find(remotes, event.entry.remote);
    switch (event.kind) {
      case Kind::kSet:
      case Kind::kLearned:
      case Kind::kMoved:
        if (!is_replicated(event.entry.mac)) remotes.clear();
        if (std::ranges::find(remotes, event.entry.remote) == remotes.end())
          remotes.push_back(event.entry.remote);
        break;
      case Kind::kFrozen:
        break;
      case Kind::kRemoved:
      case Kind::kAged:
        ASSERT_NE(at, remotes.end()) << "removed twice: " << event.entry.mac.to_string();
        remotes.erase(at);
        if (remotes.empty()) remotes_.erase({event.entry.link, event.entry.mac});
        break;
    }
  }
  /// There are no events for this.
  void reset(const std::vector<FdbEntry>& entries) {
    remotes_.clear();
    for (const FdbEntry& entry : entries) remotes_[{entry.link, entry.mac}].push_back(entry.remote);
  }
  void expect_same(const std::vector<FdbEntry>& entries) const {
    Mirror other;
    other.reset(entries);
    EXPECT_EQ(sets(), other.sets());
  }

 private:
  std::map<Key, std::vector<decltype(tie(Remote()))>> sets() const {
    std::map<Key, std::vector<decltype(tie(Remote()))>> all;
    for (const auto& [key, remotes] : remotes_) all[key] = sorted(ties(remotes));
    return all;
  }
  std::map<Key, std::vector<Remote>> remotes_;
};

struct Shape {
  std::uint64_t seed;
  std::uint32_t macs;  ///< a link; how many decides whether the table grows
  std::size_t max_dynamic;
  std::uint32_t removals;  ///< in percent of the operations
};

void PrintTo(const Shape& shape, std::ostream* out) {
  *out << "seed " << shape.seed << " macs " << shape.macs << " max_dynamic " << shape.max_dynamic
       << " removals " << shape.removals;
}

class FdbModel : public ::testing::TestWithParam<Shape> {
 protected:
  LinkId some_link() { return test::pick(random_, 0, 2); }
  MacAddr some_mac() {
    const std::uint32_t n = test::pick(random_, 0, GetParam().macs);
    if (n == 0) return MacAddr();
    if (n == 1) return kBroadcastMac;
    if (n == 2) return MacAddr({0x01, 0, 0x5e, 0, 0, 1});
    return MacAddr::from_u64(0x020000000000 + n);
  }
  MacAddr some_unicast() {
    return MacAddr::from_u64(0x020000000000 + test::pick(random_, 3, GetParam().macs + 3));
  }
  IpAddr some_address() {
    const std::uint32_t n = test::pick(random_, 0, 20);
    if (n == 0) return Ipv4();
    if (n == 1) return test::ip("2001:db8::1");
    return Ipv4(192, 0, 2, static_cast<std::uint8_t>(n % 3 + 1));
  }
  Remote some_remote() {
    Remote remote{.address = some_address(), .port = {}, .vni = {}, .via = {}};
    if (test::pick(random_, 0, 3) == 0) remote.port = Port(4789);
    if (test::pick(random_, 0, 3) == 0) remote.vni = 7_vni;
    if (test::pick(random_, 0, 1) == 0) remote.via = IfIndex(test::pick(random_, 1, 3));
    return remote;
  }
  FdbState some_state() { return static_cast<FdbState>(test::pick(random_, 1, 3)); }
  RemoteFilter some_filter() {
    RemoteFilter filter;
    if (test::pick(random_, 0, 1) == 0) filter.address = some_address();
    if (test::pick(random_, 0, 3) == 0) filter.port = test::pick(random_, 0, 1) == 0 ? Port() : Port(4789);
    if (test::pick(random_, 0, 3) == 0) filter.vni = 7_vni;
    if (test::pick(random_, 0, 3) == 0) filter.link_vni = true;
    if (test::pick(random_, 0, 3) == 0) filter.via = IfIndex(test::pick(random_, 0, 3));
    return filter;
  }

  void expect_same(const Result<void>& result, std::optional<ErrorKind> expected) {
    EXPECT_EQ(result ? std::nullopt : std::optional(result.error().kind), expected);
  }

  void change() {
    const LinkId link = some_link();
    const MacAddr mac = some_mac();
    const Remote remote = some_remote();
    const FdbState state = some_state();
    switch (test::pick(random_, 0, 2)) {
      case 0:
        return expect_same(fdb_.add(link, mac, remote, state, now_),
                           model_.add(link, mac, remote, state, now_));
      case 1:
        return expect_same(fdb_.append(link, mac, remote, state, now_),
                           model_.append(link, mac, remote, state, now_));
      default:
        return expect_same(fdb_.replace(link, mac, remote, state, now_),
                           model_.replace(link, mac, remote, state, now_));
    }
  }

  void remove() {
    const LinkId link = some_link();
    const MacAddr mac = some_mac();
    if (test::pick(random_, 0, 1) == 0) {
      expect_same(fdb_.remove(link, mac), model_.remove(link, mac, {}));
    } else {
      const RemoteFilter filter = some_filter();
      expect_same(fdb_.remove(link, mac, filter), model_.remove(link, mac, filter));
    }
  }

  void flush() {
    FdbFilter filter;
    if (test::pick(random_, 0, 2) == 0) filter.states.push_back(some_state());
    if (test::pick(random_, 0, 2) == 0) filter.mac = some_mac();
    filter.remote = some_filter();
    const LinkId link = some_link();
    EXPECT_EQ(fdb_.flush(link, filter), model_.flush(link, filter));
  }

  void learn() {
    const LinkId link = some_link();
    const MacAddr mac = some_unicast();
    const IpAddr source = Ipv4(192, 0, 2, static_cast<std::uint8_t>(test::pick(random_, 1, 3)));
    EXPECT_EQ(fdb_.learn(link, mac, source, now_), model_.learn(link, mac, source, now_));
  }

  void find() {
    const LinkId link = some_link();
    const MacAddr mac = some_mac();
    std::vector<Remote> found;
    const Fdb::Destination destination = fdb_.find(link, mac, now_);
    for (const RemoteId id : destination.remotes()) found.push_back(tables_.remotes[id]);
    EXPECT_EQ(found, model_.find(link, mac, now_));
  }

  void set_ageing() {
    constexpr std::uint32_t kChoices[] = {0, 1, 5, 20, 300, 0xffffffff};
    const LinkId link = some_link();
    const std::uint32_t seconds = kChoices[test::pick(random_, 0, std::size(kChoices) - 1)];
    fdb_.set_ageing(link, seconds);
    model_.set_ageing(link, seconds);
  }

  /// One call, or as many as it takes: then nothing that is due may be left.
  void age(std::uint32_t budget, bool until_done) {
    for (int calls = 0;; ++calls) {
      ASSERT_LT(calls, 20000) << "a scan never ends";
      fdb_.age(now_, budget);
      for (const FdbEvent& event : fdb_.take_events()) {
        ASSERT_EQ(event.kind, Kind::kAged);
        ASSERT_TRUE(model_.take_aged(event.entry, now_)) << "expired early: " << event.entry.mac.to_string();
        mirror_.apply(event);
      }
      const bool has_work = fdb_.next_deadline() && *fdb_.next_deadline() <= now_;
      if (!until_done || !has_work) break;
    }
    if (!until_done) return;
    const auto earliest = model_.earliest_expiry();
    EXPECT_TRUE(!earliest || *earliest > now_) << "overdue by " << now_ - *earliest;
  }

  void move_device() {
    const IfIndex from(test::pick(random_, 1, 3));
    const IfIndex to(test::pick(random_, 1, 3));
    fdb_.move_device(from, to);
    model_.move_device(from, to);
    mirror_.reset(model_.list(now_));
  }

  void step() {
    now_ += test::pick(random_, 0, 9) == 0 ? test::pick(random_, 1, 4) : 0;
    const std::uint32_t choice = test::pick(random_, 0, 99);
    const std::uint32_t removals = GetParam().removals;
    if (choice < removals) return remove();
    if (choice < 60) return test::pick(random_, 0, 1) == 0 ? change() : learn();
    if (choice < 75) return find();
    if (choice < 90) return age(test::pick(random_, 1, 9), false);
    if (choice < 93) return age(test::pick(random_, 1, 9), true);
    if (choice < 96) return set_ageing();
    if (choice < 98) return move_device();
    if (choice < 99) return flush();
    now_ += test::pick(random_, 10, 400);
  }

  void compare() {
    const auto events = fdb_.take_events();
    const auto expected = model_.take_events();
    // A flush walks the table in its own order.
    EXPECT_EQ(sorted(ties(events)), sorted(ties(expected)));
    const bool same_entry = std::ranges::all_of(events, [&](const FdbEvent& event) {
      return event.entry.mac == events[0].entry.mac && event.entry.link == events[0].entry.link;
    });
    if (same_entry) {
      EXPECT_EQ(ties(events), ties(expected));
    }
    for (const FdbEvent& event : events) mirror_.apply(event);

    const auto listed = fdb_.list({}, now_);
    EXPECT_EQ(sorted(ties(listed)), sorted(ties(model_.list(now_))));
    mirror_.expect_same(listed);
    EXPECT_EQ(fdb_.size(), model_.size());
    for (const FdbEntry& entry : listed) {
      const auto got = ties(fdb_.get(entry.link, entry.mac, now_));
      EXPECT_NE(std::ranges::find(got, tie(entry)), got.end()) << "listed, but not found";
    }
    if (const auto earliest = model_.earliest_expiry(); earliest && *earliest <= 0xffffffff) {
      ASSERT_TRUE(fdb_.next_deadline());
      EXPECT_LE(*fdb_.next_deadline(), *earliest);
    }
  }

  std::mt19937_64 random_{GetParam().seed};
  test::FdbTables tables_{{.hash_seed = GetParam().seed, .max_dynamic = GetParam().max_dynamic}};
  Fdb& fdb_ = tables_.fdb;
  Model model_{GetParam().max_dynamic};
  Mirror mirror_;
  Seconds now_ = 1000;
};

TEST_P(FdbModel, AgreesAfterEveryStep) {
  for (LinkId link = 0; link < 3; ++link) {
    fdb_.set_ageing(link, 20);
    model_.set_ageing(link, 20);
  }
  for (int i = 0; i < test::steps(6000); ++i) {
    step();
    compare();
    ASSERT_FALSE(HasFailure()) << "step " << i;
  }
  for (LinkId link = 0; link < 3; ++link) fdb_.flush(link, {});
  EXPECT_EQ(fdb_.size(), 0U);
  EXPECT_EQ(tables_.remotes.size(), 0U);
}

std::vector<Shape> all_shapes() {
  std::vector<Shape> shapes;
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    shapes.push_back({seed, 3, 1000, 20});      // a handful of entries, everything collides in meaning
    shapes.push_back({seed + 10, 16, 30, 10});  // 64 slots, nearly full: shifts across the table's end
    shapes.push_back({seed + 20, 15, 1000, 30});
    shapes.push_back({seed + 30, 60, 1000, 5});  // grows
  }
  return shapes;
}

INSTANTIATE_TEST_SUITE_P(Shapes, FdbModel, ::testing::ValuesIn(all_shapes()));

}  // namespace
}  // namespace vtep
