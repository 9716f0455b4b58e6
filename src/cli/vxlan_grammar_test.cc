#include "cli/vxlan_grammar.h"

#include <gtest/gtest.h>

#include "cli/testing.h"

namespace vtep {
namespace {

Parsed<v1::LinkSpec> read(std::string_view line, bool is_new) {
  Words words(split(line));
  v1::LinkSpec spec;
  read_vxlan(words, is_new, spec);
  return words.parsed(std::move(spec));
}

// What the words behind `type vxlan` become, as protobuf text; the sentence if they are refused.
std::string add(std::string_view line) {
  const auto spec = read(line, true);
  return spec ? spec->ShortDebugString() : spec.error().text;
}
std::string set(std::string_view line) {
  const auto spec = read(line, false);
  return spec ? spec->ShortDebugString() : spec.error().text;
}

TEST(VxlanAdd, FieldsOfTheOuterHeader) {
  EXPECT_EQ(set("ttl auto"), "ttl: 0");
  EXPECT_EQ(set("ttl inherit"), "ttl_inherit: true");
  EXPECT_EQ(set("hoplimit 64"), "ttl: 64");
  EXPECT_EQ(set("tos inherit"), "tos: 1");
  EXPECT_EQ(set("tos 10"), "tos: 16");
  EXPECT_EQ(set("dsfield EF"), "tos: 184");
  EXPECT_EQ(set("df unset"), "df: DF_UNSET");
  EXPECT_EQ(set("df set"), "df: DF_SET");
  EXPECT_EQ(set("df inherit"), "df: DF_INHERIT");
  EXPECT_EQ(set("label 1048575"), "flow_label: 1048575");
  EXPECT_EQ(set("flowlabel 0x10"), "flow_label: 16");
  EXPECT_EQ(set("flowlabel inherit"), "flow_label_inherit: true");
}

TEST(VxlanAdd, Numbers) {
  EXPECT_EQ(set("maxaddress 100"), "max_address: 100");
  EXPECT_EQ(set("maxaddress unlimited"), "max_address: 0");
  EXPECT_EQ(set("reserved_bits 0xf7ffffff000000ff"), "reserved_bits: 17870283317111161087");
  EXPECT_EQ(set("reserved_bits 0"), "reserved_bits: 0");
}

struct Switch {
  const char* word;
  const char* field;
};

TEST(VxlanAdd, SwitchesBothWays) {
  constexpr Switch kSwitches[] = {{"learning", "learning"},
                                  {"proxy", "proxy"},
                                  {"rsc", "rsc"},
                                  {"l2miss", "l2miss"},
                                  {"l3miss", "l3miss"},
                                  {"udpcsum", "udp_csum"},
                                  {"udp6zerocsumtx", "udp6_zero_csum_tx"},
                                  {"udp6zerocsumrx", "udp6_zero_csum_rx"},
                                  {"remcsumtx", "remcsum_tx"},
                                  {"remcsumrx", "remcsum_rx"},
                                  {"localbypass", "localbypass"},
                                  {"gbp", "gbp"},
                                  {"mssclamp", "mss_clamp"},
                                  {"mcsnoop", "mcast_snooping"}};
  for (const auto& [word, field] : kSwitches) {
    const std::string yes = word;
    EXPECT_EQ(set(yes), std::string(field) + ": true");
    EXPECT_EQ(set("no" + yes), std::string(field) + ": false");
    EXPECT_EQ(set(yes + " no" + yes), "'" + yes + "' is given twice");
  }
}

TEST(VxlanAdd, ControlPlanes) {
  EXPECT_EQ(set("control mesh"), R"(control { names: "mesh" })");
  EXPECT_EQ(set("control mesh,other"), R"(control { names: "mesh" names: "other" })");
  EXPECT_EQ(set("control none"), "control { }");
  EXPECT_EQ(set("control mesh control mesh"), "'control' is given twice");
}

TEST(VxlanAdd, ShortWordsMeanWhatTheyMeanToIproute2) {
  EXPECT_EQ(set("p 1 2"), "srcport_min: 1 srcport_max: 2");
  EXPECT_EQ(set("pr"), "proxy: true");
  EXPECT_EQ(set("m 5"), "max_address: 5");
  EXPECT_EQ(set("u"), "udp_csum: true");
  EXPECT_EQ(set("f 5"), "flow_label: 5");
  EXPECT_EQ(set("rem 10.0.0.1"), R"(remote: "10.0.0.1")");
  EXPECT_EQ(set("localby"), "'localby' is no option of type vxlan: see 'vtep link help'");
  EXPECT_EQ(set("vnif"), "'vnif' is no option of type vxlan: see 'vtep link help'");
  EXPECT_EQ(set("mssc"), "'mssc' is no option of type vxlan: see 'vtep link help'");
}

TEST(VxlanAdd, SourceAddressesOfBothFamilies) {
  constexpr const char* kBoth = R"(id: 1 local: "10.0.0.1" local6: "fd00::1")";
  EXPECT_EQ(add("id 1 local 10.0.0.1 local fd00::1"), kBoth);
  EXPECT_EQ(add("id 1 local fd00::1 local 10.0.0.1"), kBoth);
  EXPECT_EQ(add("id 1 local fd00::1"), R"(id: 1 local: "fd00::1")");
  EXPECT_EQ(add("id 1 remote fd00::2 local 10.0.0.1 local fd00::1"),
            R"(id: 1 remote: "fd00::2" local: "10.0.0.1" local6: "fd00::1")");
  EXPECT_EQ(add("id 1 local fd00::1 local fd00::2"),
            "'local' is given twice for the same family: once for IPv4 and once for IPv6 is enough");
  EXPECT_EQ(add("id 1 local 10.0.0.1 local fd00::1 local 10.0.0.2"),
            "'local' is given twice for the same family: once for IPv4 and once for IPv6 is enough");
  EXPECT_EQ(add("id 1 remote fd00::2 local 10.0.0.1"),
            "10.0.0.1 cannot be the source address of packets to fd00::2: give 'local' once more, with an "
            "IPv6 address");
}

TEST(VxlanAdd, SeveralVnis) {
  EXPECT_EQ(add("external vnifilter"), "learning: false external: true vnifilter: true");
  EXPECT_EQ(add("vnifilter learning external"), "learning: true external: true vnifilter: true");
  EXPECT_EQ(set("external vnifilter"), "external: true vnifilter: true");
  EXPECT_EQ(add("id 1 noexternal novnifilter"), "id: 1 external: false vnifilter: false");
}

TEST(VxlanAdd, WhatIsNotThereMayBeRefusedWithoutAWord) {
  EXPECT_EQ(add("id 1 nomcroute nogpe"), "id: 1");
}

TEST(VxlanAdd, OwnOptions) {
  EXPECT_EQ(set("vlan strip"), "vlan: VLAN_STRIP");
  EXPECT_EQ(set("vlan allow"), "vlan: VLAN_ALLOW");
  EXPECT_EQ(set("vlan discard"), "vlan: VLAN_DISCARD");
  EXPECT_EQ(set("limit broadcast 1000 limit unknown none limit multicast 5"),
            "limit_broadcast: 1000 limit_unknown: 0 limit_multicast: 5");
  EXPECT_EQ(set("moves 5 180"), "move_limit: 5 move_window: 180");
  EXPECT_EQ(set("moves none"), "move_limit: 0");
  EXPECT_EQ(set("allow 10.1.2.3/8 allow fd00::1 deny 10.1.0.0/16"),
            R"(allow { prefixes: "10.0.0.0/8" prefixes: "fd00::1/128" } deny { prefixes: "10.1.0.0/16" })");
  EXPECT_EQ(set("allow none deny none"), "allow { } deny { }");
  EXPECT_EQ(
      set("announce 10.20.1.9/24 accept 10.20.0.0/16 accept fd20::/16"),
      R"(announce { prefixes: "10.20.1.0/24" } accept { prefixes: "10.20.0.0/16" prefixes: "fd20::/16" })");
  EXPECT_EQ(set("announce none accept none"), "announce { } accept { }");
}

struct Refused {
  const char* line;
  const char* sentence;
};

TEST(VxlanAdd, OwnOptionsRefused) {
  constexpr Refused kLines[] = {
      {"vlan x", "'vlan x' makes no sense: 'strip', 'allow' or 'discard' is expected"},
      {"vlan", "'vlan' needs a value, and the line ends after it"},
      {"vlan allow vlan strip", "'vlan' is given twice"},
      {"limit x 5", "'limit x' makes no sense: 'broadcast', 'unknown' or 'multicast' is expected"},
      {"limit broadcast x",
       "'limit broadcast x' makes no sense: 'none' or a number of frames a second is expected"},
      {"limit unknown 1 limit unknown 2", "'limit unknown' is given twice"},
      {"moves 5", "'moves' needs a value, and the line ends after it"},
      {"moves 5 0", "'moves' needs a window of at least one second"},
      {"allow 10.0.0.0/33",
       "'allow 10.0.0.0/33' makes no sense: a prefix is expected, like 10.0.0.0/8 or fd00::/8"},
      {"allow none allow 10.0.0.0/8", "'allow none' means no prefix: it stands alone"},
      {"deny 10.0.0.0/8 deny none", "'deny none' means no prefix: it stands alone"},
      {"announce none announce 10.0.0.0/8", "'announce none' means no prefix: it stands alone"},
      {"accept all", "'accept all' makes no sense: a prefix is expected, like 10.0.0.0/8 or fd00::/8"},
  };
  for (const auto& [line, sentence] : kLines) EXPECT_EQ(set(line), sentence) << line;
}

TEST(VxlanAdd, ValuesRefused) {
  constexpr Refused kLines[] = {
      {"ttl x", "'ttl x' makes no sense: 'auto', 'inherit' or a number from 0 to 255 is expected"},
      {"ttl inherit ttl 5", "'ttl' is given twice"},
      {"tos 100",
       "'tos 100' makes no sense: 'inherit', a name like AF11 or a hexadecimal number from 0 to ff is "
       "expected"},
      {"df x", "'df x' makes no sense: 'unset', 'set' or 'inherit' is expected"},
      {"flowlabel 1048576",
       "'flowlabel 1048576' makes no sense: 'inherit' or a number from 0 to 1048575 is expected"},
      {"maxaddress none",
       "'maxaddress none' makes no sense: 'unlimited' or a number of addresses is expected"},
      {"reserved_bits x",
       "'reserved_bits x' makes no sense: the header's 64 bits are expected, like 0xf7ffffff000000ff"},
      {"reserved_bits 0x10000000000000000",
       "'reserved_bits 0x10000000000000000' makes no sense: the header's 64 bits are expected, like "
       "0xf7ffffff000000ff"},
      {"external noexternal", "'external' is given twice"},
  };
  for (const auto& [line, sentence] : kLines) EXPECT_EQ(set(line), sentence) << line;
}

TEST(VxlanAdd, WhatATapCannotDoIsRefusedByName) {
  constexpr const char* kGpe =
      "vtep cannot do 'gpe': its payload need not be Ethernet, and a TAP carries Ethernet only";
  EXPECT_EQ(add("id 1 gpe"), kGpe);
  EXPECT_EQ(add("id 1 gbp gpe"), kGpe);
  EXPECT_EQ(add("id 1 mcroute"),
            "vtep cannot do 'mcroute': routing the encapsulated multicast on this host is the kernel's own "
            "path, which a socket cannot take");
  constexpr const char* kExternal =
      "vtep cannot do 'external' alone: tunnel metadata of the kernel's packets never reaches a TAP; say "
      "'external vnifilter', which tells VNIs apart by VLAN";
  EXPECT_EQ(add("external"), kExternal);
  EXPECT_EQ(set("external"), kExternal);
}

TEST(VxlanAdd, Contradictions) {
  constexpr Refused kLines[] = {
      {"vnifilter", "'vnifilter' is valid only together with 'external'"},
      {"vnifilter id 5", "'vnifilter' is valid only together with 'external'"},
      {"external vnifilter id 5",
       "'id' and 'vnifilter' exclude each other: give the link its VNIs with 'vtep vni add'"},
      {"external vnifilter group 239.1.1.1 dev eno1",
       "'group' and 'vnifilter' exclude each other: each VNI has its own, say 'vtep vni add dev DEV vni VNI "
       "group IP'"},
      {"external vnifilter remote 10.0.0.1",
       "'remote' and 'vnifilter' exclude each other: each VNI has its own, say 'vtep vni add dev DEV vni VNI "
       "remote IP'"},
      {"noexternal", "the VNI is missing: say 'id VNI'"},
      {"id 1 flowlabel 5 remote 10.0.0.1",
       "'flowlabel' is a field of IPv6, and the link's addresses are IPv4"},
      {"id 1 flowlabel inherit local 10.0.0.1",
       "'flowlabel' is a field of IPv6, and the link's addresses are IPv4"},
      {"id 1 remote fe80::1", "'remote fe80::1' is link-local and needs a link-local 'local' and its 'dev'"},
      {"id 1 remote fe80::1 dev eno1 local fd00::1",
       "'remote fe80::1' is link-local and needs a link-local 'local' and its 'dev'"},
      {"id 1 remote fd00::2 dev eno1 local fe80::1",
       "'local fe80::1' is link-local and cannot reach fd00::2"},
      {"id 1 remote fe80::2 local fe80::1", "'local fe80::1' is link-local: say on which link, 'dev DEV'"},
      {"id 1 reserved_bits 0xffffffffffffffff",
       "'reserved_bits 0xffffffffffffffff' makes no sense: 0x8000000ffffff00 of it is in use by this link, "
       "so "
       "it would drop what it is for"},
      {"id 1 gbp reserved_bits 0x8000000000000000",
       "'reserved_bits 0x8000000000000000' makes no sense: 0x8000000000000000 of it is in use by this link, "
       "so it would drop what it is for"},
      {"id 1 remcsumrx reserved_bits 0x1",
       "'reserved_bits 0x1' makes no sense: 0x1 of it is in use by this link, so it would drop what it is "
       "for"},
  };
  for (const auto& [line, sentence] : kLines) EXPECT_EQ(add(line), sentence) << line;
}

// What the kernel takes is taken, though it makes no difference.
TEST(VxlanAdd, NoContradictions) {
  for (const char* line :
       {"id 1 flowlabel 0 remote 10.0.0.1", "id 1 flowlabel 5", "id 1 flowlabel 5 remote fd00::1",
        "id 1 flowlabel 5 local 10.0.0.1 local fd00::1", "id 1 udp6zerocsumtx udp6zerocsumrx remote 10.0.0.1",
        "id 1 noudpcsum remote fd00::2", "id 1 df set remote fd00::2", "id 1 gbp remcsumtx remcsumrx",
        "id 1 remote fe80::2 local fe80::1 dev eno1", "id 1 reserved_bits 0x8000000000000001",
        "id 1 local fe80::1 dev eno1 remote 10.0.0.1 local 10.0.0.2"}) {
    EXPECT_TRUE(read(line, true)) << line << ": " << add(line);
  }
}

// The rest of the link is not known when it is changed.
TEST(VxlanSet, NeedsNoWholeLink) {
  EXPECT_TRUE(read("group 239.1.1.1", false));
  EXPECT_TRUE(read("flowlabel 5 remote 10.0.0.1", false));
  EXPECT_TRUE(read("remote fe80::1", false));
}

}  // namespace
}  // namespace vtep
