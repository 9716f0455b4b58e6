#include "engine/fdb.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/test_frames.h"
#include "engine/test_tables.h"

namespace vtep {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;
using Kind = FdbEvent::Kind;

constexpr MacAddr kZero;
constexpr MacAddr kGroup{{0x01, 0, 0x5e, 0, 0, 1}};

Remote remote(const char* address, std::uint32_t via = 0) {
  return {.address = test::ip(address), .port = {}, .vni = {}, .via = IfIndex(via)};
}

std::vector<Remote> remotes_of(const Fdb& fdb, LinkId link, MacAddr mac) {
  std::vector<Remote> remotes;
  for (const FdbEntry& entry : fdb.get(link, mac, 0)) remotes.push_back(entry.remote);
  return remotes;
}

ErrorKind kind_of(const Result<void>& result) {
  EXPECT_FALSE(result.has_value());
  return result ? ErrorKind::kSystem : result.error().kind;
}

class FdbTest : public ::testing::Test {
 protected:
  std::vector<Kind> event_kinds() {
    std::vector<Kind> kinds;
    for (const FdbEvent& event : fdb_.take_events()) kinds.push_back(event.kind);
    return kinds;
  }
  /// Calls age() with a small budget until it says that nothing is due at `now`.
  void age_all(Seconds now) {
    for (int calls = 0; fdb_.next_deadline() && *fdb_.next_deadline() <= now; ++calls) {
      ASSERT_LT(calls, 10000) << "a scan never ends";
      fdb_.age(now, 3);
    }
  }

  test::FdbTables tables_{{.hash_seed = 1, .max_dynamic = 4}};
  Fdb& fdb_ = tables_.fdb;
};

TEST_F(FdbTest, AddRefusesASecondEntry) {
  ASSERT_TRUE(fdb_.add(0, test::kMacA, remote("192.0.2.1"), FdbState::kStatic, 10));
  EXPECT_EQ(kind_of(fdb_.add(0, test::kMacA, remote("192.0.2.2"), FdbState::kStatic, 10)),
            ErrorKind::kExists);
  ASSERT_TRUE(fdb_.add(1, test::kMacA, remote("192.0.2.2"), FdbState::kStatic, 10));
  EXPECT_THAT(remotes_of(fdb_, 0, test::kMacA), ::testing::ElementsAre(remote("192.0.2.1")));
  EXPECT_THAT(remotes_of(fdb_, 1, test::kMacA), ::testing::ElementsAre(remote("192.0.2.2")));
}

TEST_F(FdbTest, OnlyTheZeroMacAndGroupsTakeSeveralRemotes) {
  for (const MacAddr mac : {kZero, kGroup, kBroadcastMac}) {
    for (const char* address : {"192.0.2.1", "192.0.2.2", "192.0.2.2", "192.0.2.3"}) {
      ASSERT_TRUE(fdb_.append(0, mac, remote(address), FdbState::kPermanent, 10));
    }
    EXPECT_THAT(remotes_of(fdb_, 0, mac),
                ::testing::ElementsAre(remote("192.0.2.1"), remote("192.0.2.2"), remote("192.0.2.3")));
  }
  EXPECT_EQ(fdb_.size(), 3U);
  ASSERT_TRUE(fdb_.append(0, test::kMacA, remote("192.0.2.1"), FdbState::kStatic, 10));
  EXPECT_EQ(kind_of(fdb_.append(0, test::kMacA, remote("192.0.2.2"), FdbState::kStatic, 10)),
            ErrorKind::kInvalid);
}

TEST_F(FdbTest, RefusesWhatCannotBeAnEntry) {
  ASSERT_TRUE(fdb_.append(0, kZero, remote("192.0.2.1"), FdbState::kPermanent, 10));
  for (const MacAddr mac : {kZero, kGroup}) {
    EXPECT_EQ(kind_of(fdb_.append(0, mac, {}, FdbState::kPermanent, 10)), ErrorKind::kInvalid);
    EXPECT_EQ(kind_of(fdb_.append(0, mac, Remote{.address = Ipv4()}, FdbState::kPermanent, 10)),
              ErrorKind::kInvalid);
    EXPECT_EQ(kind_of(fdb_.append(0, mac, remote("192.0.2.2"), FdbState::kDynamic, 10)), ErrorKind::kInvalid);
    EXPECT_EQ(kind_of(fdb_.replace(0, mac, remote("192.0.2.2"), FdbState::kDynamic, 10)),
              ErrorKind::kInvalid);
  }
  EXPECT_EQ(kind_of(fdb_.add(0, test::kMacA, {}, FdbState::kStatic, 10)), ErrorKind::kInvalid);
  EXPECT_EQ(fdb_.size(), 1U);
  EXPECT_EQ(tables_.remotes.size(), 1U);
}

TEST_F(FdbTest, ReplaceOfAListSaysWhichRemotesAreGone) {
  for (const char* address : {"192.0.2.1", "192.0.2.2", "192.0.2.3"}) {
    ASSERT_TRUE(fdb_.append(0, kZero, remote(address), FdbState::kPermanent, 10));
  }
  fdb_.take_events();
  ASSERT_TRUE(fdb_.replace(0, kZero, remote("192.0.2.2"), FdbState::kStatic, 11));
  EXPECT_THAT(remotes_of(fdb_, 0, kZero), ::testing::ElementsAre(remote("192.0.2.2")));
  const auto events = fdb_.take_events();
  ASSERT_THAT(events, SizeIs(3));
  EXPECT_EQ(events[0].kind, Kind::kRemoved);
  EXPECT_EQ(events[0].entry.remote, remote("192.0.2.1"));
  EXPECT_EQ(events[1].kind, Kind::kRemoved);
  EXPECT_EQ(events[1].entry.remote, remote("192.0.2.3"));
  EXPECT_EQ(events[2].kind, Kind::kSet);
  EXPECT_EQ(events[2].entry.remote, remote("192.0.2.2"));
  EXPECT_EQ(events[2].entry.state, FdbState::kStatic);
  EXPECT_EQ(tables_.remotes.size(), 1U);
}

TEST_F(FdbTest, RemoveTakesWhatTheFilterNamesAndTheEntryWithItsLastRemote) {
  ASSERT_TRUE(fdb_.append(0, kZero, remote("192.0.2.1"), FdbState::kPermanent, 10));
  ASSERT_TRUE(fdb_.append(0, kZero, remote("192.0.2.1", 3), FdbState::kPermanent, 10));
  ASSERT_TRUE(fdb_.append(0, kZero,
                          Remote{.address = test::ip("192.0.2.2"), .port = Port(1), .vni = 9_vni, .via = {}},
                          FdbState::kPermanent, 10));
  EXPECT_EQ(kind_of(fdb_.remove(0, kZero, {.address = test::ip("192.0.2.9")})), ErrorKind::kNotFound);
  EXPECT_EQ(kind_of(fdb_.remove(0, kGroup)), ErrorKind::kNotFound);
  EXPECT_EQ(kind_of(fdb_.remove(1, kZero)), ErrorKind::kNotFound);
  EXPECT_EQ(kind_of(fdb_.remove(0, kZero, {.address = test::ip("192.0.2.2"), .link_vni = true})),
            ErrorKind::kNotFound);
  ASSERT_TRUE(fdb_.remove(0, kZero, {.address = test::ip("192.0.2.1"), .via = IfIndex()}));
  EXPECT_THAT(fdb_.get(0, kZero, 10), SizeIs(2));
  ASSERT_TRUE(fdb_.remove(0, kZero, {.vni = 9_vni}));
  EXPECT_THAT(remotes_of(fdb_, 0, kZero), ::testing::ElementsAre(remote("192.0.2.1", 3)));
  ASSERT_TRUE(fdb_.remove(0, kZero, {.via = IfIndex(3)}));
  EXPECT_EQ(fdb_.size(), 0U);
  EXPECT_EQ(tables_.remotes.size(), 0U);
  EXPECT_FALSE(fdb_.find(0, kZero, 10).is_known());
}

TEST_F(FdbTest, FlushHonoursEveryPartOfTheFilter) {
  const auto fill = [&] {
    ASSERT_TRUE(fdb_.replace(0, test::kMacA, remote("192.0.2.1"), FdbState::kStatic, 10));
    ASSERT_TRUE(fdb_.replace(0, test::kMacB, remote("192.0.2.2"), FdbState::kDynamic, 10));
    ASSERT_TRUE(fdb_.replace(0, kZero, remote("192.0.2.1"), FdbState::kPermanent, 10));
    ASSERT_TRUE(fdb_.append(0, kZero, remote("192.0.2.2"), FdbState::kPermanent, 10));
    ASSERT_TRUE(fdb_.replace(1, test::kMacA, remote("192.0.2.1"), FdbState::kStatic, 10));
  };
  fill();
  EXPECT_EQ(fdb_.flush(0, {.states = {FdbState::kStatic, FdbState::kDynamic}, .mac = {}, .remote = {}}), 2U);
  fill();
  EXPECT_EQ(fdb_.flush(0, {.states = {}, .mac = kZero, .remote = {}}), 2U);
  fill();
  EXPECT_EQ(fdb_.flush(0, {.states = {}, .mac = {}, .remote = {.address = test::ip("192.0.2.2")}}), 2U);
  EXPECT_THAT(remotes_of(fdb_, 0, kZero), ::testing::ElementsAre(remote("192.0.2.1")));
  EXPECT_EQ(fdb_.flush(0, {}), 2U);
  EXPECT_EQ(fdb_.size(), 1U);
  EXPECT_EQ(fdb_.flush(7, {}), 0U);
}

TEST_F(FdbTest, LearningFindsRefreshesAndMoves) {
  EXPECT_EQ(fdb_.learn(0, test::kMacA, test::ip("192.0.2.1"), 10), Fdb::Learned::kNew);
  EXPECT_EQ(fdb_.learn(0, test::kMacA, test::ip("192.0.2.1"), 12), Fdb::Learned::kRefreshed);
  auto entry = fdb_.get(0, test::kMacA, 20);
  ASSERT_THAT(entry, SizeIs(1));
  EXPECT_EQ(entry[0].state, FdbState::kDynamic);
  EXPECT_EQ(entry[0].updated, 8U);
  EXPECT_EQ(entry[0].used, 10U);
  EXPECT_EQ(fdb_.learn(0, test::kMacA, test::ip("192.0.2.2"), 15), Fdb::Learned::kMoved);
  fdb_.find(0, test::kMacA, 18);
  entry = fdb_.get(0, test::kMacA, 20);
  EXPECT_EQ(entry[0].remote, remote("192.0.2.2"));
  EXPECT_EQ(entry[0].updated, 5U);
  EXPECT_EQ(entry[0].used, 2U);
  EXPECT_EQ(event_kinds(), (std::vector{Kind::kLearned, Kind::kMoved}));
  EXPECT_EQ(tables_.remotes.size(), 1U);
}

TEST_F(FdbTest, StaticAndPermanentEntriesHoldAgainstLearning) {
  for (const FdbState state : {FdbState::kStatic, FdbState::kPermanent}) {
    ASSERT_TRUE(fdb_.replace(0, test::kMacA, remote("192.0.2.1"), state, 10));
    EXPECT_EQ(fdb_.learn(0, test::kMacA, test::ip("192.0.2.2"), 11), Fdb::Learned::kHeldStatic);
    EXPECT_EQ(fdb_.learn(0, test::kMacA, test::ip("192.0.2.1"), 12), Fdb::Learned::kRefreshed);
    EXPECT_THAT(remotes_of(fdb_, 0, test::kMacA), ::testing::ElementsAre(remote("192.0.2.1")));
  }
  EXPECT_EQ(event_kinds(), (std::vector{Kind::kSet, Kind::kSet}));
}

TEST_F(FdbTest, LearnsNoMoreThanMaxDynamic) {
  for (std::uint64_t i = 1; i <= 4; ++i) {
    EXPECT_EQ(fdb_.learn(0, MacAddr::from_u64(i), test::ip("192.0.2.1"), 10), Fdb::Learned::kNew);
  }
  const MacAddr fifth = MacAddr::from_u64(5);
  EXPECT_EQ(fdb_.learn(0, fifth, test::ip("192.0.2.1"), 10), Fdb::Learned::kFull);
  EXPECT_FALSE(fdb_.find(0, fifth, 10).is_known());
  // What is known may still move, and a person may go beyond the limit.
  EXPECT_EQ(fdb_.learn(0, MacAddr::from_u64(1), test::ip("192.0.2.2"), 10), Fdb::Learned::kMoved);
  EXPECT_TRUE(fdb_.add(0, fifth, remote("192.0.2.1"), FdbState::kDynamic, 10));
  ASSERT_TRUE(fdb_.remove(0, fifth));
  // An entry that stops being dynamic makes room.
  ASSERT_TRUE(fdb_.replace(0, MacAddr::from_u64(1), remote("192.0.2.1"), FdbState::kStatic, 10));
  EXPECT_EQ(fdb_.learn(0, fifth, test::ip("192.0.2.1"), 10), Fdb::Learned::kNew);
}

TEST_F(FdbTest, AgesWhatIsDueAndNothingElse) {
  fdb_.set_ageing(0, 300);
  EXPECT_FALSE(fdb_.next_deadline());
  fdb_.learn(0, test::kMacA, test::ip("192.0.2.1"), 1000);
  fdb_.learn(0, test::kMacB, test::ip("192.0.2.1"), 1001);
  ASSERT_TRUE(fdb_.add(0, MacAddr::from_u64(1), remote("192.0.2.1"), FdbState::kStatic, 1000));
  ASSERT_TRUE(fdb_.add(0, kZero, remote("192.0.2.1"), FdbState::kPermanent, 1000));
  fdb_.learn(1, test::kMacA, test::ip("192.0.2.1"), 1000);  // a link without ageing
  EXPECT_EQ(fdb_.next_deadline(), 1300U);
  fdb_.find(0, test::kMacA, 1299);  // being sent to does not keep an entry alive
  age_all(1299);
  EXPECT_EQ(fdb_.size(), 5U);
  fdb_.take_events();
  age_all(1300);
  EXPECT_THAT(fdb_.get(0, test::kMacA, 1300), IsEmpty());
  EXPECT_EQ(fdb_.size(), 4U);
  EXPECT_EQ(fdb_.next_deadline(), 1301U);
  EXPECT_EQ(event_kinds(), std::vector{Kind::kAged});
  age_all(1'000'000);
  EXPECT_EQ(fdb_.size(), 3U);
  EXPECT_FALSE(fdb_.next_deadline());
}

TEST_F(FdbTest, AgeingBeyondTheScaleIsNever) {
  fdb_.set_ageing(0, 0xffffffff);
  fdb_.learn(0, test::kMacA, test::ip("192.0.2.1"), 1000);
  age_all(0xfffffffe);
  EXPECT_EQ(fdb_.size(), 1U);
}

TEST_F(FdbTest, AShorterAgeingInTheMiddleOfAScanIsNotMissed) {
  for (const std::uint32_t before : {0U, 1000U}) {
    fdb_.set_ageing(0, before);
    fdb_.set_ageing(1, 1);
    fdb_.learn(0, test::kMacA, test::ip("192.0.2.1"), 100);
    fdb_.learn(1, test::kMacB, test::ip("192.0.2.1"), 100);
    fdb_.age(101, 63);  // all slots but one
    fdb_.set_ageing(0, 50);
    age_all(101);
    ASSERT_TRUE(fdb_.next_deadline());
    EXPECT_LE(*fdb_.next_deadline(), 150U);
    EXPECT_THAT(fdb_.get(0, test::kMacA, 101), SizeIs(1));
    age_all(150);
    EXPECT_EQ(fdb_.size(), 0U);
  }
}

TEST(FdbScan, MissesNothingWhenTheTableGrowsUnderIt) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    for (std::size_t seen = 1; seen < 64; seen += 3) {
      test::FdbTables tables({.hash_seed = seed});
      Fdb& fdb = tables.fdb;
      fdb.set_ageing(0, 10);
      // Static entries keep the runs of full slots together across which entries move when the table grows.
      for (std::uint64_t i = 1; i <= 24; ++i) {
        fdb.learn(0, MacAddr::from_u64(i), test::ip("192.0.2.1"), 0);
        ASSERT_TRUE(fdb.add(1, MacAddr::from_u64(i), remote("192.0.2.1"), FdbState::kStatic, 0));
      }
      fdb.age(10, seen);
      const std::size_t before = fdb.memory_bytes();
      for (std::uint64_t i = 25; fdb.memory_bytes() == before; ++i) {
        ASSERT_TRUE(fdb.add(1, MacAddr::from_u64(i), remote("192.0.2.1"), FdbState::kStatic, 0));
      }
      for (int calls = 0; fdb.next_deadline() && calls < 1000; ++calls) fdb.age(10, 5);
      ASSERT_THAT(fdb.list(0, 10), IsEmpty()) << "seed " << seed << " seen " << seen;
    }
  }
}

TEST_F(FdbTest, RemovalsDoNotHoldUpAScan) {
  fdb_.set_ageing(0, 10);
  fdb_.learn(0, test::kMacA, test::ip("192.0.2.1"), 0);
  for (Seconds call = 0; call < 70; ++call) {  // 64 slots, one a call
    ASSERT_TRUE(fdb_.add(1, MacAddr::from_u64(call + 1), remote("192.0.2.1"), FdbState::kStatic, 10));
    fdb_.age(10, 1);
    ASSERT_TRUE(fdb_.remove(1, MacAddr::from_u64(call + 1)));
  }
  EXPECT_EQ(fdb_.size(), 0U);
}

TEST_F(FdbTest, MoveDeviceMergesWhatBecameEqual) {
  ASSERT_TRUE(fdb_.append(0, kZero, remote("192.0.2.1", 5), FdbState::kPermanent, 10));
  ASSERT_TRUE(fdb_.append(0, kZero, remote("192.0.2.2", 5), FdbState::kPermanent, 10));
  ASSERT_TRUE(fdb_.append(0, kZero, remote("192.0.2.1", 7), FdbState::kPermanent, 10));
  ASSERT_TRUE(fdb_.add(0, test::kMacA, remote("192.0.2.1", 5), FdbState::kStatic, 10));
  fdb_.move_device(IfIndex(5), IfIndex(7));
  EXPECT_THAT(remotes_of(fdb_, 0, kZero),
              ::testing::ElementsAre(remote("192.0.2.1", 7), remote("192.0.2.2", 7)));
  EXPECT_THAT(remotes_of(fdb_, 0, test::kMacA), ::testing::ElementsAre(remote("192.0.2.1", 7)));
  // Known under whatever id: appending it changes nothing.
  ASSERT_TRUE(fdb_.append(0, kZero, remote("192.0.2.1", 7), FdbState::kPermanent, 10));
  EXPECT_THAT(fdb_.get(0, kZero, 10), SizeIs(2));
  EXPECT_EQ(fdb_.flush(0, {}), 3U);
  EXPECT_EQ(tables_.remotes.size(), 0U);
}

TEST_F(FdbTest, ListCoversOneLinkOrAll) {
  ASSERT_TRUE(fdb_.append(0, kZero, remote("192.0.2.1"), FdbState::kPermanent, 10));
  ASSERT_TRUE(fdb_.append(0, kZero, remote("192.0.2.2"), FdbState::kPermanent, 10));
  ASSERT_TRUE(fdb_.add(1, test::kMacA, remote("192.0.2.1"), FdbState::kStatic, 10));
  EXPECT_THAT(fdb_.list(0, 10), SizeIs(2));
  EXPECT_THAT(fdb_.list(1, 10), SizeIs(1));
  EXPECT_THAT(fdb_.list({}, 10), SizeIs(3));
  EXPECT_EQ(fdb_.size(), 2U);
}

TEST(Fdb, HoldsManyEntriesInLittleMemory) {
  test::FdbTables tables({.hash_seed = 3});
  Fdb& fdb = tables.fdb;
  constexpr std::uint64_t kMany = 100'000;
  for (std::uint64_t i = 1; i <= kMany; ++i) {
    ASSERT_EQ(fdb.learn(0, MacAddr::from_u64(i), test::ip("192.0.2.1"), 1), Fdb::Learned::kNew);
  }
  for (std::uint64_t i = 1; i <= kMany; ++i)
    ASSERT_EQ(fdb.peek(0, MacAddr::from_u64(i), 1).kind, Fdb::Peeked::kOne);
  EXPECT_EQ(fdb.size(), kMany);
  EXPECT_EQ(tables.remotes.size(), 1U);
  EXPECT_LE(fdb.memory_bytes(), kMany * 24 * 8 / 3);  // at least 3/8 full after the last doubling
}

TEST_F(FdbTest, WhatAControlPlaneSaysNeitherAgesNorMoves) {
  FdbTarget target{remote("192.0.2.1")};
  target.source = 63;
  fdb_.set_ageing(0, 10);
  ASSERT_TRUE(fdb_.replace(0, test::kMacB, target, FdbState::kDynamic, 10));
  EXPECT_EQ(fdb_.get(0, test::kMacB, 10).at(0).source, 63);
  EXPECT_EQ(fdb_.next_deadline(), std::nullopt);
  EXPECT_EQ(fdb_.learn(0, test::kMacB, test::ip("192.0.2.1"), 20), Fdb::Learned::kRefreshed);
  EXPECT_EQ(fdb_.learn(0, test::kMacB, test::ip("192.0.2.2"), 20), Fdb::Learned::kHeldStatic);
  fdb_.age(1000, 1000);
  EXPECT_THAT(fdb_.get(0, test::kMacB, 1000), SizeIs(1));
  // Whoever sets it by hand says so himself.
  ASSERT_TRUE(fdb_.replace(0, test::kMacB, remote("192.0.2.3"), FdbState::kDynamic, 1000));
  EXPECT_EQ(fdb_.get(0, test::kMacB, 1000).at(0).source, 0);
  EXPECT_EQ(fdb_.learn(0, test::kMacB, test::ip("192.0.2.2"), 1000), Fdb::Learned::kMoved);
}

}  // namespace
}  // namespace vtep
