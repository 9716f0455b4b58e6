#include "io/bridge_message.h"

#include <gtest/gtest.h>
#include <linux/neighbour.h>
#include <sys/socket.h>

#include "io/test_netlink_payload.h"

namespace vtep {
namespace {

using Bytes = NetlinkPayload::Bytes;

const Bytes kMac = {2, 0, 0, 0, 0, 0x0a};

NetlinkPayload message(std::uint16_t state, std::uint8_t flags, std::uint8_t family = AF_BRIDGE) {
  ndmsg header{};
  header.ndm_family = family;
  header.ndm_ifindex = 7;
  header.ndm_state = state;
  header.ndm_flags = flags;
  NetlinkPayload payload(header);
  payload.add(NDA_LLADDR, kMac);
  return payload;
}

TEST(BridgeMessage, ReadsAnEntryOfAVxlanDevice) {
  const auto entry = parse_bridge_entry(message(NUD_NOARP | NUD_PERMANENT, NTF_SELF | NTF_ROUTER)
                                            .add(NDA_DST, {10, 0, 0, 2})
                                            .add(NDA_PORT, {0x12, 0xb5})
                                            .add(NDA_VNI, {0x70, 0x17, 0, 0})
                                            .add(NDA_IFINDEX, {3, 0, 0, 0})
                                            .bytes());
  ASSERT_TRUE(entry);
  EXPECT_EQ(*entry, (BridgeEntry{.device = IfIndex(7),
                                 .mac = MacAddr::load(kMac.data()),
                                 .remote = Ipv4(10, 0, 0, 2),
                                 .port = Port(4789),
                                 .vni = 6000_vni,
                                 .via = IfIndex(3),
                                 .state = BridgeEntry::State::kPermanent,
                                 .router = true}));
}

TEST(BridgeMessage, ReadsAnIpv6Remote) {
  NetlinkPayload payload = message(NUD_REACHABLE, NTF_EXT_LEARNED);
  payload.add_ip(NDA_DST, *IpAddr::parse("fd00::2"));
  const auto entry = parse_bridge_entry(payload.bytes());
  ASSERT_TRUE(entry);
  EXPECT_EQ(entry->remote, *IpAddr::parse("fd00::2"));
  EXPECT_TRUE(entry->extern_learn);
  EXPECT_EQ(entry->state, BridgeEntry::State::kDynamic);
}

TEST(BridgeMessage, ReadsAnEntryOfABridge) {
  const auto entry = parse_bridge_entry(message(NUD_NOARP, NTF_MASTER).add(NDA_MASTER, {9, 0, 0, 0}).bytes());
  ASSERT_TRUE(entry);
  EXPECT_EQ(entry->bridge, IfIndex(9));
  EXPECT_EQ(entry->state, BridgeEntry::State::kStatic);
  EXPECT_TRUE(entry->remote.is_unspecified());
}

TEST(BridgeMessage, RefusesWhatMakesNoSense) {
  EXPECT_FALSE(parse_bridge_entry({}));
  EXPECT_FALSE(parse_bridge_entry(message(NUD_REACHABLE, 0, AF_INET).bytes()));
  EXPECT_FALSE(parse_bridge_entry(message(NUD_REACHABLE, 0).add(NDA_DST, {10, 0, 0}).bytes()));
  EXPECT_FALSE(parse_bridge_entry(message(NUD_REACHABLE, 0).add(NDA_PORT, {1}).bytes()));
  EXPECT_FALSE(parse_bridge_entry(message(NUD_REACHABLE, 0).add(NDA_VNI, {0, 0, 0, 1}).bytes()));
  EXPECT_FALSE(parse_bridge_entry(message(NUD_REACHABLE, 0).add(NDA_LLADDR, {2, 0, 0, 0, 0}).bytes()));
  EXPECT_FALSE(parse_bridge_entry(message(NUD_REACHABLE, 0).add(NDA_CACHEINFO, {1, 2}).bytes()));
  const Bytes whole = message(NUD_REACHABLE, 0).add(NDA_DST, {10, 0, 0, 2}).bytes();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto cut = parse_bridge_entry(ByteView(whole).first(size));
    EXPECT_TRUE(!cut || cut->remote.is_unspecified()) << size;
  }
}

}  // namespace
}  // namespace vtep
