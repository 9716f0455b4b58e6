#include "wire/print.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "wire/golden_frames.h"

namespace vtep {
namespace {

// Where we stop earlier than tcpdump, or differ on purpose (see print.h).
const std::map<std::string_view, std::string_view> kOurOwn = {};

TEST(PrintFrame, PrintsWhatTcpdumpPrints) {
  for (const GoldenFrame& frame : golden_frames()) {
    const auto own = kOurOwn.find(frame.name);
    EXPECT_EQ(print_frame(frame.bytes), own == kOurOwn.end() ? frame.text : own->second) << frame.name;
  }
}

}  // namespace
}  // namespace vtep
