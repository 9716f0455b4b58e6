#include "daemon/data_plane.h"

#include <gtest/gtest.h>

#include "io/memory_frame_port.h"
#include "io/memory_wire.h"
#include "wire/ethernet.h"

namespace vtep {
namespace {

constexpr Vni kVni = 6000_vni;
const IpAddr kGroup = Ipv4(239, 1, 1, 1);

/// The receiver's socket, seen from the sending side.
class SenderOf final : public UnderlaySender {
 public:
  explicit SenderOf(MemoryUnderlay& socket) : socket_(socket) {}
  void send(std::span<const Datagram> batch, std::vector<FailedSend>& failures) override {
    socket_.send(batch, failures);
  }

 private:
  MemoryUnderlay& socket_;
};

/// Hands one socket to DataPlane, which wants to own it; the wire keeps it known to the sender.
class ReceiverOf final : public UnderlayReceiver {
 public:
  explicit ReceiverOf(MemoryUnderlay& socket) : socket_(socket) {}
  Result<std::size_t> receive(PacketBatch& batch) override { return socket_.receive(batch); }
  int fd() const override { return -1; }

 private:
  MemoryUnderlay& socket_;
};

std::vector<std::uint8_t> frame(MacAddr destination, MacAddr source, std::size_t size = 60) {
  std::vector<std::uint8_t> bytes(size, 0x5a);
  EthernetHeader{destination, source, 0x88b5}.emit(bytes);
  return bytes;
}

/// A host: one link on the wire, its local port in the test's hands.
struct Host {
  Host(Loop& loop, MemoryWire& wire, const IpAddr& address, MacAddr mac_address)
      : mac(mac_address),
        socket(wire, address, kIanaVxlanPort),
        owned_plane(*DataPlane::start(
            loop, {.open_receivers =
                       [this](Port) {
                         std::vector<DataPlane::Receivers> receivers(1);
                         receivers[0].push_back(std::make_unique<ReceiverOf>(socket));
                         return Result<std::vector<DataPlane::Receivers>>(std::move(receivers));
                       },
                   .make_sender = [this] { return std::make_unique<SenderOf>(socket); }})),
        plane(*owned_plane) {
    socket.join(kGroup);
    LinkConfig config;
    config.vni = kVni;
    config.port = kIanaVxlanPort;
    config.local4 = address;
    config.flood = kGroup;
    config.address = mac;
    link = *plane.engine()->add_link(config, Time());
    EXPECT_TRUE(plane.acquire_receiver(kIanaVxlanPort));
    port = attach();
  }
  MemoryFramePort* attach() {
    std::vector<std::unique_ptr<FramePort>> queues;
    auto queue = std::make_unique<MemoryFramePort>();
    MemoryFramePort* const attached = queue.get();
    queues.push_back(std::move(queue));
    EXPECT_TRUE(plane.attach(link, std::move(queues)));
    return attached;
  }
  std::uint64_t drops(Drop drop) { return plane.engine()->counters(link).drops[drop]; }

  MacAddr mac;
  MemoryUnderlay socket;
  std::unique_ptr<DataPlane> owned_plane;
  DataPlane& plane;
  LinkId link = 0;
  MemoryFramePort* port = nullptr;
};

class DataPlaneTest : public testing::Test {
 protected:
  std::unique_ptr<Loop> loop_ = *Loop::create();
  MemoryWire wire_;
  Host a_{*loop_, wire_, Ipv4(10, 138, 36, 66), MacAddr({2, 0, 0, 0, 0, 0xa})};
  Host b_{*loop_, wire_, Ipv4(10, 138, 36, 58), MacAddr({2, 0, 0, 0, 0, 0xb})};
};

TEST_F(DataPlaneTest, ABroadcastIsFloodedAndTeachesAndTheAnswerIsUnicast) {
  const auto question = frame(kBroadcastMac, a_.mac);
  a_.port->inject(question);
  a_.plane.poll();
  b_.plane.poll();
  auto arrived = b_.port->collect();
  ASSERT_EQ(arrived.size(), 1U);
  EXPECT_EQ(arrived[0].bytes, question);
  EXPECT_EQ(a_.plane.engine()->counters(a_.link).flooded_frames, 1U);

  const auto answer = frame(a_.mac, b_.mac);
  b_.port->inject(answer);
  b_.plane.poll();
  a_.plane.poll();
  arrived = a_.port->collect();
  ASSERT_EQ(arrived.size(), 1U);
  EXPECT_EQ(arrived[0].bytes, answer);
  EXPECT_EQ(b_.plane.engine()->counters(b_.link).flooded_frames, 0U);
  EXPECT_EQ(a_.plane.engine()->counters(a_.link).learned, 1U);
}

TEST_F(DataPlaneTest, ManyFramesKeepTheirOrder) {
  std::vector<std::vector<std::uint8_t>> sent;
  for (std::uint8_t i = 0; i < 200; ++i) {
    sent.push_back(frame(b_.mac, a_.mac, 60U + i));
    a_.port->inject(sent.back());
  }
  a_.plane.poll();
  b_.plane.poll();
  const auto arrived = b_.port->collect();
  ASSERT_EQ(arrived.size(), sent.size());
  for (std::size_t i = 0; i < sent.size(); ++i) EXPECT_EQ(arrived[i].bytes, sent[i]);
}

TEST_F(DataPlaneTest, WhatTheUnderlayRefusesIsCountedByName) {
  a_.port->inject(frame(kBroadcastMac, a_.mac, 2000));
  a_.plane.poll();
  EXPECT_EQ(a_.drops(Drop::kFrameTooBig), 1U);
}

TEST_F(DataPlaneTest, WhatTheInterfaceRefusesIsCountedByName) {
  b_.port->set_up(false);
  a_.port->inject(frame(kBroadcastMac, a_.mac));
  a_.plane.poll();
  b_.plane.poll();
  EXPECT_EQ(b_.drops(Drop::kInterfaceDown), 1U);
  b_.plane.detach(b_.link);
  a_.port->inject(frame(kBroadcastMac, a_.mac));
  a_.plane.poll();
  b_.plane.poll();
  EXPECT_EQ(b_.drops(Drop::kInterfaceDown), 2U);
}

TEST_F(DataPlaneTest, ALostPortIsReportedOnceAndTheLinkGoesOnWithANewOne) {
  std::vector<LinkId> lost;
  a_.plane.on_port_lost([&](LinkId link) { lost.push_back(link); });
  a_.port->remove();
  a_.plane.poll();
  a_.plane.poll();
  EXPECT_EQ(lost, std::vector{a_.link});
  EXPECT_FALSE(a_.plane.is_attached(a_.link));

  MemoryFramePort* const port = a_.attach();
  port->inject(frame(kBroadcastMac, a_.mac));
  a_.plane.poll();
  b_.plane.poll();
  EXPECT_EQ(b_.port->collect().size(), 1U);
}

TEST_F(DataPlaneTest, TheReceiverLivesAsLongAsItsUsers) {
  EXPECT_TRUE(a_.plane.acquire_receiver(kIanaVxlanPort));
  a_.plane.release_receiver(kIanaVxlanPort);
  EXPECT_EQ(a_.plane.receiver_ports(), std::vector{kIanaVxlanPort});
  a_.plane.release_receiver(kIanaVxlanPort);
  EXPECT_TRUE(a_.plane.receiver_ports().empty());
  a_.plane.release_receiver(kIanaVxlanPort);
}

}  // namespace
}  // namespace vtep
