// Holds vtep's output against what `bridge vni` printed for the kernel's vxlan driver (testdata/capture).
#include "cli/vni_print.h"

#include <gtest/gtest.h>

#include "cli/captured_output.h"
#include "cli/transcript.h"

namespace vtep {
namespace {

std::string print(const v1::ListVnisResponse& vnis, const Format& format) {
  if (!format.json) return vnis_text(vnis, format);
  CapturedOutput captured;
  JsonList list(captured.output(), format.pretty);
  for (const Json& link : vnis_json(vnis, format)) list.add(link);
  list.end();
  return captured.text();
}

TEST(VniTranscript, PrintsTheSame) {
  const std::vector<Exchange> exchanges = read_transcript("vni.txt");
  ASSERT_GT(exchanges.size(), 1);
  const v1::ListVnisResponse vnis = vnis_of(exchanges.front().output);
  ASSERT_EQ(vnis.vnis_size(), 6);
  for (const Exchange& exchange : exchanges) {
    EXPECT_EQ(print(vnis, exchange.format()), exchange.output) << exchange.command;
  }
}

v1::ListVnisResponse with_vlans() {
  v1::ListVnisResponse vnis;
  const auto add = [&vnis](const char* dev, std::uint32_t vni, std::uint32_t vlan) {
    v1::VniEntry& entry = *vnis.add_vnis();
    entry.set_dev(dev);
    entry.set_vni(vni);
    entry.set_vlan(vlan);
  };
  add("v1", 10, 100);
  add("v1", 11, 101);
  add("v1", 12, 200);
  add("v2", 13, 201);
  return vnis;
}

TEST(VniText, RangesEndWhereTheVlansDo) {
  EXPECT_EQ(vnis_text(with_vlans(), {}),
            "dev               vni              group/remote   \n"
            "v1                 10-11              vlan 100-101\n"
            "                   12             vlan 200\n"
            "\n"
            "v2                 13             vlan 201\n"
            "\n");
  const std::vector<Json> links = vnis_json(with_vlans(), {});
  ASSERT_EQ(links.size(), 2);
  EXPECT_EQ(
      links[0].dump(),
      R"({"ifname":"v1","vnis":[{"vni":10,"vniEnd":11,"vlan":100,"vlanEnd":101},{"vni":12,"vlan":200}]})");
}

TEST(VniText, CountersOfEach) {
  v1::ListVnisResponse vnis = with_vlans();
  v1::LinkCounters& counters = *vnis.mutable_vnis(1)->mutable_counters();
  counters.set_decapsulated_bytes(1);
  counters.set_decapsulated_frames(2);
  counters.set_encapsulated_bytes(3);
  counters.set_encapsulated_frames(4);
  counters.set_dropped(5);
  const std::string text = vnis_text(vnis, {.statistics = 1});
  EXPECT_NE(text.find("                   11             vlan 101\n"
                      "                   RX: bytes 1 pkts 2 \n"
                      "                   TX: bytes 3 pkts 4 \n"
                      "                   drops 5 \n"),
            std::string::npos)
      << text;
  EXPECT_EQ(vnis_json(vnis, {.statistics = 1})[0].at("vnis")[1].dump(),
            R"({"vni":11,"vlan":101,"stats":{"rx_bytes":1,"rx_pkts":2,"tx_bytes":3,"tx_pkts":4,"drops":5}})");
}

TEST(VniText, NoneIsTheHeading) {
  EXPECT_EQ(vnis_text({}, {}), "dev               vni              group/remote   \n");
}

}  // namespace
}  // namespace vtep
