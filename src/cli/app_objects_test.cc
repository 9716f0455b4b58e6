// The commands for VNIs, nexthops, groups, neighbours and remotes against a fake daemon.
#include <gmock/gmock.h>

#include <sstream>

#include "cli/app.h"
#include "cli/captured_output.h"
#include "cli/fake_daemon.h"
#include "cli/testing.h"

namespace vtep {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

struct Outcome {
  int exit_code;
  std::string out;
  std::string err;
};

class AppObjects : public testing::Test {
 protected:
  AppObjects() { daemon_.start(); }
  Outcome vtep(std::string_view line, const std::string& input = "") {
    daemon_.synchronize();
    std::istringstream in(input);
    CapturedOutput out;
    CapturedOutput err;
    Console console{in, out.output(), err.output()};
    const int exit_code = run_vtep(split(line), daemon_.socket(), console);
    daemon_.synchronize();
    return {exit_code, out.text(), err.text()};
  }

  FakeDaemon daemon_;
};

TEST_F(AppObjects, VniRangeIsOneRequestEach) {
  EXPECT_EQ(vtep("vni add dev v vni 10-11 vlan 5-6").exit_code, 0);
  EXPECT_EQ(vtep("vni del dev v vni 10").exit_code, 0);
  EXPECT_THAT(daemon_.requests,
              ElementsAre(R"(ChangeVni operation: CHANGE_ADD entry { dev: "v" vni: 10 vlan: 5 })",
                          R"(ChangeVni operation: CHANGE_ADD entry { dev: "v" vni: 11 vlan: 6 })",
                          R"(ChangeVni operation: CHANGE_DELETE entry { dev: "v" vni: 10 })"));
}

TEST_F(AppObjects, VniRangeStopsAtTheFirstThatIsRefused) {
  daemon_.refuse_request = 2;
  const Outcome result = vtep("vni add dev v vni 10-12 vlan 5-7");
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_EQ(result.err, "vtep: VNI 11: refused by the test\n");
  EXPECT_EQ(daemon_.requests.size(), 2);
}

TEST_F(AppObjects, VniShow) {
  v1::VniEntry& entry = *daemon_.vnis.add_vnis();
  entry.set_dev("v");
  entry.set_vni(10);
  EXPECT_THAT(vtep("vni").out, HasSubstr("\nv                  10            \n"));
  EXPECT_EQ(vtep("-j vni show dev v").out, "[{\"ifname\":\"v\",\"vnis\":[{\"vni\":10}]}]\n");
  EXPECT_THAT(vtep("-s vni show").out, HasSubstr("RX: bytes 0 pkts 0 \n"));
  EXPECT_THAT(daemon_.requests, ElementsAre("ListVnis", R"(ListVnis dev: "v")", "ListVnis"));
}

TEST_F(AppObjects, Nexthop) {
  EXPECT_EQ(vtep("nexthop add id 1 via 10.0.0.2 fdb").exit_code, 0);
  EXPECT_EQ(vtep("nexthop replace id 2 group 1").exit_code, 0);
  EXPECT_EQ(vtep("nexthop del id 1").exit_code, 0);
  EXPECT_THAT(
      daemon_.requests,
      ElementsAre(R"(ChangeNexthop operation: CHANGE_ADD nexthop { id: 1 via: "10.0.0.2" })",
                  "ChangeNexthop operation: CHANGE_REPLACE nexthop { id: 2 members { id: 1 weight: 1 } }",
                  "ChangeNexthop operation: CHANGE_DELETE nexthop { id: 1 }"));
}

TEST_F(AppObjects, NexthopShow) {
  v1::Nexthop& single = *daemon_.nexthops.add_nexthops();
  single.set_id(1);
  single.set_via("10.0.0.2");
  v1::Nexthop& group = *daemon_.nexthops.add_nexthops();
  group.set_id(2);
  group.add_members()->set_id(1);
  EXPECT_EQ(vtep("nexthop").out, "id 1 via 10.0.0.2 scope link fdb\nid 2 group 1 fdb\n");
  EXPECT_EQ(vtep("nexthop show groups").out, "id 2 group 1 fdb\n");
  EXPECT_THAT(vtep("-j nexthop get id 1").out, StartsWith(R"([{"id":1,"gateway":"10.0.0.2",)"));
  EXPECT_THAT(daemon_.requests, ElementsAre("ListNexthops", "ListNexthops", "ListNexthops id: 1"));
}

TEST_F(AppObjects, Mdb) {
  v1::MdbEntry& entry = *daemon_.mdb.add_entries();
  entry.set_dev("v");
  entry.set_group("239.1.1.1");
  entry.set_dst("10.0.0.2");
  EXPECT_EQ(vtep("mdb add dev v port v grp 239.1.1.1 permanent dst 10.0.0.2").exit_code, 0);
  EXPECT_EQ(vtep("mdb show dev v").out, "dev v port v grp 239.1.1.1 temp dst 10.0.0.2\n");
  EXPECT_THAT(vtep("-j mdb").out, StartsWith(R"([{"mdb":[{"dev":"v",)"));
  EXPECT_THAT(daemon_.requests, ElementsAre(R"(ChangeMdb operation: CHANGE_ADD entry { dev: "v" group: )"
                                            R"("239.1.1.1" dst: "10.0.0.2" permanent: true })",
                                            R"(ListMdb dev: "v")", "ListMdb"));
}

TEST_F(AppObjects, Neighbours) {
  for (const char* ip : {"10.1.1.1", "10.1.1.2"}) {
    v1::Neighbour& neighbour = *daemon_.neighbours.add_neighbours();
    neighbour.set_ip(ip);
    neighbour.set_mac("02:00:00:00:00:01");
    neighbour.set_dev("v");
  }
  EXPECT_EQ(vtep("neigh replace 10.1.1.1 lladdr 02:00:00:00:00:01 dev v").exit_code, 0);
  EXPECT_EQ(vtep("neighbor del 10.1.1.1 dev v").exit_code, 0);
  EXPECT_EQ(vtep("n show 10.1.1.2").out, "10.1.1.2 dev v lladdr 02:00:00:00:00:01 REACHABLE \n");
  EXPECT_THAT(vtep("neigh show dev v").out,
              StartsWith("10.1.1.1 lladdr 02:00:00:00:00:01 REACHABLE \n10.1.1.2 "));
  EXPECT_THAT(daemon_.requests,
              ElementsAre(R"(ChangeNeighbour operation: CHANGE_REPLACE neighbour { ip: "10.1.1.1" mac: )"
                          R"("02:00:00:00:00:01" dev: "v" permanent: true })",
                          R"(ChangeNeighbour operation: CHANGE_DELETE neighbour { ip: "10.1.1.1" dev: "v" })",
                          "ListNeighbours", R"(ListNeighbours dev: "v")"));
}

TEST_F(AppObjects, Remotes) {
  daemon_.remotes.add_remotes()->set_address("10.0.0.2");
  EXPECT_EQ(vtep("remote set 10.0.0.2 noudpcsum").exit_code, 0);
  EXPECT_EQ(vtep("remote").out, "10.0.0.2 entries 0\n");
  EXPECT_EQ(vtep("-j remote show dev v").out, "[{\"address\":\"10.0.0.2\",\"entries\":0}]\n");
  EXPECT_THAT(daemon_.requests, ElementsAre(R"(SetRemote address: "10.0.0.2" udp_csum: false)", "ListRemotes",
                                            R"(ListRemotes dev: "v")"));
}

TEST_F(AppObjects, Sources) {
  auto& source = *daemon_.sources.add_sources();
  source.set_name("flannel");
  source.set_state("node");
  EXPECT_THAT(vtep("source").out, StartsWith("flannel: not connected for 00:00:00, node\n    facts 0"));
  EXPECT_THAT(vtep("-j source show flannel").out, StartsWith(R"([{"name":"flannel","connected":false)"));
  EXPECT_EQ(vtep("source show a b").exit_code, 1);
  EXPECT_EQ(vtep("source jump").exit_code, 1);
  EXPECT_THAT(daemon_.requests, ElementsAre("ListSources", R"(ListSources name: "flannel")"));
}

TEST_F(AppObjects, InABatch) {
  const Outcome result = vtep("-b -",
                              "nexthop add id 1 via 10.0.0.2\n"
                              "fdb add 0:0:0:0:0:1 dev v nhid 1\n"
                              "neigh add 10.1.1.1 lladdr 0:0:0:0:0:1 dev v\n"
                              "vni add dev v vni x\n");
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, StartsWith("vtep: stdin:4: 'vni x' makes no sense"));
  EXPECT_EQ(daemon_.requests.size(), 3);
  EXPECT_EQ(daemon_.changes.size(), 1);
}

TEST_F(AppObjects, Monitor) {
  EXPECT_EQ(vtep("monitor neigh mdb").exit_code, 2);
  EXPECT_EQ(vtep("monitor all").exit_code, 2);
  EXPECT_THAT(daemon_.requests, ElementsAre("Monitor neighbours: true mdb: true",
                                            "Monitor links: true fdb: true neighbours: true mdb: true"));
}

TEST_F(AppObjects, RefusalsAreExplained) {
  daemon_.status = {grpc::StatusCode::NOT_FOUND, "there is no link v"};
  for (const char* line : {"vni add dev v vni 1", "vni show", "nexthop add id 1 via 10.0.0.2", "nexthop show",
                           "mdb add dev v grp 239.1.1.1 dst 10.0.0.2", "mdb show", "neigh del 10.1.1.1 dev v",
                           "neigh show", "remote set 10.0.0.2 udpcsum", "remote show"}) {
    const Outcome result = vtep(line);
    EXPECT_EQ(result.exit_code, 2) << line;
    EXPECT_EQ(result.err, "vtep: there is no link v\n") << line;
    EXPECT_EQ(result.out, "") << line;
  }
}

TEST_F(AppObjects, WrongWordsAndHelp) {
  for (const char* object : {"vni", "nexthop", "mdb", "neigh", "remote"}) {
    const std::string name = object;
    EXPECT_EQ(vtep(name + " frob").exit_code, 1);
    EXPECT_EQ(vtep(name + " frob").err,
              "vtep: there is no command '" + name + " frob': see 'vtep " + name + " help'\n");
    EXPECT_THAT(vtep(name + " help").out, StartsWith("Usage: vtep " + name + " "));
  }
  EXPECT_THAT(daemon_.requests, IsEmpty());
}

}  // namespace
}  // namespace vtep
