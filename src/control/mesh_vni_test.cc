#include "control/mesh_vni.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>

namespace vtep {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

constexpr Vni kVni = 6000_vni;
const IpAddr kVtepB = Ipv4(10, 0, 0, 2);
const IpAddr kVtepC = Ipv4(10, 0, 0, 3);
const MacAddr kMac = *MacAddr::parse("02:00:00:00:00:01");
const IpAddr kIp = Ipv4(192, 168, 5, 1);
constexpr const char* kStationOfB = "macs/02:00:00:00:00:01/b";
constexpr const char* kStationOfC = "macs/02:00:00:00:00:01/c";

class MeshVniTest : public testing::Test {
 protected:
  void put(const std::string& rest, const std::string& value) {
    const EtcdEvent event{.is_removal = false, .entry = {.key = view_.prefix() + rest, .value = value}};
    view_.take({&event, 1}, now_);
  }
  void remove(const std::string& rest) {
    const EtcdEvent event{.is_removal = true, .entry = {.key = view_.prefix() + rest, .value = {}}};
    view_.take({&event, 1}, now_);
  }
  void list(const std::map<std::string, std::string>& entries) {
    EtcdListing listing;
    for (const auto& [rest, value] : entries)
      listing.entries.push_back({.key = view_.prefix() + rest, .value = value});
    view_.take_all(listing, now_);
  }
  const MacFact* mac() {
    const auto* const winner = rib_.macs().winner({kVni, kMac});
    return winner == nullptr ? nullptr : &winner->fact;
  }
  const NeighbourFact* neighbour(const IpAddr& ip = kIp) {
    const auto* const winner = rib_.neighbours().winner({kVni, ip});
    return winner == nullptr ? nullptr : &winner->fact;
  }
  bool takes_part(const IpAddr& vtep) { return rib_.vteps().winner({kVni, vtep}) != nullptr; }

  Rib rib_{{.free = 1000}};
  SourceId source_ = rib_.add_source(Strength::kControlPlane);
  SourceStatus status_;
  Time now_{seconds(1000)};
  std::vector<MeshKey> own_;
  MeshVni view_{rib_,
                source_,
                status_,
                kVni,
                "/p/",
                "a",
                {Ipv4(10, 0, 0, 1)},
                [this](const MeshKey& key, const EtcdEvent&) { own_.push_back(key); }};
};

TEST_F(MeshVniTest, ANodeTakesPartAndHasAStation) {
  put("nodes/b", R"({"vteps":["10.0.0.2"]})");
  EXPECT_TRUE(takes_part(kVtepB));
  EXPECT_EQ(view_.member_count(), 1U);
  put(kStationOfB, R"({"sequence":3,"sticky":true,"ips":["192.168.5.1"]})");
  ASSERT_NE(mac(), nullptr);
  EXPECT_EQ(*mac(), (MacFact{.vtep = kVtepB, .sticky = true, .sequence = 3}));
  ASSERT_NE(neighbour(), nullptr);
  EXPECT_EQ(neighbour()->mac, kMac);
  remove(kStationOfB);
  EXPECT_EQ(mac(), nullptr);
  EXPECT_EQ(neighbour(), nullptr);
  remove("nodes/b");
  EXPECT_FALSE(takes_part(kVtepB));
  EXPECT_EQ(view_.member_count(), 0U);
}

TEST_F(MeshVniTest, AStationWaitsForItsNode) {
  put(kStationOfB, R"({"ips":["192.168.5.1"]})");
  EXPECT_EQ(mac(), nullptr);
  put("nodes/b", R"({"vteps":["10.0.0.2"]})");
  EXPECT_NE(mac(), nullptr);
  remove("nodes/b");
  EXPECT_EQ(mac(), nullptr);
  EXPECT_EQ(neighbour(), nullptr);
  put("nodes/b", R"({"vteps":["10.0.0.3"]})");
  ASSERT_NE(mac(), nullptr);
  EXPECT_EQ(mac()->vtep, kVtepC);
}

TEST_F(MeshVniTest, ANodeGetsAnotherAddress) {
  put("nodes/b", R"({"vteps":["10.0.0.2"]})");
  put(kStationOfB, "{}");
  put("nodes/b", R"({"vteps":["10.0.0.3"]})");
  EXPECT_EQ(mac()->vtep, kVtepC);
  EXPECT_FALSE(takes_part(kVtepB));
  EXPECT_TRUE(takes_part(kVtepC));
  EXPECT_EQ(view_.member_count(), 1U);
}

TEST_F(MeshVniTest, OfTwoNodesWithOneStationTheOneThatMovedLastCounts) {
  list({{"nodes/b", R"({"vteps":["10.0.0.2"]})"},
        {"nodes/c", R"({"vteps":["10.0.0.3"]})"},
        {kStationOfB, "{}"}});
  put(kStationOfC, R"({"sequence":1})");
  EXPECT_EQ(mac()->vtep, kVtepC);
  remove(kStationOfB);
  EXPECT_EQ(mac()->vtep, kVtepC);
  remove(kStationOfC);
  EXPECT_EQ(mac(), nullptr);
}

TEST_F(MeshVniTest, AddressesComeAndGo) {
  put("nodes/b", R"({"vteps":["10.0.0.2"]})");
  put(kStationOfB, R"({"ips":["192.168.5.1","192.168.5.2"]})");
  put(kStationOfB, R"({"ips":["192.168.5.2","fd00::5"],"routers":["fd00::5"]})");
  EXPECT_EQ(neighbour(), nullptr);
  EXPECT_NE(neighbour(Ipv4(192, 168, 5, 2)), nullptr);
  EXPECT_TRUE(neighbour(*IpAddr::parse("fd00::5"))->router);
}

TEST_F(MeshVniTest, AnAddressThatTwoStationsHaveStaysWithTheOther) {
  put("nodes/b", R"({"vteps":["10.0.0.2"]})");
  put(kStationOfB, R"({"ips":["192.168.5.1"]})");
  put("macs/02:00:00:00:00:02/b", R"({"ips":["192.168.5.1"]})");
  EXPECT_EQ(neighbour()->mac, kMac) << "the lower one, so that all agree";
  remove(kStationOfB);
  ASSERT_NE(neighbour(), nullptr);
  EXPECT_EQ(neighbour()->mac, *MacAddr::parse("02:00:00:00:00:02"));
}

TEST_F(MeshVniTest, WhatIsNotListedAnyMoreIsWithdrawn) {
  list({{"nodes/b", R"({"vteps":["10.0.0.2"]})"},
        {"nodes/c", R"({"vteps":["10.0.0.3"]})"},
        {kStationOfB, R"({"ips":["192.168.5.1"]})"},
        {"macs/nonsense", "{}"}});
  EXPECT_EQ(status_.refusals.size(), 1U);
  list({{"nodes/b", R"({"vteps":["10.0.0.2"]})"}});
  EXPECT_TRUE(takes_part(kVtepB));
  EXPECT_FALSE(takes_part(kVtepC));
  EXPECT_EQ(mac(), nullptr);
  EXPECT_THAT(status_.refusals, IsEmpty());
  EXPECT_EQ(status_.refused, 1U);
}

TEST_F(MeshVniTest, NonsenseIsRefusedByNameAndWhatWasKnownStays) {
  put("nodes/b", R"({"vteps":["10.0.0.2"]})");
  put(kStationOfB, R"({"sequence":3})");
  put(kStationOfB, "nonsense");
  put("nodes/b", R"({"vteps":["10.0.0.1"]})");
  put("macs/02:00:00:00:00:zz/b", "{}");
  EXPECT_EQ(mac()->sequence, 3U);
  EXPECT_EQ(mac()->vtep, kVtepB);
  EXPECT_THAT(status_.refusals,
              ElementsAre(Pair("vni 6000 macs/02:00:00:00:00:01/b", HasSubstr("not JSON")),
                          Pair("vni 6000 macs/02:00:00:00:00:zz/b", HasSubstr("no address of a station")),
                          Pair("vni 6000 nodes/b", HasSubstr("10.0.0.1 is this node's address"))));
  put(kStationOfB, R"({"sequence":4})");
  remove("macs/02:00:00:00:00:zz/b");
  put("nodes/b", R"({"vteps":["10.0.0.2"]})");
  EXPECT_THAT(status_.refusals, IsEmpty());
  EXPECT_EQ(mac()->sequence, 4U);
}

TEST_F(MeshVniTest, RefusalsAreRememberedWithinLimits) {
  for (int i = 0; i < 3000; ++i) put("macs/nonsense" + std::to_string(i), "{}");
  EXPECT_EQ(status_.refused, 3000U);
  EXPECT_EQ(status_.refusals.size(), SourceStatus::kMostRefusals);
}

TEST_F(MeshVniTest, OnlyAddressesThatWeCanSendTo) {
  put("nodes/b", R"({"vteps":["fd00::2","10.0.0.2"]})");
  EXPECT_TRUE(takes_part(kVtepB)) << "we have IPv4 only";
  put("nodes/c", R"({"vteps":["fd00::3"]})");
  EXPECT_THAT(status_.refusals, ElementsAre(Pair("vni 6000 nodes/c", HasSubstr("no IPv6 address"))));
}

TEST_F(MeshVniTest, OwnKeysSayNothingToTheRib) {
  put("nodes/a", R"({"vteps":["10.0.0.9"]})");
  put("macs/02:00:00:00:00:01/a", "{}");
  remove("nodes/a");
  EXPECT_EQ(mac(), nullptr);
  EXPECT_FALSE(takes_part(Ipv4(10, 0, 0, 9)));
  EXPECT_THAT(own_, ElementsAre(MeshKey{.node = "a"}, MeshKey{"a", kMac}, MeshKey{.node = "a"}));
}

TEST_F(MeshVniTest, LeavingWithdrawsEverything) {
  list({{"nodes/b", R"({"vteps":["10.0.0.2"]})"},
        {"nodes/c", R"({"vteps":["10.0.0.3"]})"},
        {kStationOfB, R"({"ips":["192.168.5.1"]})"},
        {"macs/02:00:00:00:00:07/waiting", "{}"}});
  view_.leave(now_);
  EXPECT_EQ(rib_.counts(source_).facts, 0U);
  EXPECT_EQ(view_.member_count(), 0U);
}

}  // namespace
}  // namespace vtep
