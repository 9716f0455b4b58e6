#include "engine/neighbours.h"

#include <gtest/gtest.h>

#include "engine/test_frames.h"

namespace vtep {
namespace {

using test::ip;
using test::kMacA;
using test::kMacB;
using Origin = NeighbourOrigin;
using Outcome = Neighbours::Outcome;
using Kind = NeighbourEvent::Kind;

constexpr MacAddr kMacC{{0x02, 0, 0, 0, 0, 0xcc}};

void age_all(Neighbours& table, Seconds now) {
  while (table.next_deadline() && *table.next_deadline() <= now) table.age(now, 7);
}

std::optional<MacAddr> mac_of(const Neighbours& table, LinkId link, const IpAddr& address) {
  const auto found = table.find(link, address, 0);
  if (!found) return std::nullopt;
  return found->mac;
}

TEST(Neighbours, EmptyTableKnowsNobody) {
  Neighbours table({});
  EXPECT_FALSE(table.find(0, ip("10.0.0.1"), 0));
  EXPECT_FALSE(table.remove(0, ip("10.0.0.1"), Origin::kHeard));
  EXPECT_FALSE(table.next_deadline());
  table.remove_link(3);
  EXPECT_TRUE(table.take_events().empty());
}

TEST(Neighbours, SaysWhatWasSet) {
  Neighbours table({});
  EXPECT_EQ(table.set(4, ip("2001:db8::1"), kMacA, true, Origin::kSystem, 100), Outcome::kSet);
  EXPECT_EQ(table.find(4, ip("2001:db8::1"), 130), (Neighbour{.link = 4,
                                                              .ip = ip("2001:db8::1"),
                                                              .mac = kMacA,
                                                              .origin = Origin::kSystem,
                                                              .router = true,
                                                              .updated = 30}));
  EXPECT_FALSE(table.find(5, ip("2001:db8::1"), 130)) << "another link";
  EXPECT_FALSE(table.find(4, ip("2001:db8::2"), 130)) << "another address";
}

TEST(Neighbours, StrongestOriginAnswers) {
  Neighbours table({});
  const IpAddr address = ip("10.0.0.1");
  table.set(0, address, kMacA, {}, Origin::kPermanent, 0);
  table.set(0, address, kMacB, {}, Origin::kHeard, 0);
  table.set(0, address, kMacC, {}, Origin::kSystem, 0);
  EXPECT_EQ(mac_of(table, 0, address), kMacA);
  EXPECT_EQ(table.list({}, 0).size(), 1U) << "one address";
  EXPECT_TRUE(table.remove(0, address, Origin::kPermanent));
  EXPECT_EQ(mac_of(table, 0, address), kMacC);
  EXPECT_TRUE(table.remove(0, address, Origin::kSystem));
  EXPECT_EQ(mac_of(table, 0, address), kMacB);
  EXPECT_TRUE(table.remove(0, address, Origin::kHeard));
  EXPECT_EQ(mac_of(table, 0, address), std::nullopt);

  const auto events = table.take_events();
  ASSERT_EQ(events.size(), 4U) << "what is hidden is not reported";
  EXPECT_EQ(events[0].neighbour.mac, kMacA);
  EXPECT_EQ(events[1].neighbour.mac, kMacC);
  EXPECT_EQ(events[2].neighbour.mac, kMacB);
  EXPECT_EQ(events[2].kind, Kind::kSet);
  EXPECT_EQ(events[3].kind, Kind::kRemoved);
}

TEST(Neighbours, LastHeardWinsAndRefreshesAreNoEvents) {
  Neighbours table({});
  EXPECT_EQ(table.set(0, ip("10.0.0.1"), kMacA, {}, Origin::kHeard, 1), Outcome::kSet);
  EXPECT_EQ(table.set(0, ip("10.0.0.1"), kMacA, {}, Origin::kHeard, 9), Outcome::kSame);
  EXPECT_EQ(table.find(0, ip("10.0.0.1"), 10)->updated, 1U);
  EXPECT_EQ(table.set(0, ip("10.0.0.1"), kMacB, {}, Origin::kHeard, 10), Outcome::kSet);
  EXPECT_EQ(mac_of(table, 0, ip("10.0.0.1")), kMacB);
  EXPECT_EQ(table.take_events().size(), 2U);
}

TEST(Neighbours, RouterFlagStaysWithTheMac) {
  Neighbours table({});
  const IpAddr address = ip("fe80::1");
  const auto router = [&] { return table.find(0, address, 0)->router; };
  table.set(0, address, kMacA, {}, Origin::kHeard, 0);
  EXPECT_EQ(router(), std::nullopt);
  EXPECT_EQ(table.set(0, address, kMacA, true, Origin::kHeard, 0), Outcome::kSet);
  EXPECT_EQ(table.set(0, address, kMacA, {}, Origin::kHeard, 0), Outcome::kSame);
  EXPECT_EQ(router(), true);
  EXPECT_EQ(table.set(0, address, kMacA, false, Origin::kHeard, 0), Outcome::kSet);
  EXPECT_EQ(router(), false);
  table.set(0, address, kMacB, {}, Origin::kHeard, 0);
  EXPECT_EQ(router(), std::nullopt) << "of the new one nothing is known";
}

TEST(Neighbours, RefusesWhatIsNoStation) {
  Neighbours table({});
  for (const char* const address :
       {"0.0.0.0", "127.0.0.1", "224.0.0.1", "239.255.255.255", "255.255.255.255", "::", "::1", "ff02::1"}) {
    EXPECT_EQ(table.set(0, ip(address), kMacA, {}, Origin::kPermanent, 0), Outcome::kInvalid) << address;
  }
  for (const MacAddr mac : {MacAddr(), kBroadcastMac, MacAddr({0x33, 0x33, 0, 0, 0, 1})}) {
    EXPECT_EQ(table.set(0, ip("10.0.0.1"), mac, {}, Origin::kHeard, 0), Outcome::kInvalid);
  }
  for (const char* const address :
       {"1.0.0.1", "126.255.255.255", "128.0.0.1", "223.255.255.255", "255.255.255.254", "::2", "fe80::1"}) {
    EXPECT_EQ(table.set(0, ip(address), kMacA, {}, Origin::kHeard, 0), Outcome::kSet) << address;
  }
}

TEST(Neighbours, HeardOnesAreLimitedForEachLinkAndInAll) {
  Neighbours table({.hash_seed = 1, .max_heard = 5, .max_heard_link = 3});
  const auto hear = [&](LinkId link, std::uint8_t host) {
    return table.set(link, Ipv4(10, 0, 0, host), kMacA, {}, Origin::kHeard, 0);
  };
  for (std::uint8_t host = 1; host <= 3; ++host) EXPECT_EQ(hear(0, host), Outcome::kSet);
  EXPECT_EQ(hear(0, 4), Outcome::kFull) << "the link's limit";
  EXPECT_EQ(hear(0, 3), Outcome::kSame) << "known ones are refreshed";
  EXPECT_EQ(hear(1, 1), Outcome::kSet);
  EXPECT_EQ(hear(1, 2), Outcome::kSet);
  EXPECT_EQ(hear(1, 3), Outcome::kFull) << "the limit of all";
  EXPECT_EQ(table.set(0, ip("10.0.0.4"), kMacA, {}, Origin::kSystem, 0), Outcome::kSet) << "by the system";
  EXPECT_EQ(table.set(1, ip("10.0.0.3"), kMacA, {}, Origin::kPermanent, 0), Outcome::kSet) << "by request";
  table.remove(0, ip("10.0.0.1"), Origin::kHeard);
  EXPECT_EQ(hear(0, 5), Outcome::kSet) << "room again";
  table.remove_link(0);
  EXPECT_EQ(hear(1, 3), Outcome::kSet) << "room again in all";
  EXPECT_EQ(hear(0, 1), Outcome::kSet);
}

TEST(Neighbours, OnlyHeardOnesAge) {
  Neighbours table({});
  table.set(0, ip("10.0.0.1"), kMacA, {}, Origin::kHeard, 100);
  table.set(0, ip("10.0.0.2"), kMacA, {}, Origin::kSystem, 100);
  table.set(0, ip("10.0.0.3"), kMacA, {}, Origin::kPermanent, 100);
  EXPECT_EQ(table.next_deadline(), 100 + Neighbours::kAgeing);
  age_all(table, 99 + Neighbours::kAgeing);
  EXPECT_EQ(table.size(), 3U);
  age_all(table, 100 + Neighbours::kAgeing);
  EXPECT_EQ(table.size(), 2U);
  EXPECT_FALSE(table.find(0, ip("10.0.0.1"), 0));
  EXPECT_FALSE(table.next_deadline());
  EXPECT_EQ(table.take_events().back().kind, Kind::kRemoved);
}

TEST(Neighbours, AgeingIsCountedFromWhatWasHeardLast) {
  Neighbours table({});
  table.set_ageing(0, 60);
  table.set(0, ip("10.0.0.1"), kMacA, {}, Origin::kHeard, 0);
  table.set(0, ip("10.0.0.1"), kMacA, {}, Origin::kHeard, 50);
  age_all(table, 60);
  EXPECT_EQ(table.size(), 1U);
  EXPECT_EQ(table.next_deadline(), 110U);
  table.set_ageing(0, 10);
  age_all(table, 60);
  EXPECT_EQ(table.size(), 0U) << "a shorter time holds at once";
}

TEST(Neighbours, AgeingZeroIsNever) {
  Neighbours table({});
  table.set_ageing(0, 0);
  table.set(0, ip("10.0.0.1"), kMacA, {}, Origin::kHeard, 0);
  age_all(table, 0xffffffff);
  EXPECT_EQ(table.size(), 1U);
}

TEST(Neighbours, RemovedLinkTakesItsTimeAlong) {
  Neighbours table({});
  table.set_ageing(2, 7);
  table.set(2, ip("10.0.0.1"), kMacA, {}, Origin::kHeard, 0);
  table.set(2, ip("10.0.0.1"), kMacB, {}, Origin::kPermanent, 0);
  table.set(3, ip("10.0.0.1"), kMacC, {}, Origin::kHeard, 0);
  table.take_events();
  table.remove_link(2);
  const auto events = table.take_events();
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].kind, Kind::kRemoved);
  EXPECT_EQ(events[0].neighbour.mac, kMacB);
  EXPECT_EQ(table.size(), 1U);
  table.remove_link(3);
  table.set(2, ip("10.0.0.1"), kMacA, {}, Origin::kHeard, 5000);
  age_all(table, 5007);
  EXPECT_EQ(table.size(), 1U) << "the next link of this number starts with the default";
}

TEST(Neighbours, MemoryIs44BytesAnEntryAndReused) {
  constexpr std::uint32_t kCount = 100'000;
  Neighbours table({.hash_seed = 99, .max_heard = kCount, .max_heard_link = kCount});
  const auto fill = [&] {
    for (std::uint32_t i = 0; i < kCount; ++i) {
      ASSERT_EQ(
          table.set(0, Ipv4(0x0a000000 + i), MacAddr::from_u64(0x020000000000 + i), {}, Origin::kHeard, 0),
          Outcome::kSet);
    }
  };
  fill();
  const std::size_t bytes = table.memory_bytes();
  EXPECT_LE(bytes, std::size_t{45} * kCount);
  for (std::uint32_t i = 0; i < kCount; ++i) {
    ASSERT_EQ(mac_of(table, 0, Ipv4(0x0a000000 + i)), MacAddr::from_u64(0x020000000000 + i));
  }
  table.remove_link(0);
  EXPECT_EQ(table.size(), 0U);
  fill();
  EXPECT_EQ(table.memory_bytes(), bytes);
}

}  // namespace
}  // namespace vtep
