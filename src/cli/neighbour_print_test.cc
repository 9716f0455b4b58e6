// Holds vtep's output against what `ip neigh` printed for the kernel's (testdata/capture).
#include "cli/neighbour_print.h"

#include <gtest/gtest.h>

#include "cli/captured_output.h"
#include "cli/transcript.h"

namespace vtep {
namespace {

std::string print(const std::vector<v1::Neighbour>& neighbours, const Format& format) {
  if (!format.json) {
    std::string text;
    for (const v1::Neighbour& each : neighbours)
      text += neighbour_text(each, format, NeighbourForm::kWithoutDevice);
    return text;
  }
  CapturedOutput captured;
  JsonList list(captured.output(), format.pretty);
  for (const v1::Neighbour& each : neighbours)
    list.add(neighbour_json(each, format, NeighbourForm::kWithoutDevice));
  list.end();
  return captured.text();
}

TEST(NeighbourTranscript, PrintsTheSame) {
  const std::vector<Exchange> exchanges = read_transcript("neigh.txt");
  ASSERT_GT(exchanges.size(), 1);
  const std::vector<v1::Neighbour> neighbours = neighbours_of(exchanges.front().output);
  ASSERT_EQ(neighbours.size(), 3);
  for (const Exchange& exchange : exchanges) {
    EXPECT_EQ(print(neighbours, exchange.format()), exchange.output) << exchange.command;
  }
}

TEST(NeighbourText, DeviceTableAndAge) {
  v1::Neighbour neighbour;
  neighbour.set_ip("192.168.5.1");
  neighbour.set_mac("02:00:00:00:00:01");
  neighbour.set_dev("v");
  neighbour.set_src_vni(7);
  neighbour.set_updated(12);
  EXPECT_EQ(neighbour_text(neighbour, {.statistics = 1}, NeighbourForm::kWithDevice),
            "192.168.5.1 dev v lladdr 02:00:00:00:00:01 src_vni 7 updated 12 REACHABLE \n");
  EXPECT_EQ(neighbour_json(neighbour, {.statistics = 1}, NeighbourForm::kWithDevice).dump(),
            R"({"dst":"192.168.5.1","dev":"v","lladdr":"02:00:00:00:00:01","src_vni":7,"updated":12,)"
            R"("state":["REACHABLE"]})");
}

}  // namespace
}  // namespace vtep
