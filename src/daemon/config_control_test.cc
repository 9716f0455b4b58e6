// `flannel:`, `mesh:`, `evpn:`, `control:` and `datapath:` of the configuration file.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "daemon/config_file.h"

namespace vtep {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string problem_in(const std::string& text) {
  const auto config = parse_config(text, "f");
  return config ? "" : config.error().message;
}

constexpr const char* kEtcd = "  etcd: [https://10.0.0.1:2379, 10.0.0.2:2379]\n";

TEST(ConfigMesh, Whole) {
  const auto config =
      parse_config("mesh:\n" + std::string(kEtcd) +
                       "  prefix: /overlay\n  node: host-a\n  ttl: 10\n  user: vtep\n  password_file: /p\n"
                       "  ca: /ca\n  cert: /c\n  key: /k\n",
                   "f");
  ASSERT_TRUE(config) << config.error().message;
  const v1::MeshConfig& mesh = config->mesh();
  EXPECT_THAT(mesh.etcd().endpoints(), ElementsAre("https://10.0.0.1:2379", "10.0.0.2:2379"));
  EXPECT_EQ(mesh.prefix(), "/overlay");
  EXPECT_EQ(mesh.node(), "host-a");
  EXPECT_EQ(mesh.ttl(), 10U);
  EXPECT_EQ(mesh.etcd().user() + mesh.etcd().password_file(), "vtep/p");
  EXPECT_EQ(mesh.etcd().ca() + mesh.etcd().cert() + mesh.etcd().key(), "/ca/c/k");
  EXPECT_FALSE(parse_config("links:\n", "f")->has_mesh());
}

TEST(ConfigMesh, Problems) {
  const auto with = [](const char* line) { return problem_in("mesh:\n" + std::string(kEtcd) + line); };
  EXPECT_EQ(with(""), "");
  EXPECT_THAT(problem_in("mesh:\n  node: a\n"), HasSubstr("etcd"));
  EXPECT_THAT(problem_in("mesh:\n  etcd: []\n"), HasSubstr("a list of endpoints"));
  EXPECT_THAT(with("  node: a/b\n"), HasSubstr("1 to 63 letters"));
  EXPECT_THAT(with("  node: ''\n"), HasSubstr("a name for this host"));
  EXPECT_THAT(with("  ttl: 4\n"), HasSubstr("5 to 3600"));
  EXPECT_THAT(with("  ttl: 3601\n"), HasSubstr("5 to 3600"));
  EXPECT_THAT(with("  prefix: vtep\n"), HasSubstr("begins with a slash"));
  EXPECT_THAT(with("  prefix: /vtep/\n"), HasSubstr("does not end with one"));
  EXPECT_THAT(with("  user: vtep\n"), HasSubstr("password_file: go together"));
  EXPECT_THAT(with("  cert: /c\n"), HasSubstr("key: go together"));
  EXPECT_THAT(with("  dev: eno1\n"), HasSubstr("unknown key 'dev'"));
}

TEST(ConfigFlannel, Whole) {
  const auto config = parse_config(
      "flannel:\n" + std::string(kEtcd) + "  dev: eno1\n  public_ip: 10.0.0.9\n  subnet_file: /run/s\n", "f");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->flannel().etcd().endpoints_size(), 2);
  EXPECT_EQ(config->flannel().dev() + config->flannel().public_ip(), "eno110.0.0.9");
}

TEST(ConfigFlannel, Problems) {
  const auto with = [](const char* line) { return problem_in("flannel:\n" + std::string(kEtcd) + line); };
  EXPECT_THAT(with(""), HasSubstr("nobody says where other nodes reach this one"));
  EXPECT_THAT(with("  public_ip: fd00::1\n"), HasSubstr("an IPv4 address of this host"));
  EXPECT_THAT(with("  public_ipv6: 10.0.0.1\n"), HasSubstr("an IPv6 address of this host"));
  EXPECT_THAT(with("  public_ip: 239.1.1.1\n"), HasSubstr("an IPv4 address of this host"));
  EXPECT_EQ(with("  public_ip: 10.0.0.1\n"), "");
}

TEST(ConfigEvpn, WithAGobgpdOfItsOwn) {
  const auto config = parse_config(
      "evpn:\n  as: 65000\n  router_id: 10.0.0.1\n  listen: [10.0.0.1]\n  port: none\n"
      "  route_targets: rfc8365\n  neighbours:\n    - { address: 10.0.0.2, as: 65001, port: 1790, local: "
      "10.0.0.1, "
      "passive: true, multihop: true, password_file: /p }\n"
      "  vnis:\n    - { vni: 6000, import: [65000:1, 10.0.0.9:2], export: [65000:1] }\n",
      "f");
  ASSERT_TRUE(config) << config.error().message;
  const v1::EvpnConfig& evpn = config->evpn();
  EXPECT_EQ(evpn.as(), 65000U);
  EXPECT_EQ(evpn.router_id(), "10.0.0.1");
  EXPECT_THAT(evpn.listen(), ElementsAre("10.0.0.1"));
  EXPECT_EQ(evpn.port(), -1);
  EXPECT_TRUE(evpn.rfc8365());
  ASSERT_EQ(evpn.neighbours_size(), 1);
  EXPECT_EQ(evpn.neighbours(0).as(), 65001U);
  EXPECT_EQ(evpn.neighbours(0).port(), 1790U);
  EXPECT_TRUE(evpn.neighbours(0).passive() && evpn.neighbours(0).multihop());
  EXPECT_EQ(evpn.neighbours(0).password_file(), "/p");
  ASSERT_EQ(evpn.targets_size(), 1);
  EXPECT_THAT(evpn.targets(0).import_targets(), ElementsAre("65000:1", "10.0.0.9:2"));
}

TEST(ConfigEvpn, WithARunningGobgpd) {
  const auto config = parse_config("evpn: { gobgpd: 'unix:///run/g.sock' }\n", "f");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->evpn().gobgpd(), "unix:///run/g.sock");
  EXPECT_FALSE(parse_config("links:\n", "f")->has_evpn());
}

TEST(ConfigEvpn, Problems) {
  const auto with = [](const std::string& line) {
    return problem_in("evpn:\n  as: 65000\n  router_id: 10.0.0.1\n" + line);
  };
  EXPECT_EQ(with(""), "");
  EXPECT_THAT(problem_in("evpn: { as: 65000 }\n"), HasSubstr("needs as: and router_id:"));
  EXPECT_THAT(problem_in("evpn: { as: 0, router_id: 10.0.0.1 }\n"), HasSubstr("from 1 to 4294967295"));
  EXPECT_THAT(problem_in("evpn: { as: 1, router_id: 'fd00::1' }\n"), HasSubstr("an IPv4 address"));
  EXPECT_THAT(problem_in("evpn: { gobgpd: 'unix:///g', neighbours: [] }\n"),
              HasSubstr("names a running one"));
  EXPECT_THAT(with("  neighbours: [{ as: 1 }]\n"), HasSubstr("address"));
  EXPECT_THAT(with("  neighbours: [{ address: 10.0.0.2 }]\n"), HasSubstr("autonomous system"));
  EXPECT_THAT(with("  neighbours: [{ address: 239.1.1.1, as: 1 }]\n"), HasSubstr("an address of a host"));
  EXPECT_THAT(with("  route_targets: mine\n"), HasSubstr("auto or rfc8365"));
  EXPECT_THAT(with("  vnis: [{ vni: 1, import: [x] }]\n"), HasSubstr("a route target, like 65000:6000"));
  EXPECT_THAT(with("  vnis: [{ import: ['1:1'] }]\n"), HasSubstr("VNI"));
}

TEST(ConfigLinkDatapath, IsUserOrKernel) {
  const auto datapath = [](const std::string& word) {
    return problem_in("links: [{name: v, id: 1, datapath: " + word + "}]");
  };
  EXPECT_EQ(datapath("user"), "");
  EXPECT_EQ(datapath("kernel"), "");
  EXPECT_THAT(datapath("dpdk"), HasSubstr("user or kernel"));
  EXPECT_THAT(problem_in("flannel:\n" + std::string(kEtcd) + "  dev: eno1\n  datapath: dpdk\n"),
              HasSubstr("user or kernel"));
}

TEST(ConfigLinkControl, IsANameOrAList) {
  const auto names = [](const std::string& control) {
    const auto config =
        parse_config("links: [{name: v, id: 1, local: 10.0.0.1, control: " + control + "}]", "f");
    EXPECT_TRUE(config) << config.error().message;
    EXPECT_TRUE(config->links(0).spec().has_control());
    const auto& list = config->links(0).spec().control().names();
    return std::vector<std::string>(list.begin(), list.end());
  };
  EXPECT_THAT(names("mesh"), ElementsAre("mesh"));
  EXPECT_THAT(names("[mesh, evpn]"), ElementsAre("mesh", "evpn"));
  EXPECT_THAT(names("none"), ElementsAre());
}

}  // namespace
}  // namespace vtep
