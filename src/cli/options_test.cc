#include "cli/options.h"

#include <gmock/gmock.h>

#include "cli/testing.h"

namespace vtep {
namespace {

Parsed<Options> parse(std::string_view line, std::string_view rest = "",
                      const std::string& environment = "") {
  Words words(split(line));
  Parsed<Options> options = parse_options(words, environment);
  EXPECT_EQ(words.peek(), rest) << line;
  return options;
}

TEST(Options, NoneIsTheDefault) {
  const auto options = parse("link show", "link");
  ASSERT_TRUE(options);
  EXPECT_EQ(options->socket, "/run/vtep/vtepd.sock");
  EXPECT_EQ(options->format.statistics, 0);
  EXPECT_FALSE(options->format.json);
  EXPECT_FALSE(options->batch);
}

TEST(Options, ShortLongOneDashTwoDashes) {
  const auto options = parse("-s -stat --statistics -d --details -j -p -br -force link", "link");
  ASSERT_TRUE(options);
  EXPECT_EQ(options->format.statistics, 3);
  EXPECT_EQ(options->format.details, 2);
  EXPECT_TRUE(options->format.json);
  EXPECT_TRUE(options->format.pretty);
  EXPECT_TRUE(options->format.brief);
  EXPECT_TRUE(options->force);
}

TEST(Options, BatchWinsTheShortB) {
  EXPECT_EQ(parse("-b file")->batch, "file");
  EXPECT_EQ(parse("-batch -")->batch, "-");
  EXPECT_FALSE(parse("-b file")->format.brief);
}

TEST(Options, Socket) {
  EXPECT_EQ(parse("fdb", "fdb", "/env")->socket, "/env");
  EXPECT_EQ(parse("--socket /word fdb", "fdb", "/env")->socket, "/word");
  EXPECT_EQ(parse("--socket=/word fdb", "fdb")->socket, "/word");
}

TEST(Options, TwoDashesEndThem) {
  EXPECT_TRUE(parse("-j -- -odd", "-odd"));
}

TEST(Options, Refused) {
  const auto parse_words = [](Words& words) { return parse_options(words, ""); };
  EXPECT_EQ(refusal(parse_words, "-x"), "there is no option '-x': see 'vtep help'");
  EXPECT_EQ(refusal(parse_words, "-"), "there is no option '-': see 'vtep help'");
  EXPECT_EQ(refusal(parse_words, "-b"), "'-batch' needs a value, and the line ends after it");
  EXPECT_EQ(refusal(parse_words, "--socket="), "'--socket' needs the path of a unix socket");
  EXPECT_EQ(refusal(parse_words, "-h"), "help");
}

}  // namespace
}  // namespace vtep
