#include "io/host_routes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/test_host_routes.h"

namespace vtep {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;
using ::testing::UnorderedElementsAre;
using Verb = HostRoutes::Verb;

class HostRoutesTest : public HostRoutesFixture {};

TEST_F(HostRoutesTest, SetsARouteThroughAGatewayThatNoAddressReaches) {
  for (const HostRoute& wanted :
       {route("10.244.1.0/24", "10.244.1.0", va_), route("fd00:1::/64", "fd00:1::", va_)}) {
    HostRoute without_onlink = wanted;
    without_onlink.onlink = false;
    const auto refused = routes_->set(without_onlink);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, ErrorKind::kUnavailable);
    EXPECT_THAT(refused.error().message,
                StartsWith("Cannot set the route " + to_string(wanted, "va") + ": "));

    for (int i = 0; i < 2; ++i) {
      EXPECT_TRUE(done(routes_->set(wanted)));
      EXPECT_THAT(ours(), ElementsAre(wanted));
    }
    for (int i = 0; i < 2; ++i) {
      EXPECT_TRUE(done(routes_->remove(wanted)));
      EXPECT_THAT(ours(), IsEmpty());
    }
  }
}

TEST_F(HostRoutesTest, TheKernelFollowsIt) {
  EXPECT_TRUE(done(routes_->set(route("10.244.1.0/24", "10.244.1.0", va_))));
  EXPECT_TRUE(done(routes_->set(route("fd00:1::/64", "fd00:1::", va_))));
  sh("ip addr add 10.9.0.1/32 dev va && ip addr add fd09::1/128 nodad dev va");
  sh("ip route get 10.244.1.7 | grep -q 'via 10.244.1.0 dev va'");
  sh("ip route get fd00:1::7 | grep -q 'via fd00:1:: dev va'");
  sh("ip -N route show proto 86 | grep -q '^10.244.1.0/24 via 10.244.1.0 dev va onlink'");
}

TEST_F(HostRoutesTest, IsTheSameWhenItComesBack) {
  HostRoute metric = route("10.244.2.0/24", "10.244.2.0", va_);
  metric.metric = 1024;
  HostRoute metric6 = route("fd00:2::/64", "fd00:2::", va_);
  metric6.metric = 1;
  HostRoute nowhere{.destination = *Prefix::parse("10.244.0.0/16"), .type = 6 /* RTN_BLACKHOLE */};
  const std::vector<HostRoute> wanted = {route("10.244.1.0/24", "10.244.1.0", va_),
                                         metric,
                                         on_link("10.244.3.0/24", va_),
                                         route("0.0.0.0/0", "10.244.1.0", va_),
                                         nowhere,
                                         route("fd00:1::/64", "fd00:1::", va_),
                                         metric6,
                                         on_link("fd00:3::/64", va_),
                                         route("::/0", "fd00:1::", va_)};
  for (const HostRoute& one : wanted) EXPECT_TRUE(done(routes_->set(one)));
  EXPECT_THAT(ours(), ::testing::UnorderedElementsAreArray(wanted));
  for (const HostRoute& one : wanted) EXPECT_TRUE(done(routes_->remove(one)));
  EXPECT_THAT(ours(), IsEmpty());
}

TEST_F(HostRoutesTest, ReplacesOurs) {
  for (const auto& [before, after] :
       {std::pair(route("10.244.1.0/24", "10.244.1.0", va_), route("10.244.1.0/24", "10.244.1.1", vb_)),
        std::pair(on_link("10.244.2.0/24", va_), route("10.244.2.0/24", "10.244.2.0", va_)),
        std::pair(route("fd00:1::/64", "fd00:1::", va_), route("fd00:1::/64", "fd00:1::1", vb_)),
        std::pair(on_link("fd00:2::/64", va_), route("fd00:2::/64", "fd00:2::", va_))}) {
    EXPECT_TRUE(done(routes_->set(before)));
    EXPECT_TRUE(done(routes_->set(after)));
    EXPECT_THAT(ours(), ElementsAre(after));
    EXPECT_TRUE(done(routes_->take_over(before)));
    EXPECT_THAT(ours(), ElementsAre(before));
    EXPECT_TRUE(done(routes_->remove(before)));
  }
}

TEST_F(HostRoutesTest, AnotherMetricIsAnotherRoute) {
  for (HostRoute first : {route("10.244.1.0/24", "10.244.1.0", va_), route("fd00:1::/64", "fd00:1::", va_)}) {
    HostRoute second = first;
    second.metric = 2000;
    EXPECT_TRUE(done(routes_->set(first)));
    EXPECT_TRUE(done(routes_->set(second)));
    EXPECT_THAT(ours(), UnorderedElementsAre(first, second));
    EXPECT_TRUE(done(routes_->remove(first)));
    EXPECT_THAT(ours(), ElementsAre(second));
    EXPECT_TRUE(done(routes_->remove(second)));
  }
}

TEST_F(HostRoutesTest, RemovesWhatIsMeant) {
  const HostRoute there = route("10.244.1.0/24", "10.244.1.0", va_);
  EXPECT_TRUE(done(routes_->set(there)));
  EXPECT_TRUE(done(routes_->remove(route("10.244.1.0/24", "10.244.1.1", va_))));
  EXPECT_TRUE(done(routes_->remove(route("10.244.1.0/24", "10.244.1.0", vb_))));
  EXPECT_TRUE(done(routes_->remove(route("10.244.1.0/25", "10.244.1.0", va_))));
  EXPECT_THAT(ours(), ElementsAre(there));
  EXPECT_TRUE(done(routes_->remove({.destination = there.destination}))) << "whatever its gateway";
  EXPECT_THAT(ours(), IsEmpty());
}

TEST_F(HostRoutesTest, LeavesTheRoutesOfOthersAlone) {
  sh("ip route add 10.244.1.0/24 via 10.244.1.0 dev va onlink");
  sh("ip route add fd00:1::/64 via fd00:1:: dev va onlink");
  for (HostRoute theirs :
       {route("10.244.1.0/24", "10.244.1.0", va_), route("fd00:1::/64", "fd00:1::", va_)}) {
    EXPECT_TRUE(done(routes_->remove(theirs)));
    const auto refused = routes_->set(theirs);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error(), (Error{ErrorKind::kExists, "Cannot set the route " + to_string(theirs, "va") +
                                                              ": a route of protocol 3 is in its place"}));
    EXPECT_THAT(ours(), IsEmpty());
    theirs.protocol = 3;
    EXPECT_THAT(routes_->list(va_).value(), Contains(theirs)) << "still there";

    for (const auto& done : {routes_->set(theirs), routes_->take_over(theirs), routes_->remove(theirs)}) {
      ASSERT_FALSE(done);
      EXPECT_EQ(done.error().kind, ErrorKind::kInvalid);
    }
    EXPECT_THAT(routes_->list(va_).value(), Contains(theirs));
  }
}

TEST_F(HostRoutesTest, TakesAPlaceOverIfItIsToldTo) {
  sh("ip route add 10.244.1.0/24 via 10.244.1.9 dev vb onlink");
  sh("ip route add fd00:1::/64 via fd00:1::9 dev vb onlink");
  for (HostRoute wanted :
       {route("10.244.1.0/24", "10.244.1.0", va_), route("fd00:1::/64", "fd00:1::", va_)}) {
    EXPECT_TRUE(done(routes_->take_over(wanted)));
    EXPECT_THAT(ours(), ElementsAre(wanted));
    HostRoute theirs = wanted;
    theirs.protocol = 3;
    theirs.device = vb_;
    theirs.gateway = *IpAddr::parse(wanted.gateway->is_v4() ? "10.244.1.9" : "fd00:1::9");
    EXPECT_THAT(routes_->list().value(), Not(Contains(theirs)));
    EXPECT_TRUE(done(routes_->remove(wanted)));
  }
}

TEST_F(HostRoutesTest, ARouteBehindAStrangersCountsForNothing) {
  const HostRoute wanted = route("10.244.1.0/24", "10.244.1.0", va_);
  EXPECT_TRUE(done(routes_->set(wanted)));
  sh("ip route prepend 10.244.1.0/24 via 10.244.1.9 dev vb onlink");
  const auto refused = routes_->set(wanted);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kExists);
  EXPECT_TRUE(done(routes_->take_over(wanted)));
  EXPECT_THAT(ours(), ElementsAre(wanted));
  sh("test $(ip route show 10.244.1.0/24 | wc -l) = 1");
}

TEST_F(HostRoutesTest, ListsOfADeviceOfAProtocolOrAll) {
  sh("ip route add 10.9.0.0/24 dev vb && ip route add 10.9.1.0/24 dev vb table 7");
  sh("ip route add 10.9.2.0/24 nexthop dev va nexthop dev vb");
  HostRoute theirs = on_link("10.9.0.0/24", vb_);
  theirs.protocol = 3;
  const HostRoute several{.destination = *Prefix::parse("10.9.2.0/24"), .protocol = 3};
  const HostRoute one = route("10.244.1.0/24", "10.244.1.0", va_);
  EXPECT_TRUE(done(routes_->set(one)));
  EXPECT_THAT(ours(va_), ElementsAre(one));
  EXPECT_THAT(ours(vb_), IsEmpty());
  EXPECT_THAT(routes_->list(vb_, 3).value(), ElementsAre(theirs));
  EXPECT_THAT(routes_->list({}, 3).value(), UnorderedElementsAre(theirs, several));
  EXPECT_THAT(routes_->list().value(), ::testing::IsSupersetOf({one, theirs, several}));
  EXPECT_THAT(routes_->list(vb_).value(), Contains(theirs));
  EXPECT_THAT(routes_->list(vb_).value(), Not(Contains(several)));
  EXPECT_THAT(routes_->list(IfIndex(4711)).value(), IsEmpty());
}

TEST_F(HostRoutesTest, ManyAtOnceAndWhatBecomesOfEach) {
  constexpr unsigned kCount = 2000;
  auto requests = subnets(kCount, Verb::kSet);
  // In the middle of a batch, at the end of one, and of all.
  for (const std::size_t bad : {7U, 31U, kCount - 1}) requests[bad].route.device = IfIndex(4711);
  requests[8].route.protocol = 4;
  sh("ip route add 10.128.9.0/24 via 10.128.9.0 dev va onlink");
  const auto results = routes_->apply(requests);
  ASSERT_EQ(results.size(), kCount);
  for (std::size_t i = 0; i < kCount; ++i) {
    const bool is_bad = i == 7 || i == 8 || i == 9 || i == 31 || i == kCount - 1;
    ASSERT_EQ(results[i].has_value(), !is_bad) << i;
  }
  EXPECT_EQ(results[7].error().kind, ErrorKind::kNotFound);
  EXPECT_THAT(results[7].error().message,
              StartsWith("Cannot set the route 10.128.7.0/24 via 10.128.7.0 dev #4711: "));
  EXPECT_EQ(results[8].error().message,
            "Cannot set the route 10.128.8.0/24 via 10.128.8.0 dev va: it is of protocol 4, not 86");
  EXPECT_EQ(results[9].error().kind, ErrorKind::kExists);
  EXPECT_THAT(results[kCount - 1].error().message, StartsWith("Cannot set the route 10.135.207.0/24 "));
  EXPECT_EQ(ours(va_).size(), kCount - 5);

  // All of them exist, some otherwise.
  auto again = subnets(kCount, Verb::kTakeOver);
  for (auto& request : again) request.route.gateway = Ipv4(10, 0, 0, 1);
  for (const auto& result : routes_->apply(again)) EXPECT_TRUE(done(result));
  for (auto& request : again) request.verb = Verb::kSet;
  for (const auto& result : routes_->apply(again)) EXPECT_TRUE(done(result));
  const auto all = ours(va_);
  EXPECT_EQ(all.size(), kCount);
  EXPECT_TRUE(
      std::ranges::all_of(all, [](const auto& one) { return one.gateway == IpAddr(Ipv4(10, 0, 0, 1)); }));
  const auto set_back = subnets(kCount, Verb::kSet);
  for (const auto& result : routes_->apply(set_back)) EXPECT_TRUE(done(result));
  EXPECT_THAT(ours(va_), Contains(subnet(1999)));

  const auto removals = subnets(kCount, Verb::kRemove);
  for (int i = 0; i < 2; ++i) {
    for (const auto& result : routes_->apply(removals)) EXPECT_TRUE(done(result));
    EXPECT_THAT(ours(), IsEmpty());
  }
  EXPECT_THAT(routes_->apply({}), IsEmpty());
}

TEST_F(HostRoutesTest, OneCallRemovesAndThenSets) {
  EXPECT_TRUE(done(routes_->set(subnet(1))));
  HostRoute moved = subnet(1);
  moved.device = vb_;
  const std::vector<HostRoutes::Request> requests = {{Verb::kRemove, subnet(1)}, {Verb::kSet, moved}};
  for (const auto& result : routes_->apply(requests)) EXPECT_TRUE(done(result));
  EXPECT_THAT(ours(), ElementsAre(moved));
}

TEST_F(HostRoutesTest, SaysWhyItCannot) {
  HostRoute other_family = route("10.244.1.0/24", "fd00::1", va_);
  EXPECT_EQ(
      routes_->set(other_family).error(),
      (Error{ErrorKind::kInvalid,
             "Cannot set the route 10.244.1.0/24 via fd00::1 dev va: the gateway is of another family"}));
  sh("ip link set va down");
  for (const HostRoute& one : {subnet(1), route("fd00:1::/64", "fd00:1::", va_)}) {
    const auto down = routes_->set(one);
    ASSERT_FALSE(down);
    EXPECT_EQ(down.error().kind, ErrorKind::kUnavailable) << down.error().message;
  }
  sh("ip link del va");
  for (const HostRoute& one : {subnet(1), route("fd00:1::/64", "fd00:1::", va_)}) {
    const auto gone = routes_->set(one);
    ASSERT_FALSE(gone);
    EXPECT_EQ(gone.error().kind, ErrorKind::kNotFound) << gone.error().message;
    EXPECT_TRUE(done(routes_->remove(one)));
  }
}

TEST_F(HostRoutesTest, NeedsThePermission) {
  const WithoutNetAdmin without;
  EXPECT_EQ(routes_->set(subnet(1)).error(),
            (Error{ErrorKind::kPermission,
                   "Cannot set the route 10.128.1.0/24 via 10.128.1.0 dev va: Operation not permitted"}));
  EXPECT_EQ(routes_->remove(subnet(1)).error(),
            (Error{ErrorKind::kPermission,
                   "Cannot delete the route 10.128.1.0/24 via 10.128.1.0 dev va: Operation not permitted"}));
  const auto many = routes_->apply(subnets(200, Verb::kSet));
  EXPECT_TRUE(std::ranges::none_of(many, [](const auto& result) { return result.has_value(); }))
      << "as many refusals as there can be";
  EXPECT_THAT(ours(), IsEmpty());
}

TEST_F(HostRoutesTest, StaysInItsNamespace) {
  const TestNamespace other;
  other.run([&] { EXPECT_TRUE(done(routes_->set(subnet(1)))); });
  EXPECT_THAT(ours(), ElementsAre(subnet(1)));
}

}  // namespace
}  // namespace vtep
