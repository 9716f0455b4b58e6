#include "io/address_message.h"

#include <gtest/gtest.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "io/test_netlink_payload.h"

namespace vtep {
namespace {

using Bytes = NetlinkPayload::Bytes;

NetlinkPayload message(std::uint8_t family, std::uint8_t length, std::uint32_t device = 7) {
  ifaddrmsg header{};
  header.ifa_family = family;
  header.ifa_prefixlen = length;
  header.ifa_scope = RT_SCOPE_LINK;
  header.ifa_index = device;
  return NetlinkPayload(header);
}

const IpAddr kOurs = Ipv4(10, 9, 0, 1);
const IpAddr kPeers = Ipv4(10, 9, 0, 2);

TEST(AddressMessage, ReadsBothFamilies) {
  const auto v4 = parse_address(message(AF_INET, 24).add_ip(IFA_ADDRESS, kOurs).bytes());
  EXPECT_EQ(
      v4, (HostAddress{.address = kOurs, .prefix_length = 24, .device = IfIndex(7), .scope = RT_SCOPE_LINK}));
  const IpAddr address = *IpAddr::parse("fd09::1");
  const auto v6 = parse_address(message(AF_INET6, 64).add_ip(IFA_ADDRESS, address).bytes());
  ASSERT_TRUE(v6);
  EXPECT_EQ(v6->address, address);
  EXPECT_EQ(v6->prefix_length, 64U);
}

TEST(AddressMessage, TakesOursAndNotThePeers) {
  const auto ours_last = message(AF_INET, 32).add_ip(IFA_ADDRESS, kPeers).add_ip(IFA_LOCAL, kOurs).bytes();
  EXPECT_EQ(parse_address(ours_last)->address, kOurs);
  const auto ours_first = message(AF_INET, 32).add_ip(IFA_LOCAL, kOurs).add_ip(IFA_ADDRESS, kPeers).bytes();
  EXPECT_EQ(parse_address(ours_first)->address, kOurs);
}

TEST(AddressMessage, RefusesWhatIsNoAddress) {
  EXPECT_FALSE(parse_address({}));
  EXPECT_FALSE(parse_address(message(AF_INET, 24).bytes())) << "none in it";
  EXPECT_FALSE(parse_address(message(AF_INET6, 24).add_ip(IFA_ADDRESS, kOurs).bytes())) << "too short";
  EXPECT_FALSE(parse_address(message(AF_BRIDGE, 24).add_ip(IFA_ADDRESS, kOurs).bytes()));
  EXPECT_FALSE(parse_address(message(AF_INET, 24, 0).add_ip(IFA_ADDRESS, kOurs).bytes())) << "no device";
  Bytes beyond = message(AF_INET, 24).add_ip(IFA_ADDRESS, kOurs).bytes();
  beyond[sizeof(ifaddrmsg)] = 9;
  EXPECT_FALSE(parse_address(beyond)) << "a length beyond the end";
}

}  // namespace
}  // namespace vtep
