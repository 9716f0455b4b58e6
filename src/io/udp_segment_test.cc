// Runs of datagrams (UDP_SEGMENT): how many system calls they take, what the wire and a plain socket see of
// them, and what happens where they cannot be had. Their contract is in underlay_test.cc.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <deque>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "io/message_batch.h"
#include "io/send_pool.h"
#include "io/socket_address.h"
#include "io/test_namespace.h"
#include "io/udp_receiver.h"
#include "io/udp_sender.h"

namespace vtep {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr std::array<const char*, 2> kRemotes = {"10.9.0.2", "fd09::2"};

Datagram datagram(const std::string& remote, ByteView frame) {
  Datagram datagram{.header = {8, 0, 0, 0, 0, 0, 1, 0}, .frame = frame, .route = {}};
  datagram.route.remote = *IpAddr::parse(remote);
  datagram.route.destination_port = kIanaVxlanPort;
  datagram.route.source_port = Port(50000);
  return datagram;
}

// --- what becomes one message

class MessageBatchTest : public ::testing::Test {
 protected:
  void add(std::size_t size, bool segments = true, const std::string& remote = kRemotes[0]) {
    datagrams_.push_back(datagram(remote, ByteView(bytes_).first(size - Datagram::kHeaderSize)));
    batch_.add(datagrams_.size() - 1, datagrams_.back(), segments);
  }
  /// How many datagrams each message has.
  std::vector<std::size_t> counts() {
    std::vector<std::size_t> counts;
    const auto messages = batch_.finish();
    std::size_t total = 0;
    for (std::size_t i = 0; i < messages.size(); ++i) {
      counts.push_back(batch_.datagrams(i).size());
      EXPECT_EQ(batch_.datagrams(i).front(), total);
      total += counts.back();
      EXPECT_EQ(messages[i].msg_hdr.msg_controllen != 0, counts.back() > 1)
          << "a single one needs no control";
    }
    EXPECT_EQ(total, batch_.size());
    return counts;
  }

  std::vector<std::uint8_t> bytes_ = std::vector<std::uint8_t>(65535);
  std::deque<Datagram> datagrams_;
  MessageBatch batch_;
};

TEST_F(MessageBatchTest, ARunEndsWithAShorterOneOrBeforeALongerOne) {
  for (const std::size_t size : {100, 100, 60, 60, 61, 61, 8, 8}) add(size);
  EXPECT_THAT(counts(), ElementsAre(3, 1, 3, 1));
}

TEST_F(MessageBatchTest, ARunHasOneRoute) {
  for (int i = 0; i < 4; ++i) add(100);
  add(100, true, "10.9.0.3");
  EXPECT_THAT(counts(), ElementsAre(4, 1));
}

TEST_F(MessageBatchTest, ARunHasSixtyFourDatagramsAtMost) {
  for (int i = 0; i < 130; ++i) add(58);
  EXPECT_THAT(counts(), ElementsAre(64, 64, 2));
}

TEST_F(MessageBatchTest, ARunIsNoLargerThanADatagram) {
  for (int i = 0; i < 46; ++i) add(1456);  // 44 of them are 64,064 bytes
  EXPECT_THAT(counts(), ElementsAre(44, 2));
}

TEST_F(MessageBatchTest, TheLastByteCounts) {
  add(32754);
  add(32753);
  EXPECT_THAT(counts(), ElementsAre(2)) << "65507 bytes";
  batch_.clear();
  datagrams_.clear();
  add(32754);
  add(32754);
  EXPECT_THAT(counts(), ElementsAre(1, 1));
  batch_.clear();
  datagrams_.clear();
  add(32764, true, kRemotes[1]);
  add(32763, true, kRemotes[1]);
  EXPECT_THAT(counts(), ElementsAre(2)) << "65527 bytes, since IPv6 does not count its header";
}

TEST_F(MessageBatchTest, OneByOneIfThatIsAskedFor) {
  for (int i = 0; i < 3; ++i) add(100, false);
  EXPECT_THAT(counts(), ElementsAre(1, 1, 1));
}

TEST_F(MessageBatchTest, HasRoomForTheLargestMessageOrSaysSo) {
  std::size_t added = 0;
  for (; batch_.has_room() && added < 100000; ++added) {
    datagrams_.push_back(datagram(kRemotes[0], ByteView(bytes_).first(100)));
    datagrams_.back().prefix = ByteView(bytes_).first(54);
    batch_.add(added, datagrams_.back(), true);
  }
  EXPECT_GE(added, 4 * MessageBatch::kMaxSegments);
  EXPECT_EQ(counts().front(), MessageBatch::kMaxSegments);
  batch_.clear();
  EXPECT_TRUE(batch_.has_room());
  EXPECT_THAT(batch_.datagrams(), IsEmpty());
}

// --- what becomes of it

class UdpSegmentTest : public CableTest {
 protected:
  std::vector<FailedSend> send(const std::vector<Datagram>& batch) {
    std::vector<FailedSend> failures;
    sender_.send(batch, failures);
    return failures;
  }
  std::vector<FailedSend> send_equal(const char* remote, std::size_t count, std::size_t size) {
    return send(std::vector(count, datagram(remote, ByteView(bytes_).first(size - Datagram::kHeaderSize))));
  }
  /// UDP payload of the next packets to the VXLAN port, as the device saw them: a run is one.
  std::vector<std::size_t> on_wire(std::size_t bytes) const {
    std::vector<std::size_t> sizes;
    std::vector<std::uint8_t> b(70000);
    while (bytes > 0 && wait_readable(packets_)) {
      const ssize_t size = ::recv(packets_, b.data(), b.size(), 0);
      const std::size_t udp = b[0] == 0x45 && b[9] == IPPROTO_UDP     ? 20
                              : b[0] >> 4 == 6 && b[6] == IPPROTO_UDP ? 40
                                                                      : 0;
      if (udp == 0 || load_be16(&b[udp + 2]) != kIanaVxlanPort.value()) continue;
      sizes.push_back(static_cast<std::size_t>(size) - udp - 8);
      bytes -= std::min(bytes, sizes.back());
    }
    return sizes;
  }
  /// The sender's socket, behind its back.
  static int socket_on(Port port) {
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
      const int fd = std::stoi(entry.path().filename());
      SocketAddress address{};
      socklen_t size = sizeof(address);
      if (::getsockname(fd, &address.any, &size) == 0 && load_port(address) == port) return fd;
    }
    return -1;
  }

  std::vector<std::uint8_t> bytes_ = std::vector<std::uint8_t>(65535);
  UdpSender sender_;
};

TEST_F(UdpSegmentTest, ARunIsOnePacketToTheDevice) {
  for (const char* remote : kRemotes) {
    EXPECT_THAT(send_equal(remote, 45, 1412), IsEmpty());
    EXPECT_THAT(on_wire(45 * 1412), ElementsAre(45 * 1412)) << remote;
    EXPECT_THAT(send_equal(remote, 100, 72), IsEmpty());
    EXPECT_THAT(on_wire(100 * 72), ElementsAre(64 * 72, 36 * 72)) << remote;
  }
}

TEST_F(UdpSegmentTest, TheLargestRunsLeave) {
  // Segments that need a larger MTU than 1500 make the number of bytes the limit.
  sh("ip link set va mtu 40000");
  for (const char* remote : kRemotes) {
    const std::size_t most = remote == kRemotes[0] ? 65507 : 65527;
    const std::size_t half = most / 2 + 1;
    std::vector<Datagram> batch(2, datagram(remote, ByteView(bytes_).first(half - Datagram::kHeaderSize)));
    batch[1].frame = batch[1].frame.first(batch[1].frame.size() - 1);
    EXPECT_THAT(send(batch), IsEmpty()) << remote;
  }
}

TEST_F(UdpSegmentTest, WithoutAChecksumTheyGoOneByOne) {
  for (const char* remote : kRemotes) {
    std::vector<Datagram> batch(5, datagram(remote, ByteView(bytes_).first(92)));
    for (Datagram& one : batch) one.route.checksum = false;
    EXPECT_THAT(send(batch), IsEmpty());
    EXPECT_THAT(on_wire(500), ElementsAre(100, 100, 100, 100, 100)) << remote;
    EXPECT_THAT(send_equal(remote, 5, 100), IsEmpty());
    EXPECT_THAT(on_wire(500), ElementsAre(500)) << "that was not held against the others: " << remote;
  }
}

TEST_F(UdpSegmentTest, WhereTheKernelRefusesTheyGoOneByOneForAWhile) {
  EXPECT_THAT(send_equal(kRemotes[0], 2, 100), IsEmpty());
  EXPECT_THAT(on_wire(200), SizeIs(1));
  // Without a checksum the kernel says EINVAL to a run; IPsec would make it say EIO.
  const int on = 1;
  ASSERT_EQ(::setsockopt(socket_on(Port(50000)), SOL_SOCKET, SO_NO_CHECK, &on, sizeof(on)), 0);
  EXPECT_THAT(send_equal(kRemotes[0], 40, 100), IsEmpty());
  EXPECT_THAT(on_wire(4000), SizeIs(40));
  const int off = 0;
  ASSERT_EQ(::setsockopt(socket_on(Port(50000)), SOL_SOCKET, SO_NO_CHECK, &off, sizeof(off)), 0);
  EXPECT_THAT(send_equal(kRemotes[0], 40, 100), IsEmpty());
  EXPECT_THAT(on_wire(4000), SizeIs(40)) << "remembered";

  for (std::size_t sent = 40; sent < SendPool::kPlainMessages; sent += 50) {
    EXPECT_THAT(send_equal(kRemotes[0], 50, 100), IsEmpty());
    EXPECT_THAT(on_wire(5000), SizeIs(50));
  }
  EXPECT_THAT(send_equal(kRemotes[0], 40, 100), IsEmpty());
  EXPECT_THAT(on_wire(4000), SizeIs(1)) << "and tried again";
}

TEST_F(UdpSegmentTest, ARunOnADeviceThatIsDownFailsAsAWhole) {
  EXPECT_THAT(send_equal(kRemotes[0], 2, 100), IsEmpty());
  sh("ip link set va down");
  EXPECT_THAT(send_equal(kRemotes[0], 10, 100), SizeIs(10));
}

TEST_F(UdpSegmentTest, APlainSocketReceivesSingleDatagrams) {
  for (const bool v4 : {true, false}) {
    int plain = -1;
    peer_->run([&] {
      plain = ::socket(v4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
      SocketAddress address;
      const socklen_t size = store_address(v4 ? IpAddr(Ipv4()) : IpAddr(Ipv6()), kIanaVxlanPort, address);
      ASSERT_EQ(::bind(plain, &address.any, size), 0);
    });
    for (std::size_t i = 0; i < bytes_.size(); ++i) bytes_[i] = static_cast<std::uint8_t>(i / 100);
    std::vector<Datagram> batch;
    for (std::size_t i = 0; i < 64; ++i) {
      batch.push_back(datagram(kRemotes[v4 ? 0 : 1], ByteView(bytes_).subspan(100 * i, 100)));
    }
    EXPECT_THAT(send(batch), IsEmpty());
    for (std::size_t i = 0; i < 64; ++i) {
      ASSERT_TRUE(wait_readable(plain));
      std::array<std::uint8_t, 2000> got;
      ASSERT_EQ(::recv(plain, got.data(), got.size(), 0), 108);
      EXPECT_EQ(got[0], 8);
      EXPECT_EQ(got[8], i);
    }
    ::close(plain);
  }
}

TEST_F(UdpSegmentTest, SendersShareSourcePortsAndNobodyElseDoes) {
  const auto ports = std::make_shared<SourcePorts>();
  UdpSender first({.ports = ports});
  UdpSender second({.ports = ports});
  UdpSender stranger;
  const auto port_of = [&](UdpSender& sender, const char* remote) {
    const Datagram one = datagram(remote, ByteView(bytes_).first(20));
    std::vector<FailedSend> failures;
    sender.send({&one, 1}, failures);
    EXPECT_THAT(failures, IsEmpty());
    std::vector<std::uint8_t> b(2000);
    while (wait_readable(packets_)) {
      if (::recv(packets_, b.data(), b.size(), 0) < 48) continue;
      const std::size_t udp = b[0] == 0x45 ? 20 : 40;
      if (load_be16(&b[udp + 2]) == kIanaVxlanPort.value()) return load_be16(&b[udp]);
    }
    return std::uint16_t{0};
  };
  for (const char* remote : kRemotes) {
    EXPECT_EQ(port_of(first, remote), 50000);
    EXPECT_EQ(port_of(second, remote), 50000);
    EXPECT_EQ(port_of(stranger, remote), 50001) << "a taken port stays taken";
  }
  // Not even to one that would share.
  const int other = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  ASSERT_EQ(::setsockopt(other, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)), 0);
  SocketAddress address;
  const socklen_t size = store_address(Ipv4(), Port(50000), address);
  EXPECT_NE(::bind(other, &address.any, size), 0);
  ::close(other);
}

TEST_F(UdpSegmentTest, APortThatIsTakenHasOneStandInForAllSenders) {
  const int squatter = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  ASSERT_EQ(::setsockopt(squatter, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)), 0);
  SocketAddress address;
  const socklen_t size = store_address(Ipv4(), Port(50000), address);
  ASSERT_EQ(::bind(squatter, &address.any, size), 0);
  const auto ports = std::make_shared<SourcePorts>();
  SendPool first(AF_INET, {}, ports);
  std::optional<SendPool> second(std::in_place, AF_INET, std::function<void(int)>(), ports);
  const auto port_of = [](SendPool& pool) {
    SocketAddress bound{};
    socklen_t length = sizeof(bound);
    const int socket = pool.socket_for(Port(50000));
    EXPECT_EQ(::getsockname(pool.fd(static_cast<std::size_t>(socket)), &bound.any, &length), 0);
    return load_port(bound);
  };
  EXPECT_EQ(port_of(first), Port(50001)) << "it would share, and lose half of what is sent to it";
  EXPECT_EQ(port_of(*second), Port(50001));
  ::close(squatter);
  second.reset();
  SendPool third(AF_INET, {}, ports);
  EXPECT_EQ(port_of(third), Port(50000)) << "free by now";
}

}  // namespace
}  // namespace vtep
