#include "cli/words.h"

#include <gmock/gmock.h>

#include "cli/testing.h"

namespace vtep {
namespace {

TEST(Abbreviates, AnyBeginningButTheEmptyOne) {
  EXPECT_TRUE(abbreviates("l", "link"));
  EXPECT_TRUE(abbreviates("link", "link"));
  EXPECT_FALSE(abbreviates("links", "link"));
  EXPECT_FALSE(abbreviates("ik", "link"));
  EXPECT_FALSE(abbreviates("", "link"));
}

TEST(Words, ReadsToTheEnd) {
  Words words(split("sh dev vxlan0"));
  EXPECT_FALSE(words.take_word("show"));
  EXPECT_TRUE(words.take_abbreviation("show"));
  EXPECT_EQ(words.peek(), "dev");
  EXPECT_TRUE(words.take_word("dev"));
  EXPECT_EQ(words.value_of("dev"), "vxlan0");
  EXPECT_TRUE(words.done());
  EXPECT_EQ(words.take(), "");
  EXPECT_FALSE(words.failed());
  EXPECT_EQ(words.parsed(7), 7);
}

TEST(Words, FirstFailureStaysAndEndsTheLine) {
  Words words(split("a b"));
  words.fail("first");
  words.fail("second");
  words.help("usage");
  EXPECT_TRUE(words.done());
  EXPECT_EQ(words.take(), "");
  EXPECT_EQ(words.parsed(0).error(), (NotParsed{NotParsed::Why::kWrong, "first"}));
}

TEST(Words, ValueMissing) {
  Words words(split("dev"));
  words.take();
  EXPECT_EQ(words.value_of("dev"), "");
  EXPECT_EQ(words.parsed(0).error().text, "'dev' needs a value, and the line ends after it");
}

TEST(Words, KeywordTwice) {
  Words words(split("x"));
  words.once("dev");
  words.once("dst");
  EXPECT_FALSE(words.failed());
  words.once("dev");
  EXPECT_EQ(words.parsed(0).error().text, "'dev' is given twice");
}

}  // namespace
}  // namespace vtep
