// Whom a link believes: which VTEPs may send to it, how much it learns, and MACs that move too often.
#include "engine/test_engine.h"

namespace vtep {
namespace {

using test::Bytes;
using test::kMacA;
using test::kMacB;
using test::TestFrame;
using ::testing::Contains;
using ::testing::Field;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr const char* kPeers[] = {"192.0.2.1", "192.0.2.2"};

class TrustTest : public test::EngineTest {
 protected:
  static Prefix prefix(const char* text) { return *Prefix::parse(text); }
  void add_nexthop(const Nexthop& nexthop) { ASSERT_TRUE(engine_.nexthops().add(nexthop)); }
  static MacAddr mac(std::uint8_t n) { return MacAddr({0x02, 0, 0, 0, 1, n}); }
  bool hears(LinkId link, MacAddr from, const char* vtep) {
    return receive(link, TestFrame{.source = from}.build(), vtep).has_value();
  }
  /// Has MAC A go to and fro between the peers, once a second.
  void move(LinkId link, int times) {
    for (int i = 0; i < times; ++i) {
      wait(1);
      turn_ = 1 - turn_;
      EXPECT_TRUE(hears(link, kMacA, kPeers[turn_])) << i;
    }
  }
  const char* here() const { return kPeers[turn_]; }
  const char* elsewhere() const { return kPeers[1 - turn_]; }

 private:
  std::size_t turn_ = 0;
};

// --- which VTEPs may send

TEST_F(TrustTest, OnlyAllowedVtepsAreHeard) {
  const LinkId link =
      add_link({.vni = 10_vni, .sources = {.allow = {prefix("192.0.2.0/24"), prefix("2001:db8::/32")}}});
  EXPECT_TRUE(hears(link, kMacA, "192.0.2.7"));
  EXPECT_TRUE(hears(link, kMacA, "2001:db8::7"));
  EXPECT_EQ(counters(link).drops.total(), 0U);
  EXPECT_FALSE(hears(link, kMacB, "192.0.3.7"));
  EXPECT_FALSE(hears(link, kMacB, "2001:db9::7"));
  EXPECT_EQ(only_drops(link, Drop::kOuterSource), 2U);
  EXPECT_THAT(entry(link, kMacB), IsEmpty()) << "nothing is learned from strangers";
}

TEST_F(TrustTest, DenyIsStrongerThanAllow) {
  const LinkId link = add_link({.vni = 10_vni,
                                .sources = {.allow = {prefix("192.0.2.0/24")},
                                            .deny = {prefix("192.0.2.128/25"), prefix("fd00::/8")}}});
  EXPECT_TRUE(hears(link, kMacA, "192.0.2.127"));
  EXPECT_FALSE(hears(link, kMacA, "192.0.2.128"));
  const LinkId open = add_link({.vni = 11_vni, .sources = {.deny = {prefix("192.0.2.128/25")}}});
  EXPECT_TRUE(hears(open, kMacA, "198.51.100.1")) << "without `allow`, everybody but those";
  EXPECT_FALSE(hears(open, kMacA, "192.0.2.200"));
  EXPECT_EQ(only_drops(link, Drop::kOuterSource), 1U);
  EXPECT_EQ(only_drops(open, Drop::kOuterSource), 1U);
}

TEST_F(TrustTest, NoVtepHasAGroupsAddressOrNone) {
  const LinkId link = add_link({.vni = 10_vni});
  for (const char* nobody : {"239.1.1.1", "ff0e::1", "0.0.0.0", "::"})
    EXPECT_FALSE(hears(link, kMacA, nobody)) << nobody;
  EXPECT_EQ(only_drops(link, Drop::kOuterSource), 4U);
}

TEST_F(TrustTest, APolicyCanChange) {
  LinkConfig config{.vni = 10_vni};
  const LinkId link = add_link(config);
  EXPECT_TRUE(hears(link, kMacA, "192.0.2.1"));
  config.sources.deny = {prefix("192.0.2.1")};
  ASSERT_TRUE(engine_.change_link(link, config, now_));
  EXPECT_FALSE(hears(link, kMacA, "192.0.2.1"));
}

// --- links that do not learn

TEST_F(TrustTest, WithoutLearningOnlyVtepsOfThisLinksTableAreHeard) {
  const LinkId link = add_link({.vni = 10_vni, .flood = test::ip("192.0.2.1"), .learning = false});
  const LinkId other = add_link({.vni = 11_vni, .flood = test::ip("192.0.2.9"), .learning = false});
  add_entry(link, kMacB, remote("2001:db8::2"));
  EXPECT_TRUE(hears(link, kMacA, "192.0.2.1")) << "of the flood list";
  EXPECT_TRUE(hears(link, kMacA, "2001:db8::2"));
  EXPECT_FALSE(hears(link, kMacA, "192.0.2.9")) << "the other link's";
  EXPECT_TRUE(hears(other, kMacA, "192.0.2.9"));
  EXPECT_EQ(only_drops(link, Drop::kUnknownVtep), 1U);
  ASSERT_TRUE(engine_.fdb().remove(link, kMacB));
  EXPECT_FALSE(hears(link, kMacA, "2001:db8::2")) << "it is named no more";
  EXPECT_THAT(entry(link, kMacA), IsEmpty());
}

TEST_F(TrustTest, MembersOfANexthopGroupAreKnownVteps) {
  const LinkId link = add_link({.vni = 10_vni, .learning = false});
  add_nexthop({.id = 1, .via = test::ip("192.0.2.1")});
  add_nexthop({.id = 2, .via = test::ip("192.0.2.2")});
  add_nexthop({.id = 10, .via = {}, .members = {{1}, {2}}});
  EXPECT_FALSE(hears(link, kMacA, "192.0.2.1")) << "no entry names the group yet";
  FdbTarget group;
  group.group = 10;
  add_entry(link, kMacB, group);
  EXPECT_TRUE(hears(link, kMacA, "192.0.2.1"));
  EXPECT_TRUE(hears(link, kMacA, "192.0.2.2"));
  ASSERT_TRUE(engine_.remove_nexthop(2));
  EXPECT_TRUE(hears(link, kMacA, "192.0.2.1"));
  EXPECT_FALSE(hears(link, kMacA, "192.0.2.2"));
  ASSERT_TRUE(engine_.remove_nexthop(10));
  EXPECT_THAT(entry(link, kMacB), IsEmpty()) << "the entry went with its group";
  EXPECT_FALSE(hears(link, kMacA, "192.0.2.1"));
  EXPECT_EQ(only_drops(link, Drop::kUnknownVtep), 3U);
}

/// Any of them may send for the MAC, and none of that is a move.
TEST_F(TrustTest, AStationBehindANexthopGroupIsHeardFromEveryMember) {
  const LinkId link = add_link({.vni = 10_vni});
  add_nexthop({.id = 1, .via = test::ip("192.0.2.1")});
  add_nexthop({.id = 2, .via = test::ip("192.0.2.2")});
  add_nexthop({.id = 10, .via = {}, .members = {{1}, {2}}});
  FdbTarget group;
  group.group = 10;
  add_entry(link, kMacA, group);
  EXPECT_TRUE(hears(link, kMacA, "192.0.2.1"));
  EXPECT_TRUE(hears(link, kMacA, "192.0.2.2"));
  EXPECT_FALSE(hears(link, kMacA, "192.0.2.3"));
  EXPECT_EQ(only_drops(link, Drop::kStaticSource), 1U);
  EXPECT_EQ(counters(link).moved, 0U);
}

// --- how much is learned

TEST_F(TrustTest, ALinkLearnsNoMoreThanItsLimit) {
  const LinkId link = add_link({.vni = 10_vni, .max_addresses = 3});
  const LinkId other = add_link({.vni = 11_vni});
  for (std::uint8_t n = 0; n < 5; ++n) EXPECT_TRUE(hears(link, mac(n), "192.0.2.1")) << "forwarded anyway";
  EXPECT_EQ(counters(link).learned, 3U);
  EXPECT_EQ(counters(link).learn_refused, 2U);
  EXPECT_EQ(engine_.fdb().size(link), 3U);
  const auto refused = engine_.fdb().add(link, kMacB, remote("192.0.2.1"), FdbState::kPermanent, seconds());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kFull);
  EXPECT_TRUE(engine_.fdb().replace(link, mac(0), remote("192.0.2.2"), FdbState::kStatic, seconds()));
  for (std::uint8_t n = 0; n < 5; ++n) EXPECT_TRUE(hears(other, mac(n), "192.0.2.1"));
  EXPECT_EQ(engine_.fdb().size(other), 5U) << "the limit is the link's own";

  ASSERT_TRUE(engine_.fdb().remove(link, mac(0)));
  EXPECT_TRUE(hears(link, mac(4), "192.0.2.1"));
  EXPECT_THAT(entry(link, mac(4)), SizeIs(1)) << "there is room again";
}

TEST_F(TrustTest, ALimitCanBeRaisedTogetherWithAFloodAddress) {
  LinkConfig config{.vni = 10_vni, .max_addresses = 1};
  const LinkId link = add_link(config);
  EXPECT_TRUE(hears(link, kMacA, "192.0.2.1"));
  config.flood = test::ip("192.0.2.1");
  const auto refused = engine_.change_link(link, config, now_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kFull);
  EXPECT_FALSE(engine_.config(link).flood);
  config.max_addresses = 2;
  EXPECT_TRUE(engine_.change_link(link, config, now_));
  EXPECT_EQ(engine_.fdb().size(link), 2U);
}

// --- MACs that move (RFC 7432 section 15.1)

TEST_F(TrustTest, AMacThatMovesTooOftenIsFrozenWhereItIs) {
  const LinkId link = add_link({.vni = 10_vni});
  ASSERT_TRUE(hears(link, kMacA, here()));
  move(link, 5);
  EXPECT_FALSE(entry(link, kMacA)[0].frozen);
  engine_.fdb().take_events();
  move(link, 1);
  EXPECT_EQ(counters(link).moved, 6U);
  EXPECT_EQ(counters(link).frozen, 1U);
  EXPECT_TRUE(entry(link, kMacA)[0].frozen);
  const auto events = engine_.fdb().take_events();
  ASSERT_THAT(events, Contains(Field(&FdbEvent::kind, FdbEvent::Kind::kFrozen)));
  EXPECT_EQ(events.back().entry.remote.address, test::ip(here()));
  EXPECT_TRUE(events.back().entry.frozen);

  EXPECT_FALSE(hears(link, kMacA, elsewhere()));
  EXPECT_TRUE(hears(link, kMacA, here()));
  EXPECT_TRUE(hears(link, kMacB, elsewhere())) << "others are not held to account";
  EXPECT_EQ(only_drops(link, Drop::kFrozenSource), 1U);
  EXPECT_EQ(entry(link, kMacA)[0].remote.address, test::ip(here()));
}

TEST_F(TrustTest, MovesBeyondTheWindowDoNotCount) {
  const LinkId link = add_link({.vni = 10_vni, .ageing = 0, .move_limit = {.moves = 2, .window = 10}});
  ASSERT_TRUE(hears(link, kMacA, here()));
  for (int i = 0; i < 10; ++i) {
    wait(5);
    move(link, 1);
  }
  EXPECT_EQ(counters(link).frozen, 0U);
  EXPECT_EQ(counters(link).moved, 10U);
}

TEST_F(TrustTest, ALimitOfZeroFreezesNothing) {
  const LinkId link = add_link({.vni = 10_vni, .move_limit = {.moves = 0, .window = 180}});
  ASSERT_TRUE(hears(link, kMacA, here()));
  move(link, 50);
  EXPECT_EQ(counters(link).frozen, 0U);
}

/// Who replaces the entry has looked at it: what went before does not count again.
TEST_F(TrustTest, ReplacingAFrozenEntryStartsAnew) {
  const LinkId link = add_link({.vni = 10_vni});
  ASSERT_TRUE(hears(link, kMacA, here()));
  move(link, 6);
  ASSERT_TRUE(entry(link, kMacA)[0].frozen);
  ASSERT_TRUE(engine_.fdb().replace(link, kMacA, remote(here()), FdbState::kDynamic, seconds()));
  EXPECT_FALSE(entry(link, kMacA)[0].frozen);
  move(link, 5);
  EXPECT_FALSE(entry(link, kMacA)[0].frozen);
  move(link, 1);
  EXPECT_TRUE(entry(link, kMacA)[0].frozen);
  EXPECT_EQ(counters(link).frozen, 2U);
}

TEST_F(TrustTest, AFrozenMacThatFallsSilentIsForgotten) {
  const LinkId link = add_link({.vni = 10_vni, .ageing = 20});
  ASSERT_TRUE(hears(link, kMacA, here()));
  move(link, 6);
  wait(19);
  EXPECT_FALSE(hears(link, kMacA, elsewhere())) << "does not keep it alive";
  wait(1);
  engine_.advance(now_, 1000);
  EXPECT_THAT(entry(link, kMacA), IsEmpty());
  EXPECT_TRUE(hears(link, kMacA, elsewhere()));
  EXPECT_FALSE(entry(link, kMacA)[0].frozen);
}

}  // namespace
}  // namespace vtep
