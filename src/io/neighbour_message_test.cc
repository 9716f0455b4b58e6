#include "io/neighbour_message.h"

#include <gtest/gtest.h>
#include <linux/neighbour.h>
#include <sys/socket.h>

#include "io/test_netlink_payload.h"

namespace vtep {
namespace {

using Bytes = NetlinkPayload::Bytes;

const Bytes kMac = {2, 0, 0, 0, 0, 0x0a};

NetlinkPayload message(std::uint8_t family, std::uint16_t state, std::uint8_t flags, int device = 7) {
  ndmsg header{};
  header.ndm_family = family;
  header.ndm_ifindex = device;
  header.ndm_state = state;
  header.ndm_flags = flags;
  return NetlinkPayload(header);
}

Bytes complete(std::uint16_t state, std::uint8_t flags = 0) {
  return message(AF_INET, state, flags).add(NDA_DST, {10, 0, 0, 1}).add(NDA_LLADDR, kMac).bytes();
}

TEST(NeighbourMessage, ReadsBothFamilies) {
  const auto v4 = parse_neighbour(complete(NUD_PERMANENT));
  ASSERT_TRUE(v4);
  EXPECT_EQ(*v4, (NeighbourEntry{.device = IfIndex(7),
                                 .ip = Ipv4(10, 0, 0, 1),
                                 .mac = MacAddr::load(kMac.data()),
                                 .valid = true,
                                 .permanent = true}));

  NetlinkPayload bytes = message(AF_INET6, NUD_STALE, NTF_ROUTER);
  const IpAddr address = *IpAddr::parse("fe80::1");
  bytes.add_ip(NDA_DST, address);
  bytes.add(NDA_LLADDR, kMac);
  const auto v6 = parse_neighbour(bytes.bytes());
  ASSERT_TRUE(v6);
  EXPECT_EQ(v6->ip, address);
  EXPECT_TRUE(v6->router);
  EXPECT_TRUE(v6->valid);
  EXPECT_FALSE(v6->permanent);
}

TEST(NeighbourMessage, OnlyWhatTheKernelWouldSendToIsValid) {
  for (const int state : {NUD_PERMANENT, NUD_NOARP, NUD_REACHABLE, NUD_STALE, NUD_DELAY, NUD_PROBE}) {
    EXPECT_TRUE(parse_neighbour(complete(static_cast<std::uint16_t>(state)))->valid) << state;
  }
  for (const int state : {NUD_NONE, NUD_INCOMPLETE, NUD_FAILED}) {
    EXPECT_FALSE(parse_neighbour(complete(static_cast<std::uint16_t>(state)))->valid) << state;
  }
  NetlinkPayload without_mac = message(AF_INET, NUD_NOARP, 0);
  without_mac.add(NDA_DST, {10, 0, 0, 1});
  EXPECT_FALSE(parse_neighbour(without_mac.bytes())->valid);
  // A tunnel's "link layer address" may have any length.
  without_mac.add(NDA_LLADDR, {10, 0, 0, 2});
  EXPECT_FALSE(parse_neighbour(without_mac.bytes())->valid);
}

TEST(NeighbourMessage, RefusesWhatIsNoNeighbour) {
  NetlinkPayload fdb = message(AF_BRIDGE, NUD_REACHABLE, 0);
  fdb.add(NDA_LLADDR, kMac);
  EXPECT_FALSE(parse_neighbour(fdb.bytes()));
  fdb.add(NDA_DST, {10, 0, 0, 1});
  EXPECT_FALSE(parse_neighbour(fdb.bytes()));

  EXPECT_FALSE(parse_neighbour(message(AF_INET, NUD_REACHABLE, 0).bytes())) << "no address";
  EXPECT_FALSE(parse_neighbour(complete(NUD_NONE, NTF_PROXY)));
  NetlinkPayload wrong_size = message(AF_INET6, NUD_REACHABLE, 0);
  wrong_size.add(NDA_DST, {10, 0, 0, 1});
  EXPECT_FALSE(parse_neighbour(wrong_size.bytes()));
  NetlinkPayload mapped = message(AF_INET6, NUD_REACHABLE, 0);
  mapped.add(NDA_DST, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 1});
  EXPECT_FALSE(parse_neighbour(mapped.bytes())) << "none that could be told from an IPv4 neighbour";
  NetlinkPayload no_device = message(AF_INET, NUD_REACHABLE, 0, 0);
  no_device.add(NDA_DST, {10, 0, 0, 1});
  EXPECT_FALSE(parse_neighbour(no_device.bytes()));
}

TEST(NeighbourMessage, SurvivesEveryCut) {
  const Bytes whole = complete(NUD_REACHABLE);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const Bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    const auto entry = parse_neighbour(cut);
    // What is cut at an attribute's end is a message without the rest; what is padding may be missing.
    EXPECT_FALSE(entry && entry->valid && size + 2 < whole.size()) << size;
  }
}

}  // namespace
}  // namespace vtep
