// The whole command against a fake daemon: words in, text and exit code out.
#include "cli/app.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <sstream>

#include "cli/captured_output.h"
#include "cli/fake_daemon.h"
#include "cli/testing.h"
#include "cli/transcript.h"

namespace vtep {
namespace {

using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

struct Outcome {
  int exit_code;
  std::string out;
  std::string err;
};

Outcome run(std::string_view line, const std::string& socket, const std::string& input = "") {
  std::istringstream in(input);
  CapturedOutput out;
  CapturedOutput err;
  Console console{in, out.output(), err.output()};
  const int exit_code = run_vtep(split(line), socket, console);
  return {exit_code, out.text(), err.text()};
}

class App : public testing::Test {
 protected:
  App() { daemon_.start(); }
  Outcome vtep(std::string_view line, const std::string& input = "") {
    daemon_.synchronize();
    Outcome outcome = run(line, daemon_.socket(), input);
    daemon_.synchronize();
    return outcome;
  }

  FakeDaemon daemon_;
};

TEST_F(App, LinkAdd) {
  const Outcome result = vtep("link add vxlan0 type vxlan id 6000 group 239.1.1.1 dev eno1 dstport 4789");
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.out + result.err, "");
  EXPECT_THAT(daemon_.requests,
              ElementsAre(R"(AddLink name: "vxlan0" spec { id: 6000 group: "239.1.1.1" dev: "eno1" )"
                          R"(dstport: 4789 })"));
}

TEST_F(App, LinkAddWithoutPortSaysSo) {
  const Outcome result = vtep("link add vxlan0 type vxlan id 1");
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.err, StartsWith("vxlan: destination port not specified\n"));
}

TEST_F(App, LinkSetAndDelete) {
  EXPECT_EQ(vtep("l set vxlan0 up").exit_code, 0);
  EXPECT_EQ(vtep("li del vxlan0").exit_code, 0);
  EXPECT_THAT(daemon_.requests,
              ElementsAre(R"(SetLink name: "vxlan0" spec { } up: true)", R"(DeleteLink name: "vxlan0")"));
}

TEST_F(App, LinkShowPrintsWhatIpPrints) {
  for (const char* file : {"link_list.txt", "link_up.txt"}) {
    const std::vector<Exchange> exchanges = read_transcript(file);
    daemon_.links.clear_links();
    for (const v1::Link& link : links_of(exchanges.front().output)) *daemon_.links.add_links() = link;
    for (const Exchange& exchange : exchanges) {
      const Outcome result = vtep(exchange.command.substr(3));  // without "ip "
      EXPECT_EQ(result.out, exchange.output) << exchange.command;
      EXPECT_EQ(result.exit_code, 0);
    }
  }
}

TEST_F(App, LinkWithoutCommandShows) {
  daemon_.links.add_links()->set_name("vxlan0");
  EXPECT_THAT(vtep("link").out, HasSubstr("vxlan0"));
  EXPECT_THAT(vtep("link show dev vxlan0").out, HasSubstr("vxlan0"));
  EXPECT_THAT(daemon_.requests, ElementsAre("ListLinks", R"(ListLinks name: "vxlan0")"));
}

TEST_F(App, FdbShowPrintsWhatBridgePrints) {
  for (const char* file :
       {"fdb_dev.txt", "fdb_all.txt", "fdb_get.txt", "fdb_get_zero.txt", "fdb_empty.txt"}) {
    const std::vector<Exchange> exchanges = read_transcript(file);
    daemon_.parts.clear();
    for (const v1::FdbEntry& entry : entries_of(exchanges.front().output)) {
      *daemon_.parts.emplace_back().add_entries() = entry;
    }
    for (const Exchange& exchange : exchanges) {
      const Outcome result = vtep(exchange.command.substr(7));  // without "bridge "
      EXPECT_EQ(result.out, exchange.output) << exchange.command;
      EXPECT_EQ(result.err, "");
    }
  }
}

TEST_F(App, FdbShowFilters) {
  v1::ListFdbResponse& part = daemon_.parts.emplace_back();
  part.add_entries()->set_mac("00:00:00:00:00:01");
  part.add_entries()->set_mac("00:00:00:00:00:02");
  part.mutable_entries(0)->set_state(v1::FDB_STATE_PERMANENT);
  part.mutable_entries(1)->set_state(v1::FDB_STATE_STATIC);
  EXPECT_EQ(vtep("fdb show dev v state permanent").out, "00:00:00:00:00:01 self permanent\n");
  EXPECT_EQ(vtep("fdb show dev v dynamic").out, "00:00:00:00:00:02 self static\n");
}

TEST_F(App, FdbGetPrintsTheFirstRemoteOnly) {
  v1::ListFdbResponse& part = daemon_.parts.emplace_back();
  for (const char* dst : {"10.0.0.1", "10.0.0.2"}) {
    v1::FdbEntry& entry = *part.add_entries();
    entry.set_mac("00:00:00:00:00:00");
    entry.set_dev("v");
    entry.set_dst(dst);
    entry.set_vni(dst[7] - '0');
  }
  EXPECT_EQ(vtep("fdb get 0:0:0:0:0:0 dev v").out, "00:00:00:00:00:00 dev v dst 10.0.0.1 vni 1 self \n");
  EXPECT_EQ(vtep("fdb get 0:0:0:0:0:0 dev v vni 2").out,
            "00:00:00:00:00:00 dev v dst 10.0.0.2 vni 2 self \n");
  const Outcome missing = vtep("-j fdb get 0:0:0:0:0:0 dev v vni 3");
  EXPECT_EQ(missing.exit_code, 2);
  EXPECT_EQ(missing.out, "");
  EXPECT_EQ(missing.err, "vtep: v has no such entry for 00:00:00:00:00:00\n");
}

TEST_F(App, FdbChange) {
  EXPECT_EQ(vtep("fdb append 00:00:00:00:00:00 dev v dst 10.0.0.1").exit_code, 0);
  ASSERT_EQ(daemon_.changes.size(), 1);
  EXPECT_EQ(daemon_.changes[0].operation(), v1::FdbChange::OPERATION_APPEND);
  EXPECT_FALSE(daemon_.changes[0].force());

  daemon_.refuse_change = 1;
  const Outcome refused = vtep("fdb add 00:00:00:00:00:00 dev v dst 10.0.0.1");
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_EQ(refused.err, "vtep: refused by the test\n");
}

TEST_F(App, FdbFlush) {
  EXPECT_EQ(vtep("fdb flush dev v dynamic").exit_code, 0);
  EXPECT_THAT(daemon_.requests, ElementsAre(R"(FlushFdb dev: "v" states: FDB_STATE_DYNAMIC)"));
}

TEST_F(App, DropShow) {
  v1::DropCount& drop = *daemon_.drops.add_drops();
  drop.set_dev("vxlan0");
  drop.set_name("no_remote");
  drop.set_description("Why.");
  EXPECT_EQ(vtep("drop").out, "");
  EXPECT_EQ(vtep("-j drop show").out, "[]\n");
  EXPECT_EQ(vtep("-d drop show dev vxlan0").out, "vxlan0:\n    no_remote 0  Why.\n");
  EXPECT_THAT(vtep("-d -j drop").out, StartsWith(R"([{"ifname":"vxlan0",)"));
  EXPECT_EQ(daemon_.requests[2], R"(ListDrops dev: "vxlan0")");
}

TEST_F(App, MonitorPrintsEventsUntilTheDaemonEnds) {
  v1::Event& event = daemon_.events.emplace_back();
  event.set_action(v1::Event::ACTION_DELETED);
  event.mutable_fdb()->set_mac("00:11:22:33:44:55");
  event.mutable_fdb()->set_dev("vxlan0");
  const Outcome all = vtep("monitor all");
  EXPECT_EQ(all.out, "[NEIGH]Deleted 00:11:22:33:44:55 dev vxlan0 self \n");
  EXPECT_EQ(all.exit_code, 2);
  EXPECT_THAT(all.err, EndsWith(" ended\n"));
  EXPECT_EQ(vtep("monitor fdb").out, "Deleted 00:11:22:33:44:55 dev vxlan0 self \n");
  EXPECT_THAT(daemon_.requests,
              ElementsAre("Monitor links: true fdb: true neighbours: true mdb: true", "Monitor fdb: true"));
}

TEST_F(App, DaemonShow) {
  daemon_.daemon.set_version("0.1.0");
  EXPECT_THAT(vtep("daemon").out, StartsWith("vtepd 0.1.0 pid 0 uptime 00:00:00\n"));
  EXPECT_THAT(vtep("-j daemon show").out, StartsWith(R"([{"version":"0.1.0",)"));
}

TEST_F(App, DaemonStopReturnsWhenItEnded) {
  EXPECT_EQ(vtep("daemon stop").exit_code, 0);
  EXPECT_THAT(daemon_.requests, ElementsAre("StopDaemon mode: MODE_STOP"));
  EXPECT_EQ(vtep("daemon show").exit_code, 2);
}

TEST_F(App, DaemonRestartReturnsWhenTheNewOneAnswers) {
  const Outcome result = vtep("daemon restart");
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(daemon_.requests, ElementsAre("StopDaemon mode: MODE_RESTART", "GetDaemon"));
  EXPECT_EQ(vtep("daemon show").exit_code, 0);
}

TEST_F(App, SlowEndShowsProgress) {
  daemon_.pause = std::chrono::milliseconds(1300);
  const Outcome result = vtep("daemon detach");
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.err, "vtep: waiting for the daemon to end \n");
}

TEST_F(App, DaemonRefusesToStop) {
  daemon_.status = {grpc::StatusCode::PERMISSION_DENIED, "only root may stop vtepd"};
  const Outcome result = vtep("daemon stop");
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_EQ(result.err, "vtep: only root may stop vtepd\n");
}

TEST_F(App, StatusBecomesExitCodeAndSentence) {
  daemon_.status = {grpc::StatusCode::NOT_FOUND, "there is no link vxlan0"};
  EXPECT_EQ(vtep("link show vxlan0").exit_code, 2);
  EXPECT_EQ(vtep("link show vxlan0").err, "vtep: there is no link vxlan0\n");
  EXPECT_EQ(vtep("fdb show dev vxlan0").err, "vtep: there is no link vxlan0\n");
  EXPECT_EQ(vtep("-j fdb show dev vxlan0").out, "");
  EXPECT_EQ(vtep("fdb add 0:0:0:0:0:1 dev vxlan0 dst 10.0.0.1").err, "vtep: there is no link vxlan0\n");

  daemon_.status = {grpc::StatusCode::UNAVAILABLE, "underlay device eno1 is missing"};
  EXPECT_EQ(vtep("link set vxlan0 up").err, "vtep: underlay device eno1 is missing\n");
  EXPECT_EQ(vtep("link set vxlan0 up").exit_code, 2);

  daemon_.status = {grpc::StatusCode::INVALID_ARGUMENT, "mtu 100000 is too large"};
  EXPECT_EQ(vtep("link set vxlan0 up").exit_code, 1);

  daemon_.status = grpc::Status(grpc::StatusCode::UNIMPLEMENTED, "");
  EXPECT_THAT(vtep("drop").err, EndsWith("does not know this command: it is older than vtep\n"));
}

TEST_F(App, WrongWordsNeverReachTheDaemon) {
  const Outcome result = vtep("link add vxlan0 type vxlan id 16777216");
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_EQ(result.err, "vtep: 'id 16777216' makes no sense: a VNI from 0 to 16777215 is expected\n");
  EXPECT_EQ(vtep("frob").err, "vtep: there is no object 'frob': see 'vtep help'\n");
  EXPECT_EQ(vtep("link frob").exit_code, 1);
  EXPECT_EQ(vtep("fdb frob").exit_code, 1);
  EXPECT_EQ(vtep("drop frob").exit_code, 1);
  EXPECT_EQ(vtep("monitor frob").exit_code, 1);
  EXPECT_EQ(vtep("daemon sto").exit_code, 1);
  EXPECT_EQ(vtep("daemon stop now").exit_code, 1);
  EXPECT_EQ(vtep("").exit_code, 1);
  EXPECT_THAT(daemon_.requests, IsEmpty());
}

TEST_F(App, HelpIsNoError) {
  for (const char* line : {"help", "link help", "fdb help", "drop help", "monitor help", "daemon help", "-h",
                           "link add v type vxlan help"}) {
    const Outcome result = vtep(line);
    EXPECT_EQ(result.exit_code, 0) << line;
    EXPECT_THAT(result.out, StartsWith("Usage: ")) << line;
  }
  EXPECT_THAT(vtep("-V").out, StartsWith("vtep utility, vtep-"));
}

TEST_F(App, BatchSendsConsecutiveChangesInOneCall) {
  const Outcome result = vtep("-b -",
                              "fdb add 0:0:0:0:0:1 dev v dst 10.0.0.1\n"
                              "# a comment\n"
                              "\n"
                              "fdb rep 0:0:0:0:0:2 dev v \\\n"
                              "dst 10.0.0.2\n"
                              "link set v up\n"
                              "fdb del 0:0:0:0:0:1 dev v\n");
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(daemon_.changes.size(), 3);
  EXPECT_THAT(daemon_.requests,
              ElementsAre("ChangeFdb", R"(SetLink name: "v" spec { } up: true)", "ChangeFdb"));
}

TEST_F(App, BatchNamesTheRefusedLineAndStops) {
  daemon_.refuse_change = 2;
  const Outcome result = vtep("-b -",
                              "# one\n"
                              "fdb add 0:0:0:0:0:1 dev v dst 10.0.0.1\n"
                              "fdb add 0:0:0:0:0:2 dev v dst 10.0.0.1\n"
                              "link set v up\n");
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_EQ(result.err, "vtep: stdin:3: refused by the test\n");
  EXPECT_THAT(daemon_.requests, ElementsAre("ChangeFdb"));
}

TEST_F(App, ForcedBatchGoesOn) {
  daemon_.refuse_change = 2;
  const Outcome result = vtep("-force -b -",
                              "fdb add 0:0:0:0:0:1 dev v dst 10.0.0.1\n"
                              "fdb add 0:0:0:0:0:2 dev v dst 10.0.0.1\n"
                              "fdb add 0:0:0:0:0:3 dev v dst 10.0.0.1\n"
                              "link frob\n"
                              "link set v up\n");
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_EQ(result.err,
            "vtep: stdin:2: refused by the test\n"
            "vtep: stdin:4: there is no command 'link frob': see 'vtep link help'\n");
  EXPECT_EQ(daemon_.changes.size(), 2);
  EXPECT_EQ(daemon_.requests.size(), 2);
}

TEST_F(App, BatchOfWrongWordsKeepsWhatCameBefore) {
  const Outcome result = vtep("-b -",
                              "fdb add 0:0:0:0:0:1 dev v dst 10.0.0.1\n"
                              "fdb add nonsense dev v\n"
                              "fdb add 0:0:0:0:0:3 dev v dst 10.0.0.1\n");
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_EQ(result.err, "vtep: stdin:2: 'nonsense' is no MAC address like 4a:bd:99:0c:09:b2\n");
  EXPECT_EQ(daemon_.changes.size(), 1);
}

TEST_F(App, WrongWordsBehindARefusedChangeAreNotReached) {
  daemon_.refuse_change = 1;
  const std::string input = "fdb add 0:0:0:0:0:1 dev v dst 10.0.0.1\nfdb add 'nonsense\n";
  EXPECT_EQ(vtep("-b -", input).err, "vtep: stdin:1: refused by the test\n");
  EXPECT_EQ(vtep("-force -b -", input).err,
            "vtep: stdin:1: refused by the test\n"
            "vtep: stdin:2: the quotation mark has no second one\n");
}

TEST_F(App, BatchRefusedAsAWholeNamesItsLines) {
  daemon_.status = {grpc::StatusCode::UNAVAILABLE, "shutting down"};
  const Outcome result = vtep("-b -",
                              "fdb add 0:0:0:0:0:1 dev v dst 10.0.0.1\n"
                              "fdb add 0:0:0:0:0:2 dev v dst 10.0.0.1\n");
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_EQ(result.err, "vtep: stdin:1-2: shutting down\n");
}

TEST_F(App, BatchFile) {
  const std::string name = testing::TempDir() + "vtep-batch";
  std::ofstream(name) << "fdb add 0:0:0:0:0:1 dev v dst 10.0.0.1\nfdb show 'x\n";
  const Outcome result = vtep("-b " + name);
  EXPECT_EQ(result.err, "vtep: " + name + ":2: the quotation mark has no second one\n");
  EXPECT_EQ(daemon_.changes.size(), 1);
  ::unlink(name.c_str());
  EXPECT_EQ(vtep("-b " + name).err, "vtep: cannot read " + name + ": No such file or directory\n");
  EXPECT_EQ(vtep("-b - link show").exit_code, 1);
}

TEST_F(App, LargeBatchArrivesInOrder) {
  constexpr int kCount = 5000;
  std::string input;
  for (int i = 0; i < kCount; ++i) {
    input += "fdb replace 02:00:00:00:" + std::to_string(i / 100) + ":" + std::to_string(i % 100) +
             " dev v dst 10.0.0.1\n";
  }
  EXPECT_EQ(vtep("-b -", input).exit_code, 0);
  ASSERT_EQ(daemon_.changes.size(), kCount);
  EXPECT_EQ(daemon_.requests.size(), 1);
  EXPECT_EQ(daemon_.changes.back().entry().mac(), "02:00:00:00:49:99");
}

// A table far larger than what a pipe and a call hold: the reader goes after one line, and nothing is said
// about it.
TEST_F(App, ReaderThatGoesAwayEndsTheStreamQuietly) {
  v1::ListFdbResponse& part = daemon_.parts.emplace_back();
  for (int i = 0; i < 1000; ++i) part.add_entries()->set_mac("00:11:22:33:44:55");
  daemon_.fdb_repeat = 1'000'000'000;
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  ::close(ends[0]);
  const auto previous = std::signal(SIGPIPE, SIG_IGN);
  {
    std::istringstream in;
    Output out(ends[1]);
    CapturedOutput err;
    Console console{in, out, err.output()};
    EXPECT_EQ(run_vtep(split("-j fdb show"), daemon_.socket(), console), 0);
    EXPECT_EQ(err.text(), "");
  }
  std::signal(SIGPIPE, previous);
  ::close(ends[1]);
}

TEST_F(App, FullDiskIsSaid) {
  daemon_.links.add_links()->set_name("vxlan0");
  const int full = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
  ASSERT_GE(full, 0);
  std::istringstream in;
  Output out(full);
  CapturedOutput err;
  Console console{in, out, err.output()};
  EXPECT_EQ(run_vtep(split("link show"), daemon_.socket(), console), 2);
  EXPECT_EQ(err.text(), "vtep: cannot write: No space left on device\n");
  ::close(full);
}

TEST_F(App, AnyPathCanBeTheSocket) {
  const std::string link = daemon_.socket() + " 100%41?#";
  ASSERT_EQ(::symlink(daemon_.socket().c_str(), link.c_str()), 0);
  EXPECT_EQ(run("daemon", link).err, "");
}

TEST(AppWithoutDaemon, SaysWhatToDo) {
  const Outcome result = run("link show", "/nonexistent/vtepd.sock");
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_EQ(
      result.err,
      "vtep: no daemon answers on /nonexistent/vtepd.sock: start it with 'vtepd &', or name its socket with "
      "--socket\n");
}

TEST(AppWithoutDaemon, PathTooLong) {
  const Outcome result = run("link show", "/" + std::string(200, 'x'));
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err,
              HasSubstr("is too long for the path of a unix socket: 107 characters are the most\n"));
}

TEST(AppWithoutDaemon, BatchStopsAtTheFirstLine) {
  const Outcome result =
      run("-b -", "/nonexistent/vtepd.sock",
          "fdb add 0:0:0:0:0:1 dev v dst 10.0.0.1\nfdb add 0:0:0:0:0:2 dev v dst 10.0.0.1\n");
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_EQ(std::ranges::count(result.err, '\n'), 1);
  EXPECT_THAT(result.err, StartsWith("vtep: stdin:1: no daemon answers on "));
}

TEST(AppWithoutDaemon, SomebodyElseOnTheSocket) {
  const std::string path = testing::TempDir() + "vtep-silent.sock";
  ::unlink(path.c_str());
  const int silent = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  ASSERT_EQ(::bind(silent, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  ASSERT_EQ(::listen(silent, 4), 0);
  const Outcome result = run("link show", path);
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_EQ(result.err, "vtep: whoever listens on " + path + " does not answer: is it vtepd?\n");
  ::close(silent);
  ::unlink(path.c_str());
}

}  // namespace
}  // namespace vtep
