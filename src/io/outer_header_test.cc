// What a route asks of the outer headers, as it comes out on a wire: TOS, DF, flow label, checksum.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "io/test_namespace.h"
#include "io/udp_receiver.h"
#include "io/udp_sender.h"

namespace vtep {
namespace {

using ::testing::IsEmpty;

constexpr std::array<std::uint8_t, 4> kFrame = {1, 2, 3, 4};

struct Seen {
  std::uint8_t tos = 0;
  bool dont_fragment = false;
  std::uint32_t flow_label = 0;
  std::uint16_t checksum = 0;
  std::uint16_t source_port = 0;
};

class OuterHeaderTest : public CableTest {
 protected:
  static Datagram datagram(const std::string& remote) {
    Datagram datagram{.header = {8, 0, 0, 0, 0, 0, 1, 0}, .frame = kFrame, .route = {}};
    datagram.route.remote = *IpAddr::parse(remote);
    datagram.route.destination_port = kIanaVxlanPort;
    datagram.route.source_port = Port(50000);
    return datagram;
  }
  std::optional<Seen> next_on_wire() const {
    while (wait_readable(packets_)) {
      std::array<std::uint8_t, 2000> b;
      const ssize_t size = ::recv(packets_, b.data(), b.size(), 0);
      if (size < 20 + 8) continue;
      Seen seen;
      std::size_t udp = 0;
      if (b[0] == 0x45 && b[9] == IPPROTO_UDP) {
        seen = {.tos = b[1], .dont_fragment = (b[6] & 0x40) != 0};
        udp = 20;
      } else if (b[0] >> 4 == 6 && b[6] == IPPROTO_UDP) {
        seen = {.tos = static_cast<std::uint8_t>(load_be16(b.data()) >> 4),
                .flow_label = load_be32(b.data()) & 0xfffff};
        udp = 40;
      }
      if (udp == 0 || load_be16(&b[udp + 2]) != kIanaVxlanPort.value()) continue;
      seen.source_port = load_be16(&b[udp]);
      seen.checksum = load_be16(&b[udp + 6]);
      return seen;
    }
    return std::nullopt;
  }
  /// Sends as one batch; what came out, in order.
  std::vector<Seen> send_and_see(const std::vector<Datagram>& batch) {
    std::vector<FailedSend> failures;
    sender_.send(batch, failures);
    EXPECT_THAT(failures, IsEmpty());
    std::vector<Seen> all;
    while (all.size() < batch.size()) {
      const auto seen = next_on_wire();
      if (!seen) break;
      all.push_back(*seen);
    }
    EXPECT_EQ(all.size(), batch.size());
    all.resize(batch.size());
    return all;
  }

  UdpSender sender_{{.send_segments = false}};  // a packet socket would see the runs
};

TEST_F(OuterHeaderTest, TosIsPerDatagramAndWhole) {
  for (const char* remote : {"10.9.0.2", "fd09::2"}) {
    send_and_see({datagram(remote)});  // the neighbour is known from here on
    for (unsigned first = 0; first < 256; first += 64) {
      std::vector<Datagram> batch(64, datagram(remote));
      for (std::size_t i = 0; i < batch.size(); ++i)
        batch[i].route.tos = static_cast<std::uint8_t>(first + i);
      const auto seen = send_and_see(batch);
      for (std::size_t i = 0; i < seen.size(); ++i) EXPECT_EQ(seen[i].tos, first + i) << remote;
    }
  }
}

TEST_F(OuterHeaderTest, DontFragmentAndChecksumFollowTheRouteWithinOneBatch) {
  std::vector<Datagram> batch(40, datagram("10.9.0.2"));
  for (std::size_t i = 0; i < batch.size(); ++i) {
    batch[i].route.dont_fragment = i / 3 % 2 == 1;
    batch[i].route.checksum = i / 5 % 2 == 1;
  }
  send_and_see({batch[0]});
  const auto seen = send_and_see(batch);
  for (std::size_t i = 0; i < seen.size(); ++i) {
    EXPECT_EQ(seen[i].dont_fragment, batch[i].route.dont_fragment) << i;
    EXPECT_EQ(seen[i].checksum != 0, batch[i].route.checksum) << i;
    EXPECT_EQ(seen[i].source_port, 50000) << i;
  }
}

TEST_F(OuterHeaderTest, FlowLabelAndChecksumOfIpv6) {
  std::vector<Datagram> batch(12, datagram("fd09::2"));
  for (std::size_t i = 0; i < batch.size(); ++i) {
    batch[i].route.flow_label = i % 3 == 0 ? 0 : static_cast<std::uint32_t>(0xfffff - i);
    batch[i].route.checksum = i % 4 == 0;
    batch[i].route.tos = static_cast<std::uint8_t>(i);
  }
  send_and_see({batch[0]});
  const auto seen = send_and_see(batch);
  for (std::size_t i = 0; i < seen.size(); ++i) {
    EXPECT_EQ(seen[i].flow_label, batch[i].route.flow_label) << "0 means 0, and no hash: " << i;
    EXPECT_EQ(seen[i].checksum != 0, batch[i].route.checksum) << i;
    EXPECT_EQ(seen[i].tos, i);
  }
}

TEST_F(OuterHeaderTest, OnlyTwentyBitsOfAFlowLabelCount) {
  Datagram one = datagram("fd09::2");
  one.route.flow_label = 0xfff12345;
  one.route.tos = 0x10;
  const auto seen = send_and_see({one});
  EXPECT_EQ(seen[0].flow_label, 0x12345U);
  EXPECT_EQ(seen[0].tos, 0x10);
}

TEST_F(OuterHeaderTest, ZeroChecksumsOfIpv6AreReceivedOnlyWhereThatIsAskedFor) {
  std::unique_ptr<UdpReceiver> strict;
  std::unique_ptr<UdpReceiver> lenient;
  peer_->run([&] {
    strict = UdpReceiver::open(UdpReceiver::Family::kV6, Port(4790)).value();
    lenient = UdpReceiver::open(UdpReceiver::Family::kV6, kIanaVxlanPort, {.zero_checksum6 = true}).value();
  });
  const auto arrives = [&](UdpReceiver& receiver, Port port, bool checksum) {
    Datagram one = datagram("fd09::2");
    one.route.destination_port = port;
    one.route.checksum = checksum;
    std::vector<FailedSend> failures;
    sender_.send({&one, 1}, failures);
    EXPECT_THAT(failures, IsEmpty());
    // Delivery over a veth is asynchronous: one that certainly arrives follows.
    Datagram last = datagram("fd09::2");
    last.route.destination_port = Port(4791);
    std::unique_ptr<UdpReceiver> end;
    peer_->run([&] { end = UdpReceiver::open(UdpReceiver::Family::kV6, Port(4791)).value(); });
    sender_.send({&last, 1}, failures);
    EXPECT_TRUE(wait_readable(end->fd()));
    PacketBatch batch(4);
    return receiver.receive(batch).value() == 1;
  };
  EXPECT_TRUE(arrives(*strict, Port(4790), true));
  EXPECT_FALSE(arrives(*strict, Port(4790), false));
  EXPECT_TRUE(arrives(*lenient, kIanaVxlanPort, true));
  EXPECT_TRUE(arrives(*lenient, kIanaVxlanPort, false));

  ASSERT_TRUE(strict->accept_zero_checksum6(true));
  EXPECT_TRUE(arrives(*strict, Port(4790), false));
  ASSERT_TRUE(strict->accept_zero_checksum6(false));
  EXPECT_FALSE(arrives(*strict, Port(4790), false));
}

}  // namespace
}  // namespace vtep
