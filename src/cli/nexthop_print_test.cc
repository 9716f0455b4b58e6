// Holds vtep's output against what `ip nexthop` printed for the kernel's (testdata/capture).
#include "cli/nexthop_print.h"

#include <gtest/gtest.h>

#include "cli/captured_output.h"
#include "cli/transcript.h"

namespace vtep {
namespace {

std::string print(const std::vector<v1::Nexthop>& nexthops, const Format& format) {
  if (!format.json) {
    std::string text;
    for (const v1::Nexthop& nexthop : nexthops) text += nexthop_text(nexthop, format);
    return text;
  }
  CapturedOutput captured;
  JsonList list(captured.output(), format.pretty);
  for (const v1::Nexthop& nexthop : nexthops) list.add(nexthop_json(nexthop, format));
  list.end();
  return captured.text();
}

TEST(NexthopTranscript, PrintsTheSame) {
  const std::vector<Exchange> exchanges = read_transcript("nexthop.txt");
  ASSERT_GT(exchanges.size(), 1);
  const std::vector<v1::Nexthop> nexthops = nexthops_of(exchanges.front().output);
  ASSERT_EQ(nexthops.size(), 4);
  for (const Exchange& exchange : exchanges) {
    EXPECT_EQ(print(nexthops, exchange.format()), exchange.output) << exchange.command;
  }
}

// The API leaves a weight of one unsaid.
TEST(NexthopText, WeightZeroIsOne) {
  v1::Nexthop nexthop;
  nexthop.set_id(10);
  nexthop.add_members()->set_id(1);
  EXPECT_EQ(nexthop_text(nexthop, {}), "id 10 group 1 fdb\n");
}

}  // namespace
}  // namespace vtep
