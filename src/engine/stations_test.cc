#include "engine/stations.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>
#include <tuple>

namespace vtep {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using Kind = StationEvent::Kind;

constexpr LinkId kLink = 3;
const MacAddr kMac = *MacAddr::parse("02:00:00:00:00:01");
const MacAddr kOther = *MacAddr::parse("02:00:00:00:00:02");
const IpAddr kIp = Ipv4(192, 168, 5, 1);

MATCHER_P2(Tells, kind, mac, "") {
  return arg.kind == kind && arg.mac == mac;
}

TEST(StationsTest, AStationIsNewsOnce) {
  Stations stations({});
  EXPECT_TRUE(stations.see(kLink, kMac, 10));
  EXPECT_FALSE(stations.see(kLink, kMac, 11));
  EXPECT_TRUE(stations.see(kLink + 1, kMac, 11)) << "on another link it is another one";
  EXPECT_THAT(stations.take_events(), ElementsAre(Tells(Kind::kSeen, kMac), Tells(Kind::kSeen, kMac)));
  EXPECT_EQ(stations.size(), 2U);
}

TEST(StationsTest, WhoIsNotSeenIsForgotten) {
  Stations stations({});
  stations.set_ageing(kLink, 300);
  stations.see(kLink, kMac, 10);
  stations.see(kLink, kOther, 20);
  stations.see(kLink, kMac, 100);
  stations.take_events();
  EXPECT_EQ(stations.next_deadline(), 320U);
  stations.age(319, 10);
  EXPECT_THAT(stations.take_events(), IsEmpty());
  stations.age(320, 10);
  EXPECT_THAT(stations.take_events(), ElementsAre(Tells(Kind::kGone, kOther)));
  EXPECT_EQ(stations.next_deadline(), 400U);
  stations.set_ageing(kLink, 0);
  EXPECT_EQ(stations.next_deadline(), std::nullopt);
}

TEST(StationsTest, AgeingKeepsToItsBudget) {
  Stations stations({});
  stations.set_ageing(kLink, 1);
  for (std::uint64_t i = 0; i < 10; ++i) stations.see(kLink, MacAddr::from_u64(0x020000000000 + i), 0);
  stations.age(100, 4);
  EXPECT_EQ(stations.size(), 6U);
  EXPECT_EQ(stations.next_deadline(), 1U) << "there is more to do";
}

TEST(StationsTest, WhatIsForgottenIsNewsAgain) {
  Stations stations({});
  stations.see(kLink, kMac, 10);
  const std::uint32_t version = stations.version();
  stations.forget(kLink, kMac);
  stations.forget(kLink, kMac);
  EXPECT_NE(stations.version(), version);
  EXPECT_TRUE(stations.see(kLink, kMac, 10));
}

TEST(StationsTest, AnAddressBelongsToOneStation) {
  Stations stations({});
  EXPECT_TRUE(stations.bind(kLink, kMac, kIp, false, 10));
  EXPECT_FALSE(stations.bind(kLink, kMac, kIp, false, 11));
  EXPECT_TRUE(stations.bind(kLink, kMac, kIp, true, 11)) << "it has become a router";
  EXPECT_TRUE(stations.bind(kLink, kOther, kIp, false, 12));
  EXPECT_TRUE(stations.bind(kLink, kMac, kIp, false, 13))
      << "and back: it is not remembered under the first one";
  EXPECT_THAT(
      stations.take_events(),
      ElementsAre(Tells(Kind::kSeen, kMac), Tells(Kind::kAddress, kMac), Tells(Kind::kAddress, kMac),
                  Tells(Kind::kSeen, kOther), Tells(Kind::kAddress, kOther), Tells(Kind::kAddress, kMac)));
}

TEST(StationsTest, ThereAreLimits) {
  Stations stations({.max_stations = 2, .max_addresses = 2});
  for (std::uint8_t i = 1; i <= 3; ++i) stations.bind(kLink, kMac, Ipv4(10, 0, 0, i), false, 0);
  EXPECT_THAT(stations.take_events(), ElementsAre(Tells(Kind::kSeen, kMac), Tells(Kind::kAddress, kMac),
                                                  Tells(Kind::kAddress, kMac)));
  EXPECT_TRUE(stations.see(kLink, kOther, 0));
  EXPECT_FALSE(stations.see(kLink + 1, kMac, 0));
  EXPECT_FALSE(stations.bind(kLink + 1, kMac, kIp, false, 0));
  EXPECT_EQ(stations.size(), 2U);
}

TEST(StationsTest, ALinkGoesWithoutAWord) {
  Stations stations({});
  stations.bind(kLink, kMac, kIp, false, 0);
  stations.see(kLink + 1, kMac, 0);
  stations.remove_link(kLink);
  EXPECT_EQ(stations.size(), 1U);
  EXPECT_THAT(stations.take_events(), ElementsAre(Tells(Kind::kSeen, kMac)));
  EXPECT_TRUE(stations.see(kLink, kMac, 0));
}

/// Against the simplest thing that could do it.
TEST(StationsModelTest, BehavesLikeAMap) {
  using Key = std::pair<LinkId, std::uint64_t>;
  std::mt19937 random(1);
  Stations stations({});
  std::map<Key, Seconds> model;
  for (LinkId link = 0; link < 3; ++link) stations.set_ageing(link, 5 + link);
  Seconds now = 100;
  for (int step = 0; step < 20'000; ++step) {
    const auto link = static_cast<LinkId>(random() % 3);
    const std::uint64_t number = 0x020000000000 + random() % 20;
    const MacAddr mac = MacAddr::from_u64(number);
    switch (random() % 8) {
      case 0:
        stations.forget(link, mac);
        model.erase({link, number});
        break;
      case 1: {
        ++now;
        stations.take_events();
        stations.age(now, 1000);
        std::set<Key> gone;
        for (const StationEvent& event : stations.take_events())
          gone.insert({event.link, event.mac.to_u64()});
        for (const auto& [key, seen] : model) EXPECT_EQ(gone.contains(key), seen + 5 + key.first <= now);
        std::erase_if(model, [&](const auto& entry) { return gone.contains(entry.first); });
        break;
      }
      case 2:
        EXPECT_EQ(
            stations.bind(link, mac, Ipv4(10, 0, 0, static_cast<std::uint8_t>(random() % 4)), false, now) ||
                model.contains({link, number}),
            true);
        model[{link, number}] = now;
        break;
      default:
        EXPECT_EQ(stations.see(link, mac, now), !model.contains({link, number}));
        model[{link, number}] = now;
    }
    ASSERT_EQ(stations.size(), model.size());
  }
}

}  // namespace
}  // namespace vtep
