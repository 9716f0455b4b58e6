#include "control/local_facts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <optional>
#include <random>

#include "control/rib.h"

namespace vtep {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;
using Sighting = LocalFacts::Sighting;

constexpr Time kStart{seconds(1000)};
constexpr Vni kVni = 6000_vni;
const IpAddr kHere = Ipv4(10, 0, 0, 5);
const IpAddr kLower = Ipv4(10, 0, 0, 1);
const IpAddr kHigher = Ipv4(10, 0, 0, 9);
const MacFact::Key kStation{kVni, *MacAddr::parse("02:00:00:00:00:01")};
const NeighbourFact::Key kAddress{kVni, Ipv4(192, 168, 5, 1)};

class LocalFactsTest : public testing::Test {
 protected:
  LocalFactsTest() {
    local_.set_vni(kVni, {.vteps = {kHere}, .sources = {source_}});
    local_.listen([this](const LocalFacts::Key& key) { told_.push_back(key); });
  }
  bool claim(const MacFact& fact) {
    rib_.say(source_, 1, kStation, fact, now_);
    return local_.yield(kStation, now_);
  }
  std::optional<std::uint32_t> sequence() const {
    const LocalStation* const ours = local_.find(kStation);
    return ours == nullptr ? std::nullopt : std::optional(ours->sequence);
  }
  std::vector<LocalFacts::Key> told() { return std::exchange(told_, {}); }

  Rib rib_;
  SourceId source_ = rib_.add_source(Strength::kControlPlane);
  LocalFacts local_{rib_.macs(), {.moves = 5, .window = seconds(180)}};
  Time now_ = kStart;
  std::vector<LocalFacts::Key> told_;
};

TEST_F(LocalFactsTest, AStationIsOursWhileItIsSeen) {
  EXPECT_EQ(local_.see(kStation, false, now_), Sighting::kOurs);
  EXPECT_EQ(sequence(), 0U);
  EXPECT_THAT(told(), ElementsAre(LocalFacts::Key(kStation)));
  EXPECT_EQ(local_.see(kStation, false, now_), Sighting::kOurs);
  EXPECT_THAT(told(), IsEmpty());
  EXPECT_EQ(local_.see(kStation, true, now_), Sighting::kOurs);
  EXPECT_TRUE(local_.find(kStation)->sticky);
  EXPECT_THAT(told(), ElementsAre(LocalFacts::Key(kStation)));
  local_.forget(kStation);
  EXPECT_EQ(sequence(), std::nullopt);
  EXPECT_THAT(told(), ElementsAre(LocalFacts::Key(kStation)));
  local_.forget(kStation);
  EXPECT_THAT(told(), IsEmpty());
}

TEST_F(LocalFactsTest, OnlyInVnisThatAreOurs) {
  const MacFact::Key elsewhere{7_vni, kStation.mac};
  EXPECT_EQ(local_.see(elsewhere, false, now_), Sighting::kNoVni);
  EXPECT_EQ(local_.find(elsewhere), nullptr);
  local_.set_prefix({7_vni, *Prefix::parse("10.9.0.0/16")}, {kStation.mac});
  EXPECT_THAT(told(), IsEmpty());
}

TEST_F(LocalFactsTest, AStationThatComesFromElsewhereHasMovedOnceMore) {
  EXPECT_TRUE(claim({.vtep = kLower, .sequence = 7}));
  EXPECT_EQ(local_.see(kStation, false, now_), Sighting::kOurs);
  EXPECT_EQ(sequence(), 8U);
  EXPECT_FALSE(claim({.vtep = kLower, .sequence = 7})) << "the others have not heard of it yet";
  EXPECT_EQ(sequence(), 8U);
}

TEST_F(LocalFactsTest, AStationThatMovesAwayTakesItsAddressesAlong) {
  local_.see(kStation, false, now_);
  local_.bind(kAddress, {kStation.mac});
  EXPECT_NE(local_.find(kAddress), nullptr);
  told();
  EXPECT_TRUE(claim({.vtep = kHigher, .sequence = 1}));
  EXPECT_EQ(sequence(), std::nullopt);
  EXPECT_EQ(local_.find(kAddress), nullptr);
  EXPECT_THAT(told(), ElementsAre(LocalFacts::Key(kAddress), LocalFacts::Key(kStation)));
}

TEST_F(LocalFactsTest, OfTwoWhoClaimTheSameTheLowerAddressCounts) {
  local_.see(kStation, false, now_);
  EXPECT_FALSE(claim({.vtep = kHigher}));
  EXPECT_TRUE(claim({.vtep = kLower}));
  EXPECT_EQ(sequence(), std::nullopt);
}

TEST_F(LocalFactsTest, AStickyStationDoesNotMove) {
  claim({.vtep = kHigher, .sticky = true});
  EXPECT_EQ(local_.see(kStation, false, now_), Sighting::kSticky);
  EXPECT_EQ(sequence(), std::nullopt);
  rib_.unsay<MacFact>(source_, 1, kStation, now_);
  EXPECT_EQ(local_.see(kStation, true, now_), Sighting::kOurs);
  EXPECT_FALSE(claim({.vtep = kLower, .sequence = 100})) << "ours is sticky, the other one is not";
}

TEST_F(LocalFactsTest, AStationThatIsInTwoPlacesStaysWithTheOthersUntilItIsQuiet) {
  Sighting sighting = Sighting::kOurs;
  std::uint32_t theirs = 0;
  for (int i = 0; i < 10 && sighting == Sighting::kOurs; ++i) {
    now_ += seconds(1);
    claim({.vtep = kHigher, .sequence = theirs});
    sighting = local_.see(kStation, false, now_);
    theirs = sequence().value_or(0) + 1;
  }
  EXPECT_EQ(sighting, Sighting::kDuplicate);
  EXPECT_THAT(local_.duplicates(now_), ElementsAre(kStation));
  EXPECT_EQ(local_.see(kStation, false, now_ + seconds(179)), Sighting::kDuplicate);
  EXPECT_THAT(local_.tick(now_), IsEmpty());
  now_ += seconds(180);
  EXPECT_THAT(local_.duplicates(now_), IsEmpty());
  EXPECT_THAT(local_.tick(now_), ElementsAre(kStation));
  EXPECT_EQ(local_.see(kStation, false, now_), Sighting::kOurs);
}

TEST_F(LocalFactsTest, AnAddressBelongsToAStationOfOurs) {
  local_.bind(kAddress, {kStation.mac});
  EXPECT_EQ(local_.find(kAddress), nullptr);
  local_.see(kStation, false, now_);
  local_.bind(kAddress, {kStation.mac});
  const MacAddr other = *MacAddr::parse("02:00:00:00:00:02");
  local_.see({kVni, other}, false, now_);
  local_.bind(kAddress, {other});
  EXPECT_EQ(local_.find(kAddress)->mac, other);
  EXPECT_THAT(local_.addresses({kVni, other}), ElementsAre(kAddress.ip));
  EXPECT_THAT(local_.addresses(kStation), IsEmpty());
  local_.forget(kStation);
  EXPECT_NE(local_.find(kAddress), nullptr) << "it is another's now";
  told();
  local_.unbind(kAddress);
  EXPECT_THAT(told(), ElementsAre(LocalFacts::Key(MacFact::Key{kVni, other}), LocalFacts::Key(kAddress)));
}

TEST_F(LocalFactsTest, AVniGoesWithAllThatIsInIt) {
  const PrefixFact::Key prefix{kVni, *Prefix::parse("10.9.0.0/16")};
  local_.see(kStation, false, now_);
  local_.bind(kAddress, {kStation.mac});
  local_.set_prefix(prefix, {kStation.mac});
  told();
  local_.remove_vni(kVni);
  EXPECT_THAT(told(), ElementsAre(LocalFacts::Key(kAddress), LocalFacts::Key(kStation),
                                  LocalFacts::Key(prefix), LocalFacts::Key(kVni)));
  EXPECT_EQ(local_.find(kVni), nullptr);
  EXPECT_EQ(local_.station_count(), 0U);
}

TEST_F(LocalFactsTest, WhoIsToldOnlyNowIsToldEverything) {
  local_.see(kStation, false, now_);
  told();
  EXPECT_TRUE(local_.is_told(source_, kVni));
  EXPECT_FALSE(local_.is_told(2, kVni));
  local_.set_vni(kVni, {.vteps = {kHere}, .sources = {source_, 2}});
  EXPECT_THAT(told(), ElementsAre(LocalFacts::Key(kVni), LocalFacts::Key(kStation)));
  std::vector<LocalFacts::Key> all;
  local_.for_each(2, [&](const LocalFacts::Key& key) { all.push_back(key); });
  EXPECT_THAT(all, ElementsAre(LocalFacts::Key(kVni), LocalFacts::Key(kStation)));
  all.clear();
  local_.for_each(3, [&](const LocalFacts::Key& key) { all.push_back(key); });
  EXPECT_THAT(all, IsEmpty());
}

/// Hosts who hear of each other late and in any order between hosts, but in order from each.
class Hosts {
 public:
  struct Host {
    explicit Host(IpAddr vtep) : address(vtep) {
      local.set_vni(kVni, {.vteps = {vtep}, .sources = {source}});
    }
    IpAddr address;
    Rib rib{{.free = 1000}};
    SourceId source = rib.add_source(Strength::kControlPlane);
    LocalFacts local{rib.macs(), {.moves = 1000}};
  };
  struct Message {
    std::size_t from;
    MacFact::Key key;
    std::optional<LocalStation> said;
  };

  explicit Hosts(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      hosts_.push_back(std::make_unique<Host>(Ipv4(10, 0, 0, static_cast<std::uint8_t>(i + 1))));
      queues_.emplace_back(count);
      hosts_.back()->local.listen(
          [this, i](const LocalFacts::Key& key) { tell(i, std::get<MacFact::Key>(key)); });
    }
  }
  Host& operator[](std::size_t i) { return *hosts_[i]; }
  std::size_t size() const { return hosts_.size(); }

  /// The oldest message of one to another, if there is one.
  bool deliver(std::size_t from, std::size_t to, Time now) {
    auto& queue = queues_[from][to];
    if (queue.empty()) return false;
    const Message message = queue.front();
    queue.pop_front();
    Host& host = *hosts_[to];
    const auto origin = static_cast<Origin>(from);
    if (message.said) {
      host.rib.say(host.source, origin, message.key,
                   MacFact{hosts_[from]->address, message.said->sticky, message.said->sequence}, now);
    } else {
      host.rib.unsay<MacFact>(host.source, origin, message.key, now);
    }
    host.local.yield(message.key, now);
    return true;
  }

 private:
  void tell(std::size_t from, const MacFact::Key& key) {
    const LocalStation* const station = hosts_[from]->local.find(key);
    for (std::size_t to = 0; to < size(); ++to) {
      if (to == from) continue;
      queues_[from][to].push_back({from, key, station == nullptr ? std::nullopt : std::optional(*station)});
    }
  }

  std::vector<std::unique_ptr<Host>> hosts_;
  std::vector<std::vector<std::deque<Message>>> queues_;  // [from][to]
};

TEST(LocalFactsModelTest, HoweverStationsMoveAllHostsAgreeInTheEnd) {
  std::mt19937 random(1);
  for (int round = 0; round < 200; ++round) {
    Hosts hosts(4);
    const auto any = [&](std::size_t n) { return random() % n; };
    for (int step = 0; step < 100; ++step) {
      if (any(4) == 0) {
        hosts[any(4)].local.see(kStation, false, kStart);
      } else {
        hosts.deliver(any(4), any(4), kStart);
      }
    }
    // It stays where it is, says something now and then, and everybody hears everything.
    const std::size_t home = any(4);
    for (bool is_moving = true; is_moving;) {
      hosts[home].local.see(kStation, false, kStart);
      is_moving = false;
      for (std::size_t from = 0; from < hosts.size(); ++from) {
        for (std::size_t to = 0; to < hosts.size(); ++to) {
          while (hosts.deliver(from, to, kStart)) is_moving = true;
        }
      }
    }
    for (std::size_t i = 0; i < hosts.size(); ++i) {
      const auto* const winner = hosts[i].rib.macs().winner(kStation);
      if (i == home) {
        EXPECT_NE(hosts[i].local.find(kStation), nullptr);
        continue;
      }
      EXPECT_EQ(hosts[i].local.find(kStation), nullptr) << "round " << round;
      ASSERT_NE(winner, nullptr);
      EXPECT_EQ(winner->fact.vtep, hosts[home].address) << "round " << round;
    }
  }
}

}  // namespace
}  // namespace vtep
