#include "io/bridge_fdb.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "io/rtnetlink.h"
#include "io/test_namespace.h"

namespace vtep {
namespace {

using Verb = BridgeFdb::Verb;

const MacAddr kMac = *MacAddr::parse("02:00:00:00:00:0a");

class BridgeFdbTest : public NamespaceTest {
 protected:
  void SetUp() override {
    NamespaceTest::SetUp();
    if (IsSkipped()) return;
    sh("ip link add vx type vxlan id 1 dstport 4789 && ip link add br0 type bridge && ip link set vx master "
       "br0");
    sh("ip link set br0 up && ip link set vx up");
    const auto rtnetlink = Rtnetlink::create().value();
    device_ = rtnetlink->find("vx").value().index;
    bridge_ = rtnetlink->find("br0").value().index;
    fdb_ = BridgeFdb::create().value();
    fdb_->on_change([this](const BridgeEntry& entry) { changes_.push_back(entry); });
  }

  Result<void> apply(Verb verb, const BridgeEntry& entry) {
    const BridgeFdb::Request request{verb, entry};
    return fdb_->apply(std::span(&request, 1)).front();
  }
  BridgeEntry own(Ipv4 remote) const {
    return {.device = device_, .mac = kMac, .remote = remote, .extern_learn = true};
  }
  bool see(const std::function<bool(const BridgeEntry&)>& matches) {
    while (std::ranges::none_of(changes_, matches)) {
      if (!wait_readable(fdb_->fd())) return false;
      fdb_->dispatch();
    }
    changes_.clear();
    return true;
  }
  std::vector<BridgeEntry> of_mac(const std::vector<BridgeEntry>& entries) {
    std::vector<BridgeEntry> found;
    std::ranges::copy_if(entries, std::back_inserter(found), [](const auto& e) { return e.mac == kMac; });
    return found;
  }

  IfIndex device_;
  IfIndex bridge_;
  std::unique_ptr<BridgeFdb> fdb_;
  std::vector<BridgeEntry> changes_;
};

TEST_F(BridgeFdbTest, SetsListsAndRemoves) {
  ASSERT_TRUE(apply(Verb::kReplace, own(Ipv4(10, 0, 0, 2))));
  ASSERT_TRUE(
      apply(Verb::kReplace, {.device = device_, .bridge = bridge_, .mac = kMac, .extern_learn = true}));
  const auto both = of_mac(fdb_->list(device_).value());
  ASSERT_EQ(both.size(), 2U);
  for (const BridgeEntry& entry : both) {
    EXPECT_EQ(entry.device, device_);
    EXPECT_TRUE(entry.extern_learn);
    const IpAddr remote = entry.bridge.is_set() ? IpAddr() : IpAddr(Ipv4(10, 0, 0, 2));
    EXPECT_EQ(entry.remote, remote);
  }
  EXPECT_EQ(of_mac(fdb_->list_bridge(bridge_).value()).size(), 1U);
  ASSERT_TRUE(apply(Verb::kRemove, {.device = device_, .bridge = bridge_, .mac = kMac}));
  ASSERT_TRUE(apply(Verb::kRemove, {.device = device_, .mac = kMac}));
  EXPECT_TRUE(of_mac(fdb_->list(device_).value()).empty());
}

TEST_F(BridgeFdbTest, SaysWhatIsWrong) {
  const auto missing = apply(Verb::kRemove, {.device = device_, .mac = kMac});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().kind, ErrorKind::kNotFound);
  EXPECT_THAT(missing.error().message, testing::HasSubstr("02:00:00:00:00:0a dev vx"));
  ASSERT_TRUE(apply(Verb::kAdd, own(Ipv4(10, 0, 0, 2))));
  EXPECT_EQ(apply(Verb::kAdd, own(Ipv4(10, 0, 0, 2))).error().kind, ErrorKind::kExists);
}

TEST_F(BridgeFdbTest, HearsOfChangesByAnybody) {
  sh("bridge fdb add 02:00:00:00:00:0a dev vx dst 10.0.0.2");
  EXPECT_TRUE(see([&](const BridgeEntry& e) {
    return e.mac == kMac && e.remote == IpAddr(Ipv4(10, 0, 0, 2)) && !e.removed && !e.bridge.is_set();
  }));
  sh("bridge fdb add 02:00:00:00:00:0a dev vx master static");
  EXPECT_TRUE(see([&](const BridgeEntry& e) { return e.mac == kMac && e.bridge == bridge_ && !e.removed; }));
  sh("bridge fdb del 02:00:00:00:00:0a dev vx self");
  EXPECT_TRUE(see([&](const BridgeEntry& e) { return e.mac == kMac && !e.bridge.is_set() && e.removed; }));
}

TEST_F(BridgeFdbTest, SeveralRemotesOfTheFloodList) {
  for (const Ipv4 remote : {Ipv4(10, 0, 0, 2), Ipv4(10, 0, 0, 3)}) {
    BridgeEntry entry{.device = device_, .mac = MacAddr(), .remote = remote};
    entry.state = BridgeEntry::State::kPermanent;
    ASSERT_TRUE(apply(Verb::kAppend, entry));
  }
  const auto entries = fdb_->list(device_).value();
  EXPECT_EQ(std::ranges::count_if(entries, [](const auto& e) { return e.mac.is_zero(); }), 2);
}

}  // namespace
}  // namespace vtep
