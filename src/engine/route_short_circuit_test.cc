#include "engine/route_short_circuit.h"

#include <gtest/gtest.h>

#include "engine/test_frames.h"

namespace vtep {
namespace {

using test::Bytes;
using test::ip;
using test::kMacA;
using test::TestFrame;

constexpr LinkId kLink = 2;
constexpr MacAddr kRouter{{0x02, 0, 0, 0, 0, 0x01}};
constexpr MacAddr kNeighbour{{0x02, 0, 0, 0, 0, 0x02}};

class ShortCircuit : public ::testing::Test {
 protected:
  bool pass(const Bytes& bytes) {
    missed_ = IpAddr();
    Packet& frame = packets_.add(bytes);
    const bool rewritten = short_circuit(frame, classify(frame.view()), neighbours_, kLink, 0, &missed_);
    result_ = test::to_bytes(frame.view());
    return rewritten;
  }
  void know(const IpAddr& address, MacAddr mac) {
    neighbours_.set(kLink, address, mac, false, NeighbourOrigin::kPermanent, 0);
  }
  /// From station A to the router, for somebody behind it.
  static TestFrame routed(const char* from, const char* to) {
    return {.destination = kRouter, .source = kMacA, .from = ip(from), .to = ip(to)};
  }

  Neighbours neighbours_{{}};
  test::TestPackets packets_;
  Bytes result_;
  IpAddr missed_;
};

TEST_F(ShortCircuit, GoesToTheNeighbourAsIfFromTheRouter) {
  know(ip("10.0.0.2"), kNeighbour);
  know(ip("2001:db8::2"), kNeighbour);
  for (TestFrame frame : {routed("10.9.0.1", "10.0.0.2"), routed("2001:db8:9::1", "2001:db8::2")}) {
    ASSERT_TRUE(pass(frame.build()));
    frame.destination = kNeighbour;
    frame.source = kRouter;
    EXPECT_EQ(result_, frame.build()) << "and nothing else has changed";
    EXPECT_TRUE(missed_.is_unspecified());
  }
}

TEST_F(ShortCircuit, ForTheRouterItselfNothingChanges) {
  know(ip("10.0.0.2"), kRouter);
  const Bytes frame = routed("10.9.0.1", "10.0.0.2").build();
  EXPECT_FALSE(pass(frame));
  EXPECT_EQ(result_, frame);
  EXPECT_TRUE(missed_.is_unspecified());
}

TEST_F(ShortCircuit, UnknownDestinationIsMissed) {
  neighbours_.set(kLink + 1, ip("10.0.0.2"), kNeighbour, false, NeighbourOrigin::kPermanent, 0);
  for (const TestFrame& frame : {routed("10.9.0.1", "10.0.0.2"), routed("2001:db8:9::1", "2001:db8::2")}) {
    EXPECT_FALSE(pass(frame.build()));
    EXPECT_EQ(result_, frame.build());
    EXPECT_EQ(missed_, frame.to);
  }
  Packet& frame = packets_.add(routed("10.9.0.1", "10.0.0.2").build());
  EXPECT_FALSE(short_circuit(frame, classify(frame.view()), neighbours_, kLink, 0, nullptr));
}

TEST_F(ShortCircuit, OnlyUnicastIpWithoutTag) {
  know(ip("10.0.0.2"), kNeighbour);
  TestFrame frame = routed("10.9.0.1", "10.0.0.2");
  frame.tags = {kEthertypeVlan};
  EXPECT_FALSE(pass(frame.build())) << "tagged";
  frame = routed("10.9.0.1", "10.0.0.2");
  frame.destination = kBroadcastMac;
  EXPECT_FALSE(pass(frame.build())) << "to a group's MAC";
  Bytes bytes = routed("10.9.0.1", "10.0.0.2").build();
  store_be16(bytes.data() + EthernetHeader::kEthertype, kEthertypeArp);
  EXPECT_FALSE(pass(bytes)) << "not IP";
  for (const char* const to : {"224.0.0.5", "255.255.255.255", "0.0.0.0"}) {
    EXPECT_FALSE(pass(routed("10.9.0.1", to).build())) << to;
    EXPECT_TRUE(missed_.is_unspecified()) << to;
  }
  EXPECT_FALSE(pass(routed("2001:db8:9::1", "ff02::5").build()));
  EXPECT_TRUE(missed_.is_unspecified());
}

TEST_F(ShortCircuit, MappedIpv4IsNotTheIpv4Neighbour) {
  know(ip("10.0.0.2"), kNeighbour);
  Bytes bytes = routed("2001:db8:9::1", "2001:db8::2").build();
  Ipv6(IpAddr(Ipv4(10, 0, 0, 2)).octets())
      .store(bytes.data() + EthernetHeader::kSize + Ipv6Header::kDestination);
  EXPECT_FALSE(pass(bytes));
  EXPECT_TRUE(missed_.is_unspecified());
}

TEST_F(ShortCircuit, CutOffFramesAreLeftAlone) {
  know(ip("10.0.0.2"), kNeighbour);
  know(ip("2001:db8::2"), kNeighbour);
  for (const TestFrame& frame : {routed("10.9.0.1", "10.0.0.2"), routed("2001:db8:9::1", "2001:db8::2")}) {
    const Bytes whole = frame.build();
    for (std::size_t size = 0; size < frame.l4(); ++size) {
      EXPECT_FALSE(pass(Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)))) << size;
    }
  }
}

}  // namespace
}  // namespace vtep
