// Hosts that know each other by EVPN, each with a real gobgpd of its own, on loopback.
#include "control/evpn_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <memory>
#include <string>
#include <vector>

#include "control/test_gobgp.h"
#include "control/test_loop.h"

namespace vtep {
namespace {

using testing::HasSubstr;

constexpr Vni kVni = 6000_vni;
constexpr std::uint32_t kAs = 65000;
const MacFact::Key kStation{kVni, *MacAddr::parse("02:00:00:00:00:01")};
const NeighbourFact::Key kAddress{kVni, Ipv4(192, 168, 5, 1)};

class EvpnSourceTest : public testing::Test, protected TestLoop {
 protected:
  struct Host {
    Host(Loop& loop, std::uint8_t number, std::uint16_t port, const std::vector<BgpPeer>& peers,
         std::map<Vni, EvpnTargets> targets)
        : address(Ipv4(127, 1, 0, number)), gobgp(loop) {
      local.set_vni(kVni, {.vteps = {address}, .sources = {id}});
      EvpnOptions options;
      options.speaker = {
          .as = kAs, .router_id = address.to_string(), .port = port, .listen = {address.to_string()}};
      options.peers = peers;
      options.targets = std::move(targets);
      for (BgpPeer& peer : options.peers) peer.local = address;
      source = std::make_unique<EvpnSource>(
          loop, rib, id, local, std::make_unique<GobgpClient>(loop, gobgp.address()), options, [this, &loop] {
            for (const auto& key : rib.macs().take_changed()) local.yield(key, loop.now());
          });
    }
    const IpAddr address;
    TestGobgp gobgp;
    Rib rib{};
    const SourceId id = rib.add_source(Strength::kControlPlane);
    LocalFacts local{rib.macs()};
    std::unique_ptr<EvpnSource> source;

    bool knows(const Host& other) { return rib.vteps().winner({kVni, other.address}) != nullptr; }
    std::optional<IpAddr> station(const MacFact::Key& key = kStation) {
      if (local.find(key) != nullptr) return address;
      const auto* const winner = rib.macs().winner(key);
      return winner == nullptr ? std::nullopt : std::optional(winner->fact.vtep);
    }
  };

  /// Two neighbours; only the second dials, for two that dial at the same time both hang up (RFC 4271, 6.8).
  void make_two(std::map<Vni, EvpnTargets> targets_of_b = {}) {
    const std::uint16_t port = free_ports(1)[0];
    a_ = std::make_unique<Host>(
        loop(), 1, port,
        std::vector<BgpPeer>{{.address = Ipv4(127, 1, 0, 2), .as = kAs, .port = port, .passive = true}},
        std::map<Vni, EvpnTargets>());
    b_ = std::make_unique<Host>(
        loop(), 2, port, std::vector<BgpPeer>{{.address = Ipv4(127, 1, 0, 1), .as = kAs, .port = port}},
        std::move(targets_of_b));
  }
  void make_two_that_know_each_other() {
    make_two();
    ASSERT_TRUE(run_until([&] { return a_->knows(*b_) && b_->knows(*a_); }))
        << a_->source->status().state << "\n"
        << a_->source->status().last_error;
  }

  std::unique_ptr<Host> a_, b_;
};

TEST_F(EvpnSourceTest, HostsGetToKnowEachOther) {
  make_two_that_know_each_other();
  EXPECT_FALSE(a_->knows(*a_));
  a_->local.see(kStation, false, loop().now());
  a_->local.bind(kAddress, {kStation.mac});
  ASSERT_TRUE(run_until([&] { return b_->rib.neighbours().winner(kAddress) != nullptr; }));
  EXPECT_EQ(b_->station(), a_->address);
  EXPECT_TRUE(a_->source->status().is_connected);
  EXPECT_THAT(a_->source->status().state, HasSubstr("AS 65000, router id 127.1.0.1, neighbours 1 of 1"));
  a_->local.unbind(kAddress);
  ASSERT_TRUE(run_until([&] { return b_->rib.neighbours().winner(kAddress) == nullptr; }));
  EXPECT_EQ(b_->station(), a_->address);
  a_->local.forget(kStation);
  ASSERT_TRUE(run_until([&] { return !b_->station(); }));
  EXPECT_EQ(b_->source->status().refused, 0U);
}

TEST_F(EvpnSourceTest, AStationMovesAndComesBack) {
  make_two_that_know_each_other();
  const auto both_find_it_behind = [&](const Host& owner) {
    return run_until([&] { return a_->station() == owner.address && b_->station() == owner.address; });
  };
  a_->local.see(kStation, false, loop().now());
  ASSERT_TRUE(both_find_it_behind(*a_));
  b_->local.see(kStation, false, loop().now());
  ASSERT_TRUE(both_find_it_behind(*b_));
  EXPECT_EQ(b_->local.find(kStation)->sequence, 1U);
  a_->local.see(kStation, false, loop().now());
  ASSERT_TRUE(both_find_it_behind(*a_));
  EXPECT_EQ(a_->local.find(kStation)->sequence, 2U);
}

TEST_F(EvpnSourceTest, PrefixesHaveARouter) {
  make_two_that_know_each_other();
  const PrefixFact::Key prefix{kVni, *Prefix::parse("192.168.7.0/24")};
  a_->local.set_prefix(prefix, {kStation.mac});
  ASSERT_TRUE(run_until([&] { return b_->rib.prefixes().winner(prefix) != nullptr; }));
  EXPECT_EQ(b_->rib.prefixes().winner(prefix)->fact.router, kStation.mac);
  EXPECT_EQ(b_->rib.prefixes().winner(prefix)->fact.vtep, a_->address);
  EXPECT_EQ(b_->station(), a_->address) << "frames to the router are for its VTEP";
  a_->local.remove_prefix(prefix);
  ASSERT_TRUE(run_until([&] { return b_->rib.prefixes().winner(prefix) == nullptr; }));
  EXPECT_EQ(b_->station(), std::nullopt);
}

TEST_F(EvpnSourceTest, OnlyRoutesForUsCount) {
  make_two_that_know_each_other();
  const MacFact::Key elsewhere{7_vni, kStation.mac};
  a_->local.set_vni(7_vni, {.vteps = {a_->address}, .sources = {a_->id}});
  a_->local.see(elsewhere, false, loop().now());
  a_->local.see(kStation, false, loop().now());
  ASSERT_TRUE(run_until([&] { return b_->station().has_value(); }));
  EXPECT_FALSE(b_->station(elsewhere));
  // What was heard before counts once it is for us.
  b_->local.set_vni(7_vni, {.vteps = {b_->address}, .sources = {b_->id}});
  ASSERT_TRUE(run_until([&] { return b_->station(elsewhere) == a_->address; }));
  b_->local.remove_vni(7_vni);
  ASSERT_TRUE(run_until([&] { return !b_->station(elsewhere); }));
}

TEST_F(EvpnSourceTest, TargetsMayBeGivenByHand) {
  const RouteTarget theirs = RouteTarget::of_vni(kAs, kVni);
  make_two({{kVni, {.import = {*RouteTarget::parse("1:1")}, .exported = {theirs}}}});
  ASSERT_TRUE(run_until([&] { return a_->knows(*b_); }));
  EXPECT_FALSE(b_->knows(*a_)) << "a's routes are for 65000:6000, and b wants 1:1";
}

TEST_F(EvpnSourceTest, WhenGobgpdIsRestartedNothingIsLost) {
  make_two_that_know_each_other();
  a_->local.see(kStation, false, loop().now());
  ASSERT_TRUE(run_until([&] { return b_->station().has_value(); }));
  // b's own speaker dies: what it has heard stays, and comes again.
  ::kill(b_->gobgp.pid(), SIGKILL);
  ASSERT_TRUE(run_until([&] { return !b_->source->status().is_connected; }));
  EXPECT_EQ(b_->station(), a_->address);
  const MacFact::Key late{kVni, *MacAddr::parse("02:00:00:00:00:02")};
  a_->local.see(late, false, loop().now());
  ASSERT_TRUE(run_until([&] { return b_->station(late) == a_->address; }));
  EXPECT_EQ(b_->station(), a_->address);
  EXPECT_TRUE(b_->knows(*a_));
  ASSERT_TRUE(run_until([&] { return a_->knows(*b_); }));
}

TEST_F(EvpnSourceTest, WhoLeavesWithdraws) {
  make_two_that_know_each_other();
  b_->local.see(kStation, false, loop().now());
  ASSERT_TRUE(run_until([&] { return a_->station() == b_->address; }));
  bool has_left = false;
  b_->source->leave([&] { has_left = true; });
  ASSERT_TRUE(run_until([&] { return has_left; }));
  ASSERT_TRUE(run_until([&] { return !a_->station() && !a_->knows(*b_); }));
}

TEST_F(EvpnSourceTest, ThousandsOfStations) {
  make_two_that_know_each_other();
  constexpr std::uint64_t kCount = 5000;
  for (std::uint64_t i = 0; i < kCount; ++i) {
    a_->local.see({kVni, MacAddr::from_u64(0x020000000000 + i)}, false, loop().now());
  }
  ASSERT_TRUE(run_until([&] { return b_->rib.macs().size() == kCount; })) << b_->rib.macs().size();
}

TEST_F(EvpnSourceTest, NobodyAnswers) {
  Rib rib;
  const SourceId id = rib.add_source(Strength::kControlPlane);
  LocalFacts local(rib.macs());
  EvpnSource source(loop(), rib, id, local, std::make_unique<GobgpClient>(loop(), "unix:///nowhere/at/all"),
                    {}, [] {});
  ASSERT_TRUE(run_until([&] { return !source.status().last_error.empty(); }));
  EXPECT_THAT(source.status().last_error, HasSubstr("gobgpd at unix:///nowhere/at/all does not answer"));
  EXPECT_EQ(source.status().state, "waiting for gobgpd");
}

}  // namespace
}  // namespace vtep
