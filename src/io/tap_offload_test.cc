// Super-frames through a TAP, whole and in both directions, and its queues.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <linux/if_packet.h>
#include <linux/udp.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "io/tap.h"
#include "io/test_namespace.h"
#include "io/virtio_header.h"

namespace vtep {
namespace {

using Bytes = std::vector<std::uint8_t>;
using VirtioHeader = std::array<std::uint8_t, kVirtioHeaderSize>;

constexpr std::size_t kTcp4Headers = 14 + 20 + 20;
constexpr std::size_t kTcp6Headers = 14 + 40 + 20;

/// Ethernet, IPv4 or IPv6, TCP and a payload; checksums as the kernel leaves them for later, as far as
/// anybody looks.
Bytes tcp_frame(bool v4, std::size_t payload) {
  Bytes frame((v4 ? kTcp4Headers : kTcp6Headers) + payload);
  frame[0] = frame[6] = 2;
  frame[5] = 1;
  frame[11] = 2;
  store_be16(&frame[12], v4 ? 0x0800 : 0x86dd);
  if (v4) {
    frame[14] = 0x45;
    store_be16(&frame[16], static_cast<std::uint16_t>(frame.size() - 14));
    frame[22] = 64;
    frame[23] = IPPROTO_TCP;
    store_be32(&frame[26], 0xc0a80501);
    store_be32(&frame[30], 0xc0a80502);
  } else {
    frame[14] = 0x60;
    store_be16(&frame[18], static_cast<std::uint16_t>(frame.size() - 54));
    frame[20] = IPPROTO_TCP;
    frame[21] = 64;
    frame[22] = frame[38] = 0xfd;
    frame[37] = 1;
    frame[53] = 2;
  }
  const std::size_t tcp = v4 ? 34 : 54;
  store_be16(&frame[tcp], 5000);
  store_be16(&frame[tcp + 2], 5001);
  frame[tcp + 12] = 0x50;
  frame[tcp + 13] = 0x10;
  for (std::size_t i = 0; i < payload; ++i) frame[tcp + 20 + i] = static_cast<std::uint8_t>(i * 7 + i / 256);
  return frame;
}

Offload tcp_offload(bool v4, std::uint16_t segment_size) {
  return {.needs_checksum = true,
          .segmentation = v4 ? Segmentation::kTcp4 : Segmentation::kTcp6,
          .segment_size = segment_size,
          .header_length = static_cast<std::uint16_t>(v4 ? kTcp4Headers : kTcp6Headers),
          .checksum_start = static_cast<std::uint16_t>(v4 ? 34 : 54),
          .checksum_offset = 16};
}

/// This host, which has an interface whose other end are the TAP's queues.
class TapOffloadTest : public NamespaceTest {
 protected:
  void open(std::size_t queues = 1) {
    sh("echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6");
    tap_ = Tap::open("tap0", queues).value();
    queues_ = tap_->take_queues();
    sh("ip link set tap0 address 02:00:00:00:00:01 up");
    sh("ip addr add 192.168.5.1/24 dev tap0");
    sh("ip neigh add 192.168.5.2 lladdr 02:00:00:00:00:02 dev tap0");
  }
  void TearDown() override {
    if (packets_ >= 0) ::close(packets_);
    queues_.clear();
    tap_.reset();
    NamespaceTest::TearDown();
  }
  /// Puts frames on the interface, and sees those that come out of it, each behind a virtio header.
  int packets() {
    if (packets_ >= 0) return packets_;
    packets_ = ::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_ALL));
    const int size = kVirtioHeaderSize;
    EXPECT_EQ(::setsockopt(packets_, SOL_PACKET, 24 /* PACKET_VNET_HDR_SZ */, &size, sizeof(size)), 0);
    sockaddr_ll address{};
    address.sll_family = AF_PACKET;
    address.sll_protocol = htons(ETH_P_ALL);
    address.sll_ifindex = static_cast<int>(::if_nametoindex("tap0"));
    EXPECT_EQ(::bind(packets_, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    return packets_;
  }
  void inject(const Offload& offload, const Bytes& frame) {
    Bytes message(kVirtioHeaderSize);
    store_virtio_header(offload, frame, message.data());
    message.insert(message.end(), frame.begin(), frame.end());
    EXPECT_EQ(::send(packets(), message.data(), message.size(), 0), static_cast<ssize_t>(message.size()));
  }

  std::unique_ptr<Tap> tap_;
  std::vector<std::unique_ptr<FramePort>> queues_;
  int packets_ = -1;
};

TEST_F(TapOffloadTest, ReadsTcpSuperFramesWhole) {
  open();
  for (const bool v4 : {true, false}) {
    // Behind one another: every buffer has room for the largest.
    const Bytes large = tcp_frame(v4, 65535 - 80);  // just what the stack does not cut
    const Bytes small = tcp_frame(v4, 3000);
    const Offload offload = tcp_offload(v4, 1400);
    inject(offload, large);
    inject(offload, small);
    PacketBatch batch(4);
    ASSERT_EQ(queues_[0]->read(batch), 2U);
    EXPECT_TRUE(std::ranges::equal(batch.packets()[0].view(), large));
    EXPECT_EQ(batch.packets()[0].offload, offload);
    EXPECT_TRUE(std::ranges::equal(batch.packets()[1].view(), small));
    EXPECT_EQ(batch.packets()[1].offload, offload);
  }
}

TEST_F(TapOffloadTest, ASuperFrameWithCwrComesWhole) {
  open();
  Bytes frame = tcp_frame(true, 3000);
  frame[34 + 13] |= 0x80;
  inject(tcp_offload(true, 1000), frame);
  PacketBatch batch(4);
  ASSERT_EQ(queues_[0]->read(batch), 1U);
  EXPECT_TRUE(std::ranges::equal(batch.packets()[0].view(), frame));
}

TEST_F(TapOffloadTest, ReadsUdpSuperFramesWhole) {
  open();
  if (!tap_->takes_udp_segments()) GTEST_SKIP() << "needs Linux 6.2: TUN_F_USO4";
  const int udp = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const int segment = 1000;
  ASSERT_EQ(::setsockopt(udp, IPPROTO_UDP, UDP_SEGMENT, &segment, sizeof(segment)), 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(7000);
  ::inet_pton(AF_INET, "192.168.5.2", &to.sin_addr);
  const std::string text(5500, 'u');
  EXPECT_EQ(::sendto(udp, text.data(), text.size(), 0, reinterpret_cast<sockaddr*>(&to), sizeof(to)), 5500);
  ::close(udp);
  PacketBatch batch(8);
  ASSERT_EQ(queues_[0]->read(batch), 1U);
  EXPECT_EQ(batch.packets()[0].size(), 14 + 20 + 8 + text.size());
  EXPECT_EQ(batch.packets()[0].offload, (Offload{.needs_checksum = true,
                                                 .segmentation = Segmentation::kUdp,
                                                 .segment_size = 1000,
                                                 .header_length = 42,
                                                 .checksum_start = 34,
                                                 .checksum_offset = 6}));
}

TEST_F(TapOffloadTest, WritesSuperFramesWhole) {
  open();
  EXPECT_TRUE(queues_[0]->takes_udp_segments()) << "not a failure of ours before Linux 6.2";
  packets();
  for (const bool v4 : {true, false}) {
    for (const bool cwr : {false, true}) {
      Bytes frame = tcp_frame(v4, 60000);
      if (cwr) frame[(v4 ? 34U : 54U) + 13] |= 0x80;
      const std::size_t head_size = (v4 ? kTcp4Headers : kTcp6Headers) + 1000;
      Bytes head(frame.begin(), frame.begin() + static_cast<std::ptrdiff_t>(head_size));
      std::vector<ByteView> rest;
      for (std::size_t at = head_size; at < frame.size(); at += 1000) {
        rest.push_back(ByteView(frame).subspan(at, std::min<std::size_t>(1000, frame.size() - at)));
      }
      Packet packet(head, 0);
      packet.set_size(head.size());
      packet.rest = rest;
      packet.offload = tcp_offload(v4, 1000);
      ASSERT_EQ(queues_[0]->write({&packet, 1}).written, 1U);

      ASSERT_TRUE(wait_readable(packets_));
      Bytes seen(kVirtioHeaderSize + kMaxFrame);
      const ssize_t size = ::recv(packets_, seen.data(), seen.size(), 0);
      ASSERT_EQ(size, static_cast<ssize_t>(kVirtioHeaderSize + frame.size()));
      EXPECT_TRUE(std::ranges::equal(ByteView(seen).subspan(kVirtioHeaderSize, frame.size()), frame));
      EXPECT_EQ(seen[1], (v4 ? 1 : 4) | (cwr ? 0x80 : 0)) << "type, and whether the first segment has CWR";
      EXPECT_EQ(seen[4] | seen[5] << 8, 1000) << "segment size";
    }
  }
}

TEST_F(TapOffloadTest, EveryQueueReadsAndWrites) {
  open(3);
  ASSERT_EQ(queues_.size(), 3U);
  EXPECT_TRUE(tap_->take_queues().empty()) << "once";
  EXPECT_EQ(tap_->current_name(), "tap0");
  packets();
  std::size_t seen = 0;
  for (const auto& queue : queues_) {
    Bytes frame = tcp_frame(true, 10);
    Packet packet(frame, 0);
    packet.set_size(frame.size());
    EXPECT_EQ(queue->write({&packet, 1}).written, 1U);
    Bytes buffer(2000);
    seen += wait_readable(packets_) && ::recv(packets_, buffer.data(), buffer.size(), 0) > 0 ? 1U : 0U;
  }
  EXPECT_EQ(seen, 3U);

  // Many flows meet every queue, and each stays on one.
  std::vector<std::vector<std::uint16_t>> ports(queues_.size());
  for (int round = 0; round < 2; ++round) {
    for (std::uint16_t i = 0; i < 100; ++i) {
      Bytes frame = tcp_frame(true, 10);
      store_be16(&frame[34], static_cast<std::uint16_t>(10000 + i * 37));
      inject({}, frame);
    }
    for (std::size_t i = 0; i < queues_.size(); ++i) {
      PacketBatch batch(200);
      ASSERT_TRUE(queues_[i]->read(batch));
      std::vector<std::uint16_t> mine;
      for (const Packet& packet : batch.packets()) mine.push_back(load_be16(packet.data() + 34));
      EXPECT_FALSE(mine.empty()) << i;
      if (round == 1) {
        EXPECT_EQ(mine, ports[i]) << i;
      }
      ports[i] = mine;
    }
  }
  EXPECT_EQ(ports[0].size() + ports[1].size() + ports[2].size(), 100U);
}

TEST_F(TapOffloadTest, TheQueuesOfOneThatIsPersistent) {
  sh("ip tuntap add single mode tap");
  sh("ip tuntap add multi mode tap multi_queue vnet_hdr");
  const auto queues = Tap::open("single", 4).value()->take_queues();
  ASSERT_EQ(queues.size(), 4U);
  EXPECT_GE(queues[0]->fd(), 0);
  EXPECT_EQ(queues[1]->fd(), -1) << "the others only write";
  EXPECT_EQ(Tap::open("multi", 4).value()->take_queues().size(), 4U);
  const auto again = Tap::open("multi", 4).value();
  EXPECT_EQ(Tap::open("multi", 4).error().kind, ErrorKind::kInUse) << "held by the Tap without its queues";
}

TEST_F(TapOffloadTest, TheTapKnowsItsInterfaceWhenItsQueuesAreGone) {
  auto tap = Tap::open("tap0", 2).value();
  auto queues = tap->take_queues();
  queues.clear();
  EXPECT_EQ(tap->current_name(), "tap0");
  EXPECT_EQ(tap->state()->name, "tap0");
  EXPECT_TRUE(tap->set_persistent(true));
  tap.reset();
  EXPECT_TRUE(::if_nametoindex("tap0") != 0);
  tap = Tap::open("tap0", 2).value();
  EXPECT_TRUE(tap->set_persistent(false));
  queues = tap->take_queues();
  tap.reset();
  EXPECT_TRUE(::if_nametoindex("tap0") != 0) << "a queue holds it";
  queues.clear();
  EXPECT_EQ(::if_nametoindex("tap0"), 0U);
}

}  // namespace
}  // namespace vtep
