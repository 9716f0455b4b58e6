// What only sockets do: source ports, TTL, DF, source address and device. The rest is in underlay_test.cc.
#include "io/udp_sender.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "io/memberships.h"
#include "io/rtnetlink.h"
#include "io/send_pool.h"
#include "io/socket_address.h"
#include "io/test_namespace.h"
#include "io/udp_receiver.h"

namespace vtep {
namespace {

using ::testing::IsEmpty;

constexpr std::array<std::uint8_t, 4> kFrame = {1, 2, 3, 4};

IpAddr ip(const std::string& text) {
  return *IpAddr::parse(text);
}

/// Takes a UDP port as any other program would.
class Squatter {
 public:
  Squatter(int family, std::uint16_t port) : fd_(::socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    SocketAddress address;
    const socklen_t size =
        store_address(family == AF_INET ? IpAddr(Ipv4()) : IpAddr(Ipv6()), Port(port), address);
    EXPECT_EQ(::bind(fd_, &address.any, size), 0);
  }
  ~Squatter() { ::close(fd_); }
  Squatter(const Squatter&) = delete;
  Squatter& operator=(const Squatter&) = delete;

 private:
  int fd_;
};

/// What matters of an IP and UDP header as they came from the wire.
struct Seen {
  IpAddr source;
  std::uint16_t source_port = 0;
  int ttl = 0;
  bool dont_fragment = false;
};

class UdpSenderTest : public CableTest {
 protected:
  void SetUp() override {
    CableTest::SetUp();
    if (!IsSkipped()) device_ = Rtnetlink::create().value()->find("va").value().index;
  }

  static Datagram datagram(const std::string& remote, std::uint16_t source_port = 50000) {
    Datagram datagram{.header = {8, 0, 0, 0, 0, 0, 1, 0}, .frame = kFrame, .route = {}};
    datagram.route.remote = ip(remote);
    datagram.route.destination_port = kIanaVxlanPort;
    datagram.route.source_port = Port(source_port);
    return datagram;
  }
  std::vector<FailedSend> send(const Datagram& datagram) {
    std::vector<FailedSend> failures;
    sender_.send({&datagram, 1}, failures);
    return failures;
  }
  /// The next datagram to the VXLAN port that the peer's device saw.
  std::optional<Seen> next_on_wire() const {
    while (wait_readable(packets_)) {
      std::array<std::uint8_t, 2000> b;
      const ssize_t size = ::recv(packets_, b.data(), b.size(), 0);
      if (size < 20 + 8) continue;
      Seen seen;
      std::size_t udp = 0;
      if (b[0] == 0x45 && b[9] == IPPROTO_UDP) {
        seen = {.source = Ipv4::load(&b[12]), .ttl = b[8], .dont_fragment = (b[6] & 0x40) != 0};
        udp = 20;
      } else if (b[0] >> 4 == 6 && b[6] == IPPROTO_UDP) {
        seen = {.source = Ipv6::load(&b[8]), .ttl = b[7]};
        udp = 40;
      }
      if (udp == 0 || load_be16(&b[udp + 2]) != kIanaVxlanPort.value()) continue;
      seen.source_port = load_be16(&b[udp]);
      return seen;
    }
    ADD_FAILURE() << "nothing on the wire";
    return std::nullopt;
  }
  Seen send_and_see(const Datagram& datagram) {
    EXPECT_THAT(send(datagram), IsEmpty());
    return next_on_wire().value_or(Seen{});
  }

  UdpSender sender_;
  IfIndex device_;
};

TEST_F(UdpSenderTest, UsesTheSourcePortThatIsAskedFor) {
  for (const std::uint16_t port : {std::uint16_t{50000}, std::uint16_t{65535}, std::uint16_t{49152}}) {
    EXPECT_EQ(send_and_see(datagram("10.9.0.2", port)).source_port, port);
    EXPECT_EQ(send_and_see(datagram("fd09::2", port)).source_port, port);
  }
}

TEST_F(UdpSenderTest, AFreePortStandsInForOneThatIsTakenAndStays) {
  for (const int family : {AF_INET, AF_INET6}) {
    const char* remote = family == AF_INET ? "10.9.0.2" : "fd09::2";
    std::optional<Squatter> last(std::in_place, family, 65535);
    Squatter first(family, 49152);
    EXPECT_EQ(send_and_see(datagram(remote, 65535)).source_port, 49153) << "the range is a ring";
    last.reset();
    EXPECT_EQ(send_and_see(datagram(remote, 65535)).source_port, 49153);
    EXPECT_EQ(send_and_see(datagram(remote, 49153)).source_port, 49153) << "shared";
    Squatter low(family, 7777);
    EXPECT_GE(send_and_see(datagram(remote, 7777)).source_port, 49152) << "outside the range";
  }
}

TEST_F(UdpSenderTest, SetsTheTtlForUnicastAndGroups) {
  for (const char* remote : {"10.9.0.2", "239.1.1.1", "fd09::2", "ff05::1111"}) {
    Datagram one = datagram(remote);
    one.route.device = device_;
    const int system_default = one.route.remote.is_multicast() ? 1 : 64;
    EXPECT_EQ(send_and_see(one).ttl, system_default) << remote;
    for (const std::uint8_t ttl : {std::uint8_t{1}, std::uint8_t{7}, std::uint8_t{255}}) {
      one.route.ttl = ttl;
      EXPECT_EQ(send_and_see(one).ttl, ttl) << remote;
    }
    one.route.ttl = 0;
    EXPECT_EQ(send_and_see(one).ttl, system_default) << remote << ": for one datagram only";
  }
}

TEST_F(UdpSenderTest, LeavesDontFragmentClear) {
  EXPECT_FALSE(send_and_see(datagram("10.9.0.2")).dont_fragment);
}

TEST_F(UdpSenderTest, SendsFromTheLocalAddress) {
  sh("ip addr add 10.9.0.77/24 dev va && ip addr add fd09::77/64 nodad dev va");
  for (const bool v4 : {true, false}) {
    const IpAddr local = ip(v4 ? "10.9.0.77" : "fd09::77");
    Datagram unicast = datagram(v4 ? "10.9.0.2" : "fd09::2");
    unicast.route.local = local;
    EXPECT_EQ(send_and_see(unicast).source, local);
    Datagram group = datagram(v4 ? "239.1.1.1" : "ff05::1111");
    group.route.local = local;
    group.route.device = device_;
    EXPECT_EQ(send_and_see(group).source, local);
  }
  Datagram foreign = datagram("10.9.0.2");
  foreign.route.local = ip("10.9.0.200");
  EXPECT_EQ(send(foreign).size(), 1U);
}

TEST_F(UdpSenderTest, TheDeviceDecidesWhereAGroupIs) {
  // Without a route to the group and without a device there is no way.
  EXPECT_EQ(send(datagram("239.1.1.1")).at(0).reason, SendFailure::kUnreachable);
  Datagram group = datagram("239.1.1.1");
  group.route.device = device_;
  EXPECT_EQ(send_and_see(group).source, ip("10.9.0.1"));
}

TEST_F(UdpSenderTest, ReachesALinkLocalRemoteThroughItsDevice) {
  peer_->run([] { sh("ip addr add fe80::99/64 nodad dev vb"); });
  sh("ip addr add fe80::98/64 nodad dev va");
  Datagram one = datagram("fe80::99");
  one.route.device = device_;
  EXPECT_EQ(send_and_see(one).source_port, 50000);
}

TEST_F(UdpSenderTest, ADeviceThatIsGoneIsDeviceDown) {
  Datagram gone = datagram("10.9.0.2");
  gone.route.device = IfIndex(4711);
  EXPECT_EQ(send(gone).at(0).reason, SendFailure::kDeviceDown);
  gone.route.remote = ip("fd09::2");
  EXPECT_EQ(send(gone).at(0).reason, SendFailure::kDeviceDown);
}

TEST_F(UdpSenderTest, ADeviceThatIsDownTakesNothing) {
  sh("ip link set va down");
  for (const char* remote : {"10.9.0.2", "239.1.1.1", "fd09::2", "ff05::1111"}) {
    Datagram one = datagram(remote);
    one.route.device = device_;
    EXPECT_EQ(send(one).at(0).reason, SendFailure::kDeviceDown) << remote;
  }
}

TEST_F(UdpSenderTest, DoesNotHearItsOwnMulticast) {
  for (const bool v4 : {true, false}) {
    const auto receiver =
        UdpReceiver::open(v4 ? UdpReceiver::Family::kV4 : UdpReceiver::Family::kV6, kIanaVxlanPort).value();
    Memberships memberships;
    const std::string group = v4 ? "239.1.1.1" : "ff05::1111";
    ASSERT_TRUE(memberships.join(ip(group), device_));
    Datagram one = datagram(group);
    one.route.device = device_;
    send_and_see(one);
    PacketBatch batch(1);
    EXPECT_EQ(receiver->receive(batch), 0U);
  }
}

/// Bytes that wait in the receive queue of the UDP socket on `port`, as /proc/net/udp has it.
std::optional<unsigned long> waiting_bytes(const std::string& port_in_hex) {
  std::ifstream table("/proc/thread-self/net/udp");
  for (std::string line; std::getline(table, line);) {
    const auto port = line.find(":" + port_in_hex + " ");
    if (port == std::string::npos) continue;
    const auto queues = line.find(':', line.find(':', port + 1) + 1);
    return std::stoul(line.substr(queues + 1, 8), nullptr, 16);
  }
  return std::nullopt;
}

TEST_F(UdpSenderTest, NeverFillsABufferWithWhatIsSentToIt) {
  send_and_see(datagram("10.9.0.2", 50000));
  // The peer has said "port unreachable": an error counts in the same buffer until it is taken.
  std::vector<PathReport> reports;
  sender_.take_reports(reports);
  ASSERT_EQ(waiting_bytes("C350"), 0U);
  // A socket without the filter shows that the measurement can fail.
  const Squatter listener(AF_INET, 50001);
  peer_->run([] {
    UdpSender other;
    std::vector<FailedSend> failures;
    for (const std::uint16_t port : {std::uint16_t{50000}, std::uint16_t{50001}}) {
      Datagram one = datagram("10.9.0.1");
      one.route.destination_port = Port(port);
      other.send({&one, 1}, failures);
    }
    EXPECT_THAT(failures, IsEmpty());
  });
  EXPECT_GT(waiting_bytes("C351"), 0U);
  EXPECT_EQ(waiting_bytes("C350"), 0U);
}

TEST_F(UdpSenderTest, ForgedIcmpDoesNotShrinkThePath) {
  // "Fragmentation needed, MTU 600": the kernel may remember it, but datagrams still leave whole.
  sh("ip route add 10.8.0.0/24 via 10.9.0.2 mtu 600");
  const std::vector<std::uint8_t> frame(1400);
  Datagram large = datagram("10.8.0.1");
  large.frame = frame;
  EXPECT_THAT(send(large), IsEmpty());
}

TEST_F(UdpSenderTest, ThePoolIsBounded) {
  SendPool pool(AF_INET);
  std::vector<int> sockets;
  for (std::uint16_t i = 0; i < 1000; ++i) {
    sockets.push_back(pool.socket_for(Port(static_cast<std::uint16_t>(49152 + i))));
  }
  EXPECT_EQ(pool.size(), SendPool::kMaxSockets);
  EXPECT_EQ(std::set<int>(sockets.begin(), sockets.end()).size(), SendPool::kMaxSockets) << "evenly shared";
  for (std::uint16_t i = 0; i < 1000; ++i) {
    const int socket = pool.socket_for(Port(static_cast<std::uint16_t>(49152 + i)));
    ASSERT_EQ(socket, sockets[i]) << "the answer never changes";
  }
}

TEST_F(UdpSenderTest, SharesASocketWhenTheProcessHasNoFilesLeft) {
  ASSERT_EQ(send_and_see(datagram("10.9.0.2", 50000)).source_port, 50000);
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit none{.rlim_cur = 3, .rlim_max = before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  const auto shared = send(datagram("10.9.0.2", 50001));
  const auto impossible = send(datagram("fd09::2", 50000));
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);

  EXPECT_THAT(shared, IsEmpty());
  EXPECT_EQ(next_on_wire().value().source_port, 50000);
  EXPECT_EQ(impossible.at(0).reason, SendFailure::kRefused) << "there is no IPv6 socket to share";
  EXPECT_EQ(send_and_see(datagram("10.9.0.2", 50001)).source_port, 50000) << "a flow keeps its port";
  EXPECT_EQ(send_and_see(datagram("fd09::2", 50000)).source_port, 50000) << "not remembered";
}

}  // namespace
}  // namespace vtep
