// What only the in-memory wire does. The rest is in underlay_test.cc and frame_port_test.cc.
#include "io/memory_wire.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "io/memory_frame_port.h"

namespace vtep {
namespace {

using ::testing::IsEmpty;

const IpAddr kA = Ipv4(10, 0, 0, 1);
const IpAddr kB = Ipv4(10, 0, 0, 2);
const IpAddr kC = Ipv4(10, 0, 0, 3);
const IpAddr kGroup = Ipv4(239, 1, 1, 1);

std::vector<FailedSend> send(MemoryUnderlay& from, const IpAddr& to, Port port = kIanaVxlanPort,
                             const std::vector<std::uint8_t>& frame = {1, 2, 3}) {
  Datagram datagram{.header = {}, .frame = frame, .route = {}};
  datagram.route.remote = to;
  datagram.route.destination_port = port;
  datagram.route.source_port = Port(50000);
  std::vector<FailedSend> failures;
  from.send({&datagram, 1}, failures);
  return failures;
}

std::size_t receive(MemoryUnderlay& at) {
  PacketBatch batch(16);
  return at.receive(batch).value();
}

TEST(MemoryWire, DeliversByAddressAndPort) {
  MemoryWire wire;
  MemoryUnderlay a(wire, kA, kIanaVxlanPort);
  MemoryUnderlay b(wire, kB, kIanaVxlanPort);
  MemoryUnderlay b_linux(wire, kB, kLinuxVxlanPort);
  EXPECT_THAT(send(a, kB, kLinuxVxlanPort), IsEmpty());
  EXPECT_EQ(receive(b), 0U);
  EXPECT_EQ(receive(b_linux), 1U);
  EXPECT_EQ(receive(a), 0U);
  EXPECT_THAT(send(b_linux, kA), IsEmpty());
  EXPECT_EQ(receive(a), 1U);
}

TEST(MemoryWire, AGroupReachesEveryMemberOnItsPortButTheSender) {
  MemoryWire wire;
  MemoryUnderlay a(wire, kA, kIanaVxlanPort);
  MemoryUnderlay b(wire, kB, kIanaVxlanPort);
  MemoryUnderlay b_linux(wire, kB, kLinuxVxlanPort);
  MemoryUnderlay c(wire, kC, kIanaVxlanPort);
  for (MemoryUnderlay* member : {&a, &b, &b_linux, &c}) member->join(kGroup);
  EXPECT_THAT(send(a, kGroup), IsEmpty());
  EXPECT_EQ(receive(a), 0U);
  EXPECT_EQ(receive(b), 1U);
  EXPECT_EQ(receive(b_linux), 0U);
  EXPECT_EQ(receive(c), 1U);
}

TEST(MemoryWire, ForgetsWhoLeaves) {
  MemoryWire wire;
  MemoryUnderlay a(wire, kA, kIanaVxlanPort);
  auto b = std::make_unique<MemoryUnderlay>(wire, kB, kIanaVxlanPort);
  EXPECT_THAT(send(a, kB), IsEmpty());
  b.reset();
  ASSERT_EQ(send(a, kB).size(), 1U);
  EXPECT_EQ(send(a, kB)[0].reason, SendFailure::kUnreachable);
}

TEST(MemoryWire, CountsWhatAFullQueueLoses) {
  MemoryWire wire;
  MemoryUnderlay a(wire, kA, kIanaVxlanPort);
  MemoryUnderlay b(wire, kB, kIanaVxlanPort);
  for (std::size_t i = 0; i < MemoryUnderlay::kQueueLength; ++i) send(a, kB);
  EXPECT_EQ(b.overflows(), 0U);
  EXPECT_THAT(send(a, kB), IsEmpty()) << "the sender does not learn of it";
  EXPECT_EQ(b.overflows(), 1U);
  receive(b);
  send(a, kB);
  EXPECT_EQ(b.overflows(), 1U);
}

TEST(MemoryWire, TheMtuCanChange) {
  MemoryWire wire(100);
  MemoryUnderlay a(wire, kA, kIanaVxlanPort);
  MemoryUnderlay b(wire, kB, kIanaVxlanPort);
  const std::vector<std::uint8_t> frame(100);
  EXPECT_EQ(send(a, kB, kIanaVxlanPort, frame).at(0).reason, SendFailure::kTooBig);
  EXPECT_EQ(send(a, kB, kIanaVxlanPort, frame).at(0).mtu, 100U);
  wire.set_mtu(100 + 20 + 8 + 8);
  EXPECT_THAT(send(a, kB, kIanaVxlanPort, frame), IsEmpty());
}

TEST(MemoryFramePort, CarriesTheOffloadBothWays) {
  MemoryFramePort port;
  const std::vector<std::uint8_t> frame(60, 7);
  const Offload offload{.needs_checksum = true, .checksum_start = 34, .checksum_offset = 6};
  ASSERT_TRUE(port.inject(frame, offload));
  PacketBatch batch(1);
  ASSERT_EQ(port.read(batch), 1U);
  EXPECT_EQ(batch.packets()[0].offload, offload);
  EXPECT_EQ(port.write(batch.packets()).written, 1U);
  EXPECT_EQ(port.collect(), (std::vector<MemoryFrame>{{frame, offload}}));
  EXPECT_THAT(port.collect(), IsEmpty());
}

TEST(MemoryFramePort, ItsQueueIsBounded) {
  MemoryFramePort port;
  for (std::size_t i = 0; i < MemoryFramePort::kQueueLength; ++i) ASSERT_TRUE(port.inject({}));
  EXPECT_FALSE(port.inject({}));
}

}  // namespace
}  // namespace vtep
