#include "io/link_message.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <array>
#include <bit>
#include <cstring>
#include <random>
#include <vector>

#include "io/netlink_attributes.h"
#include "io/test_netlink_payload.h"

namespace vtep {
namespace {

using Bytes = NetlinkPayload::Bytes;
using ::testing::IsEmpty;

// The golden messages are little-endian, as netlink is on the machine they come from.
constexpr bool kGoldenFits = std::endian::native == std::endian::little;

constexpr std::uint8_t kVeth[] = {
#include "io/testdata/newlink_va.inc"
};
constexpr std::uint8_t kVxlan[] = {
#include "io/testdata/newlink_vxlan100.inc"
};
constexpr std::uint8_t kTap[] = {
#include "io/testdata/newlink_tap0.inc"
};

ifinfomsg link_header(std::uint32_t index, std::uint8_t family) {
  ifinfomsg header{};
  header.ifi_family = family;
  header.ifi_index = static_cast<int>(index);
  return header;
}

struct Message : NetlinkPayload {
  explicit Message(std::uint32_t index, std::uint8_t family = AF_UNSPEC)
      : NetlinkPayload(link_header(index, family)) {}
};

template <typename T>
Bytes bytes_of(const T& value) {
  return NetlinkPayload::bytes_of(value);
}

TEST(LinkMessage, ReadsAVethThatIsABridgePort) {
  if (!kGoldenFits) GTEST_SKIP() << "the golden bytes are little-endian";
  const auto link = parse_link(kVeth);
  ASSERT_TRUE(link);
  EXPECT_EQ(link->family, AF_UNSPEC);
  const Interface& va = link->interface;
  EXPECT_EQ(va.index, IfIndex(4));
  EXPECT_EQ(va.name, "va");
  EXPECT_EQ(va.kind, "veth");
  EXPECT_TRUE(va.is_up());
  EXPECT_TRUE(va.is_running());
  EXPECT_EQ(va.mtu, 1400U);
  EXPECT_EQ(va.address, MacAddr::parse("02:00:00:00:0a:01"));
  EXPECT_EQ(va.broadcast, kBroadcastMac);
  EXPECT_EQ(va.qdisc, "noqueue");
  EXPECT_EQ(va.operstate, 6) << "IF_OPER_UP";
  EXPECT_EQ(va.linkmode, 0);
  EXPECT_EQ(va.group, 7U);
  EXPECT_EQ(va.tx_queue_length, 1000U);
  EXPECT_EQ(va.master, IfIndex(2));
  EXPECT_EQ(va.promiscuity, 2U);
  EXPECT_EQ(va.allmulti, 1U);
  EXPECT_EQ(va.min_mtu, 68U);
  EXPECT_EQ(va.max_mtu, 65535U);
  EXPECT_EQ(va.tx_queues, 2U);
  EXPECT_EQ(va.rx_queues, 2U);
  EXPECT_EQ(va.gso_max_size, 65536U);
  EXPECT_EQ(va.gso_max_segs, 65535U);
  EXPECT_EQ(va.tso_max_size, 524280U);
  EXPECT_EQ(va.tso_max_segs, 65535U);
  EXPECT_EQ(va.gro_max_size, 65536U);
  EXPECT_EQ(va.addr_gen_mode, 0) << "eui64";
}

TEST(LinkMessage, ReadsAVxlanDevice) {
  if (!kGoldenFits) GTEST_SKIP() << "the golden bytes are little-endian";
  const auto link = parse_link(kVxlan);
  ASSERT_TRUE(link);
  EXPECT_EQ(link->interface.name, "vxlan100");
  EXPECT_EQ(link->interface.kind, "vxlan");
  EXPECT_EQ(link->interface.mtu, 1350U);
  EXPECT_FALSE(link->interface.is_up());
  EXPECT_FALSE(link->interface.master);
  EXPECT_EQ(link->vxlan_vni, 100U);
  EXPECT_EQ(link->vxlan_port, kIanaVxlanPort);
  EXPECT_FALSE(link->tun_type);
}

TEST(LinkMessage, ReadsATap) {
  if (!kGoldenFits) GTEST_SKIP() << "the golden bytes are little-endian";
  const auto link = parse_link(kTap);
  ASSERT_TRUE(link);
  EXPECT_EQ(link->interface.kind, "tun");
  EXPECT_EQ(link->tun_type, 2) << "IFF_TAP";
  EXPECT_EQ(link->tun_queues, 0U);
  EXPECT_FALSE(link->vxlan_port);
}

TEST(LinkMessage, ReadsEveryCounter) {
  Bytes counters;
  for (std::uint64_t i = 1; i <= 25; ++i) {
    const Bytes counter = bytes_of(i);
    counters.insert(counters.end(), counter.begin(), counter.end());
  }
  const auto link = parse_link(
      Message(1).add(IFLA_STATS64, counters).add(IFLA_CARRIER_CHANGES, bytes_of(std::uint32_t{99})).bytes());
  ASSERT_TRUE(link);
  const InterfaceStats& stats = link->interface.stats;
  // In the order of struct rtnl_link_stats64.
  EXPECT_THAT(
      (std::vector{
          stats.rx_packets,        stats.tx_packets,        stats.rx_bytes,         stats.tx_bytes,
          stats.rx_errors,         stats.tx_errors,         stats.rx_dropped,       stats.tx_dropped,
          stats.multicast,         stats.collisions,        stats.rx_length_errors, stats.rx_over_errors,
          stats.rx_crc_errors,     stats.rx_frame_errors,   stats.rx_fifo_errors,   stats.rx_missed,
          stats.tx_aborted_errors, stats.tx_carrier_errors, stats.tx_fifo_errors,   stats.tx_heartbeat_errors,
          stats.tx_window_errors,  stats.carrier_changes}),
      ::testing::ElementsAre(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 99));
}

TEST(LinkMessage, TakesWhatAnOldKernelSends) {
  const auto bare = parse_link(Message(7).bytes());
  ASSERT_TRUE(bare);
  EXPECT_EQ(bare->interface.index, IfIndex(7));
  EXPECT_FALSE(bare->interface.gso_max_size);
  EXPECT_FALSE(bare->interface.addr_gen_mode);

  // Counters that stop early, and in the middle of one.
  Bytes counters = bytes_of(std::uint64_t{5});
  counters.resize(12, 0xff);
  const auto few = parse_link(Message(7).add(IFLA_STATS64, counters).bytes());
  ASSERT_TRUE(few);
  EXPECT_EQ(few->interface.stats.rx_packets, 5U);
  EXPECT_EQ(few->interface.stats.tx_packets, 0U);
}

TEST(LinkMessage, SkipsAttributesOfTheWrongSize) {
  const auto link = parse_link(Message(7)
                                   .add(IFLA_MTU, {1, 2})
                                   .add(IFLA_ADDRESS, {10, 0, 0, 1})
                                   .add(IFLA_MASTER, {})
                                   .add(IFLA_MIN_MTU, {1, 2, 3, 4, 5})
                                   .add(IFLA_IFNAME, {'n', 'o', 'z', 'e', 'r', 'o'})
                                   .add(IFLA_QDISC, {})
                                   .bytes());
  ASSERT_TRUE(link);
  EXPECT_EQ(link->interface.mtu, 0U);
  EXPECT_TRUE(link->interface.address.is_zero()) << "a tunnel's address is an IP address";
  EXPECT_FALSE(link->interface.master);
  EXPECT_FALSE(link->interface.min_mtu);
  EXPECT_EQ(link->interface.name, "nozero");
  EXPECT_THAT(link->interface.qdisc, IsEmpty());
}

TEST(LinkMessage, KeepsABridgesMessagesApart) {
  // IFLA_AF_SPEC of AF_BRIDGE holds other attributes under the same numbers.
  const auto link = parse_link(Message(7, AF_BRIDGE).add(IFLA_AF_SPEC, {1, 2, 3}).bytes());
  ASSERT_TRUE(link);
  EXPECT_EQ(link->family, AF_BRIDGE);
}

TEST(LinkMessage, RefusesDamage) {
  EXPECT_FALSE(parse_link({}));
  EXPECT_FALSE(parse_link(Bytes(15)));
  EXPECT_FALSE(parse_link(Message(0).bytes())) << "no index";

  Bytes tail = Message(7).bytes();
  tail.insert(tail.end(), {4, 0, 3});
  EXPECT_FALSE(parse_link(tail)) << "half a header";

  Bytes zero = Message(7).bytes();
  zero.insert(zero.end(), {0, 0, 0, 0});
  EXPECT_FALSE(parse_link(zero)) << "a length that would never advance";

  Bytes beyond = Message(7).add(IFLA_MTU, bytes_of(std::uint32_t{1500})).bytes();
  beyond[sizeof(ifinfomsg)] = 9;
  EXPECT_FALSE(parse_link(beyond)) << "a length beyond the end";

  EXPECT_FALSE(parse_link(Message(7).add(IFLA_LINKINFO, {200, 0, 1, 0}).bytes())) << "damage in a nest";
}

/// Every prefix, and every byte changed, lies in a buffer of its own size: ASan sees one byte too many.
TEST(LinkMessage, NeverReadsBeyondWhatItGets) {
  for (const ByteView golden : {ByteView(kVeth), ByteView(kVxlan), ByteView(kTap)}) {
    for (std::size_t size = 0; size < golden.size(); ++size) {
      const Bytes cut(golden.begin(), golden.begin() + static_cast<std::ptrdiff_t>(size));
      parse_link(cut);
    }
    std::mt19937 random(1);
    for (int round = 0; round < 20000; ++round) {
      Bytes changed(golden.begin(), golden.end());
      for (int i = 0; i < 3; ++i) changed[random() % changed.size()] = static_cast<std::uint8_t>(random());
      changed.resize(random() % (changed.size() + 1));
      const auto link = parse_link(changed);
      EXPECT_TRUE(!link || link->interface.index.is_set());
    }
  }
}

TEST(NetlinkAttributes, WalksPaddedAttributesAndALastOneWithoutPadding) {
  Bytes bytes = Message::attribute_of(1, {'a', 0, 'b'});
  Bytes flagged = Message::attribute_of(0x8002, {7});
  flagged.resize(5);
  bytes.insert(bytes.end(), flagged.begin(), flagged.end());

  NetlinkAttributes attributes(bytes);
  auto attribute = attributes.next();
  ASSERT_TRUE(attribute);
  EXPECT_EQ(attribute->type, 1);
  EXPECT_EQ(attribute->payload.size(), 3U);
  EXPECT_EQ(attribute->text(), "a");
  attribute = attributes.next();
  ASSERT_TRUE(attribute);
  EXPECT_EQ(attribute->type, 2) << "without NLA_F_NESTED";
  EXPECT_EQ(attribute->number<std::uint8_t>(), 7);
  EXPECT_FALSE(attribute->number<std::uint16_t>());
  EXPECT_FALSE(attributes.next());
  EXPECT_FALSE(attributes.damaged());
}

}  // namespace
}  // namespace vtep
