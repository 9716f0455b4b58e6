#include "io/neighbour_message.h"

#include <gtest/gtest.h>
#include <linux/neighbour.h>
#include <sys/socket.h>

#include <cstring>
#include <vector>

namespace vtep {
namespace {

using Bytes = std::vector<std::uint8_t>;

const Bytes kMac = {2, 0, 0, 0, 0, 0x0a};

Bytes message(std::uint8_t family, std::uint16_t state, std::uint8_t flags, int device = 7) {
  ndmsg header{};
  header.ndm_family = family;
  header.ndm_ifindex = device;
  header.ndm_state = state;
  header.ndm_flags = flags;
  Bytes bytes(sizeof(header));
  std::memcpy(bytes.data(), &header, sizeof(header));
  return bytes;
}

void add(Bytes& to, std::uint16_t type, const Bytes& payload) {
  const auto length = static_cast<std::uint16_t>(4 + payload.size());
  Bytes header(4);
  std::memcpy(header.data(), &length, sizeof(length));
  std::memcpy(header.data() + 2, &type, sizeof(type));
  to.insert(to.end(), header.begin(), header.end());
  to.insert(to.end(), payload.begin(), payload.end());
  to.resize((to.size() + 3) / 4 * 4);
}

Bytes complete(std::uint16_t state, std::uint8_t flags = 0) {
  Bytes bytes = message(AF_INET, state, flags);
  add(bytes, NDA_DST, {10, 0, 0, 1});
  add(bytes, NDA_LLADDR, kMac);
  return bytes;
}

TEST(NeighbourMessage, ReadsBothFamilies) {
  const auto v4 = parse_neighbour(complete(NUD_PERMANENT));
  ASSERT_TRUE(v4);
  EXPECT_EQ(*v4, (NeighbourEntry{.device = IfIndex(7),
                                 .ip = Ipv4(10, 0, 0, 1),
                                 .mac = MacAddr::load(kMac.data()),
                                 .valid = true,
                                 .permanent = true}));

  Bytes bytes = message(AF_INET6, NUD_STALE, NTF_ROUTER);
  const IpAddr address = *IpAddr::parse("fe80::1");
  add(bytes, NDA_DST, {address.octets().begin(), address.octets().end()});
  add(bytes, NDA_LLADDR, kMac);
  const auto v6 = parse_neighbour(bytes);
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
  Bytes without_mac = message(AF_INET, NUD_NOARP, 0);
  add(without_mac, NDA_DST, {10, 0, 0, 1});
  EXPECT_FALSE(parse_neighbour(without_mac)->valid);
  // A tunnel's "link layer address" may have any length.
  add(without_mac, NDA_LLADDR, {10, 0, 0, 2});
  EXPECT_FALSE(parse_neighbour(without_mac)->valid);
}

TEST(NeighbourMessage, RefusesWhatIsNoNeighbour) {
  Bytes fdb = message(AF_BRIDGE, NUD_REACHABLE, 0);
  add(fdb, NDA_LLADDR, kMac);
  EXPECT_FALSE(parse_neighbour(fdb));
  add(fdb, NDA_DST, {10, 0, 0, 1});
  EXPECT_FALSE(parse_neighbour(fdb));

  EXPECT_FALSE(parse_neighbour(message(AF_INET, NUD_REACHABLE, 0))) << "no address";
  EXPECT_FALSE(parse_neighbour(complete(NUD_NONE, NTF_PROXY)));
  Bytes wrong_size = message(AF_INET6, NUD_REACHABLE, 0);
  add(wrong_size, NDA_DST, {10, 0, 0, 1});
  EXPECT_FALSE(parse_neighbour(wrong_size));
  Bytes no_device = message(AF_INET, NUD_REACHABLE, 0, 0);
  add(no_device, NDA_DST, {10, 0, 0, 1});
  EXPECT_FALSE(parse_neighbour(no_device));
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
