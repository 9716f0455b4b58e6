// A TAP that people change and move while the process goes on reading and writing it.
#include "io/tap_state.h"

#include <gtest/gtest.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <string>

#include "io/rtnetlink.h"
#include "io/tap.h"
#include "io/test_namespace.h"

namespace vtep {
namespace {

class TapStateTest : public NamespaceTest {};

TEST_F(TapStateTest, FollowsWhatIsDoneToTheInterface) {
  const auto tap = Tap::open("vxlan0").value();
  sh("ip link set vxlan0 address 02:00:00:00:00:0a mtu 1450");
  const IfIndex index = Rtnetlink::create().value()->find("vxlan0").value().index;
  EXPECT_EQ(
      tap->state(),
      (TapState{
          .name = "vxlan0", .index = index, .address = *MacAddr::parse("02:00:00:00:00:0a"), .mtu = 1450}));
  sh("ip link set vxlan0 name overlay up");
  EXPECT_EQ(tap->state()->name, "overlay");
  EXPECT_TRUE(tap->state()->up);
  EXPECT_EQ(tap->device_namespace().value(), NetworkNamespace::current().value());
}

TEST_F(TapStateTest, IsSeenInAnotherNamespaceAndTheNext) {
  const auto tap = Tap::open("vxlan0").value();
  const TestNamespace container;
  sh("ip link set vxlan0 netns " + container.path());
  // A decoy of the old name where the process lives, and one where the interface lives.
  sh("ip link add vxlan0 address 02:00:00:00:00:99 mtu 999 type veth peer name other");
  IfIndex index;
  container.run([&] {
    sh("ip link set vxlan0 name eth0 && ip link set eth0 address 02:00:00:00:00:0b mtu 1300 up");
    sh("ip link add vxlan0 type veth peer name other");
    index = Rtnetlink::create().value()->find("eth0").value().index;
  });
  EXPECT_EQ(tap->state(), (TapState{.name = "eth0",
                                    .index = index,
                                    .address = *MacAddr::parse("02:00:00:00:00:0b"),
                                    .mtu = 1300,
                                    .up = true,
                                    .away = true}));
  EXPECT_FALSE(tap->device_namespace().value() == NetworkNamespace::current().value());
  EXPECT_EQ(::if_nametoindex("eth0"), 0U) << "the caller has not moved";
  container.run([&] { EXPECT_FALSE(tap->state()->away) << "asked from there"; });

  container.run([&] {
    sh("ip link set eth0 down");
    EXPECT_FALSE(tap->state()->up);
  });
  const TestNamespace second;
  container.run([&] { sh("ip link set eth0 netns " + second.path()); });
  EXPECT_EQ(tap->state()->name, "eth0");
  EXPECT_TRUE(tap->state()->away);
}

TEST_F(TapStateTest, FramesFlowWhereverItLives) {
  const auto tap = Tap::open("vxlan0").value();
  const auto port = std::move(tap->take_queues().front());
  const TestNamespace container;
  sh("ip link set vxlan0 netns " + container.path());
  int packets = -1;
  container.run([&] {
    sh("echo 1 > /proc/sys/net/ipv6/conf/vxlan0/disable_ipv6");
    sh("ip link set vxlan0 name eth0 && ip link set eth0 mtu 1300 up");
    packets = ::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(0x88b5));
    sockaddr_ll here{};
    here.sll_family = AF_PACKET;
    here.sll_protocol = htons(0x88b5);
    here.sll_ifindex = static_cast<int>(::if_nametoindex("eth0"));
    ASSERT_EQ(::bind(packets, reinterpret_cast<sockaddr*>(&here), sizeof(here)), 0);
  });
  ASSERT_GE(packets, 0);

  // To the container: an Ethernet frame of a protocol for experiments (IEEE 802).
  std::array<std::uint8_t, 60> buffer{};
  Packet packet(buffer, 0);
  packet.set_size(60);
  std::fill_n(packet.data(), 6, std::uint8_t{0xff});
  store_be16(packet.data() + 12, 0x88b5);
  packet.data()[20] = 42;
  EXPECT_EQ(port->write({&packet, 1}).written, 1U);
  std::array<std::uint8_t, 2000> got{};
  ASSERT_TRUE(wait_readable(packets));
  ASSERT_EQ(::recv(packets, got.data(), got.size(), 0), 60);
  EXPECT_EQ(got[20], 42);

  // And from it.
  got[20] = 43;
  ASSERT_EQ(::send(packets, got.data(), 60, 0), 60);
  ASSERT_TRUE(wait_readable(port->fd()));
  PacketBatch batch(4);
  ASSERT_EQ(port->read(batch), 1U);
  EXPECT_EQ(batch.packets()[0].view()[20], 43);
  ::close(packets);
}

TEST_F(TapStateTest, DeletedIsUnavailable) {
  const auto tap = Tap::open("vxlan0").value();
  ASSERT_TRUE(tap->set_persistent(true));
  sh("ip link del vxlan0");
  EXPECT_EQ(tap->state().error().kind, ErrorKind::kUnavailable);
  EXPECT_EQ(tap->device_namespace().error().kind, ErrorKind::kUnavailable);
}

TEST_F(TapStateTest, WithoutPermissionItSaysSo) {
  const auto tap = Tap::open("vxlan0").value();
  const TestNamespace container;
  sh("ip link set vxlan0 netns " + container.path());
  const pid_t child = ::fork();
  if (child == 0) {
    if (::setresuid(65534, 65534, 65534) != 0) ::_exit(2);
    const auto state = tap->state();
    ::_exit(!state && state.error().kind == ErrorKind::kPermission ? 0 : 1);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace vtep
