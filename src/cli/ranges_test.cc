#include "cli/ranges.h"

#include <gmock/gmock.h>

#include "cli/testing.h"

namespace vtep {
namespace {

using testing::ElementsAre;

constexpr RangeRules kRules = {1, 100, 10, "a number from 1 to 100"};

std::vector<std::uint32_t> numbers(std::string_view line) {
  Words words(split(line));
  return read_ranges(words, "n", kRules);
}

std::string refused(std::string_view line) {
  return refusal([](Words& words) { return words.parsed(read_ranges(words, "n", kRules)); }, line);
}

TEST(Ranges, InTheirOrder) {
  EXPECT_THAT(numbers("7"), ElementsAre(7));
  EXPECT_THAT(numbers("10-12,5"), ElementsAre(10, 11, 12, 5));
  EXPECT_THAT(numbers("100-100"), ElementsAre(100));
  EXPECT_THAT(numbers("91-100"), testing::SizeIs(10));
}

TEST(Ranges, Refused) {
  for (const char* line : {"0", "101", "x", "5-", "-5", "5-4", "5,", ",5", "1-2-3", "99-101"}) {
    EXPECT_EQ(refused(line),
              "'n " + std::string(line) +
                  "' makes no sense: a number from 1 to 100, a range like 10-12 or a list of these is "
                  "expected");
  }
  EXPECT_EQ(refused(""), "'n' needs a value, and the line ends after it");
  EXPECT_EQ(refused("1-5,3"), "'n 1-5,3' has 3 twice");
  EXPECT_EQ(refused("1-11"), "'n 1-11' is too much at once: 10 are the most");
  EXPECT_EQ(refused("1-9,20-21"), "'n 1-9,20-21' is too much at once: 10 are the most");
}

}  // namespace
}  // namespace vtep
