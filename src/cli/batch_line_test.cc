#include "cli/batch_line.h"

#include <gmock/gmock.h>

namespace vtep {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(SplitLine, BlanksAndTabs) {
  EXPECT_THAT(*split_line("  fdb\tshow  \r"), ElementsAre("fdb", "show"));
}

TEST(SplitLine, NothingToDo) {
  EXPECT_THAT(*split_line(""), IsEmpty());
  EXPECT_THAT(*split_line(" \t"), IsEmpty());
  EXPECT_THAT(*split_line("# a comment"), IsEmpty());
}

TEST(SplitLine, CommentBehindWords) {
  EXPECT_THAT(*split_line("fdb show # all of it"), ElementsAre("fdb", "show"));
  EXPECT_THAT(*split_line("fdb show#all"), ElementsAre("fdb", "show"));
}

TEST(SplitLine, Quotes) {
  EXPECT_THAT(*split_line("link add 'my link' type"), ElementsAre("link", "add", "my link", "type"));
  EXPECT_THAT(*split_line("\"it's\""), ElementsAre("it's"));
  EXPECT_THAT(*split_line("a '' b"), ElementsAre("a", "", "b"));
}

TEST(SplitLine, QuoteWithoutEnd) {
  EXPECT_FALSE(split_line("link add 'x"));
}

}  // namespace
}  // namespace vtep
