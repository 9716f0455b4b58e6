// What only a TAP does: names, persistence, and the offload header. The rest is in frame_port_test.cc.
#include "io/tap.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <net/if.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <string>

#include "io/rtnetlink.h"
#include "io/test_namespace.h"

namespace vtep {
namespace {

using ::testing::HasSubstr;

class TapTest : public NamespaceTest {
 protected:
  static bool exists(const std::string& name) { return ::if_nametoindex(name.c_str()) != 0; }
};

TEST_F(TapTest, VanishesWhenClosedUnlessPersistent) {
  auto tap = Tap::open("vxlan0").value();
  EXPECT_TRUE(exists("vxlan0"));
  tap.reset();
  EXPECT_FALSE(exists("vxlan0"));

  tap = Tap::open("vxlan0").value();
  ASSERT_TRUE(tap->set_persistent(true));
  tap.reset();
  EXPECT_TRUE(exists("vxlan0"));

  tap = Tap::open("vxlan0").value();
  ASSERT_TRUE(tap->set_persistent(false));
  tap.reset();
  EXPECT_FALSE(exists("vxlan0"));
}

TEST_F(TapTest, AttachesToWhatIpTuntapMade) {
  sh("ip tuntap add single mode tap");
  sh("ip tuntap add multi mode tap multi_queue vnet_hdr");
  for (const char* name : {"single", "multi"}) {
    auto tap = Tap::open(name);
    ASSERT_TRUE(tap) << tap.error().message;
    EXPECT_EQ((*tap)->current_name(), name);
    sh(std::string("ip link set up ") + name);
    std::array<std::uint8_t, 60> buffer{};
    Packet packet(buffer, 0);
    packet.set_size(60);
    EXPECT_EQ((*tap)->take_queues().at(0)->write({&packet, 1}).written, 1U);
  }
}

TEST_F(TapTest, RefusesAnInterfaceThatIsNoTap) {
  sh("ip link add br0 type bridge");
  sh("ip tuntap add tun0 mode tun");
  for (const char* name : {"lo", "br0", "tun0"}) {
    const auto tap = Tap::open(name);
    ASSERT_FALSE(tap) << name;
    EXPECT_EQ(tap.error().kind, ErrorKind::kExists) << tap.error().message;
    EXPECT_THAT(tap.error().message, HasSubstr(name));
  }
}

TEST_F(TapTest, RefusesAnInterfaceThatSomebodyReads) {
  const auto mine = Tap::open("vxlan0").value();
  const auto again = Tap::open("vxlan0");
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().kind, ErrorKind::kInUse);
  EXPECT_THAT(again.error().message, HasSubstr("(pid " + std::to_string(::getpid()) + ")"));

  // A single-queue one, held by a child.
  sh("ip tuntap add single mode tap");
  std::array<int, 2> ready;
  ASSERT_EQ(::pipe(ready.data()), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const auto held = Tap::open("single");
    const char answer = held ? 'y' : 'n';
    if (::write(ready[1], &answer, 1) == 1) ::pause();
    ::_exit(0);
  }
  char answer = 0;
  ASSERT_EQ(::read(ready[0], &answer, 1), 1);
  EXPECT_EQ(answer, 'y');
  const auto held = Tap::open("single");
  ASSERT_FALSE(held);
  EXPECT_EQ(held.error().kind, ErrorKind::kInUse);
  EXPECT_THAT(held.error().message, HasSubstr("(pid " + std::to_string(child) + ")"));
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  for (const int fd : ready) ::close(fd);
}

TEST_F(TapTest, RefusesWhatIsNoName) {
  for (const char* name : {"", "sixteen-letters-", "a/b", "a b", "."}) {
    const auto tap = Tap::open(name);
    ASSERT_FALSE(tap) << name;
    EXPECT_EQ(tap.error().kind, ErrorKind::kInvalid) << tap.error().message;
  }
}

TEST_F(TapTest, SaysWhatToDoWithoutPermission) {
  const pid_t child = ::fork();
  if (child == 0) {
    if (::setresuid(65534, 65534, 65534) != 0) ::_exit(2);
    const auto tap = Tap::open("vxlan0");
    ::_exit(!tap && tap.error().kind == ErrorKind::kPermission ? 0 : 1);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
}

TEST_F(TapTest, KnowsItsNameAfterARenameAndInAnotherNamespace) {
  const auto tap = Tap::open("vxlan0").value();
  sh("ip link set vxlan0 name overlay");
  EXPECT_EQ(tap->current_name(), "overlay");
  const TestNamespace container;
  sh("ip link set overlay netns " + container.path());
  EXPECT_FALSE(exists("overlay"));
  container.run([] { sh("ip link set overlay name eth0"); });
  EXPECT_EQ(tap->current_name(), "eth0");
}

TEST_F(TapTest, DeletedByHandIsUnavailable) {
  const auto tap = Tap::open("vxlan0").value();
  ASSERT_TRUE(tap->set_persistent(true));
  const auto port = std::move(tap->take_queues().front());
  sh("ip link del vxlan0");
  EXPECT_TRUE(wait_readable(port->fd())) << "the loop has to notice";
  EXPECT_EQ(tap->current_name().error().kind, ErrorKind::kUnavailable);
  PacketBatch batch(1);
  EXPECT_EQ(port->read(batch).error().kind, ErrorKind::kUnavailable);
  EXPECT_TRUE(Tap::open("vxlan0")) << "and the name is free again";
}

/// A TAP in a namespace of its own, with a UDP socket of the kernel behind it: a host on our overlay.
struct Host {
  explicit Host(int number) {
    ns.run([&] {
      sh("echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6");
      port = std::move(Tap::open("tap0").value()->take_queues().front());
      const std::string me = std::to_string(number);
      const std::string peer = std::to_string(3 - number);
      sh("ip link set tap0 address 02:00:00:00:00:0" + me + " up");
      sh("ip addr add 192.168.5." + me + "/24 dev tap0");
      sh("ip neigh add 192.168.5." + peer + " lladdr 02:00:00:00:00:0" + peer + " dev tap0");
      udp = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
      sockaddr_in address{};
      address.sin_family = AF_INET;
      address.sin_port = htons(7000);
      EXPECT_EQ(::bind(udp, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    });
  }
  ~Host() { ::close(udp); }
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

  void send_to(const char* address, std::string_view text) const {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(7000);
    ::inet_pton(AF_INET, address, &to.sin_addr);
    EXPECT_EQ(::sendto(udp, text.data(), text.size(), 0, reinterpret_cast<sockaddr*>(&to), sizeof(to)),
              static_cast<ssize_t>(text.size()));
  }
  std::string receive() const {
    std::array<char, 2000> text;
    const ssize_t size = ::recv(udp, text.data(), text.size(), MSG_DONTWAIT);
    return size < 0 ? "" : std::string(text.data(), static_cast<std::size_t>(size));
  }

  TestNamespace ns;
  std::unique_ptr<FramePort> port;
  int udp = -1;
};

TEST_F(TapTest, ChecksumsLeftOpenTravelFromTapToTap) {
  const Host a(1);
  const Host b(2);
  PacketBatch batch(8);

  a.send_to("192.168.5.2", "hello");
  ASSERT_EQ(a.port->read(batch), 1U);
  const Offload offload = batch.packets()[0].offload;
  EXPECT_TRUE(offload.needs_checksum);
  EXPECT_EQ(offload.checksum_start, 14 + 20);
  EXPECT_EQ(offload.checksum_offset, 6);
  EXPECT_EQ(offload.segmentation, Segmentation::kNone);
  EXPECT_EQ(b.port->write(batch.packets()).written, 1U);
  EXPECT_EQ(b.receive(), "hello");

  // Without the flag the same bytes are a datagram with a wrong checksum: the receiving kernel drops it.
  batch.packets()[0].offload = {};
  EXPECT_EQ(b.port->write(batch.packets()).written, 1U);
  EXPECT_EQ(b.receive(), "");

  // "Known to be right" is taken, too.
  batch.packets()[0].offload.checksum_valid = true;
  EXPECT_EQ(b.port->write(batch.packets()).written, 1U);
}

TEST_F(TapTest, WritesASuperFrameWithASegmentSize) {
  const Host a(1);
  const Host b(2);
  // A datagram of four segments, as a socket with UDP_SEGMENT would send it; the stack cuts it for the
  // receiver.
  PacketBatch batch(8);
  a.send_to("192.168.5.2", std::string(1000, 'x'));
  ASSERT_EQ(a.port->read(batch), 1U);
  Packet& packet = batch.packets()[0];
  packet.offload.segmentation = Segmentation::kUdp;
  packet.offload.segment_size = 250;
  packet.offload.header_length = 14 + 20 + 8;
  EXPECT_EQ(b.port->write(batch.packets()).written, 1U);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(b.receive(), std::string(250, 'x')) << i;
  EXPECT_EQ(b.receive(), "");
}

TEST_F(TapTest, RefusesFramesThatAreNone) {
  const Host host(1);
  std::array<std::uint8_t, 60> buffer{};
  std::array packets = {Packet(buffer, 0), Packet(buffer, 0), Packet(buffer, 0)};
  packets[0].set_size(0);
  packets[1].set_size(13);
  packets[2].set_size(60);
  // A checksum field behind the end of the frame.
  packets[2].offload = {.needs_checksum = true, .checksum_start = 5000, .checksum_offset = 6};
  const WriteReport report = host.port->write(packets);
  EXPECT_EQ(report.refused, 3U);
  EXPECT_EQ(report.written, 0U);
}

}  // namespace
}  // namespace vtep
