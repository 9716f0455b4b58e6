// Several receivers that share a port, one a worker; what is lost when nobody receives; how much may wait.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "io/memberships.h"
#include "io/rtnetlink.h"
#include "io/socket_address.h"
#include "io/test_namespace.h"
#include "io/udp_receiver.h"
#include "io/udp_sender.h"

namespace vtep {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Family = UdpReceiver::Family;
using Group = std::vector<std::unique_ptr<UdpReceiver>>;

constexpr std::array<Family, 2> kFamilies = {Family::kV4, Family::kV6};

/// The receivers are here, behind va; the sender is in the peer's namespace.
class UdpReceiverGroupTest : public NamespaceTest {
 protected:
  void SetUp() override {
    NamespaceTest::SetUp();
    if (IsSkipped()) return;
    peer_.emplace();
    sh("ip link add va type veth peer name vb netns " + peer_->path());
    sh("ip addr add 10.9.0.1/24 brd + dev va && ip addr add fd09::1/64 nodad dev va && ip link set va up");
    peer_->run([&] {
      sh("ip addr add 10.9.0.2/24 brd + dev vb && ip addr add fd09::2/64 nodad dev vb && ip link set vb up");
      device_ = Rtnetlink::create().value()->find("vb").value().index;
      wait_running("vb");
    });
    wait_running("va");
  }
  void TearDown() override {
    peer_.reset();
    NamespaceTest::TearDown();
  }

  static const char* address(Family family) { return family == Family::kV4 ? "10.9.0.1" : "fd09::1"; }
  void send(const std::string& remote, std::uint16_t source_port, std::size_t count = 1,
            std::size_t size = 100) {
    std::vector<Datagram> batch(count, Datagram{.header = {8}, .frame = {}, .route = {}});
    for (Datagram& one : batch) {
      one.frame = ByteView(bytes_).first(size);
      one.route.remote = *IpAddr::parse(remote);
      if (one.route.remote.is_multicast()) one.route.device = device_;
      one.route.destination_port = kIanaVxlanPort;
      one.route.source_port = Port(source_port);
    }
    std::vector<FailedSend> failures;
    peer_->run([&] { sender_.send(batch, failures); });
    EXPECT_THAT(failures, IsEmpty());
  }
  /// How many datagrams each of the group has of each source port. One that comes last has come everywhere.
  static std::vector<std::map<Port, std::size_t>> receive(const Group& group, std::size_t count) {
    std::vector<std::map<Port, std::size_t>> all(group.size());
    std::size_t total = 0;
    for (int tries = 0; tries < 200 && total < count; ++tries) {
      for (std::size_t i = 0; i < group.size(); ++i) {
        PacketBatch batch(64);
        total += group[i]->receive(batch).value();
        for (const Packet& packet : batch.packets()) ++all[i][packet.outer_source_port];
      }
      if (total < count) ::usleep(10000);
    }
    EXPECT_EQ(total, count);
    return all;
  }

  std::vector<std::uint8_t> bytes_ = std::vector<std::uint8_t>(65535);
  std::optional<TestNamespace> peer_;
  IfIndex device_;  // of the peer
  UdpSender sender_;
};

TEST_F(UdpReceiverGroupTest, AFlowStaysOnOneReceiverAndAllHaveSome) {
  for (const Family family : kFamilies) {
    const Group group = UdpReceiver::open_group(family, kIanaVxlanPort, 3).value();
    ASSERT_EQ(group.size(), 3U);
    send(address(family), 50000);  // the neighbour is known from here on
    receive(group, 1);
    for (int round = 0; round < 3; ++round) {
      for (std::uint16_t port = 50000; port < 50064; ++port) send(address(family), port, 5);
    }
    const auto seen = receive(group, 3 * 64 * 5);
    std::size_t flows = 0;
    for (const auto& one : seen) {
      EXPECT_GT(one.size(), 8U);
      flows += one.size();
      for (const auto& [port, count] : one) EXPECT_EQ(count, 15U) << port.value();
    }
    EXPECT_EQ(flows, 64U);
  }
}

TEST_F(UdpReceiverGroupTest, AMulticastGroupIsHeardOnce) {
  const auto here = Rtnetlink::create().value()->find("va").value().index;
  for (const Family family : kFamilies) {
    const Group group = UdpReceiver::open_group(family, kIanaVxlanPort, 3).value();
    Memberships memberships;
    const std::string to = family == Family::kV4 ? "239.1.1.1" : "ff05::1111";
    ASSERT_TRUE(memberships.join(*IpAddr::parse(to), here));
    for (const bool early_demux : {true, false}) {
      sh(std::string("echo ") + (early_demux ? "1" : "0") + " > /proc/sys/net/ipv4/ip_early_demux");
      for (std::uint16_t port = 50000; port < 50010; ++port) send(to, port, 5);
      const auto seen = receive(group, 50);
      std::size_t flows = 0;
      for (const auto& one : seen) flows += one.size();
      EXPECT_EQ(flows, 10U) << "each on one of them";
      // With it, Linux 6.18 spreads the flows of an IPv4 group as it does others.
      if (!early_demux || family == Family::kV6) {
        EXPECT_EQ(seen[0].size(), 10U);
      }
      // What comes last is all there is.
      for (std::uint16_t port = 50000; port < 50064; ++port) send(address(family), port);
      receive(group, 64);
    }
  }
}

TEST_F(UdpReceiverGroupTest, ABroadcastIsHeardOnce) {
  const Group group = UdpReceiver::open_group(Family::kV4, kIanaVxlanPort, 3).value();
  peer_->run([] {
    const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const int on = 1;
    ASSERT_EQ(::setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof(on)), 0);
    for (const char* to : {"10.9.0.255", "255.255.255.255"}) {
      SocketAddress address;
      const socklen_t size = store_address(*IpAddr::parse(to), kIanaVxlanPort, address);
      ASSERT_EQ(::setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "vb", 2), 0);
      EXPECT_EQ(::sendto(fd, "hello", 5, 0, &address.any, size), 5) << to;
    }
    ::close(fd);
  });
  for (std::uint16_t port = 50000; port < 50064; ++port) send("10.9.0.1", port);
  const auto seen = receive(group, 2 + 64);
  EXPECT_GE(seen[0].size(), 1U);
}

TEST_F(UdpReceiverGroupTest, NobodyElseCanHaveThePort) {
  for (const Family family : kFamilies) {
    std::optional<Group> group = UdpReceiver::open_group(family, kIanaVxlanPort, 2).value();
    for (const std::size_t workers : {1, 2}) {
      const auto second = UdpReceiver::open_group(family, kIanaVxlanPort, workers);
      ASSERT_FALSE(second);
      EXPECT_EQ(second.error().kind, ErrorKind::kInUse);
      EXPECT_THAT(second.error().message, HasSubstr("(pid " + std::to_string(::getpid()) + ")"));
    }
    if (family == Family::kV4) {
      sh("ip link add vxlan100 type vxlan id 100 dstport 4789 local 127.0.0.1; ! ip link set vxlan100 up "
         "2>/dev/null");
    }
    group.reset();
    sh("ip link del vxlan100 2>/dev/null; true");
    EXPECT_TRUE(UdpReceiver::open_group(family, kIanaVxlanPort, 2)) << "free again";
  }
}

TEST_F(UdpReceiverGroupTest, TakesNothingFromAGroupOfSomebodyElse) {
  const int other = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  ASSERT_EQ(::setsockopt(other, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)), 0);
  SocketAddress any;
  const socklen_t size = store_address(Ipv4(), kIanaVxlanPort, any);
  ASSERT_EQ(::bind(other, &any.any, size), 0);
  for (const std::size_t workers : {1, 2}) {
    EXPECT_EQ(UdpReceiver::open_group(Family::kV4, kIanaVxlanPort, workers).error().kind, ErrorKind::kInUse);
  }
  ::close(other);
}

TEST_F(UdpReceiverGroupTest, SegmentsOfOneMessageHaveTheSameSourceAndMarks) {
  const auto receiver = UdpReceiver::open(Family::kV6, kIanaVxlanPort).value();
  std::vector<Datagram> batch(20, Datagram{.header = {8}, .frame = ByteView(bytes_).first(500), .route = {}});
  for (Datagram& one : batch) {
    one.route.remote = *IpAddr::parse("fd09::1");
    one.route.destination_port = kIanaVxlanPort;
    one.route.source_port = Port(50000);
    one.route.tos = 0xb9;
  }
  batch.back().frame = batch.back().frame.first(1);
  std::vector<FailedSend> failures;
  peer_->run([&] { sender_.send(batch, failures); });
  ASSERT_TRUE(wait_readable(receiver->fd()));
  PacketBatch packets(2);
  ASSERT_EQ(receiver->receive(packets), 20U) << "of one message";
  EXPECT_FALSE(packets.full());
  for (std::size_t i = 0; i < 20; ++i) {
    const Packet& packet = packets.packets()[i];
    EXPECT_EQ(packet.size(), i < 19 ? 508U : 9U);
    EXPECT_EQ(packet.data()[0], 8);
    EXPECT_EQ(packet.outer_source, *IpAddr::parse("fd09::2"));
    EXPECT_EQ(packet.outer_source_port, Port(50000));
    EXPECT_EQ(packet.outer_tos, 0xb9);
    EXPECT_EQ(packet.headroom(), i == 0 ? kHeadroom : 0);
    EXPECT_EQ(packet.room(), i == 0 ? 508U : packet.size());
  }
}

TEST_F(UdpReceiverGroupTest, CountsWhatItHadNoRoomFor) {
  const Group group = UdpReceiver::open_group(Family::kV4, kIanaVxlanPort, 2).value();
  send("10.9.0.1", 50000);
  receive(group, 1);
  EXPECT_EQ(group[0]->overflows() + group[1]->overflows(), 0U);
  // More than fits the buffer, which the kernel gives twice what was asked for.
  constexpr std::size_t kCount = 20000;
  for (std::size_t sent = 0; sent < kCount; sent += 1000) send("10.9.0.1", 50000, 1000, 1300);
  std::size_t received = 0;
  for (const auto& receiver : group) {
    PacketBatch batch(64);
    while (receiver->receive(batch).value() > 0) {
      received += batch.size();
      batch.clear();
    }
  }
  const std::uint64_t lost = group[0]->overflows() + group[1]->overflows();
  EXPECT_GT(lost, 0U);
  EXPECT_EQ(group[0]->overflows() + group[1]->overflows(), lost) << "a sum, however often it is asked";
  EXPECT_LE(received + lost, kCount);
}

TEST_F(UdpReceiverGroupTest, SaysWhenItsBufferIsSmallAndWhatToDo) {
  const auto receiver = UdpReceiver::open(Family::kV4, kIanaVxlanPort).value();
  EXPECT_GE(receiver->receive_buffer(), UdpReceiver::kReceiveBuffer);
  EXPECT_EQ(receiver->receive_buffer_trouble(), "");
  // As if the system had given no more.
  const int size = 100000;
  ASSERT_EQ(::setsockopt(receiver->fd(), SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)), 0);
  EXPECT_EQ(receiver->receive_buffer(), 100000U);
  EXPECT_THAT(receiver->receive_buffer_trouble(), HasSubstr("net.core.rmem_max"));
}

}  // namespace
}  // namespace vtep
