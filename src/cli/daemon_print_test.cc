#include "cli/daemon_print.h"

#include <gmock/gmock.h>

namespace vtep {
namespace {

v1::Daemon daemon() {
  v1::Daemon result;
  result.set_version("0.1.0");
  result.set_pid(1234);
  result.set_uptime(86400 + 2 * 3600 + 3 * 60 + 4);
  result.set_links(2);
  result.set_fdb_entries(7);
  result.set_workers(2);
  result.set_spin(50000);
  return result;
}

TEST(DaemonText, WithoutFiles) {
  EXPECT_EQ(daemon_text(daemon()),
            "vtepd 0.1.0 pid 1234 uptime 1d 02:03:04\n"
            "    links 2 fdb 7 workers 2 spin 50us\n"
            "    config none\n");
}

TEST(DaemonText, FirstDayAndFiles) {
  v1::Daemon young = daemon();
  young.set_uptime(59);
  young.set_config_file("/etc/vtepd.yaml");
  young.set_state_file("/run/vtep/state");
  EXPECT_EQ(daemon_text(young),
            "vtepd 0.1.0 pid 1234 uptime 00:00:59\n"
            "    links 2 fdb 7 workers 2 spin 50us\n"
            "    config /etc/vtepd.yaml state /run/vtep/state\n");
}

TEST(DaemonJson, Keys) {
  EXPECT_EQ(
      daemon_json(daemon()).dump(),
      R"({"version":"0.1.0","pid":1234,"uptime":93784,"links":2,"fdb_entries":7,"workers":2,"spin":50,"config_file":"",)"
      R"("state_file":""})");
}

}  // namespace
}  // namespace vtep
