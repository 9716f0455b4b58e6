#include "cli/mdb_print.h"

#include <gtest/gtest.h>

namespace vtep {
namespace {

v1::MdbEntry whole() {
  v1::MdbEntry entry;
  entry.set_dev("vxlan0");
  entry.set_group("232.1.1.1");
  entry.set_source("192.168.5.1");
  entry.set_dst("10.0.0.2");
  entry.set_port(4790);
  entry.set_vni(5);
  entry.set_src_vni(10);
  entry.set_via("eno1");
  entry.set_permanent(true);
  return entry;
}

v1::MdbEntry learned() {
  v1::MdbEntry entry;
  entry.set_dev("vxlan0");
  entry.set_group("239.1.1.1");
  entry.set_dst("10.0.0.3");
  entry.set_expires(259);
  return entry;
}

TEST(MdbText, AsBridgePrintsThem) {
  EXPECT_EQ(mdb_text(whole(), {}),
            "dev vxlan0 port vxlan0 grp 232.1.1.1 src 192.168.5.1 permanent dst 10.0.0.2 dst_port 4790 vni 5 "
            "src_vni 10 via eno1\n");
  EXPECT_EQ(mdb_text(whole(), {.details = 1}),
            "dev vxlan0 port vxlan0 grp 232.1.1.1 src 192.168.5.1 permanent filter_mode include proto static "
            "dst 10.0.0.2 dst_port 4790 vni 5 src_vni 10 via eno1\n");
  EXPECT_EQ(mdb_text(learned(), {}), "dev vxlan0 port vxlan0 grp 239.1.1.1 temp dst 10.0.0.3\n");
  EXPECT_EQ(
      mdb_text(learned(), {.statistics = 1, .details = 1}),
      "dev vxlan0 port vxlan0 grp 239.1.1.1 temp filter_mode exclude proto kernel dst 10.0.0.3  259.00\n");
}

TEST(MdbJson, AsBridgePrintsIt) {
  v1::ListMdbResponse entries;
  *entries.add_entries() = whole();
  *entries.add_entries() = learned();
  EXPECT_EQ(
      mdb_json(entries, {}).dump(),
      R"({"mdb":[{"dev":"vxlan0","port":"vxlan0","grp":"232.1.1.1","src":"192.168.5.1","state":"permanent",)"
      R"("flags":[],"dst":"10.0.0.2","dst_port":4790,"vni":5,"src_vni":10,"via":"eno1"},)"
      R"({"dev":"vxlan0","port":"vxlan0","grp":"239.1.1.1","state":"temp","flags":[],"dst":"10.0.0.3"}],)"
      R"("router":{}})");
  EXPECT_EQ(mdb_entry_json(learned(), {.statistics = 1, .details = 1}).dump(),
            R"({"dev":"vxlan0","port":"vxlan0","grp":"239.1.1.1","state":"temp","filter_mode":"exclude",)"
            R"("protocol":"kernel","flags":[],"dst":"10.0.0.3","timer":" 259.00"})");
}

}  // namespace
}  // namespace vtep
