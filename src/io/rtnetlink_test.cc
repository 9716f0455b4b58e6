#include "io/rtnetlink.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "io/tap.h"
#include "io/test_namespace.h"

namespace vtep {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

class RtnetlinkTest : public NamespaceTest {
 protected:
  void SetUp() override {
    NamespaceTest::SetUp();
    if (IsSkipped()) return;
    sh("ip link add va address 02:00:00:00:00:0a type veth peer name vb");
    rtnetlink_ = Rtnetlink::create().value();
    rtnetlink_->on_change([this](const Rtnetlink::Change& change) { changes_.push_back(change); });
  }

  Interface find(const std::string& name) { return rtnetlink_->find(name).value(); }

  /// Dispatches until a change matches.
  bool see(const std::function<bool(const Rtnetlink::Change&)>& matches) {
    while (std::ranges::none_of(changes_, matches)) {
      if (!wait_readable(rtnetlink_->fd())) return false;
      rtnetlink_->dispatch();
    }
    changes_.clear();
    return true;
  }

  std::unique_ptr<Rtnetlink> rtnetlink_;
  std::vector<Rtnetlink::Change> changes_;
};

TEST_F(RtnetlinkTest, FindsByNameByAlternativeNameAndByIndex) {
  sh("ip link property add dev va altname a-name-of-more-than-fifteen-letters");
  const Interface va = find("va");
  EXPECT_EQ(va.name, "va");
  EXPECT_EQ(va.kind, "veth");
  EXPECT_EQ(va.mtu, 1500U);
  EXPECT_EQ(va.address, MacAddr::parse("02:00:00:00:00:0a"));
  EXPECT_FALSE(va.is_up());
  EXPECT_EQ(find("a-name-of-more-than-fifteen-letters").index, va.index);
  EXPECT_EQ(rtnetlink_->find(va.index)->name, "va");
  EXPECT_EQ(find("lo").index, IfIndex(1));
}

TEST_F(RtnetlinkTest, SaysWhatItCannotFind) {
  for (const std::string& name :
       {std::string("eno9"), std::string(), std::string(16, 'x'), std::string(500, 'x')}) {
    const auto found = rtnetlink_->find(name);
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error(), (Error{ErrorKind::kNotFound, "Cannot find device \"" + name + "\""}));
  }
  for (const std::uint32_t index : {0U, 4711U, 0xffffffffU}) {
    const auto found = rtnetlink_->find(IfIndex(index));
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().kind, ErrorKind::kNotFound);
  }
}

TEST_F(RtnetlinkTest, ListsInterfaces) {
  const auto interfaces = rtnetlink_->list();
  ASSERT_TRUE(interfaces);
  std::vector<std::string> names;
  for (const Interface& interface : *interfaces) names.push_back(interface.name);
  EXPECT_THAT(names, UnorderedElementsAre("lo", "va", "vb"));
}

TEST_F(RtnetlinkTest, ListsManyInterfaces) {
  // More than one netlink message buffer holds.
  sh("for i in $(seq 1 60); do echo link add v$i type veth peer name w$i; done | ip -batch -");
  EXPECT_EQ(rtnetlink_->list()->size(), 123U);
}

TEST_F(RtnetlinkTest, ListsAddresses) {
  sh("ip addr add 10.9.0.1/24 dev va && ip addr add 10.9.0.2 peer 10.9.0.3 dev vb");
  sh("ip addr add fd09::1/64 nodad dev va");
  EXPECT_THAT(rtnetlink_->addresses(find("va").index).value(),
              UnorderedElementsAre(*IpAddr::parse("10.9.0.1"), *IpAddr::parse("fd09::1")));
  EXPECT_THAT(rtnetlink_->addresses(find("vb").index).value(),
              UnorderedElementsAre(*IpAddr::parse("10.9.0.2")))
      << "ours and not the peer's";
  EXPECT_THAT(
      rtnetlink_->addresses().value(),
      UnorderedElementsAre(*IpAddr::parse("127.0.0.1"), *IpAddr::parse("::1"), *IpAddr::parse("10.9.0.1"),
                           *IpAddr::parse("fd09::1"), *IpAddr::parse("10.9.0.2")));
}

TEST_F(RtnetlinkTest, KnowsTheHostsAddresses) {
  sh("ip addr add 10.9.0.1/24 dev va && ip addr add 10.9.0.2 peer 10.9.0.3 dev vb");
  sh("ip addr add fd09::1/64 nodad dev va && ip link set va up && ip link set vb up");
  for (const std::string ours : {"10.9.0.1", "10.9.0.2", "fd09::1"}) {
    EXPECT_TRUE(rtnetlink_->has_address(*IpAddr::parse(ours)).value()) << ours;
  }
  // A neighbour's, a peer's, a broadcast address, a group, and one without a route.
  for (const std::string other : {"10.9.0.7", "10.9.0.3", "10.9.0.255", "239.1.1.1", "192.0.2.1"}) {
    EXPECT_FALSE(rtnetlink_->has_address(*IpAddr::parse(other)).value()) << other;
  }
  for (const std::string other : {"fd09::7", "fd10::1", "ff02::1"}) {
    EXPECT_FALSE(rtnetlink_->has_address(*IpAddr::parse(other)).value()) << other;
  }
  sh("ip addr del 10.9.0.1/24 dev va && ip addr del fd09::1/64 dev va");
  EXPECT_FALSE(rtnetlink_->has_address(*IpAddr::parse("10.9.0.1")).value());
  EXPECT_FALSE(rtnetlink_->has_address(*IpAddr::parse("fd09::1")).value());
}

TEST_F(RtnetlinkTest, SaysWhichAddressCameOrWent) {
  const IpAddr address = *IpAddr::parse("10.9.0.1");
  sh("ip link set va mtu 1300");
  EXPECT_TRUE(see([](const auto& change) { return change.interface.mtu == 1300 && !change.address; }));
  for (const std::string verb : {"add", "del"}) {
    sh("ip addr " + verb + " 10.9.0.1/24 dev va");
    EXPECT_TRUE(
        see([&](const auto& change) { return change.interface.name == "va" && change.address == address; }));
  }
}

TEST_F(RtnetlinkTest, ChangesInterfaces) {
  const IfIndex va = find("va").index;
  EXPECT_TRUE(rtnetlink_->set_mtu(va, 1400));
  EXPECT_TRUE(rtnetlink_->set_address(va, *MacAddr::parse("4a:bd:99:0c:09:b2")));
  EXPECT_TRUE(rtnetlink_->set_name(va, "vxlan0"));
  EXPECT_TRUE(rtnetlink_->set_up(va, true));
  Interface now = rtnetlink_->find(va).value();
  EXPECT_EQ(now.mtu, 1400U);
  EXPECT_EQ(now.address.to_string(), "4a:bd:99:0c:09:b2");
  EXPECT_EQ(now.name, "vxlan0");
  EXPECT_TRUE(now.is_up());
  EXPECT_TRUE(rtnetlink_->set_up(va, false));
  now = rtnetlink_->find(va).value();
  EXPECT_FALSE(now.is_up());
  EXPECT_EQ(now.mtu, 1400U) << "one change leaves the others alone";
}

TEST_F(RtnetlinkTest, SaysWhyAChangeIsRefused) {
  const IfIndex va = find("va").index;
  const auto mtu = rtnetlink_->set_mtu(va, 10);
  ASSERT_FALSE(mtu);
  EXPECT_EQ(mtu.error().kind, ErrorKind::kInvalid);
  EXPECT_EQ(mtu.error().message, "Cannot set the MTU to 10: mtu less than device minimum");
  EXPECT_EQ(rtnetlink_->set_address(va, kBroadcastMac).error().kind, ErrorKind::kInvalid);
  EXPECT_EQ(rtnetlink_->set_name(va, "vb").error().kind, ErrorKind::kExists);
  for (const std::string& name : {std::string(), std::string(16, 'x'), std::string("a/b")}) {
    EXPECT_EQ(rtnetlink_->set_name(va, name).error().kind, ErrorKind::kInvalid) << name;
  }
  EXPECT_EQ(rtnetlink_->set_up(IfIndex(4711), true).error().kind, ErrorKind::kNotFound);
}

TEST_F(RtnetlinkTest, ReportsChanges) {
  const IfIndex va = find("va").index;
  const auto about_va = [va](auto matches) {
    return [va, matches](const Rtnetlink::Change& change) {
      return change.interface.index == va && matches(change);
    };
  };
  sh("ip link set va mtu 1300");
  EXPECT_TRUE(see(about_va([](const auto& change) { return change.interface.mtu == 1300; })));
  sh("ip link set va up && ip link set vb up");
  EXPECT_TRUE(see(about_va([](const auto& change) { return change.interface.is_running(); })));
  sh("ip link set vb down");
  EXPECT_TRUE(see(about_va([](const auto& change) { return !change.interface.is_running(); })));
  sh("ip link set va down");
  EXPECT_TRUE(see(about_va([](const auto& change) { return !change.interface.is_up(); })));
  sh("ip link set va name vc");
  EXPECT_TRUE(see(about_va([](const auto& change) { return change.interface.name == "vc"; })));
  sh("ip addr add 10.9.0.1/24 dev vc");
  EXPECT_TRUE(see(about_va([](const auto& change) { return !change.removed; })));
  sh("ip addr del 10.9.0.1/24 dev vc");
  EXPECT_TRUE(see(about_va([](const auto& change) { return !change.removed; })));
  sh("ip link del vc");
  EXPECT_TRUE(see(about_va([](const auto& change) { return change.removed; })));
}

TEST_F(RtnetlinkTest, LeavingTheNamespaceIsARemoval) {
  const IfIndex va = find("va").index;
  const TestNamespace other;
  sh("ip link set va netns " + other.path());
  EXPECT_TRUE(see([va](const auto& change) { return change.interface.index == va && change.removed; }));
}

TEST_F(RtnetlinkTest, LeavingABridgeIsNoRemoval) {
  const IfIndex va = find("va").index;
  sh("ip link add br0 type bridge && ip link set va master br0");
  EXPECT_TRUE(
      see([va](const auto& change) { return change.interface.index == va && change.interface.master; }));
  sh("ip link set va nomaster && ip link set va mtu 1234");
  bool removed = false;
  EXPECT_TRUE(see([&](const Rtnetlink::Change& change) {
    removed = removed || (change.interface.index == va && change.removed);
    return change.interface.index == va && change.interface.mtu == 1234;
  }));
  EXPECT_FALSE(removed);
}

TEST_F(RtnetlinkTest, TheListenerMayAskAndChange) {
  bool done = false;
  rtnetlink_->on_change([&](const Rtnetlink::Change& change) {
    if (change.interface.name != "va" || change.interface.mtu != 1300) return;
    EXPECT_EQ(rtnetlink_->find(change.interface.index)->name, "va");
    EXPECT_TRUE(rtnetlink_->set_mtu(change.interface.index, 1200));
    rtnetlink_->on_change([&](const Rtnetlink::Change& next) {
      done = done || (next.interface.name == "va" && next.interface.mtu == 1200);
    });
  });
  sh("ip link set va mtu 1300");
  while (!done && wait_readable(rtnetlink_->fd())) rtnetlink_->dispatch();
  EXPECT_TRUE(done);
}

TEST_F(RtnetlinkTest, AfterAnOverrunEverythingIsReportedAnewAndWhatWentIsRemoved) {
  const IfIndex vb = find("vb").index;
  const int tiny = 1;
  ASSERT_EQ(::setsockopt(rtnetlink_->fd(), SOL_SOCKET, SO_RCVBUF, &tiny, sizeof(tiny)), 0);
  // Enough to overflow the buffer, and then what must not get lost.
  sh("for i in $(seq 1 200); do echo link set lo mtu $((60000 + i)); done | ip -batch -");
  sh("ip link del va && ip link add vnew type veth peer name vother");
  ASSERT_TRUE(wait_readable(rtnetlink_->fd()));
  rtnetlink_->dispatch();

  std::vector<std::string> alive;
  bool vb_removed = false;
  for (const Rtnetlink::Change& change : changes_) {
    if (change.removed) {
      vb_removed = vb_removed || (change.interface.index == vb && change.interface.name == "vb");
    } else {
      alive.push_back(change.interface.name);
    }
  }
  EXPECT_TRUE(vb_removed);
  EXPECT_THAT(alive, Contains("vnew"));
  EXPECT_THAT(alive, Contains("vother"));
  const auto lo = std::find_if(changes_.rbegin(), changes_.rend(),
                               [](const auto& change) { return change.interface.name == "lo"; });
  ASSERT_NE(lo, changes_.rend());
  EXPECT_EQ(lo->interface.mtu, 60200U) << "the last word is the newest";
}

TEST_F(RtnetlinkTest, DeletesAGroupWhoeverHasItsTapsOpen) {
  constexpr std::uint32_t kGroup = 4789;
  const auto open = Tap::open("open").value();
  const auto open_persistent = Tap::open("lasting").value();
  ASSERT_TRUE(open_persistent->set_persistent(true));
  auto closed = Tap::open("closed").value();
  ASSERT_TRUE(closed->set_persistent(true));
  closed.reset();
  const auto stays = Tap::open("stays").value();
  for (const char* name : {"open", "lasting", "closed"}) {
    ASSERT_TRUE(rtnetlink_->set_group(find(name).index, kGroup));
    EXPECT_EQ(find(name).group, kGroup);
  }
  const auto deleted = rtnetlink_->delete_group(kGroup);
  EXPECT_TRUE(deleted) << deleted.error().message;
  for (const char* name : {"open", "lasting", "closed"}) EXPECT_FALSE(rtnetlink_->find(name)) << name;
  EXPECT_TRUE(rtnetlink_->find("stays"));
  EXPECT_EQ(open->current_name().error().kind, ErrorKind::kUnavailable);

  EXPECT_EQ(rtnetlink_->delete_group(kGroup).error().kind, ErrorKind::kNotFound) << "empty";
  EXPECT_EQ(rtnetlink_->delete_group(0).error().kind, ErrorKind::kInvalid);
  EXPECT_TRUE(rtnetlink_->find("va"));
}

TEST_F(RtnetlinkTest, AGroupWithAnInterfaceThatCannotBeDeletedStaysWhole) {
  const auto tap = Tap::open("tap0").value();
  for (const char* name : {"tap0", "lo"}) ASSERT_TRUE(rtnetlink_->set_group(find(name).index, 7));
  EXPECT_EQ(rtnetlink_->delete_group(7).error().kind, ErrorKind::kInvalid);
  EXPECT_TRUE(rtnetlink_->find("tap0"));
}

TEST_F(RtnetlinkTest, StaysInItsNamespace) {
  const TestNamespace other;
  other.run([&] {
    sh("ip link add only-here type veth peer name b");
    EXPECT_FALSE(rtnetlink_->find("only-here"));
    EXPECT_TRUE(rtnetlink_->find("va"));
  });
}

}  // namespace
}  // namespace vtep
