#include "wire/print.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "wire/ethernet.h"
#include "wire/golden_frames.h"

namespace vtep {
namespace {

const std::string kToB = "02:00:00:00:00:0a > 02:00:00:00:00:0b, ethertype ";
const std::string kPing =
    "\n02:00:00:00:00:0a > 02:00:00:00:00:0b, ethertype IPv4 (0x0800), length 52: 192.0.2.1 > 192.0.2.2: "
    "ICMP echo "
    "request, id 1, seq 2, length 18";

// Where we stop earlier than tcpdump, or differ on purpose (see print.h).
const std::map<std::string, std::string> kOurOwn = {
    {"arp-other-hardware", kToB + "ARP (0x0806), length 42: ARP, not of Ethernet and IPv4"},
    {"arp-other-operation", kToB + "ARP (0x0806), length 42: ARP, operation 8, length 28"},
    {"gre", kToB + "IPv4 (0x0800), length 73: 192.0.2.1 > 192.0.2.2:  ip-proto-47 39"},
    {"icmpv6-cut-off", kToB + "IPv6 (0x86dd), length 56: 2001:db8::2 > 2001:db8::1:  [|icmp6]"},
    {"icmpv6-unknown-type",
     kToB + "IPv6 (0x86dd), length 62: 2001:db8::2 > 2001:db8::1: ICMP6, unknown icmp6 type (200), length 8"},
    {"ipv4-wrong-version", kToB + "IPv4 (0x0800), length 49: IP version 6 (invalid)"},
    {"ipv6-authentication-header",
     kToB + "IPv6 (0x86dd), length 93: 2001:db8::1 > 2001:db8::2: AH 1000 > 2000: UDP, length 7"},
    {"ipv6-extension-header-cut-off",
     kToB + "IPv6 (0x86dd), length 62: 2001:db8::1 > 2001:db8::2:  ip-proto-0 8"},
    {"ipv6-too-many-extension-headers", kToB + "IPv6 (0x86dd), length 165: 2001:db8::1 > 2001:db8::2: DSTOPT "
                                               "DSTOPT DSTOPT DSTOPT DSTOPT DSTOPT DSTOPT "
                                               "DSTOPT  ip-proto-60 47"},
    {"spanning-tree", "02:00:00:00:00:0a > 01:80:c2:00:00:00, 802.3, length 38"},
    {"udp6-routing-header",
     kToB + "IPv6 (0x86dd), length 93: 2001:db8::1 > 2001:db8::2: RT6 1000 > 2000: UDP, length 7"},
    {"unknown-ethertype", kToB + "Unknown (0x88b5), length 22"},
    {"vxlan-from-the-port",
     kToB + "IPv4 (0x0800), length 62: 192.0.2.1.4789 > 192.0.2.2.50000: UDP, length 20"},
    {"vxlan-linux-port", kToB +
                             "IPv4 (0x0800), length 102: 192.0.2.1.50000 > 192.0.2.2.8472: VXLAN, flags [I] "
                             "(0x08), vni 100" +
                             kPing},
};

TEST(PrintFrame, PrintsWhatTcpdumpPrints) {
  std::set<std::string> ours_seen;
  for (const GoldenFrame& frame : golden_frames()) {
    const auto own = kOurOwn.find(frame.name);
    if (own != kOurOwn.end()) {
      ours_seen.insert(frame.name);
      EXPECT_NE(frame.text, own->second) << frame.name << " need not be an exception";
    }
    EXPECT_EQ(print_frame(frame.bytes), own == kOurOwn.end() ? frame.text : own->second) << frame.name;
  }
  EXPECT_EQ(ours_seen.size(), kOurOwn.size());
}

// The lines of the write-up, letter by letter, so that a new capture cannot silently change them.
TEST(PrintFrame, PrintsTheWriteUp) {
  EXPECT_EQ(print_frame(golden_frame("multicast-arp-request")),
            "bb:6b:8c:86:6d:83 > 01:00:5e:01:01:01, ethertype IPv4 (0x0800), length 92: 10.138.36.66.40103 > "
            "239.1.1.1.4789: VXLAN, flags [I] (0x08), vni 6000\n"
            "4a:bd:99:0c:09:b2 > ff:ff:ff:ff:ff:ff, ethertype ARP (0x0806), length 42: Request who-has "
            "192.168.5.12 "
            "tell 192.168.5.10, length 28");
  EXPECT_EQ(
      print_frame(golden_frame("arp-reply")),
      "bb:6b:8c:89:88:22 > bb:6b:8c:86:6d:83, ethertype IPv4 (0x0800), length 92: 10.138.36.58.34917 > "
      "10.138.36.66.4789: VXLAN, flags [I] (0x08), vni 6000\n"
      "62:7a:e6:8f:bc:5c > 4a:bd:99:0c:09:b2, ethertype ARP (0x0806), length 42: Reply 192.168.5.12 is-at "
      "62:7a:e6:8f:bc:5c, length 28");
  EXPECT_EQ(print_frame(golden_inner_frame("icmp-echo-request")),
            "4a:bd:99:0c:09:b2 > 62:7a:e6:8f:bc:5c, ethertype IPv4 (0x0800), length 98: 192.168.5.10 > "
            "192.168.5.12: "
            "ICMP echo request, id 61, seq 1, length 64");
  EXPECT_EQ(print_frame(golden_inner_frame("netbios-name-query")),
            "a2:c7:a1:a5:e5:ec > ff:ff:ff:ff:ff:ff, ethertype IPv4 (0x0800), length 92: 192.168.5.121.137 > "
            "192.168.5.255.137: UDP, length 50");
  EXPECT_EQ(print_frame(golden_inner_frame("router-solicitation")),
            "a2:c7:a1:a5:e5:ec > 33:33:00:00:00:02, ethertype IPv6 (0x86dd), length 70: "
            "fe80::a0c7:a1ff:fea5:e5ec > "
            "ff02::2: ICMP6, router solicitation, length 16");
  EXPECT_EQ(print_frame(golden_inner_frame("mdns-query")),
            "a2:c7:a1:a5:e5:ec > 01:00:5e:00:00:fb, ethertype IPv4 (0x0800), length 87: 192.168.5.121.5353 > "
            "224.0.0.251.5353: 0 [2q] PTR (QM)? _ipps._tcp.local. PTR (QM)? _ipp._tcp.local. (45)");
}

// mDNS that is no plain question falls back to its length, as does a name that goes round in circles.
TEST(PrintFrame, DoesNotFollowOddNames) {
  const ByteView good = golden_inner_frame("mdns-query");
  const std::string length_only =
      "a2:c7:a1:a5:e5:ec > 01:00:5e:00:00:fb, ethertype IPv4 (0x0800), length 87: 192.168.5.121.5353 > "
      "224.0.0.251.5353: UDP, length 45";
  const std::size_t dns = 42;
  const auto changed = [&](std::size_t at, std::uint8_t value) {
    std::vector<std::uint8_t> frame(good.begin(), good.end());
    frame[dns + at] = value;
    return print_frame(frame);
  };
  EXPECT_EQ(changed(2, 0x84), length_only);   // a response
  EXPECT_EQ(changed(5, 3), length_only);      // three questions announced
  EXPECT_EQ(changed(13, '\n'), length_only);  // a control character in a name
  EXPECT_EQ(changed(40, 41), length_only);    // a pointer behind itself
  EXPECT_EQ(changed(40, 39), length_only);    // to itself
}

TEST(PrintFrame, StopsAtADepth) {
  std::vector<std::uint8_t> frame;
  const ByteView outer = golden_frame("vxlan-empty");
  for (int i = 0; i < 20; ++i) frame.insert(frame.end(), outer.begin(), outer.end());
  // Each header claims all that follows it.
  for (std::size_t start = 0; start < frame.size(); start += outer.size()) {
    const auto left = static_cast<std::uint16_t>(frame.size() - start - EthernetHeader::kSize);
    store_be16(frame.data() + start + 16, left);
    store_be16(frame.data() + start + 38, static_cast<std::uint16_t>(left - 20));
  }
  const std::string text = print_frame(frame);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 7);
  EXPECT_TRUE(text.ends_with("vni 100"));
}

}  // namespace
}  // namespace vtep
