#include "control/rib.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <random>

namespace vtep {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

constexpr Time kStart{seconds(1000)};
constexpr Origin kHost = 1;
constexpr Origin kOtherHost = 2;
const IpAddr kVtep = Ipv4(10, 0, 0, 1);
const IpAddr kVtep2 = Ipv4(10, 0, 0, 2);

MacFact::Key mac(std::uint64_t number, Vni vni = 6000_vni) {
  return {vni, MacAddr::from_u64(0x020000000000 + number)};
}

class RibTest : public testing::Test {
 protected:
  const MacFact* winner(const MacFact::Key& key) {
    const auto* const claim = rib_.macs().winner(key);
    return claim == nullptr ? nullptr : &claim->fact;
  }
  void say(const MacFact::Key& key, const MacFact& fact, Origin origin = kHost) {
    rib_.say(mesh_, origin, key, fact, now_);
  }
  void unsay(const MacFact::Key& key, Origin origin = kHost) {
    rib_.unsay<MacFact>(mesh_, origin, key, now_);
  }
  void say_many(std::uint64_t count) {
    for (std::uint64_t i = 0; i < count; ++i) say(mac(i), {kVtep});
  }

  Rib rib_{{.free = 4, .window = seconds(10), .hold = seconds(60)}};
  SourceId mesh_ = rib_.add_source(Strength::kControlPlane);
  SourceId person_ = rib_.add_source(Strength::kOperator);
  Time now_ = kStart;
};

TEST_F(RibTest, WhatIsSaidCountsUntilItIsWithdrawn) {
  EXPECT_FALSE(rib_.has_changed());
  say(mac(1), {kVtep});
  EXPECT_THAT(rib_.macs().take_changed(), ElementsAre(mac(1)));
  ASSERT_NE(winner(mac(1)), nullptr);
  EXPECT_EQ(winner(mac(1))->vtep, kVtep);
  EXPECT_EQ(rib_.counts(mesh_).facts, 1U);

  say(mac(1), {kVtep});
  EXPECT_FALSE(rib_.has_changed()) << "it is the same";
  say(mac(1), {kVtep2});
  EXPECT_EQ(winner(mac(1))->vtep, kVtep2);
  EXPECT_EQ(rib_.counts(mesh_).said, 2U);

  unsay(mac(1));
  unsay(mac(1));
  unsay(mac(7));
  EXPECT_EQ(winner(mac(1)), nullptr);
  EXPECT_THAT(rib_.macs().take_changed(), ElementsAre(mac(1)));
  EXPECT_EQ(rib_.counts(mesh_).facts, 0U);
  EXPECT_EQ(rib_.counts(mesh_).withdrawn, 1U);
}

TEST_F(RibTest, TheSameMacInAnotherVniIsAnother) {
  say(mac(1, 1_vni), {kVtep});
  EXPECT_EQ(winner(mac(1, 2_vni)), nullptr);
}

TEST_F(RibTest, AnOperatorsWordIsStronger) {
  rib_.say(person_, kHost, mac(1), MacFact{kVtep2}, now_);
  say(mac(1), {kVtep, true, 99});
  EXPECT_EQ(winner(mac(1))->vtep, kVtep2);
  rib_.unsay<MacFact>(person_, kHost, mac(1), now_);
  EXPECT_EQ(winner(mac(1))->vtep, kVtep) << "the other claim was kept";
}

TEST_F(RibTest, OfTwoHostsTheOneThatMovedLastHasIt) {
  say(mac(1), {kVtep2, false, 1}, kOtherHost);
  say(mac(1), {kVtep, false, 0});
  EXPECT_EQ(winner(mac(1))->vtep, kVtep2);
  say(mac(1), {kVtep, false, 2});
  EXPECT_EQ(winner(mac(1))->vtep, kVtep);
  say(mac(1), {kVtep2, true, 0}, kOtherHost);
  EXPECT_EQ(winner(mac(1))->vtep, kVtep2) << "sticky";
}

TEST_F(RibTest, OfEqualClaimsTheLowerAddressHasItWhoeverSpokeFirst) {
  say(mac(1), {kVtep}, kOtherHost);
  say(mac(1), {kVtep2}, kHost);
  say(mac(2), {kVtep2}, kHost);
  say(mac(2), {kVtep}, kOtherHost);
  EXPECT_EQ(winner(mac(1))->vtep, kVtep);
  EXPECT_EQ(winner(mac(2))->vtep, kVtep);
}

TEST_F(RibTest, ARoundWithdrawsWhatIsNotSaidAgain) {
  for (std::uint64_t i = 0; i < 4; ++i) say(mac(i), {kVtep});
  rib_.say(mesh_, kHost, VtepFact::Key{6000_vni, kVtep}, VtepFact{}, now_);
  rib_.macs().take_changed();
  rib_.begin_round(mesh_);
  say(mac(1), {kVtep});
  say(mac(2), {kVtep2});
  rib_.end_round(mesh_, now_);
  EXPECT_THAT(rib_.macs().take_changed(), UnorderedElementsAre(mac(0), mac(2), mac(3)));
  EXPECT_EQ(rib_.counts(mesh_).facts, 2U);
  EXPECT_EQ(rib_.vteps().size(), 0U);
  rib_.begin_round(mesh_);
  say(mac(1), {kVtep});
  say(mac(2), {kVtep2});
  rib_.end_round(mesh_, now_);
  EXPECT_THAT(rib_.macs().take_changed(), IsEmpty());
}

TEST_F(RibTest, ASourceThatGoesTakesItsFactsWithIt) {
  say_many(100);
  rib_.say(person_, kHost, mac(1), MacFact{kVtep2}, now_);
  rib_.remove_source(mesh_);
  EXPECT_EQ(rib_.macs().size(), 1U);
  EXPECT_EQ(winner(mac(1))->vtep, kVtep2);
  EXPECT_EQ(rib_.add_source(Strength::kControlPlane), mesh_) << "its number is free again";
}

TEST_F(RibTest, ThereAreNumbersFor63Sources) {
  for (int i = 3; i <= 63; ++i) EXPECT_EQ(rib_.add_source(Strength::kControlPlane), i);
  EXPECT_EQ(rib_.add_source(Strength::kControlPlane), 0);
}

TEST_F(RibTest, WithdrawingNearlyEverythingIsNotBelievedAtOnce) {
  say_many(100);
  for (std::uint64_t i = 0; i < 100; ++i) unsay(mac(i));
  EXPECT_EQ(rib_.counts(mesh_).facts, 50U);
  EXPECT_EQ(rib_.counts(mesh_).doomed, 50U);
  EXPECT_NE(winner(mac(99)), nullptr) << "it still counts";
  EXPECT_EQ(rib_.next_deadline(), now_ + seconds(60));

  say(mac(99), {kVtep});
  EXPECT_EQ(rib_.counts(mesh_).doomed, 49U);
  now_ += seconds(60);
  rib_.tick(now_);
  EXPECT_EQ(rib_.counts(mesh_).facts, 1U);
  EXPECT_EQ(rib_.counts(mesh_).doomed, 0U);
  EXPECT_EQ(rib_.counts(mesh_).damped, 50U);
  EXPECT_NE(winner(mac(99)), nullptr);
  EXPECT_EQ(rib_.next_deadline(), std::nullopt);
}

TEST_F(RibTest, AnEmptyDatabaseIsNotBelievedAtOnce) {
  say_many(100);
  rib_.begin_round(mesh_);
  rib_.end_round(mesh_, now_);
  EXPECT_EQ(rib_.counts(mesh_).facts, 50U);
  rib_.begin_round(mesh_);
  say_many(100);
  rib_.end_round(mesh_, now_);
  EXPECT_EQ(rib_.counts(mesh_).facts, 100U);
  EXPECT_EQ(rib_.counts(mesh_).doomed, 0U);
}

TEST_F(RibTest, AFewWithdrawalsAreAlwaysBelieved) {
  say_many(4);
  for (std::uint64_t i = 0; i < 4; ++i) unsay(mac(i));
  EXPECT_EQ(rib_.counts(mesh_).facts, 0U);
}

TEST_F(RibTest, SlowChangeIsNeverDamped) {
  say_many(100);
  for (std::uint64_t i = 0; i < 100; ++i) {
    unsay(mac(i));
    now_ += seconds(3);
  }
  EXPECT_EQ(rib_.counts(mesh_).facts, 0U);
  EXPECT_EQ(rib_.counts(mesh_).damped, 0U);
}

TEST_F(RibTest, WhatIsWithdrawnTwiceWaitsFromTheSecondTime) {
  say_many(10);
  for (std::uint64_t i = 0; i < 10; ++i) unsay(mac(i));  // 5 are damped
  now_ += seconds(5);
  say(mac(9), {kVtep});
  unsay(mac(9));
  rib_.tick(kStart + seconds(60));
  EXPECT_EQ(rib_.counts(mesh_).facts, 1U);
  rib_.tick(kStart + seconds(65));
  EXPECT_EQ(rib_.counts(mesh_).facts, 0U);
}

/// Random claims against a list that is searched from end to end.
TEST(RibModelTest, WinnersAreThoseOfANaiveList) {
  struct Word {
    SourceId source;
    Strength strength;
    Origin origin;
    MacFact fact;
  };
  std::mt19937 random(1);
  const auto pick = [&](std::uint32_t n) { return static_cast<std::uint32_t>(random() % n); };
  Rib rib({.free = 1000000});
  const SourceId sources[] = {rib.add_source(Strength::kControlPlane),
                              rib.add_source(Strength::kControlPlane), rib.add_source(Strength::kOperator)};
  std::multimap<std::uint64_t, Word> words;
  for (int step = 0; step < 20000; ++step) {
    const std::uint64_t number = pick(8);
    const std::uint32_t which = pick(3);
    const Origin origin = pick(3);
    const auto [begin, end] = words.equal_range(number);
    const auto said = std::find_if(begin, end, [&](const auto& word) {
      return word.second.source == sources[which] && word.second.origin == origin;
    });
    if (pick(3) == 0) {
      rib.unsay<MacFact>(sources[which], origin, mac(number), kStart);
      if (said != end) words.erase(said);
    } else {
      const MacFact fact{Ipv4(10, 0, 0, static_cast<std::uint8_t>(pick(3))), pick(4) == 0, pick(3)};
      rib.say(sources[which], origin, mac(number), fact, kStart);
      if (said != end) words.erase(said);
      words.insert(
          {number,
           {sources[which], which == 2 ? Strength::kOperator : Strength::kControlPlane, origin, fact}});
    }
    const auto [first, last] = words.equal_range(number);
    const Word* best = nullptr;
    for (auto word = first; word != last; ++word) {
      const Word& one = word->second;
      const auto rank = [](const Word& w) { return std::tuple(w.strength, w.fact.sticky, w.fact.sequence); };
      const auto tie = [](const Word& w) { return std::tuple(w.fact.vtep, w.source, w.origin); };
      if (best == nullptr || rank(one) > rank(*best) || (rank(one) == rank(*best) && tie(one) < tie(*best)))
        best = &one;
    }
    const auto* const claim = rib.macs().winner(mac(number));
    ASSERT_EQ(claim == nullptr, best == nullptr);
    if (best == nullptr) continue;
    ASSERT_EQ(claim->fact, best->fact);
    ASSERT_EQ(claim->by.source, best->source);
    ASSERT_EQ(claim->by.origin, best->origin);
  }
}

}  // namespace
}  // namespace vtep
