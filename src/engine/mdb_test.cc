#include "engine/mdb.h"

#include <gtest/gtest.h>

#include <string>

#include "engine/test_frames.h"

namespace vtep {
namespace {

using test::ip;
using Joined = Mdb::Joined;
using Kind = MdbEvent::Kind;
using Verdict = Mdb::Verdict;

const IpAddr kGroup = ip("239.1.1.1");
const IpAddr kGroup6 = ip("ff0e::1:1");
const IpAddr kAny;
const IpAddr kSource = ip("10.0.0.7");
const IpAddr kSource2 = ip("10.0.0.8");
const IpAddr kAll4 = ip("0.0.0.0");
const IpAddr kAll6 = ip("::");
const IpAddr kVtep1 = ip("192.0.2.1");
const IpAddr kVtep2 = ip("192.0.2.2");
const IpAddr kVtep3 = ip("2001:db8::3");
constexpr LinkId kLink = 3;

Remote to(const IpAddr& address) {
  return {.address = address};
}

class MdbTest : public ::testing::Test {
 protected:
  explicit MdbTest(const Mdb::Options& options = {}) : mdb_(remotes_, options) {}

  /// `flood`, `nobody`, or the addresses.
  std::string find(const IpAddr& group, const IpAddr& source, bool snooping = true) {
    const Verdict verdict = mdb_.find(kLink, group, source, snooping, now_, out_);
    if (verdict == Verdict::kFlood) return "flood";
    if (verdict == Verdict::kNobody) return "nobody";
    std::string text;
    for (const RemoteId id : out_) {
      const Remote& remote = remotes_[id];
      text += (text.empty() ? "" : " ") + remote.address.to_string();
      if (!remote.port.is_zero()) text += ":" + std::to_string(remote.port.value());
    }
    return text;
  }
  /// A switch asked, so that no router gets into the way; and the time until its word counts has passed.
  void hear_querier(GroupProtocol protocol = GroupProtocol::kIgmp) {
    mdb_.query(kLink, {.protocol = protocol, .vtep = kVtep1, .from_router = false}, now_);
    now_ += 11;
  }
  void age_all() {
    while (mdb_.next_deadline() && *mdb_.next_deadline() <= now_) mdb_.age(now_, 1);
  }
  Joined join(const IpAddr& group, const IpAddr& source, const IpAddr& vtep) {
    return mdb_.join(kLink, group, source, vtep, now_);
  }
  ErrorKind refusal(const IpAddr& group, const IpAddr& source, const Remote& remote) {
    const auto result = mdb_.replace(kLink, group, source, remote);
    return result ? ErrorKind::kSystem : result.error().kind;
  }

  RemoteTable remotes_;
  Mdb mdb_;
  std::vector<RemoteId> out_;
  Seconds now_ = 1000;
};

// --- as the kernel's VXLAN MDB has it

TEST_F(MdbTest, WithoutEntriesEverythingIsFlooded) {
  EXPECT_EQ(find(kGroup, kSource, false), "flood");
  EXPECT_EQ(find(kGroup, kSource, true), "flood");
}

TEST_F(MdbTest, TheMostExactPermanentEntryWins) {
  ASSERT_TRUE(mdb_.add(kLink, kAll4, kAny, to(kVtep3)));
  EXPECT_EQ(find(kGroup, kSource, false), "2001:db8::3");
  ASSERT_TRUE(mdb_.add(kLink, kGroup, kAny, to(kVtep2)));
  EXPECT_EQ(find(kGroup, kSource, false), "192.0.2.2");
  ASSERT_TRUE(mdb_.add(kLink, kGroup, kSource, to(kVtep1)));
  EXPECT_EQ(find(kGroup, kSource, false), "192.0.2.1");
  EXPECT_EQ(find(kGroup, kSource2, false), "192.0.2.2");
  EXPECT_EQ(find(ip("239.9.9.9"), kSource, false), "2001:db8::3");
  EXPECT_EQ(find(kGroup6, ip("2001:db8::7"), false), "flood") << "each family has a catch-all of its own";
}

TEST_F(MdbTest, LinkScopeHasNoCatchAll) {
  ASSERT_TRUE(mdb_.add(kLink, kAll4, kAny, to(kVtep1)));
  ASSERT_TRUE(mdb_.add(kLink, kAll6, kAny, to(kVtep1)));
  for (const auto* group : {"224.0.0.1", "224.0.0.251", "ff02::1", "ff02::1:ff00:1", "ff12::5"}) {
    EXPECT_EQ(find(ip(group), kAny, false), "flood") << group;
    ASSERT_TRUE(mdb_.add(kLink, ip(group), kAny, to(kVtep2)));
    EXPECT_EQ(find(ip(group), kAny, false), "192.0.2.2") << group << " has an entry of its own";
  }
  for (const auto* group : {"224.0.1.1", "ff01::1", "ff05::2", "10.0.0.1"})
    EXPECT_EQ(find(ip(group), kAny, false), "192.0.2.1") << group;
}

TEST_F(MdbTest, ManyRemotesOfBothFamilies) {
  ASSERT_TRUE(mdb_.add(kLink, kGroup, kAny, to(kVtep2)));
  ASSERT_TRUE(mdb_.add(kLink, kGroup, kAny, to(kVtep3)));
  ASSERT_TRUE(mdb_.add(kLink, kGroup, kAny, to(kVtep1)));
  EXPECT_EQ(find(kGroup, kSource, false), "192.0.2.1 192.0.2.2 2001:db8::3");
  EXPECT_EQ(mdb_.find(kLink + 1, kGroup, kSource, false, now_, out_), Verdict::kFlood);
}

TEST_F(MdbTest, AnAddressHasOneRemote) {
  ASSERT_TRUE(mdb_.add(kLink, kGroup, kAny, to(kVtep1)));
  const Remote elsewhere{.address = kVtep1, .port = Port(5000)};
  EXPECT_EQ(mdb_.add(kLink, kGroup, ip("0.0.0.0"), elsewhere).error().kind, ErrorKind::kExists);
  ASSERT_TRUE(mdb_.replace(kLink, kGroup, kAny, elsewhere));
  EXPECT_EQ(find(kGroup, kSource, false), "192.0.2.1:5000");
  EXPECT_EQ(mdb_.size(), 1U);
  EXPECT_EQ(remotes_.size(), 1U);
}

TEST_F(MdbTest, RefusesWhatMakesNoSense) {
  EXPECT_EQ(refusal(ip("10.0.0.1"), kAny, to(kVtep1)), ErrorKind::kInvalid);
  EXPECT_EQ(refusal(ip("fd00::1"), kAny, to(kVtep1)), ErrorKind::kInvalid);
  EXPECT_EQ(refusal(kAll4, kSource, to(kVtep1)), ErrorKind::kInvalid);
  EXPECT_EQ(refusal(kGroup, kGroup, to(kVtep1)), ErrorKind::kInvalid);
  EXPECT_EQ(refusal(kGroup, ip("2001:db8::7"), to(kVtep1)), ErrorKind::kInvalid);
  EXPECT_EQ(refusal(kGroup6, kSource, to(kVtep1)), ErrorKind::kInvalid);
  EXPECT_EQ(refusal(kGroup, kAny, Remote()), ErrorKind::kInvalid);
  EXPECT_EQ(mdb_.remove(kLink, kGroup, kAny, kVtep1).error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(mdb_.size(), 0U);
  EXPECT_TRUE(mdb_.take_events().empty());
}

// --- snooping

TEST_F(MdbTest, SilenceProvesNothingWithoutAQuerier) {
  EXPECT_EQ(join(kGroup, kAny, kVtep1), Joined::kNew);
  EXPECT_EQ(find(kGroup, kSource), "flood");
  EXPECT_EQ(find(ip("239.9.9.9"), kSource), "flood");
  mdb_.query(kLink, {.vtep = kVtep2, .from_router = false}, now_);
  now_ += 10;
  EXPECT_EQ(find(kGroup, kSource), "flood") << "others may still answer";
  now_ += 1;
  EXPECT_EQ(find(kGroup, kSource), "192.0.2.1");
  EXPECT_EQ(find(ip("239.9.9.9"), kSource), "nobody");
  EXPECT_EQ(find(kGroup6, kAny), "flood") << "nobody asked for MLD reports";
  EXPECT_EQ(find(kGroup, kSource, false), "flood") << "snooping is off";
}

TEST_F(MdbTest, AQuerierThatFallsSilentIsBelievedNoLonger) {
  hear_querier();
  join(kGroup, kAny, kVtep1);
  now_ = 1000 + 254;
  EXPECT_EQ(find(ip("239.9.9.9"), kSource), "nobody");
  now_ += 1;
  EXPECT_EQ(find(ip("239.9.9.9"), kSource), "flood");
  EXPECT_EQ(find(kGroup, kSource), "flood");
  mdb_.query(kLink, {.vtep = kVtep2, .from_router = false}, now_);
  EXPECT_EQ(find(kGroup, kSource), "flood") << "the next one begins anew";
}

TEST_F(MdbTest, AQuerierThatGoesOnIsNotDoubted) {
  hear_querier();
  now_ += 100;
  mdb_.query(kLink, {.vtep = kVtep2, .from_router = false}, now_);
  EXPECT_EQ(find(kGroup, kSource), "nobody");
}

TEST_F(MdbTest, ARouterGetsEveryGroup) {
  hear_querier();
  EXPECT_EQ(mdb_.query(kLink, {.vtep = kVtep2}, now_), Joined::kNew);
  EXPECT_EQ(find(ip("239.9.9.9"), kSource), "192.0.2.2");
  join(kGroup, kAny, kVtep1);
  join(kGroup, kAny, kVtep2);
  EXPECT_EQ(find(kGroup, kSource), "192.0.2.1 192.0.2.2") << "once each";
  EXPECT_EQ(mdb_.router(kLink, GroupProtocol::kIgmp, kVtep3, now_), Joined::kNew);
  EXPECT_EQ(find(ip("239.9.9.9"), kSource), "192.0.2.2 2001:db8::3");
}

// A v3 host that named a source and a v2 host that named none, behind two VTEPs: both get the source's
// datagrams.
TEST_F(MdbTest, LearnedSourcesAndGroupsAddUp) {
  hear_querier();
  join(kGroup, kSource, kVtep2);
  EXPECT_EQ(find(kGroup, kSource), "192.0.2.2");
  EXPECT_EQ(find(kGroup, kSource2), "nobody");
  join(kGroup, ip("0.0.0.0"), kVtep1);
  EXPECT_EQ(find(kGroup, kSource), "192.0.2.1 192.0.2.2");
  EXPECT_EQ(find(kGroup, kSource2), "192.0.2.1");
}

TEST_F(MdbTest, LearnedOnesOnlyAddToPermanentOnes) {
  hear_querier();
  ASSERT_TRUE(mdb_.add(kLink, kAll4, kAny, to(kVtep3)));
  join(kGroup, kAny, kVtep1);
  EXPECT_EQ(find(kGroup, kSource), "192.0.2.1 2001:db8::3");
  ASSERT_TRUE(mdb_.add(kLink, kGroup, kSource, {.address = kVtep2, .port = Port(5000)}));
  EXPECT_EQ(find(kGroup, kSource), "192.0.2.1 192.0.2.2:5000");
  join(kGroup, kAny, kVtep2);
  EXPECT_EQ(find(kGroup, kSource), "192.0.2.1 192.0.2.2:5000") << "one copy, and to the port that was said";
  EXPECT_EQ(find(kGroup, kSource, false), "192.0.2.2:5000");
}

TEST_F(MdbTest, LinkScopeIsNeverLearned) {
  hear_querier();
  hear_querier(GroupProtocol::kMld);
  for (const auto* group : {"224.0.0.251", "ff02::fb", "ff02::1:ff00:1"}) {
    EXPECT_EQ(join(ip(group), kAny, kVtep1), Joined::kIgnored);
    EXPECT_EQ(find(ip(group), kAny), "flood") << group;
  }
  EXPECT_EQ(join(ip("10.0.0.1"), kAny, kVtep1), Joined::kIgnored);
  EXPECT_EQ(join(kGroup, ip("2001:db8::1"), kVtep1), Joined::kIgnored);
  EXPECT_EQ(join(kGroup, kGroup, kVtep1), Joined::kIgnored);
  EXPECT_EQ(mdb_.size(), 0U);
}

TEST_F(MdbTest, AgesUnlessReportedAgain) {
  EXPECT_EQ(join(kGroup, kAny, kVtep1), Joined::kNew);
  join(kGroup, kAny, kVtep2);
  now_ += 100;
  EXPECT_EQ(join(kGroup, kAny, kVtep1), Joined::kKnown);
  now_ = 1000 + 259;
  age_all();
  EXPECT_EQ(mdb_.size(), 2U);
  now_ += 1;
  EXPECT_EQ(mdb_.next_deadline(), now_);
  mdb_.take_events();
  age_all();
  const auto left = mdb_.list(kLink, now_);
  ASSERT_EQ(left.size(), 1U);
  EXPECT_EQ(left[0].remote.address, kVtep1);
  EXPECT_EQ(left[0].expires, 100U);
  const auto events = mdb_.take_events();
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].kind, Kind::kRemoved);
  EXPECT_EQ(events[0].entry.remote.address, kVtep2);
  now_ += 100;
  age_all();
  EXPECT_EQ(mdb_.size(), 0U);
  EXPECT_EQ(remotes_.size(), 0U);
  EXPECT_FALSE(mdb_.next_deadline());
}

TEST_F(MdbTest, ASlowQuerierMakesMembershipsLonger) {
  mdb_.query(kLink,
             {.vtep = kVtep1, .from_router = false, .max_response = 20, .interval = 600, .robustness = 3},
             now_);
  join(kGroup, kAny, kVtep1);
  EXPECT_EQ(mdb_.next_deadline(), now_ + 3 * 600 + 20);
  mdb_.query(kLink, {.vtep = kVtep1, .from_router = false, .interval = 31744, .robustness = 7}, now_);
  EXPECT_EQ(join(ip("239.2.2.2"), kAny, kVtep1), Joined::kNew);
  EXPECT_EQ(mdb_.list(kLink, now_).back().expires, Mdb::kMaxMembership)
      << "not for hours: it may be a stranger";
  mdb_.query(kLink, {.vtep = kVtep1, .from_router = false, .interval = 1}, now_);
  EXPECT_EQ(join(ip("239.2.2.2"), kAny, kVtep1), Joined::kKnown);
  EXPECT_EQ(mdb_.list(kLink, now_).back().expires, Mdb::kMembership);
}

TEST_F(MdbTest, ALeaveGivesOthersTimeToAnswer) {
  hear_querier();
  join(kGroup, kAny, kVtep1);
  join(kGroup, kSource, kVtep1);
  join(kGroup, kAny, kVtep2);
  mdb_.leave(kLink, kGroup, kAny, kVtep1, now_);
  now_ += 2;
  age_all();
  EXPECT_EQ(find(kGroup, kSource), "192.0.2.1 192.0.2.2") << "seconds are rounded down";
  EXPECT_EQ(join(kGroup, kAny, kVtep1), Joined::kKnown) << "another host answers";
  now_ += 1;
  age_all();
  EXPECT_EQ(mdb_.size(), 2U) << "nobody answered for the source";
  EXPECT_EQ(find(kGroup, kSource), "192.0.2.1 192.0.2.2");
  mdb_.leave(kLink, kGroup, kAny, kVtep1, now_);
  now_ += 3;
  age_all();
  EXPECT_EQ(find(kGroup, kSource), "192.0.2.2");
}

TEST_F(MdbTest, ALeaveOfOneSourceConcernsThatOne) {
  hear_querier();
  join(kGroup, kAny, kVtep1);
  join(kGroup, kSource, kVtep1);
  join(kGroup, kSource2, kVtep1);
  mdb_.leave(kLink, kGroup, kSource, kVtep1, now_);
  now_ += 3;
  age_all();
  const auto left = mdb_.list({}, now_);
  ASSERT_EQ(left.size(), 2U);
  EXPECT_EQ(left[0].source, kAny);
  EXPECT_EQ(left[1].source, kSource2);
}

TEST_F(MdbTest, ALeaveNeedsAQuerierWhoAsksTheOthers) {
  join(kGroup, kAny, kVtep1);
  mdb_.leave(kLink, kGroup, kAny, kVtep1, now_);
  EXPECT_EQ(mdb_.next_deadline(), now_ + 260);
  hear_querier();
  mdb_.group_query(kLink, GroupProtocol::kIgmp, 5);
  mdb_.leave(kLink, kGroup, kAny, kVtep1, now_);
  EXPECT_EQ(mdb_.next_deadline(), now_ + 11) << "as slow as its questions";
}

TEST_F(MdbTest, OurOwnQuerier) {
  mdb_.query(kLink, {}, now_);
  EXPECT_TRUE(mdb_.has_local_querier(kLink, GroupProtocol::kIgmp, now_ + 254));
  EXPECT_FALSE(mdb_.has_local_querier(kLink, GroupProtocol::kIgmp, now_ + 255));
  EXPECT_FALSE(mdb_.has_local_querier(kLink, GroupProtocol::kMld, now_));
  EXPECT_FALSE(mdb_.has_local_querier(kLink + 1, GroupProtocol::kIgmp, now_));
  EXPECT_EQ(mdb_.size(), 0U) << "there is no remote for it";
  now_ += 11;
  EXPECT_EQ(find(kGroup, kSource), "nobody");
  mdb_.router(kLink, GroupProtocol::kMld, IpAddr(), now_);
  EXPECT_TRUE(mdb_.has_local_querier(kLink, GroupProtocol::kMld, now_ + 259));
  EXPECT_EQ(find(kGroup6, kAny), "flood") << "a router that asks nothing";
}

// --- both at once

TEST_F(MdbTest, APermanentEntryHidesALearnedOne) {
  join(kGroup, kAny, kVtep1);
  ASSERT_TRUE(mdb_.add(kLink, kGroup, kAny, {.address = kVtep1, .port = Port(5000)}));
  EXPECT_EQ(mdb_.size(), 1U);
  EXPECT_TRUE(mdb_.list(kLink, now_)[0].permanent);
  EXPECT_EQ(mdb_.list(kLink, now_)[0].expires, 0U);
  mdb_.take_events();
  ASSERT_TRUE(mdb_.remove(kLink, kGroup, kAny, kVtep1));
  const auto events = mdb_.take_events();
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].kind, Kind::kSet);
  EXPECT_FALSE(events[0].entry.permanent);
  EXPECT_EQ(events[0].entry.remote, to(kVtep1));
  ASSERT_TRUE(mdb_.remove(kLink, kGroup, kAny, kVtep1)) << "the learned one";
  EXPECT_EQ(mdb_.size(), 0U);
  EXPECT_FALSE(mdb_.next_deadline());
  EXPECT_EQ(remotes_.size(), 0U);
}

TEST_F(MdbTest, PermanentOnesDoNotAge) {
  ASSERT_TRUE(mdb_.add(kLink, kGroup, kAny, to(kVtep1)));
  join(kGroup, kAny, kVtep1);
  mdb_.take_events();
  now_ += 260;
  age_all();
  EXPECT_TRUE(mdb_.take_events().empty());
  EXPECT_EQ(find(kGroup, kSource), "192.0.2.1");
  EXPECT_FALSE(mdb_.next_deadline());
}

TEST_F(MdbTest, RemovesALinkAndWhatItHeard) {
  hear_querier();
  mdb_.join(kLink, kGroup, kSource, kVtep1, now_);
  ASSERT_TRUE(mdb_.add(kLink, kAll4, kAny, to(kVtep2)));
  mdb_.join(kLink + 1, kGroup, kAny, kVtep1, now_);
  EXPECT_EQ(mdb_.remove_link(kLink), 2U);
  EXPECT_EQ(mdb_.list({}, now_).size(), 1U);
  EXPECT_EQ(find(kGroup, kSource), "flood") << "its number may be another's tomorrow";
  EXPECT_EQ(mdb_.remove_link(kLink), 0U);
  EXPECT_EQ(mdb_.remove_link(kLink + 1), 1U);
  EXPECT_EQ(remotes_.size(), 0U);
  EXPECT_FALSE(mdb_.next_deadline());
}

// --- limits

class SmallMdb : public MdbTest {
 protected:
  SmallMdb() : MdbTest({.max_groups = 2, .max_sources = 2, .max_members = 5}) {}
};

TEST_F(SmallMdb, BeyondTheGroupsOthersAreFlooded) {
  hear_querier();
  join(ip("239.0.0.1"), kAny, kVtep1);
  join(ip("239.0.0.2"), kSource, kVtep1);
  EXPECT_EQ(join(ip("239.0.0.3"), kAny, kVtep1), Joined::kRefused);
  EXPECT_EQ(find(ip("239.0.0.3"), kSource), "flood");
  EXPECT_EQ(find(ip("239.0.0.1"), kSource), "192.0.2.1") << "what is listed is complete";
  EXPECT_EQ(find(ip("239.0.0.2"), kSource2), "nobody");
  EXPECT_EQ(mdb_.join(kLink, kGroup6, kAny, kVtep1, now_), Joined::kNew)
      << "the other protocol counts for itself";
  ASSERT_TRUE(mdb_.add(kLink, ip("239.0.0.4"), kAny, to(kVtep2))) << "people have no limit";
  EXPECT_EQ(join(ip("239.0.0.4"), kAny, kVtep1), Joined::kRefused);

  // 260 s later nothing is missing any more: who still listens has repeated it.
  mdb_.query(kLink, {.vtep = kVtep1, .from_router = false}, now_ + 200);
  now_ += 260;
  age_all();
  EXPECT_EQ(find(ip("239.0.0.3"), kSource), "nobody");
}

TEST_F(SmallMdb, BeyondTheSourcesTheGroupIsWidened) {
  hear_querier();
  join(kGroup, ip("10.0.0.1"), kVtep1);
  join(kGroup, ip("10.0.0.2"), kVtep1);
  EXPECT_EQ(join(kGroup, ip("10.0.0.2"), kVtep2), Joined::kNew) << "no new source";
  EXPECT_EQ(join(kGroup, ip("10.0.0.3"), kVtep2), Joined::kWidened);
  EXPECT_EQ(join(kGroup, ip("10.0.0.4"), kVtep2), Joined::kWidened);
  EXPECT_EQ(find(kGroup, ip("10.0.0.9")), "192.0.2.2");
  EXPECT_EQ(mdb_.size(), 4U);
}

TEST_F(SmallMdb, BeyondTheMembersAllIsFlooded) {
  hear_querier();
  for (std::uint8_t i = 1; i <= 5; ++i) EXPECT_EQ(join(kGroup, kAny, Ipv4(192, 0, 2, i)), Joined::kNew);
  EXPECT_EQ(find(ip("239.9.9.9"), kSource), "nobody");
  EXPECT_EQ(mdb_.query(kLink, {.vtep = ip("192.0.2.6")}, now_), Joined::kRefused);
  EXPECT_EQ(find(kGroup, kSource), "flood");
  EXPECT_EQ(find(ip("239.9.9.9"), kSource), "flood");
  EXPECT_EQ(join(kGroup, kAny, kVtep1), Joined::kKnown) << "those that are there go on";
  EXPECT_EQ(mdb_.size(), 5U);
}

}  // namespace
}  // namespace vtep
