#include "wire/options.h"

#include <gtest/gtest.h>

#include <initializer_list>
#include <vector>

namespace vtep {
namespace {

std::vector<unsigned> kinds(std::vector<std::uint8_t> bytes, bool* malformed) {
  std::vector<unsigned> found;
  OptionCursor cursor(bytes);
  while (const auto option = cursor.next()) found.push_back(option->kind);
  *malformed = cursor.is_malformed();
  return found;
}

TEST(OptionCursor, WalksToTheEnd) {
  bool malformed = true;
  EXPECT_EQ(kinds({2, 4, 5, 0xb4, 1, 3, 3, 7}, &malformed), (std::vector<unsigned>{2, 1, 3}));
  EXPECT_FALSE(malformed);
  EXPECT_TRUE(kinds({}, &malformed).empty());
  EXPECT_FALSE(malformed);
}

TEST(OptionCursor, GivesTheData) {
  const std::vector<std::uint8_t> bytes = {2, 4, 5, 0xb4};
  const auto option = OptionCursor(bytes).next();
  ASSERT_TRUE(option);
  EXPECT_EQ(option->data.data(), bytes.data() + 2);
  EXPECT_EQ(option->data.size(), 2U);
}

TEST(OptionCursor, StopsBehindTheEndMark) {
  bool malformed = true;
  EXPECT_EQ(kinds({0, 2, 4, 5, 0xb4}, &malformed), (std::vector<unsigned>{0}));
  EXPECT_FALSE(malformed);
}

TEST(OptionCursor, StopsAtImpossibleLengths) {
  bool malformed = false;
  EXPECT_EQ(kinds({1, 8}, &malformed), (std::vector<unsigned>{1}));
  EXPECT_TRUE(malformed);
  for (const std::uint8_t length : std::initializer_list<std::uint8_t>{0, 1, 5}) {
    EXPECT_TRUE(kinds({8, length, 0, 0}, &malformed).empty());
    EXPECT_TRUE(malformed) << unsigned{length};
  }
}

}  // namespace
}  // namespace vtep
