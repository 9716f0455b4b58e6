// `flannel:`, `mesh:` and `control:` of the configuration file.
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
  EXPECT_THAT(names("[mesh]"), ElementsAre("mesh"));
  EXPECT_THAT(names("none"), ElementsAre());
}

}  // namespace
}  // namespace vtep
