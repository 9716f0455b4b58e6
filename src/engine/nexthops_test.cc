#include "engine/nexthops.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/test_frames.h"
#include "engine/test_tables.h"

namespace vtep {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

Nexthop via(std::uint32_t id, const char* address) {
  return {.id = id, .via = test::ip(address)};
}
Nexthop group(std::uint32_t id, std::vector<NexthopMember> members) {
  return {.id = id, .members = std::move(members)};
}

class NexthopsTest : public ::testing::Test {
 protected:
  std::vector<std::string> remotes(std::uint32_t id) {
    std::vector<std::string> all;
    for (const RemoteId remote : nexthops_.remotes(*nexthops_.group(id))) {
      all.push_back(tables_.remotes[remote].address.to_string());
    }
    return all;
  }

  test::FdbTables tables_{{.hash_seed = 1}};
  Nexthops& nexthops_ = tables_.nexthops;
};

TEST_F(NexthopsTest, AGroupSpreadsByWeight) {
  ASSERT_TRUE(nexthops_.add(via(1, "192.0.2.1")));
  ASSERT_TRUE(nexthops_.add(via(2, "2001:db8::2")));
  ASSERT_TRUE(nexthops_.add(group(10, {{1, 200}, {2, 100}})));
  EXPECT_THAT(remotes(10), ElementsAre("192.0.2.1", "192.0.2.1", "2001:db8::2"));
  EXPECT_TRUE(nexthops_.names(test::ip("192.0.2.1")));
  EXPECT_FALSE(nexthops_.names(test::ip("192.0.2.3")));
}

TEST_F(NexthopsTest, RefusesWhatMakesNoSense) {
  ASSERT_TRUE(nexthops_.add(via(1, "192.0.2.1")));
  ASSERT_TRUE(nexthops_.add(group(10, {{1, 1}})));
  for (const Nexthop& bad :
       {via(0, "192.0.2.1"), via(2, "239.1.1.1"), group(11, {{7, 1}}), group(11, {{10, 1}}),
        group(11, {{1, 0}}), group(11, {{1, 257}}), group(11, {{1, 1}, {1, 1}}), Nexthop{.id = 5}}) {
    EXPECT_FALSE(nexthops_.add(bad)) << bad.id;
  }
  EXPECT_EQ(nexthops_.add(via(1, "192.0.2.9")).error().kind, ErrorKind::kExists);
  EXPECT_FALSE(nexthops_.replace(group(1, {{1, 1}}))) << "a nexthop stays one";
  EXPECT_FALSE(nexthops_.replace(via(10, "192.0.2.1"))) << "a group stays one";
}

TEST_F(NexthopsTest, AChangedNexthopChangesItsGroups) {
  ASSERT_TRUE(nexthops_.add(via(1, "192.0.2.1")));
  ASSERT_TRUE(nexthops_.add(group(10, {{1, 1}})));
  ASSERT_TRUE(nexthops_.replace(via(1, "192.0.2.7")));
  EXPECT_THAT(remotes(10), ElementsAre("192.0.2.7"));
  EXPECT_FALSE(nexthops_.names(test::ip("192.0.2.1")));
}

TEST_F(NexthopsTest, TheLastMemberTakesItsGroupAndTheEntriesAlong) {
  ASSERT_TRUE(nexthops_.add(via(1, "192.0.2.1")));
  ASSERT_TRUE(nexthops_.add(via(2, "192.0.2.2")));
  ASSERT_TRUE(nexthops_.add(group(10, {{1, 1}, {2, 1}})));
  FdbTarget target;
  target.group = 10;
  ASSERT_TRUE(tables_.fdb.add(0, test::kMacA, target, FdbState::kStatic, 1));
  EXPECT_TRUE(tables_.fdb.names(0, test::ip("192.0.2.2")));

  std::vector<GroupIndex> gone;
  ASSERT_TRUE(nexthops_.remove(1, gone));
  EXPECT_THAT(gone, IsEmpty());
  EXPECT_THAT(remotes(10), ElementsAre("192.0.2.2"));
  ASSERT_TRUE(nexthops_.remove(2, gone));
  ASSERT_EQ(gone.size(), 1U);
  EXPECT_EQ(tables_.fdb.flush_group(gone[0]), 1U);
  EXPECT_EQ(tables_.fdb.size(), 0U);
  EXPECT_EQ(tables_.remotes.size(), 0U);
  EXPECT_EQ(nexthops_.remove(10, gone).error().kind, ErrorKind::kNotFound);
}

TEST_F(NexthopsTest, AnEntryWithAGroupIsOneOfManyAndIsHeldByItsMembers) {
  ASSERT_TRUE(nexthops_.add(via(1, "192.0.2.1")));
  ASSERT_TRUE(nexthops_.add(via(2, "192.0.2.2")));
  ASSERT_TRUE(nexthops_.add(group(10, {{1, 1}, {2, 1}})));
  Fdb& fdb = tables_.fdb;
  FdbTarget target;
  target.group = 10;
  target.router = true;
  EXPECT_FALSE(fdb.add(0, MacAddr(), target, FdbState::kPermanent, 1)) << "a flood list is no choice";
  ASSERT_TRUE(fdb.add(0, test::kMacA, target, FdbState::kDynamic, 1));
  const Fdb::Destination found = fdb.find(0, test::kMacA, 2);
  EXPECT_TRUE(found.one_of && found.is_router);
  EXPECT_EQ(found.remotes().size(), 2U);
  EXPECT_EQ(fdb.learn(0, test::kMacA, test::ip("192.0.2.2"), 3), Fdb::Learned::kRefreshed);
  EXPECT_EQ(fdb.learn(0, test::kMacA, test::ip("192.0.2.9"), 3), Fdb::Learned::kHeldStatic);

  const auto entries = fdb.get(0, test::kMacA, 3);
  ASSERT_EQ(entries.size(), 1U);
  EXPECT_EQ(entries[0].group, 10U);
  EXPECT_FALSE(fdb.remove(0, test::kMacA, {.address = test::ip("192.0.2.1")})) << "it names no address";
  EXPECT_TRUE(fdb.remove(0, test::kMacA, {.group = 10}));
  EXPECT_EQ(fdb.size(), 0U);
}

}  // namespace
}  // namespace vtep
