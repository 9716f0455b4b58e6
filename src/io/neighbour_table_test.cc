#include "io/neighbour_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "io/rtnetlink.h"
#include "io/test_namespace.h"

namespace vtep {
namespace {

using ::testing::IsEmpty;

class NeighbourTableTest : public NamespaceTest {
 protected:
  void SetUp() override {
    NamespaceTest::SetUp();
    if (IsSkipped()) return;
    sh("ip link add va type veth peer name vb && ip link set va up && ip link set vb up");
    wait_running("va");
    va_ = Rtnetlink::create().value()->find("va").value().index;
    vb_ = Rtnetlink::create().value()->find("vb").value().index;
    table_ = NeighbourTable::create().value();
    table_->on_neighbour([this](const NeighbourEntry& entry) { changes_.push_back(entry); });
  }

  bool see(const std::function<bool(const NeighbourEntry&)>& matches) {
    while (std::ranges::none_of(changes_, matches)) {
      if (!wait_readable(table_->fd())) return false;
      table_->dispatch();
    }
    changes_.clear();
    return true;
  }
  /// Link-local multicast entries come and go by themselves.
  std::vector<NeighbourEntry> unicast(IfIndex device = {}) {
    auto all = table_->neighbours(device).value();
    std::erase_if(all, [](const NeighbourEntry& entry) { return entry.ip.is_multicast(); });
    return all;
  }

  IfIndex va_;
  IfIndex vb_;
  std::unique_ptr<NeighbourTable> table_;
  std::vector<NeighbourEntry> changes_;
};

const MacAddr kMac = *MacAddr::parse("02:00:00:00:00:0a");

TEST_F(NeighbourTableTest, ListsBothFamiliesOfOneDeviceOrAll) {
  EXPECT_THAT(unicast(), IsEmpty());
  sh("ip neigh add 10.0.0.1 lladdr 02:00:00:00:00:0a dev va nud permanent");
  sh("ip neigh add fd00::1 lladdr 02:00:00:00:00:0a dev va nud reachable router");
  sh("ip neigh add 10.0.0.2 lladdr 02:00:00:00:00:0b dev vb nud stale");
  EXPECT_THAT(
      unicast(va_),
      ::testing::UnorderedElementsAre(
          NeighbourEntry{
              .device = va_, .ip = Ipv4(10, 0, 0, 1), .mac = kMac, .valid = true, .permanent = true},
          NeighbourEntry{
              .device = va_, .ip = *IpAddr::parse("fd00::1"), .mac = kMac, .valid = true, .router = true}));
  EXPECT_EQ(unicast(vb_).size(), 1U);
  EXPECT_EQ(unicast().size(), 3U);
  EXPECT_THAT(unicast(IfIndex(4711)), IsEmpty());
}

TEST_F(NeighbourTableTest, ReportsWhatComesChangesAndGoes) {
  const IpAddr address = Ipv4(10, 0, 0, 1);
  const auto about = [&](auto matches) {
    return [=, this](const NeighbourEntry& entry) {
      return entry.device == va_ && entry.ip == address && matches(entry);
    };
  };
  sh("ip neigh add 10.0.0.1 lladdr 02:00:00:00:00:0a dev va nud permanent");
  EXPECT_TRUE(see(about([](const auto& e) { return e.valid && e.permanent && e.mac == kMac; })));
  sh("ip neigh change 10.0.0.1 lladdr 02:00:00:00:00:0b dev va nud reachable");
  EXPECT_TRUE(see(about([](const auto& e) { return e.valid && !e.permanent && e.mac != kMac; })));
  // The kernel first says that it has failed, and then that it is gone.
  sh("ip neigh del 10.0.0.1 dev va");
  EXPECT_TRUE(see(about([](const auto& e) { return e.removed; })));
}

TEST_F(NeighbourTableTest, AnUnansweredQuestionIsNoValidNeighbour) {
  sh("ip addr add 10.0.0.254/24 dev va");
  // The kernel says nothing while it is asking.
  sh("echo 1 > /proc/sys/net/ipv4/neigh/va/mcast_solicit");
  sh("echo 50 > /proc/sys/net/ipv4/neigh/va/retrans_time_ms");
  sh("ping -c 1 -W 0.1 10.0.0.9 >/dev/null; true");
  EXPECT_TRUE(see([](const NeighbourEntry& e) { return e.ip == IpAddr(Ipv4(10, 0, 0, 9)) && !e.valid; }));
}

TEST_F(NeighbourTableTest, TheForwardingTableOfABridgeIsNotHeard) {
  sh("ip link add br0 type bridge && ip link set br0 up && ip link set va master br0");
  sh("for i in $(seq 1 9); do bridge fdb add 02:00:00:00:01:0$i dev va master static; done");
  sh("ip neigh add 10.0.0.1 lladdr 02:00:00:00:00:0a dev vb nud permanent");
  bool bridge = false;
  EXPECT_TRUE(see([&](const NeighbourEntry& e) {
    bridge = bridge || e.mac.to_u64() >> 8 == 0x0200000001;
    return e.ip == IpAddr(Ipv4(10, 0, 0, 1));
  }));
  EXPECT_FALSE(bridge);
}

TEST_F(NeighbourTableTest, SetsAndRemovesPermanentOnes) {
  const MacAddr other = *MacAddr::parse("02:00:00:00:00:0b");
  for (const char* text : {"10.244.1.0", "fd00:1::"}) {
    NeighbourEntry wanted{
        .device = va_, .ip = *IpAddr::parse(text), .mac = kMac, .valid = true, .permanent = true};
    // What the kernel has found out, is replaced, and so is what was set.
    sh(std::string("ip neigh add ") + text + " lladdr 02:00:00:00:00:0c dev va nud reachable");
    for (const MacAddr& mac : {other, kMac, kMac}) EXPECT_TRUE(table_->set(va_, wanted.ip, mac));
    EXPECT_THAT(unicast(), ::testing::ElementsAre(wanted));
    EXPECT_TRUE(see([&](const NeighbourEntry& e) { return e == wanted; }));
    for (int i = 0; i < 2; ++i) {
      EXPECT_TRUE(table_->remove(va_, wanted.ip));
      EXPECT_THAT(unicast(), IsEmpty());
    }
    EXPECT_TRUE(see([&](const NeighbourEntry& e) { return e.removed && e.ip == wanted.ip; }));
  }
}

TEST_F(NeighbourTableTest, SetsAndRemovesManyAtOnce) {
  std::vector<NeighbourEntry> entries;
  entries.reserve(500);
  for (unsigned i = 0; i < 500; ++i) {
    entries.push_back(
        {.device = va_, .ip = Ipv4((10U << 24) + (i << 8)), .mac = MacAddr::from_u64(2ULL << 40 | i)});
  }
  entries[40].device = IfIndex(4711);
  auto results = table_->apply(entries);
  ASSERT_EQ(results.size(), entries.size());
  EXPECT_EQ(std::ranges::count_if(results, [](const auto& result) { return result.has_value(); }), 499);
  ASSERT_FALSE(results[40]);
  EXPECT_EQ(results[40].error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(
      results[40].error().message.find("Cannot set the neighbour 10.0.40.0 dev #4711 to 02:00:00:00:00:28: "),
      0U)
      << results[40].error().message;
  EXPECT_EQ(unicast(va_).size(), 499U);

  for (NeighbourEntry& entry : entries) entry.removed = true;
  results = table_->apply(entries);
  EXPECT_TRUE(std::ranges::all_of(results, [](const auto& result) { return result.has_value(); }));
  EXPECT_THAT(unicast(va_), IsEmpty());
}

TEST_F(NeighbourTableTest, ChangesNeedThePermission) {
  const WithoutNetAdmin without;
  const IpAddr ip = Ipv4(10, 244, 1, 0);
  EXPECT_EQ(
      table_->set(va_, ip, kMac).error(),
      (Error{ErrorKind::kPermission,
             "Cannot set the neighbour 10.244.1.0 dev va to 02:00:00:00:00:0a: Operation not permitted"}));
  EXPECT_EQ(table_->remove(va_, ip).error().message,
            "Cannot delete the neighbour 10.244.1.0 dev va: Operation not permitted");
}

TEST_F(NeighbourTableTest, AfterAnOverrunEverythingIsReportedAnewAndWhatWentIsRemoved) {
  sh("ip neigh add 10.0.0.1 lladdr 02:00:00:00:00:0a dev va nud permanent");
  sh("ip neigh add 10.0.0.2 lladdr 02:00:00:00:00:0a dev va nud permanent");
  ASSERT_TRUE(see([](const NeighbourEntry& e) { return e.ip == IpAddr(Ipv4(10, 0, 0, 2)); }));
  const int tiny = 1;
  ASSERT_EQ(::setsockopt(table_->fd(), SOL_SOCKET, SO_RCVBUF, &tiny, sizeof(tiny)), 0);
  // Enough to overflow the buffer, and then what must not get lost.
  sh("for i in $(seq 1 200); do echo neigh add 10.0.1.$i lladdr 02:00:00:00:00:0b dev vb nud permanent; done "
     "| ip -batch -");
  sh("ip neigh del 10.0.0.1 dev va");
  sh("ip neigh change 10.0.0.2 lladdr 02:00:00:00:00:0c dev va nud permanent");
  ASSERT_TRUE(wait_readable(table_->fd()));
  table_->dispatch();

  bool removed = false;
  std::size_t on_vb = 0;
  MacAddr last;
  for (const NeighbourEntry& entry : changes_) {
    removed = removed || (entry.removed && entry.ip == IpAddr(Ipv4(10, 0, 0, 1)) && entry.device == va_);
    if (entry.device == vb_ && entry.permanent) ++on_vb;
    if (entry.ip == IpAddr(Ipv4(10, 0, 0, 2))) last = entry.mac;
  }
  EXPECT_TRUE(removed);
  EXPECT_EQ(on_vb, 200U);
  EXPECT_EQ(last, MacAddr::parse("02:00:00:00:00:0c"));
}

}  // namespace
}  // namespace vtep
