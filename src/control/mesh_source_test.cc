// Nodes of a mesh on a real etcd, each with a RIB of its own.
#include "control/mesh_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "control/test_etcd.h"
#include "control/test_loop.h"

namespace vtep {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr Vni kVni = 6000_vni;
const MacFact::Key kStation{kVni, *MacAddr::parse("02:00:00:00:00:01")};
const NeighbourFact::Key kAddress{kVni, Ipv4(192, 168, 5, 1)};

/// Each test has a prefix of its own.
class MeshSourceTest : public EtcdTest {
 protected:
  struct Node {
    Node(Loop& loop, std::unique_ptr<EtcdClient> etcd, const MeshOptions& options, const IpAddr& vtep)
        : address(vtep) {
      local.set_vni(kVni, {.vteps = {vtep}, .sources = {id}});
      source = std::make_unique<MeshSource>(loop, rib, id, local, std::move(etcd), options, [this, &loop] {
        for (const MacFact::Key& key : rib.macs().take_changed()) local.yield(key, loop.now());
      });
    }
    const IpAddr address;
    Rib rib{};
    const SourceId id = rib.add_source(Strength::kControlPlane);
    LocalFacts local{rib.macs()};
    std::unique_ptr<MeshSource> source;

    /// Where it sends the station's frames; itself if it is here.
    std::optional<IpAddr> station(const MacFact::Key& key = kStation) {
      if (local.find(key) != nullptr) return address;
      const auto* const winner = rib.macs().winner(key);
      return winner == nullptr ? std::nullopt : std::optional(winner->fact.vtep);
    }
    bool knows(const Node& other) { return rib.vteps().winner({kVni, other.address}) != nullptr; }
  };

  void SetUp() override {
    etcd_ = shared_etcd();
    options_.prefix = std::string("/mesh/") + testing::UnitTest::GetInstance()->current_test_info()->name();
    client_ = make_client_of(etcd_->endpoint());
  }
  std::unique_ptr<Node> node(const std::string& name, std::uint8_t number) {
    MeshOptions options = options_;
    options.node = name;
    return std::make_unique<Node>(loop(), make_client_of(etcd_->endpoint()), options, Ipv4(10, 0, 0, number));
  }
  std::vector<std::string> keys() {
    std::vector<std::string> keys;
    const auto listing = list(*client_, options_.prefix + "/");
    EXPECT_EQ(why(listing), "");
    for (const EtcdEntry& entry : listing->entries) {
      keys.push_back(entry.key.substr(options_.prefix.size() + 1));
    }
    return keys;
  }
  /// Asks etcd now and then, until.
  bool eventually_keys(const testing::Matcher<std::vector<std::string>>& matcher) {
    for (int i = 0; i < 400; ++i) {
      if (matcher.Matches(keys())) return true;
      bool is_over = false;
      loop().at(loop().now() + std::chrono::milliseconds(50), [&] { is_over = true; });
      run_until([&] { return is_over; });
    }
    return false;
  }

  TestEtcd* etcd_ = nullptr;
  MeshOptions options_{.prefix = {}, .node = {}, .ttl = seconds(30)};
  std::unique_ptr<EtcdClient> client_;
};

TEST_F(MeshSourceTest, NodesGetToKnowEachOther) {
  const auto a = node("a", 1);
  const auto b = node("b", 2);
  ASSERT_TRUE(run_until([&] { return a->knows(*b) && b->knows(*a); }));
  EXPECT_FALSE(a->knows(*a));
  a->local.see(kStation, false, loop().now());
  a->local.bind(kAddress, {kStation.mac});
  ASSERT_TRUE(run_until([&] { return b->rib.neighbours().winner(kAddress) != nullptr; }));
  EXPECT_EQ(b->station(), a->address);
  EXPECT_THAT(keys(), ElementsAre("nodes/a", "nodes/b", "vnis/6000/macs/02:00:00:00:00:01/a",
                                  "vnis/6000/nodes/a", "vnis/6000/nodes/b"));
  a->local.forget(kStation);
  ASSERT_TRUE(run_until([&] { return !b->station(); }));
  EXPECT_TRUE(a->source->status().is_connected);
  EXPECT_THAT(a->source->status().state, HasSubstr("node a, VNIs 1, other members 1"));
}

TEST_F(MeshSourceTest, AStationMovesAndComesBack) {
  const auto a = node("a", 1);
  const auto b = node("b", 2);
  const auto c = node("c", 3);
  Node* const all[] = {a.get(), b.get(), c.get()};
  const auto everybody_agrees_on = [&](const Node& owner) {
    return run_until(
        [&] { return std::ranges::all_of(all, [&](Node* one) { return one->station() == owner.address; }); });
  };
  a->local.see(kStation, false, loop().now());
  ASSERT_TRUE(everybody_agrees_on(*a));
  b->local.see(kStation, false, loop().now());
  ASSERT_TRUE(everybody_agrees_on(*b));
  EXPECT_EQ(a->local.find(kStation), nullptr);
  a->local.see(kStation, false, loop().now());
  ASSERT_TRUE(everybody_agrees_on(*a));
  EXPECT_EQ(a->local.find(kStation)->sequence, 2U);
}

TEST_F(MeshSourceTest, WhoLeavesIsForgottenAtOnce) {
  const auto a = node("a", 1);
  auto b = node("b", 2);
  b->local.see(kStation, false, loop().now());
  ASSERT_TRUE(run_until([&] { return a->station() == b->address; }));
  bool has_left = false;
  b->source->leave([&] { has_left = true; });
  ASSERT_TRUE(run_until([&] { return has_left; }));
  b.reset();
  ASSERT_TRUE(run_until([&] { return !a->station(); }));
  EXPECT_THAT(keys(), ElementsAre("nodes/a", "vnis/6000/nodes/a"));
}

TEST_F(MeshSourceTest, WhoDiesIsForgottenWithItsLease) {
  options_.ttl = seconds(2);
  const auto a = node("a", 1);
  auto b = node("b", 2);
  ASSERT_TRUE(run_until([&] { return a->knows(*b) && b->knows(*a); }));
  b.reset();  // without a word
  ASSERT_TRUE(run_until([&] { return a->rib.vteps().size() == 0; }));
}

TEST_F(MeshSourceTest, ANameBelongsToOneHost) {
  const auto a = node("a", 1);
  ASSERT_TRUE(eventually_keys(ElementsAre("nodes/a", "vnis/6000/nodes/a")));
  const auto other = node("a", 2);
  ASSERT_TRUE(run_until([&] { return !other->source->status().last_error.empty(); }));
  EXPECT_THAT(other->source->status().last_error, HasSubstr("the name a is another node's, which says"));
  EXPECT_THAT(other->source->status().state, "claiming the name a");
  // When it is free, it is ours.
  bool has_left = false;
  a->source->leave([&] { has_left = true; });
  ASSERT_TRUE(run_until([&] { return has_left; }));
  ASSERT_TRUE(run_until([&] { return other->source->status().state != "claiming the name a"; }));
}

TEST_F(MeshSourceTest, TheSameHostTakesItsNameAgain) {
  auto a = node("a", 1);
  ASSERT_TRUE(eventually_keys(ElementsAre("nodes/a", "vnis/6000/nodes/a")));
  a.reset();
  a = node("a", 1);
  ASSERT_TRUE(run_until([&] { return a->source->status().state != "claiming the name a"; }));
}

TEST_F(MeshSourceTest, WhatSomebodyElseRemovesOrChangesIsWrittenAgain) {
  const auto a = node("a", 1);
  a->local.see(kStation, false, loop().now());
  const auto all = ElementsAre("nodes/a", "vnis/6000/macs/02:00:00:00:00:01/a", "vnis/6000/nodes/a");
  ASSERT_TRUE(eventually_keys(all));
  ASSERT_EQ(why(remove_prefix(*client_, options_.prefix + "/vnis/")), "");
  ASSERT_TRUE(eventually_keys(all));
  const std::string key = options_.prefix + "/vnis/6000/nodes/a";
  ASSERT_EQ(why(put(*client_, key, "nonsense")), "");
  ASSERT_TRUE(
      run_until([&] { return list(*client_, key)->entries.front().value == R"({"vteps":["10.0.0.1"]})"; }));
}

TEST_F(MeshSourceTest, ALeaseThatWasLostIsTakenAnew) {
  const auto a = node("a", 1);
  a->local.see(kStation, false, loop().now());
  const auto all = ElementsAre("nodes/a", "vnis/6000/macs/02:00:00:00:00:01/a", "vnis/6000/nodes/a");
  ASSERT_TRUE(eventually_keys(all));
  const std::int64_t lease = list(*client_, options_.prefix + "/nodes/a")->entries.front().lease;
  ASSERT_TRUE(await<void>([&](auto done) { client_->revoke(lease, done); }));
  ASSERT_TRUE(eventually_keys(all));
  const std::int64_t other = list(*client_, options_.prefix + "/nodes/a")->entries.front().lease;
  EXPECT_NE(other, lease);
  EXPECT_EQ(list(*client_, options_.prefix + "/vnis/6000/nodes/a")->entries.front().lease, other);
}

TEST_F(MeshSourceTest, AVniComesAndGoes) {
  const auto a = node("a", 1);
  const auto b = node("b", 2);
  ASSERT_TRUE(run_until([&] { return a->knows(*b) && b->knows(*a); }));
  b->local.remove_vni(kVni);
  ASSERT_TRUE(run_until([&] { return !a->knows(*b); }));
  EXPECT_THAT(b->source->status().state, HasSubstr("no link takes part"));
  b->local.set_vni(kVni, {.vteps = {b->address}, .sources = {b->id}});
  ASSERT_TRUE(run_until([&] { return a->knows(*b) && b->knows(*a); }));
}

TEST_F(MeshSourceTest, ManyStationsAreWrittenTogether) {
  const auto a = node("a", 1);
  const auto b = node("b", 2);
  constexpr std::uint64_t kCount = 5000;
  for (std::uint64_t i = 0; i < kCount; ++i) {
    a->local.see({kVni, MacAddr::from_u64(0x020000000000 + i)}, false, loop().now());
  }
  ASSERT_TRUE(run_until([&] { return b->rib.macs().size() == kCount; })) << b->rib.macs().size();
}

TEST_F(MeshSourceTest, ManyVnis) {
  const auto a = node("a", 1);
  const auto b = node("b", 2);
  constexpr std::uint32_t kCount = 200;
  for (std::uint32_t vni = 1; vni <= kCount; ++vni) {
    for (Node* const one : {a.get(), b.get()}) {
      one->local.set_vni(*Vni::from(vni), {.vteps = {one->address}, .sources = {one->id}});
    }
  }
  ASSERT_TRUE(
      run_until([&] { return a->rib.vteps().size() == kCount + 1 && b->rib.vteps().size() == kCount + 1; }));
}

/// Its own etcd: it comes to harm.
TEST_F(MeshSourceTest, WhileEtcdIsAwayWhatIsKnownStays) {
  TestEtcd etcd;
  etcd.start();
  etcd_ = &etcd;
  options_.ttl = seconds(60);
  const auto a = node("a", 1);
  const auto b = node("b", 2);
  b->local.see(kStation, false, loop().now());
  ASSERT_TRUE(run_until([&] { return a->station() == b->address; }));
  etcd.crash();
  ASSERT_TRUE(run_until([&] { return !a->source->status().is_connected; }));
  EXPECT_EQ(a->station(), b->address);
  // What happens meanwhile is told when it is back.
  b->local.forget(kStation);
  const MacFact::Key late{kVni, *MacAddr::parse("02:00:00:00:00:02")};
  b->local.see(late, false, loop().now());
  etcd.start();
  ASSERT_TRUE(run_until([&] { return a->station(late) == b->address && !a->station(); }));
  EXPECT_TRUE(run_until([&] { return a->source->status().is_connected; }));
}

}  // namespace
}  // namespace vtep
