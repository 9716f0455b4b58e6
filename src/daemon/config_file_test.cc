#include "daemon/config_file.h"

#include <fmt/format.h>
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <string_view>
#include <utility>

namespace vtep {
namespace {

constexpr std::string_view kWhole = R"(# two links as people write them
links:
  - name: vxlan0
    id: 6000
    group: 239.1.1.1
    local: 10.138.36.66
    dev: eno1
    dstport: 4789
    srcport: [49152, 65535]
    ttl: 4
    ageing: 300
    learning: true
    address: 4A:BD:99:0C:09:B2
    mtu: 1450
    up: true
    fdb:
      - { mac: "00:00:00:00:00:00", dst: 10.0.0.9 }
      - mac: 0a:00:00:00:00:01
        dst: 10.0.0.8
        port: 8472
        vni: 16777215
        via: eno2
        state: static
  - name: vxlan1
    id: 0x13880
    remote: 10.138.10.161
    ttl: auto
    learning: false
    up: false
)";

constexpr std::string_view kLinkKeys =
    "name, id, external, vnifilter, group, remote, local, dev, dstport, srcport, ttl, tos, df, flowlabel, "
    "ageing, maxaddress, learning, proxy, rsc, l2miss, l3miss, udpcsum, udp6zerocsumtx, udp6zerocsumrx, "
    "remcsumtx, remcsumrx, localbypass, gbp, gpe, mcroute, reserved_bits, vlan, mssclamp, mcsnoop, limit, "
    "moves, allow, deny, datapath, control, announce, accept, address, mtu, up, fdb, vnis, neighbours";

/// The text of the problem, without "vtepd.yaml:".
std::string problem_in(std::string_view yaml) {
  const auto config = parse_config(yaml, "vtepd.yaml");
  if (config) return "no problem: " + config->ShortDebugString();
  EXPECT_EQ(config.error().kind, ErrorKind::kInvalid);
  EXPECT_EQ(config.error().message.find('\n'), std::string::npos);
  constexpr std::string_view kFile = "vtepd.yaml:";
  EXPECT_TRUE(config.error().message.starts_with(kFile)) << config.error().message;
  return config.error().message.substr(kFile.size());
}

/// A link that is right but for one more line, which is line 5.
std::string problem_with(std::string_view line) {
  return problem_in(fmt::format("links:\n  - name: vxlan0\n    id: 6000\n    dev: eno1\n    {}\n", line));
}

TEST(ConfigFile, ReadsAWholeFile) {
  const auto config = parse_config(kWhole, "vtepd.yaml");
  ASSERT_TRUE(config) << config.error().message;
  std::string text;
  google::protobuf::TextFormat::PrintToString(*config, &text);
  EXPECT_EQ(text, R"(links {
  name: "vxlan0"
  spec {
    id: 6000
    group: "239.1.1.1"
    local: "10.138.36.66"
    dev: "eno1"
    dstport: 4789
    srcport_min: 49152
    srcport_max: 65535
    ttl: 4
    ageing: 300
    learning: true
    address: "4a:bd:99:0c:09:b2"
    mtu: 1450
  }
  up: true
  fdb {
    mac: "00:00:00:00:00:00"
    dev: "vxlan0"
    dst: "10.0.0.9"
    state: FDB_STATE_PERMANENT
  }
  fdb {
    mac: "0a:00:00:00:00:01"
    dev: "vxlan0"
    dst: "10.0.0.8"
    port: 8472
    vni: 16777215
    via: "eno2"
    state: FDB_STATE_STATIC
  }
}
links {
  name: "vxlan1"
  spec {
    id: 80000
    remote: "10.138.10.161"
    ttl: 0
    learning: false
  }
  up: false
}
)");
}

// What a link becomes that has one more line, as protobuf text; the problem if it is refused.
std::string spec_with(std::string_view line) {
  const auto config = parse_config(
      fmt::format("links:\n  - name: v\n    id: 1\n    dev: eno1\n    {}\n", line), "vtepd.yaml");
  if (!config) return config.error().message;
  v1::LinkSpec spec = config->links(0).spec();
  spec.clear_id();
  spec.clear_dev();
  return spec.ShortDebugString();
}

struct Reading {
  const char* line;
  const char* spec;
};

TEST(ConfigFile, ReadsEveryOption) {
  constexpr Reading kReadings[] = {
      {"ttl: inherit", "ttl_inherit: true"},
      {"tos: 16", "tos: 16"},
      {"tos: 0x10", "tos: 16"},
      {"tos: inherit", "tos: 1"},
      {"df: unset", "df: DF_UNSET"},
      {"df: set", "df: DF_SET"},
      {"df: inherit", "df: DF_INHERIT"},
      {"flowlabel: 1048575", "flow_label: 1048575"},
      {"flowlabel: inherit", "flow_label_inherit: true"},
      {"maxaddress: 100", "max_address: 100"},
      {"maxaddress: unlimited", "max_address: 0"},
      {"proxy: true", "proxy: true"},
      {"rsc: true", "rsc: true"},
      {"l2miss: true", "l2miss: true"},
      {"l3miss: true", "l3miss: true"},
      {"udpcsum: false", "udp_csum: false"},
      {"udp6zerocsumtx: true", "udp6_zero_csum_tx: true"},
      {"udp6zerocsumrx: true", "udp6_zero_csum_rx: true"},
      {"remcsumtx: true", "remcsum_tx: true"},
      {"remcsumrx: true", "remcsum_rx: true"},
      {"localbypass: false", "localbypass: false"},
      {"gbp: true", "gbp: true"},
      {"reserved_bits: 0xf7ffffff000000ff", "reserved_bits: 17870283317111161087"},
      {"vlan: strip", "vlan: VLAN_STRIP"},
      {"vlan: allow", "vlan: VLAN_ALLOW"},
      {"vlan: discard", "vlan: VLAN_DISCARD"},
      {"mssclamp: true", "mss_clamp: true"},
      {"mcsnoop: true", "mcast_snooping: true"},
      {"limit: {broadcast: 1000, unknown: none, multicast: 5}",
       "limit_broadcast: 1000 limit_unknown: 0 limit_multicast: 5"},
      {"moves: [5, 180]", "move_limit: 5 move_window: 180"},
      {"moves: none", "move_limit: 0"},
      {"allow: [10.1.2.3/8, fd00::1]", R"(allow { prefixes: "10.0.0.0/8" prefixes: "fd00::1/128" })"},
      {"deny: []", "deny { }"},
      {"announce: [10.20.1.0/24]", R"(announce { prefixes: "10.20.1.0/24" })"},
      {"accept: [10.20.0.0/16]", R"(accept { prefixes: "10.20.0.0/16" })"},
      {"local: [10.0.0.1, fd00::1]", R"(local: "10.0.0.1" local6: "fd00::1")"},
      {"local: [fd00::1, 10.0.0.1]", R"(local: "10.0.0.1" local6: "fd00::1")"},
      {"gpe: false", ""},
      {"mcroute: false", ""},
  };
  for (const auto& [line, spec] : kReadings) EXPECT_EQ(spec_with(line), spec) << line;
}

TEST(ConfigFile, ProblemsOfOptions) {
  EXPECT_EQ(problem_with("tos: 256"),
            "5:10: tos: '256' does not fit; write inherit, or a number from 0 to 255");
  EXPECT_EQ(problem_with("df: maybe"), "5:9: df: 'maybe' does not fit; write unset, set or inherit");
  EXPECT_EQ(problem_with("flowlabel: 1048576"),
            "5:16: flowlabel: '1048576' does not fit; write inherit, or a number from 0 to 1048575");
  EXPECT_EQ(problem_with("local: 10.0.0.1\n    flowlabel: 5"),
            "6:16: flowlabel: is a field of IPv6, and the link's addresses are IPv4; remove it");
  EXPECT_EQ(problem_with("maxaddress: none"),
            "5:17: maxaddress: 'none' does not fit; write unlimited, or a number of addresses");
  EXPECT_EQ(problem_with("gpe: true"),
            "5:10: gpe: its payload need not be Ethernet, and a TAP carries Ethernet only; remove it");
  EXPECT_EQ(
      problem_with("mcroute: true"),
      "5:14: mcroute: routing the encapsulated multicast on this host is the kernel's own path, which a "
      "socket cannot take; remove it");
  EXPECT_EQ(problem_with("reserved_bits: x"),
            "5:20: reserved_bits: 'x' does not fit; write the 64 bits of the VXLAN header, like "
            "0xf7ffffff000000ff");
  EXPECT_EQ(problem_with("reserved_bits: 0xffffffffffffffff"),
            "5:20: reserved_bits: 0x8000000ffffff00 of it is in use by this link; leave these bits out");
  EXPECT_EQ(problem_with("gbp: true\n    reserved_bits: 0x8000000000000000"),
            "6:20: reserved_bits: 0x8000000000000000 of it is in use by this link; leave these bits out");
  EXPECT_EQ(problem_with("vlan: 5"), "5:11: vlan: '5' does not fit; write strip, allow or discard");
  EXPECT_EQ(problem_with("limit: 5"), "5:12: limit: '5' does not fit; write rates, like { broadcast: 1000 }");
  EXPECT_EQ(problem_with("limit: {broadcst: 5}"),
            "5:13: broadcst: unknown key 'broadcst'; did you mean broadcast?");
  EXPECT_EQ(problem_with("limit: {broadcast: x}"),
            "5:24: broadcast: 'x' does not fit; write none, or frames a second");
  EXPECT_EQ(problem_with("moves: 5"),
            "5:12: moves: '5' does not fit; write none, or moves and seconds like [5, 180]");
  EXPECT_EQ(problem_with("moves: [5, 0]"),
            "5:16: moves: '0' does not fit; write a number of seconds, at least 1");
  EXPECT_EQ(problem_with("allow: [10.0.0.0/33]"),
            "5:13: allow: '10.0.0.0/33' does not fit; write a prefix, like 10.0.0.0/8 or fd00::/8");
  EXPECT_EQ(problem_with("deny: 10.0.0.0/8"),
            "5:11: deny: '10.0.0.0/8' does not fit; write a list of prefixes, like [10.0.0.0/8]");
  EXPECT_EQ(
      problem_with("local: [10.0.0.1, 10.0.0.2]"),
      "5:23: local: '10.0.0.2' is of the same address family as '10.0.0.1'; write one IPv4 and one IPv6 "
      "address");
  EXPECT_EQ(problem_with("local: [10.0.0.1]"),
            "5:12: local: is a list; write one address, or an IPv4 and an IPv6 one like [10.0.0.1, fd00::1]");
}

TEST(ConfigFile, SeveralVnisOnOneLink) {
  const auto config = parse_config(R"(links:
  - name: v
    external: true
    vnifilter: true
    dev: eno1
    vnis:
      - { vni: 10, vlan: 100, group: 239.1.1.1 }
      - { vni: 11, remote: fd00::1 }
)",
                                   "vtepd.yaml");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->links(0).spec().ShortDebugString(),
            R"(dev: "eno1" learning: false external: true vnifilter: true)");
  ASSERT_EQ(config->links(0).vnis_size(), 2);
  EXPECT_EQ(config->links(0).vnis(0).ShortDebugString(), R"(dev: "v" vni: 10 vlan: 100 group: "239.1.1.1")");
  EXPECT_EQ(config->links(0).vnis(1).ShortDebugString(), R"(dev: "v" vni: 11 remote: "fd00::1")");
}

/// A link of several VNIs that is right but for `text`, which begins in line 3.
std::string vnis_problem(std::string_view text) {
  return problem_in(fmt::format("links:\n  - {{name: v, external: true, vnifilter: true,\n    {}}}\n", text));
}

TEST(ConfigFile, ProblemsOfVnis) {
  EXPECT_EQ(problem_in("links: [{name: v, external: true}]"),
            "1:29: external: alone has nothing to work on: tunnel metadata of the kernel's packets never "
            "reaches a TAP; write vnifilter: true as well");
  EXPECT_EQ(problem_in("links: [{name: v, vnifilter: true}]"),
            "1:30: vnifilter: is valid only with external; write external: true as well");
  EXPECT_EQ(problem_with("vnis: [{vni: 5}]"),
            "5:11: vnis: needs a link of several VNIs; write external: true and vnifilter: true as well");
  EXPECT_EQ(vnis_problem("id: 5"), "3:9: id: stands beside vnifilter; write it under vnis, for each VNI");
  EXPECT_EQ(vnis_problem("group: 239.1.1.1, dev: eno1"),
            "3:12: group: stands beside vnifilter; write it under vnis, for each VNI");
  EXPECT_EQ(vnis_problem("vnis: [{vlan: 5}]"), "3:12: vni: is missing; write a VNI, 0 to 16777215");
  EXPECT_EQ(vnis_problem("vnis: [{vni: 5, vlan: 4095}]"),
            "3:27: vlan: '4095' does not fit; write a VLAN, 1 to 4094");
  EXPECT_EQ(vnis_problem("vnis: [{vni: 5, group: 239.1.1.1}]"),
            "3:28: group: needs the device on which to join it; write dev in the link");
  EXPECT_EQ(vnis_problem("vnis: [{vni: 5, vlan: 5},\n {vni: 5, vlan: 6}]"),
            "4:2: vnis: VNI 5 is in line 3 already; remove one of them");
  EXPECT_EQ(vnis_problem("vnis: [{vni: 5, vlan: 5},\n {vni: 6, vlan: 5}]"),
            "4:2: vnis: VLAN 5 is in line 3 already; write another vlan");
  EXPECT_EQ(vnis_problem("vnis: [{vni: 5},\n {vni: 6}]"),
            "4:2: vnis: the VNI in line 3 has no vlan either, and one may; write vlan");
  EXPECT_EQ(problem_in("links:\n  - {name: a, id: 5}\n"
                       "  - {name: b, external: true, vnifilter: true, vnis: [{vni: 5}]}\n"),
            "3:5: vnis: 5 on UDP port 8472 is the link in line 2 already; write another vni or dstport");
}

TEST(ConfigFile, Neighbours) {
  const auto config = parse_config(
      "links: [{name: v, id: 1, neighbours: [{ip: 192.168.5.1, mac: 0a:00:00:00:00:01, router: true}]}]",
      "f");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->links(0).neighbours(0).ShortDebugString(),
            R"(ip: "192.168.5.1" mac: "0a:00:00:00:00:01" dev: "v" permanent: true router: true)");
  EXPECT_EQ(problem_with("neighbours: [{ip: 10.1.1.1}]"),
            "5:18: mac: is missing; write the MAC address behind it");
  EXPECT_EQ(problem_with("neighbours: [{ip: 10.1.1.1, mac: 01:00:00:00:00:01}]"),
            "5:38: mac: '01:00:00:00:00:01' does not fit; write the MAC address of one interface, neither a "
            "group nor zero");
  EXPECT_EQ(problem_with("neighbours: [{ip: 10.1.1.1, mac: 0a:00:00:00:00:01},\n"
                         "      {ip: 10.1.1.1, mac: 0a:00:00:00:00:02}]"),
            "6:7: neighbours: 10.1.1.1 is in line 5 already; remove one of them");
}

TEST(ConfigFile, WordsOfAnFdbEntry) {
  const auto config = parse_config(
      "links: [{name: v, id: 1, fdb: [{mac: 0a:00:00:00:00:01, nhid: 10, router: true, src_vni: 7}]}]", "f");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(
      config->links(0).fdb(0).ShortDebugString(),
      R"(mac: "0a:00:00:00:00:01" dev: "v" state: FDB_STATE_PERMANENT nhid: 10 router: true src_vni: 7)");
  EXPECT_EQ(problem_with("fdb: [{ mac: 0a:00:00:00:00:01, nhid: 10, dst: 10.0.0.1 }]"),
            "5:52: dst: stands beside nhid, which says where to; keep one of them");
  EXPECT_EQ(problem_with("fdb: [{ mac: 0a:00:00:00:00:01, nhid: 0 }]"),
            "5:43: nhid: '0' does not fit; write the number of a nexthop, from 1");
}

TEST(ConfigFile, WhatIsNotSaidIsNotSet) {
  const auto config = parse_config("links: [{name: v, id: 0}]", "vtepd.yaml");
  ASSERT_TRUE(config) << config.error().message;
  const v1::ConfiguredLink& link = config->links(0);
  EXPECT_TRUE(link.spec().has_id());
  EXPECT_FALSE(link.has_up());
  EXPECT_FALSE(link.spec().has_ttl());
  EXPECT_FALSE(link.spec().has_learning());
  EXPECT_FALSE(link.spec().has_dstport());
}

TEST(ConfigFile, Ipv6UnderlayIsForTheDaemonToDecide) {
  const auto config =
      parse_config("links: [{name: v, id: 1, group: 'FF05:0::1', local: fd00::1, dev: eno1}]", "vtepd.yaml");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->links(0).spec().group(), "ff05::1");
}

TEST(ConfigFile, EmptyFilesAreEmptyConfigurations) {
  for (const std::string_view empty :
       {"", "\n", "# nothing\n", "---\n", "links:\n", "links: []\n", "{}\n", "\xef\xbb\xbf"}) {
    const auto config = parse_config(empty, "vtepd.yaml");
    ASSERT_TRUE(config) << config.error().message;
    EXPECT_EQ(config->links_size(), 0);
  }
}

TEST(ConfigFile, ProblemsOfTheDocument) {
  EXPECT_EQ(problem_in("- a\n"), "1:1: links: is a list; write links: and below it a list of links");
  EXPECT_EQ(problem_in("hello\n"),
            "1:1: links: 'hello' does not fit; write links: and below it a list of links");
  EXPECT_EQ(problem_in("linsk:\n"), "1:1: linsk: unknown key 'linsk'; did you mean links?");
  EXPECT_EQ(problem_in("links:\n  vxlan0: 1\n"),
            "2:3: links: is a map; write a list of links, each with - in front");
  EXPECT_EQ(problem_in("links:\n  -\n"),
            "3:1: links: has no value; write a link, which begins with name: and id:");
  EXPECT_EQ(problem_in("links: []\nlinks: []\n"),
            "2:1: links: is here twice in the same map; remove one of them");
  EXPECT_EQ(problem_in("links: []\n---\nlinks: []\n"),
            "3:1: a second document starts here; put everything into one, without ---");
}

TEST(ConfigFile, BrokenYamlNamesTheLastKey) {
  EXPECT_EQ(
      problem_in("links:\n  - name: vxlan0\n    id: [1\n    dev: eno1\n"),
      "4:8: id: broken YAML: end of sequence flow not found; look at indentation, colons and quotes here and "
      "in the line above");
  EXPECT_EQ(problem_in("links:\n  - name: vxlan0\n     id: 6\n"),
            "3:8: name: broken YAML: illegal map value; look at indentation, colons and quotes here and in "
            "the line "
            "above");
}

TEST(ConfigFile, ProblemsAtTheEndArePlacedAtTheLastValue) {
  EXPECT_EQ(problem_in("links:\n  - {name: vxlan0, id: 6"),
            "2:24: id: broken YAML: end of map flow not found; look at indentation, colons and quotes here "
            "and in the "
            "line above");
}

TEST(ConfigFile, ProblemsOfALink) {
  EXPECT_EQ(problem_with("grupp: 239.1.1.1"), "5:5: grupp: unknown key 'grupp'; did you mean group?");
  EXPECT_EQ(problem_with("colour: red"),
            fmt::format("5:5: colour: unknown key 'colour'; the keys here are {}", kLinkKeys));
  EXPECT_EQ(problem_with("id: 6001"), "5:5: id: is here twice in the same map; remove one of them");
  EXPECT_EQ(problem_with("[a]: 6001"), "5:5: dev: a key must be a plain word");
  EXPECT_EQ(problem_with("dstport: 65536"),
            "5:14: dstport: '65536' does not fit; write a UDP port, 1 to 65535");
  EXPECT_EQ(problem_with("dstport: 0"), "5:14: dstport: '0' does not fit; write a UDP port, 1 to 65535");
  EXPECT_EQ(problem_with("dstport:"), "5:5: dstport: has no value; write a UDP port, 1 to 65535");
  EXPECT_EQ(problem_with("dstport: [1]"), "5:14: dstport: is a list; write a UDP port, 1 to 65535");
  EXPECT_EQ(problem_with("dstport: {a: 1}"), "5:14: dstport: is a map; write a UDP port, 1 to 65535");
  EXPECT_EQ(problem_with("srcport: 5"),
            "5:14: srcport: '5' does not fit; write two UDP ports, like [49152, 65535]");
  EXPECT_EQ(problem_with("srcport: [5]"),
            "5:14: srcport: is a list; write two UDP ports, like [49152, 65535]");
  EXPECT_EQ(problem_with("srcport: [5, x]"), "5:18: srcport: 'x' does not fit; write a UDP port, 1 to 65535");
  EXPECT_EQ(problem_with("srcport: [6, 5]"),
            "5:14: srcport: 6 is larger than 5; write the smaller port first");
  EXPECT_EQ(problem_with("ttl: 256"),
            "5:10: ttl: '256' does not fit; write auto, inherit, or a number from 1 to 255");
  EXPECT_EQ(problem_with("ageing: -1"), "5:13: ageing: '-1' does not fit; write seconds, or 0 for never");
  EXPECT_EQ(problem_with("learning: maybe"), "5:15: learning: 'maybe' does not fit; write true or false");
  EXPECT_EQ(problem_with("up: 1"), "5:9: up: '1' does not fit; write true or false");
  EXPECT_EQ(problem_with("mtu: 67"), "5:10: mtu: '67' does not fit; write bytes, 68 to 65521");
  EXPECT_EQ(problem_with("address: 4a:bd:99"),
            "5:14: address: '4a:bd:99' does not fit; write a MAC address, like 4a:bd:99:0c:09:b2");
  EXPECT_EQ(problem_with("address: 01:00:5e:01:01:01"),
            "5:14: address: '01:00:5e:01:01:01' does not fit; write the MAC address of one interface, "
            "neither a group "
            "nor zero");
  EXPECT_EQ(problem_with("fdb: 5"), "5:10: fdb: '5' does not fit; write a list of entries");
}

TEST(ConfigFile, ProblemsOfNameAndId) {
  EXPECT_EQ(problem_in("links: [{name: v}]"), "1:9: id: is missing; write a VNI, 0 to 16777215");
  EXPECT_EQ(problem_in("links: [{id: 1}]"),
            "1:9: name: is missing; write the name of the interface, like vxlan0");
  EXPECT_EQ(problem_in("links: [{name: v, id: 16777216}]"),
            "1:23: id: '16777216' does not fit; write a VNI, 0 to 16777215");
  EXPECT_TRUE(parse_config("links: [{name: a23456789012345, id: 16777215}]", "f"));
  for (const std::string_view name :
       {"a234567890123456", "", "a/b", "a b", "a:b", "vxlan%d", ".", "..", "\\t", "\xc3\xa4"}) {
    const std::string problem = problem_in(fmt::format("links: [{{name: \"{}\", id: 1}}]", name));
    EXPECT_TRUE(problem.starts_with("1:16: name: ")) << problem;
    EXPECT_TRUE(problem.ends_with(
        "; write the name of an interface: 1 to 15 letters, digits and signs other than / : %"))
        << problem;
  }
}

TEST(ConfigFile, ProblemsOfTheUnderlay) {
  EXPECT_EQ(
      problem_with("group: 10.0.0.1"),
      "5:12: group: '10.0.0.1' does not fit; write a multicast address, like 239.1.1.1; a unicast one is "
      "written as remote");
  EXPECT_EQ(
      problem_with("remote: 239.1.1.1"),
      "5:13: remote: '239.1.1.1' does not fit; write a unicast address; a multicast one is written as group");
  EXPECT_EQ(
      problem_with("local: 239.1.1.1"),
      "5:12: local: '239.1.1.1' does not fit; write a unicast address; a multicast one is written as group");
  EXPECT_EQ(problem_with("remote: 10.0.0.300"),
            "5:13: remote: '10.0.0.300' does not fit; write an IP address, like 10.138.36.66 or fd00::1");
  EXPECT_EQ(problem_with("remote: 0.0.0.0"),
            "5:13: remote: '0.0.0.0' does not fit; write an IP address, like 10.138.36.66 or fd00::1");
  EXPECT_EQ(problem_with("group: 239.1.1.1\n    remote: 10.0.0.1"),
            "6:13: remote: stands beside group; keep one of them, and write further remotes under fdb");
  EXPECT_EQ(problem_with("remote: 10.0.0.1\n    local: fd00::1"),
            "6:12: local: 'fd00::1' is not of the address family of remote; write both as IPv4 or both as "
            "IPv6, or a list of one address of either");
  EXPECT_EQ(problem_in("links: [{name: v, id: 1, group: 239.1.1.1}]"),
            "1:33: group: needs the device on which to join it; write dev as well");
}

TEST(ConfigFile, ProblemsOfAnFdbEntry) {
  EXPECT_EQ(problem_with("fdb: [{ dst: 10.0.0.1 }]"),
            "5:11: mac: is missing; write a MAC address, or 00:00:00:00:00:00 to flood");
  EXPECT_EQ(problem_with("fdb: [{ mac: 0a:00:00:00:00:01 }]"),
            "5:11: dst: is missing; write the IP address of a VTEP");
  EXPECT_EQ(problem_with("fdb: [{ mac: 0a:00:00:00:00:01, dst: 10.0.0.1, stat: static }]"),
            "5:52: stat: unknown key 'stat'; did you mean state?");
  EXPECT_EQ(problem_with("fdb: [{ mac: 0a:00:00:00:00:01, dst: 10.0.0.1, state: self }]"),
            "5:59: state: 'self' does not fit; write permanent, static or dynamic");
  EXPECT_EQ(problem_with("fdb: [{ mac: 0a:00:00:00:00:01, dst: 10.0.0.1, vni: 16777216 }]"),
            "5:57: vni: '16777216' does not fit; write a VNI, 0 to 16777215");
  EXPECT_EQ(
      problem_with("fdb: [5]"),
      "5:11: fdb: '5' does not fit; write an entry, like { mac: \"00:00:00:00:00:00\", dst: 10.0.0.9 }");
}

TEST(ConfigFile, OnlyFloodingAndGroupsHaveSeveralRemotes) {
  EXPECT_EQ(problem_with("fdb: [{ mac: 0a:00:00:00:00:01, dst: 10.0.0.1 },\n"
                         "          { mac: 0a:00:00:00:00:01, dst: 10.0.0.2 }]"),
            "6:11: fdb: 0a:00:00:00:00:01 has an entry in line 5 already; remove one of them");
  EXPECT_TRUE(
      problem_with("fdb: [{ mac: '0:0:0:0:0:0', dst: 10.0.0.1 }, { mac: '0:0:0:0:0:0', dst: 10.0.0.2 }]")
          .starts_with("no problem"));
  // The same remote, though the second says in words what the first leaves to the link.
  EXPECT_EQ(
      problem_with("fdb: [{ mac: 01:00:5e:00:00:01, dst: 10.0.0.1 },\n"
                   "          { mac: 01:00:5e:00:00:01, dst: 10.0.0.1, port: 8472, vni: 6000, via: eno1 }]"),
      "6:11: fdb: 01:00:5e:00:00:01 has an entry with this remote in line 5 already; remove one of them");
}

TEST(ConfigFile, LinksAreDistinct) {
  EXPECT_EQ(problem_in("links:\n  - {name: a, id: 1}\n  - {name: a, id: 2}\n"),
            "3:5: name: a is the link in line 2 already; write another name");
  EXPECT_EQ(problem_in("links:\n  - {name: a, id: 1}\n  - {name: b, id: 1, dstport: 8472}\n"),
            "3:5: id: 1 on UDP port 8472 is the link in line 2 already; write another id or dstport");
  EXPECT_TRUE(parse_config("links: [{name: a, id: 1}, {name: b, id: 1, dstport: 4789}]", "f"));
}

TEST(ConfigFile, WhatMakesSmallFilesLargeIsRefused) {
  EXPECT_EQ(problem_in("links:\n  - &a {name: v, id: 1}\n  - *a\n"),
            "2:5: links: anchors and aliases (& and *) are not taken; write the value itself");
  EXPECT_EQ(problem_in("links: [{name: v, id: 1, <<: {dev: eno1}}]"),
            fmt::format("1:26: <<: unknown key '<<'; the keys here are {}", kLinkKeys));
  EXPECT_EQ(problem_in("links: !!binary aaaa"),
            "1:8: links: tags (words that start with !) are not taken; write the value alone");
  EXPECT_EQ(problem_in("links: " + std::string(100, '[') + std::string(100, ']')),
            "1:15: links: nested more than 8 deep; see the example file");
  EXPECT_NE(problem_in("links: " + std::string(100'000, '[')).find("nested more than 8 deep"),
            std::string::npos);
  EXPECT_EQ(problem_in(std::string((16 << 20) + 1, '#')), "1:1: the file is larger than 16 MiB");
  EXPECT_TRUE(parse_config(std::string(16 << 20, '#'), "f"));
}

TEST(ConfigFile, SaysHowMuchOfTheMachineItMayTake) {
  const auto config = parse_config("workers: 4\nspin: 200\n", "f");
  ASSERT_TRUE(config);
  EXPECT_EQ(config->workers(), 4U);
  EXPECT_EQ(config->spin(), 200'000U);
  EXPECT_EQ(parse_config("workers: auto\nspin: off\n", "f")->workers(), 0U);
  EXPECT_TRUE(parse_config("spin: off\n", "f")->has_spin());
  EXPECT_FALSE(parse_config("links:\n", "f")->has_workers());
  for (const char* text :
       {"workers: 0\n", "workers: 33\n", "workers: many\n", "spin: 10001\n", "spin: -1\n", "spin:\n"}) {
    EXPECT_FALSE(parse_config(text, "f")) << text;
  }
}

TEST(ConfigFile, NothingIsHiddenFromTheReaderOfTheFile) {
  EXPECT_EQ(problem_in(std::string_view("links: []\nab\0", 13)),
            "2:3: control character 0x00; write the file as UTF-8 text");
  EXPECT_EQ(problem_in("links: []\n\x04hello: 5\n"),
            "2:1: control character 0x04; write the file as UTF-8 text");
  // What is quoted from the file cannot write on the terminal.
  EXPECT_EQ(problem_in("links: [{name: \"a\\e[2Jb\", id: 1}]").find('\x1b'), std::string::npos);
  EXPECT_EQ(problem_in("? \"a\\e[2J\\n\"\n: 1\n"),
            "1:3: a?[2J?: unknown key 'a?[2J?'; the keys here are links, workers, spin, flannel, mesh, evpn");
  EXPECT_EQ(problem_in("links: [{\"i\\ed\": [}]").find('\x1b'), std::string::npos);
}

class ConfigFileOnDisk : public testing::Test {
 protected:
  ~ConfigFileOnDisk() override { std::filesystem::remove(path_); }

  const std::string path_ = testing::TempDir() + fmt::format("config_file_test.{}.yaml", getpid());
};

TEST_F(ConfigFileOnDisk, IsReadWhole) {
  std::ofstream(path_) << kWhole;
  const auto config = load_config(path_);
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->links_size(), 2);
}

TEST_F(ConfigFileOnDisk, IsNamedInProblems) {
  std::ofstream(path_) << "linsk:\n";
  const auto config = load_config(path_);
  ASSERT_FALSE(config);
  EXPECT_EQ(config.error().message, path_ + ":1:1: linsk: unknown key 'linsk'; did you mean links?");
}

TEST_F(ConfigFileOnDisk, OrCannotBeRead) {
  const auto missing = load_config(path_);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error(),
            (Error{ErrorKind::kSystem, "cannot read " + path_ + ": No such file or directory"}));
  const auto directory = load_config("/tmp");
  ASSERT_FALSE(directory);
  EXPECT_EQ(directory.error(), (Error{ErrorKind::kSystem, "cannot read /tmp: Is a directory"}));
}

/// Damaged files end in a Config or in one line of text, never in an exception, a crash or a long wait.
TEST(ConfigFile, SurvivesRandomDamage) {
  constexpr std::string_view kPieces[] = {
      "[",     "]",     "{",    "}",   ": ", "- ",   "\n",       "\n  ", "\"",
      "'",     "&a ",   "*a",   "!t ", "? ", "|\n",  ">-\n",     "#",    "%YAML 1.2\n",
      "---\n", "...\n", "<<: ", "~",   "\t", "\xff", "\xfe\xff", "null"};
  std::mt19937 random(20'240'607);
  const auto below = [&random](std::size_t n) {
    return std::uniform_int_distribution<std::size_t>(0, n - 1)(random);
  };
  int accepted = 0;
  int refused = 0;
  for (int round = 0; round < 4'000; ++round) {
    std::string yaml(kWhole);
    for (std::size_t damage = below(8) + 1; damage > 0; --damage) {
      const std::size_t at = below(yaml.size());
      switch (below(4)) {
        case 0:
          yaml[at] = static_cast<char>(below(256));
          break;
        case 1:
          yaml.erase(at, below(40));
          break;
        case 2:
          yaml.insert(at, kPieces[below(std::size(kPieces))]);
          break;
        default:
          yaml.insert(at, yaml.substr(below(yaml.size()), below(60)));
          break;
      }
      if (yaml.empty()) yaml = "x";
    }
    const auto config = parse_config(yaml, "vtepd.yaml");
    if (config) {
      ++accepted;
      // What is accepted can travel over the API, whose strings are UTF-8.
      v1::Config copy;
      EXPECT_TRUE(copy.ParseFromString(config->SerializeAsString())) << yaml;
    } else {
      ++refused;
      EXPECT_EQ(config.error().kind, ErrorKind::kInvalid) << yaml;
      EXPECT_TRUE(config.error().message.starts_with("vtepd.yaml:")) << config.error().message;
      for (const char c : config.error().message) EXPECT_TRUE(c >= ' ' && c <= '~') << config.error().message;
    }
  }
  // Comments take damage without harm, so both happen.
  EXPECT_GT(accepted, 20);
  EXPECT_GT(refused, 1'000);
}

}  // namespace
}  // namespace vtep
