// What HostRoutes hears of what others do to the table.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <functional>

#include "io/test_host_routes.h"

namespace vtep {
namespace {

using ::testing::IsEmpty;
using Change = HostRoutes::Change;
using Verb = HostRoutes::Verb;

class HostRoutesWatchTest : public HostRoutesFixture {
 protected:
  void SetUp() override {
    HostRoutesFixture::SetUp();
    if (IsSkipped()) return;
    routes_->on_change([this](const Change& change) { changes_.push_back(change); });
  }

  bool has(const HostRoute& route, bool removed) const {
    return std::ranges::any_of(
        changes_, [&](const Change& change) { return change.removed == removed && change.route == route; });
  }
  /// Dispatches until the route is reported.
  bool see(const HostRoute& route, bool removed = false) {
    while (!has(route, removed)) {
      if (!wait_readable(routes_->fd())) return false;
      routes_->dispatch();
    }
    changes_.clear();
    return true;
  }
  bool see_removal(const HostRoute& route) { return see(route, true); }
  void set(const HostRoute& route) {
    EXPECT_TRUE(done(routes_->set(route)));
    EXPECT_TRUE(see(route)) << "of our own doings, too";
  }

  std::vector<Change> changes_;
};

TEST_F(HostRoutesWatchTest, ReportsWhatOthersAddReplaceAndDelete) {
  struct Case {
    HostRoute ours;
    HostRoute theirs;
    std::string words;
  };
  for (Case one : {Case{route("10.244.1.0/24", "10.244.1.0", va_), route("10.244.1.0/24", "10.244.1.9", vb_),
                        "10.244.1.0/24 via 10.244.1.9 dev vb onlink"},
                   Case{route("fd00:1::/64", "fd00:1::", va_), route("fd00:1::/64", "fd00:9::9", vb_),
                        "fd00:1::/64 via fd00:9::9 dev vb onlink"}}) {
    one.theirs.protocol = 3;
    set(one.ours);
    sh("ip route replace " + one.words);
    EXPECT_TRUE(see(one.theirs));
    sh("ip route del " + one.words);
    EXPECT_TRUE(see_removal(one.theirs));
    set(one.ours);
    sh("ip route del " + one.ours.destination.to_string());
    EXPECT_TRUE(see_removal(one.ours));
    sh("ip route add " + one.words);
    EXPECT_TRUE(see(one.theirs));
    sh("ip route flush dev vb proto boot; ip -6 route flush dev vb proto boot");
    EXPECT_TRUE(see_removal(one.theirs));
  }
}

TEST_F(HostRoutesWatchTest, ABlackholeInOursPlaceIsNotOurs) {
  set(subnet(1));
  sh("ip route replace blackhole 10.128.1.0/24 proto 86");
  EXPECT_TRUE(see({.destination = subnet(1).destination, .type = 6 /* RTN_BLACKHOLE */}));
}

TEST_F(HostRoutesWatchTest, WhatIsThereAlreadyIsNotTouched) {
  const HostRoute v6 = route("fd00:1::/64", "fd00:1::", va_);
  set(subnet(1));
  set(v6);
  for (const HostRoute& one : {subnet(1), v6}) EXPECT_TRUE(done(routes_->set(one)));
  routes_->dispatch();
  EXPECT_THAT(changes_, IsEmpty());
}

TEST_F(HostRoutesWatchTest, OtherTablesAreNotHeard) {
  sh("ip route add 10.9.1.0/24 dev va table 7 && ip route add 10.9.2.0/24 dev va table 1000");
  set(subnet(1));
  sh("ip route add 10.9.3.0/24 dev va table 7");
  routes_->dispatch();
  EXPECT_THAT(changes_, IsEmpty());
}

TEST_F(HostRoutesWatchTest, RoutesThatGoWithTheirDeviceAreMissed) {
  const HostRoute v4 = subnet(1);
  const HostRoute v6 = route("fd00:1::/64", "fd00:1::", va_);
  HostRoute stays = subnet(2);
  stays.device = vb_;
  for (const std::string end : {"ip link set va down", "ip link del va"}) {
    sh("ip link set va up");
    for (const HostRoute& one : {v4, v6, stays}) ASSERT_TRUE(routes_->set(one));
    ASSERT_TRUE(see(v6));
    sh(end);
    while (!has(v4, true) || !has(v6, true)) {
      ASSERT_TRUE(wait_readable(routes_->fd())) << end;
      routes_->dispatch();
    }
    if (end == "ip link set va down") {
      EXPECT_FALSE(has(stays, true));
    }
    changes_.clear();
  }
}

TEST_F(HostRoutesWatchTest, ADeviceThatLeavesTheNamespaceTakesItsRoutes) {
  set(subnet(1));
  const TestNamespace other;
  sh("ip link set va netns " + other.path());
  EXPECT_TRUE(see_removal(subnet(1)));
}

TEST_F(HostRoutesWatchTest, RoutesThatGoWithTheLastAddressAreMissed) {
  sh("ip addr add 10.128.0.0/32 dev va");
  set(subnet(1));
  sh("ip addr del 10.128.0.0/32 dev va");
  EXPECT_TRUE(see_removal(subnet(1)));
  EXPECT_THAT(ours(), IsEmpty());
}

TEST_F(HostRoutesWatchTest, AfterAnOverrunEverythingIsReportedAnewAndWhatWentIsRemoved) {
  const HostRoute before = route("10.244.1.0/24", "10.244.1.0", va_);
  const HostRoute stays = route("fd00:1::/64", "fd00:1::", va_);
  const HostRoute early = route("10.244.2.0/24", "10.244.2.0", va_);
  for (const HostRoute& one : {before, stays, early}) set(one);
  const int tiny = 1;
  ASSERT_EQ(::setsockopt(routes_->fd(), SOL_SOCKET, SO_RCVBUF, &tiny, sizeof(tiny)), 0);
  // What is heard, enough to overflow the buffer, and then what must not get lost.
  sh("ip route del 10.244.2.0/24");
  for (const auto& result : routes_->apply(subnets(300, Verb::kSet))) ASSERT_TRUE(result);
  sh("ip route del 10.244.1.0/24 && ip route del 10.128.0.0/24");
  sh("ip route replace 10.128.1.0/24 via 10.128.1.9 dev vb onlink proto 86");
  ASSERT_TRUE(wait_readable(routes_->fd()));
  routes_->dispatch();

  EXPECT_TRUE(has(early, true));
  EXPECT_TRUE(has(before, true));
  EXPECT_TRUE(has(stays, false));
  for (unsigned n = 2; n < 300; ++n) EXPECT_TRUE(has(subnet(n), false)) << n;
  // Of the first, queued before the overrun, the outcome counts.
  EXPECT_FALSE(has(subnet(0), false));
  EXPECT_FALSE(has(subnet(1), false));
  HostRoute moved = subnet(1);
  moved.device = vb_;
  moved.gateway = Ipv4(10, 128, 1, 9);
  EXPECT_TRUE(has(moved, false));
  changes_.clear();
  sh("ip route del 10.128.7.0/24");
  EXPECT_TRUE(see_removal(subnet(7)));
}

TEST_F(HostRoutesWatchTest, TheListenerMayAskAndRepair) {
  set(subnet(1));
  bool repaired = false;
  routes_->on_change([&](const Change& change) {
    if (!change.removed || change.route != subnet(1)) return;
    EXPECT_THAT(ours(), IsEmpty());
    EXPECT_TRUE(routes_->set(change.route));
    routes_->on_change([&](const Change& next) { repaired = !next.removed && next.route == subnet(1); });
  });
  sh("ip route del 10.128.1.0/24");
  while (!repaired && wait_readable(routes_->fd())) routes_->dispatch();
  EXPECT_TRUE(repaired);
}

TEST_F(HostRoutesWatchTest, WhatWasThereBeforeIsNotReportedButItsEndIs) {
  ASSERT_TRUE(routes_->set(subnet(1)));
  routes_ = HostRoutes::create().value();
  routes_->on_change([this](const Change& change) { changes_.push_back(change); });
  routes_->dispatch();
  EXPECT_THAT(changes_, IsEmpty());
  sh("ip link set va down");
  EXPECT_TRUE(see_removal(subnet(1)));
}

}  // namespace
}  // namespace vtep
