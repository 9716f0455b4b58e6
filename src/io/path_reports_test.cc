// Real routers and real ICMP. This namespace, a router with a small MTU behind it, and a peer.
//
//   va 10.9.1.1 ──── ra 10.9.1.254 │ rb 10.9.2.254 ──── vb 10.9.2.2
//      fd09:1::1        MTU 1500   │    MTU 1300             MTU 1300
#include "io/path_reports.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <vector>

#include "io/rtnetlink.h"
#include "io/socket_address.h"
#include "io/test_namespace.h"
#include "io/udp_receiver.h"
#include "io/udp_sender.h"

namespace vtep {
namespace {

using ::testing::IsEmpty;

IpAddr ip(const std::string& text) {
  return *IpAddr::parse(text);
}

struct Net {
  const char* remote;
  std::size_t headers;  ///< outer IP, UDP and VXLAN
  UdpReceiver::Family family;
};
constexpr std::array<Net, 2> kNets = {{{"10.9.2.2", 20 + 8 + 8, UdpReceiver::Family::kV4},
                                       {"fd09:2::2", 40 + 8 + 8, UdpReceiver::Family::kV6}}};

class PathReportsTest : public NamespaceTest {
 protected:
  void SetUp() override {
    NamespaceTest::SetUp();
    if (IsSkipped()) return;
    router_.emplace();
    peer_.emplace();
    // A router asks for its neighbours from its link-local address, which must not be tentative for that.
    router_->run([] { sh("echo 0 > /proc/sys/net/ipv6/conf/default/accept_dad"); });
    sh("ip link add va type veth peer name ra netns " + router_->path());
    sh("ip addr add 10.9.1.1/24 dev va && ip addr add fd09:1::1/64 nodad dev va && ip link set va up");
    router_->run([&] {
      sh("echo 1 > /proc/sys/net/ipv4/ip_forward; echo 1 > /proc/sys/net/ipv6/conf/all/forwarding");
      // Tests ask for more errors than a router would send.
      sh("echo 0 > /proc/sys/net/ipv4/icmp_ratelimit; echo 0 > /proc/sys/net/ipv6/icmp/ratelimit");
      sh("ip addr add 10.9.1.254/24 dev ra && ip addr add fd09:1::254/64 nodad dev ra && ip link set ra up");
      sh("ip link add rb mtu 1300 type veth peer name vb netns " + peer_->path());
      sh("ip addr add 10.9.2.254/24 dev rb && ip addr add fd09:2::254/64 nodad dev rb && ip link set rb up");
    });
    peer_->run([&] {
      sh("ip link set vb mtu 1300");
      sh("ip addr add 10.9.2.2/24 dev vb && ip addr add fd09:2::2/64 nodad dev vb && ip link set vb up");
      sh("ip route add default via 10.9.2.254 && ip -6 route add default via fd09:2::254");
      wait_running("vb");
      for (std::size_t i = 0; i < kNets.size(); ++i) {
        receivers_[i] = UdpReceiver::open(kNets[i].family, kIanaVxlanPort).value();
      }
    });
    router_->run([] {
      wait_running("ra");
      wait_running("rb");
    });
    wait_running("va");
    sh("ip route add default via 10.9.1.254 && ip -6 route add default via fd09:1::254");
    // From here on every neighbour is known.
    for (std::size_t i = 0; i < kNets.size(); ++i) {
      ASSERT_THAT(send(kNets[i], 500), IsEmpty());
      ASSERT_EQ(received(i), 1U) << kNets[i].remote;
    }
  }
  void TearDown() override {
    receivers_ = {};
    peer_.reset();
    router_.reset();
    NamespaceTest::TearDown();
  }

  /// A datagram that is an IP packet of `size` bytes.
  Datagram datagram(const Net& net, std::size_t size, bool dont_fragment = false) const {
    Datagram datagram{.header = {8, 0, 0, 0, 0, 0, 1, 0}, .frame = {}, .route = {}};
    datagram.frame = ByteView(frame_).first(size - net.headers);
    datagram.route.remote = ip(net.remote);
    datagram.route.destination_port = kIanaVxlanPort;
    datagram.route.source_port = Port(50000);
    datagram.route.dont_fragment = dont_fragment;
    return datagram;
  }
  std::vector<FailedSend> send(const std::vector<Datagram>& batch) {
    std::vector<FailedSend> failures;
    sender_.send(batch, failures);
    return failures;
  }
  std::vector<FailedSend> send(const Net& net, std::size_t size, bool dont_fragment = false) {
    return send(std::vector{datagram(net, size, dont_fragment)});
  }
  /// Datagrams that have come to the peer; waits for the first.
  std::size_t received(std::size_t net) {
    if (!wait_readable(receivers_[net]->fd())) return 0;
    PacketBatch batch(64);
    return receivers_[net]->receive(batch).value();
  }
  bool report_comes() const { return wait_readable(sender_.report_fd()); }
  std::vector<PathReport> take() {
    std::vector<PathReport> reports;
    sender_.take_reports(reports);
    return reports;
  }
  bool is_readable() const {
    fd_set files;
    FD_ZERO(&files);
    FD_SET(sender_.report_fd(), &files);
    timeval now{};
    return ::select(sender_.report_fd() + 1, &files, nullptr, nullptr, &now) == 1;
  }

  std::vector<std::uint8_t> frame_ = std::vector<std::uint8_t>(70000);
  std::optional<TestNamespace> router_;
  std::optional<TestNamespace> peer_;
  std::array<std::unique_ptr<UdpReceiver>, 2> receivers_;
  UdpSender sender_;
};

TEST_F(PathReportsTest, TellsWhatTheRouterSaysAboutWhichRemote) {
  for (const Net& net : kNets) {
    EXPECT_THAT(send(net, 1301, true), IsEmpty());
    ASSERT_TRUE(report_comes()) << net.remote;
    const auto reports = take();
    ASSERT_EQ(reports.size(), 1U) << net.remote;
    EXPECT_EQ(reports[0].remote, ip(net.remote));
    EXPECT_EQ(reports[0].mtu, 1300U);
    EXPECT_THAT(take(), IsEmpty());
    EXPECT_FALSE(is_readable());
  }
}

TEST_F(PathReportsTest, ThePendingErrorCostsNoDatagram) {
  for (std::size_t i = 0; i < kNets.size(); ++i) {
    // Not taken: the socket's error is pending when the next is sent, in the same batch and in later ones.
    for (int round = 0; round < 5; ++round) {
      Datagram fits = datagram(kNets[i], 1300, true);
      fits.route.tos = 4;  // one run with the other, and the router, a kernel like ours, would drop both
      EXPECT_THAT(send({datagram(kNets[i], 1400, true), fits}), IsEmpty());
      ASSERT_TRUE(report_comes());
      EXPECT_THAT(send(kNets[i], 1300, true), IsEmpty());
    }
    std::size_t count = 0;
    while (count < 10) {
      const std::size_t more = received(i);
      if (more == 0) break;
      count += more;
    }
    EXPECT_EQ(count, 10U);
    const auto reports = take();
    EXPECT_EQ(reports.size(), 5U) << "none was lost, though sends met them";
  }
}

TEST_F(PathReportsTest, AReportThatASendMetKeepsTheFileReadable) {
  EXPECT_THAT(send(kNets[0], 1400, true), IsEmpty());
  ASSERT_TRUE(report_comes());
  // The refusal is looked up in the same queue.
  ASSERT_EQ(send(kNets[0], 1501, true).size(), 1U);
  EXPECT_TRUE(is_readable());
  ASSERT_EQ(take().size(), 1U);
  EXPECT_FALSE(is_readable());
}

TEST_F(PathReportsTest, TheKernelsOwnBeliefShrinksNothing) {
  for (std::size_t i = 0; i < kNets.size(); ++i) {
    EXPECT_THAT(send(kNets[i], 1400, true), IsEmpty());
    ASSERT_TRUE(report_comes());
    take();
    EXPECT_THAT(send(kNets[i], 1500, true), IsEmpty()) << "it left whole, and the router says so again";
    ASSERT_TRUE(report_comes());
    EXPECT_EQ(take().at(0).mtu, 1300U);
    const auto failures = send(kNets[i], 1501, true);
    ASSERT_EQ(failures.size(), 1U);
    EXPECT_EQ(failures[0].reason, SendFailure::kTooBig);
    EXPECT_EQ(failures[0].mtu, 1500U) << "the device's, not the path's";
  }
}

TEST_F(PathReportsTest, WithDfClearTheRouterFragmentsAndSaysNothing) {
  EXPECT_THAT(send(kNets[0], 1400, false), IsEmpty());
  EXPECT_EQ(received(0), 1U) << "put together by the peer's host";
  EXPECT_THAT(take(), IsEmpty());
}

TEST_F(PathReportsTest, EveryRefusalOfABatchHasItsMtu) {
  for (const Net& net : kNets) {
    std::vector<Datagram> batch;
    for (int i = 0; i < 200; ++i) batch.push_back(datagram(net, i % 2 == 0 ? 1501 : 600, i % 4 == 0));
    const auto failures = send(batch);
    ASSERT_EQ(failures.size(), 100U);
    for (const FailedSend& failure : failures) {
      EXPECT_EQ(failure.index % 2, 0U);
      EXPECT_EQ(failure.reason, SendFailure::kTooBig);
      EXPECT_EQ(failure.mtu, 1500U);
    }
    EXPECT_THAT(take(), IsEmpty()) << "no router has said anything";
  }
}

TEST_F(PathReportsTest, TheMtuIsThatOfTheDeviceThatTheRouteNames) {
  sh("ip link add vc mtu 1334 type veth peer name vd && ip addr add 10.8.0.1/24 dev vc");
  sh("ip addr add fd08::1/64 nodad dev vc && ip link set vc up && ip link set vd up");
  wait_running("vc");
  for (const Net& net : kNets) {
    Datagram group = datagram(net, 1400);
    group.route.remote = ip(net.family == UdpReceiver::Family::kV4 ? "239.1.1.1" : "ff05::1111");
    group.route.device = Rtnetlink::create().value()->find("vc").value().index;
    const auto failures = send({group});
    ASSERT_EQ(failures.size(), 1U);
    EXPECT_EQ(failures[0].mtu, 1334U);
  }
}

TEST_F(PathReportsTest, ADatagramLargerThanUdpIsTooBigForAnyMtu) {
  for (const Net& net : kNets) {
    for (const std::size_t size : {std::size_t{65536}, std::size_t{66000}}) {
      const auto failures = send(net, size);
      ASSERT_EQ(failures.size(), 1U);
      EXPECT_EQ(failures[0].reason, SendFailure::kTooBig) << size;
    }
  }
}

TEST_F(PathReportsTest, OtherIcmpIsDrainedAndNoReport) {
  for (std::size_t i = 0; i < kNets.size(); ++i) {
    Datagram closed = datagram(kNets[i], 500);
    closed.route.destination_port = Port(9);
    Datagram lost = datagram(kNets[i], 500);
    lost.route.ttl = 1;
    for (int round = 0; round < 3; ++round) {
      EXPECT_THAT(send({closed, lost, datagram(kNets[i], 500)}), IsEmpty());
    }
    ASSERT_TRUE(report_comes());
    while (is_readable()) EXPECT_THAT(take(), IsEmpty());
  }
}

/// A socket of somebody else that sends with DF, watched by reports of our own.
class WatchedSocket {
 public:
  WatchedSocket() : fd_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    const int probe = IP_PMTUDISC_PROBE;
    EXPECT_EQ(::setsockopt(fd_, IPPROTO_IP, IP_MTU_DISCOVER, &probe, sizeof(probe)), 0);
    reports.watch(fd_, AF_INET);
  }
  ~WatchedSocket() { ::close(fd_); }
  WatchedSocket(const WatchedSocket&) = delete;
  WatchedSocket& operator=(const WatchedSocket&) = delete;

  /// An IP packet of 1400 bytes whose payload begins with `first`.
  void send(std::uint8_t first) const {
    std::array<std::uint8_t, 1372> payload{first};
    SocketAddress to;
    const socklen_t size = store_address(ip("10.9.2.2"), kIanaVxlanPort, to);
    const auto send_once = [&] { return ::sendto(fd_, payload.data(), payload.size(), 0, &to.any, size); };
    // The error of an earlier one may be pending.
    ssize_t sent = send_once();
    if (sent < 0) sent = send_once();
    EXPECT_EQ(sent, 1372);
  }
  std::size_t take() {
    std::vector<PathReport> taken;
    reports.take(taken);
    return taken.size();
  }

  PathReports reports;

 private:
  int fd_;
};

TEST_F(PathReportsTest, ABacklogIsTakenInSlices) {
  WatchedSocket socket;
  constexpr std::size_t kCount = PathReports::kMaxMessages * 2 + 10;
  for (std::size_t i = 0; i < kCount; ++i) socket.send(0x08);
  std::vector<std::size_t> slices;
  while (slices.size() < 3 && wait_readable(socket.reports.fd())) slices.push_back(socket.take());
  EXPECT_THAT(slices, ::testing::ElementsAre(PathReports::kMaxMessages, PathReports::kMaxMessages, 10U));
  EXPECT_EQ(socket.take(), 0U);
}

TEST_F(PathReportsTest, AQuoteThatIsNoVxlanIsNotBelieved) {
  WatchedSocket socket;
  const auto reports_of = [&](std::uint8_t first) {
    socket.send(first);
    EXPECT_TRUE(wait_readable(socket.reports.fd()));
    return socket.take();
  };
  EXPECT_EQ(reports_of(0x00), 0U);
  EXPECT_EQ(reports_of(0xf7), 0U);
  EXPECT_EQ(reports_of(0x08), 1U);
}

}  // namespace
}  // namespace vtep
